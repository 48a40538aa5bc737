import BSSCore
import Testing

/// A group of options as parts declare them.
private struct Sample: OptionGroup {
    enum Mode: String, Choice { case fast, exact }
    struct Inner: OptionGroup {
        @Option("low", "lower bound", .atLeast(0)) var low = 1
        @Option("high", "upper bound", .optional(.atLeast(0))) var high: Int? = nil

        func check(_ operation: String) throws {
            if let high, low > high { throw BSSError(operation, "low is above high", kind: .usage) }
        }
    }

    @Required("file", "what to read") var file: String
    @Option("mode", aliases: ["m"], "how") var mode = Mode.fast
    var bounds = Inner()
    @Option("seed", "root") var seed: Seed = 3
}

@Suite struct OptionTests {
    private func made(_ fields: [(String, Value)]) throws -> Sample {
        try Sample(Arguments(operation: "sample", declared: Sample.arguments, named: Table(fields: fields)))
    }

    @Test("declarations are the properties in order, those of groups within in their place")
    func listing() {
        #expect(Sample.arguments.map(\.name) == ["file", "mode", "low", "high", "seed"])
        #expect(Sample.arguments.map(\.isRequired) == [true, false, false, false, false])
        #expect(Sample.arguments[1].choices == ["fast", "exact"] && Sample.arguments[1].aliases == ["m"])
        #expect(Sample.arguments[2].expected == "integer at least 0")
    }

    @Test("a call gives values, defaults stand in for the rest, and a copy is a value of its own")
    func values() throws {
        let plain = try made([("file", .string("a"))])
        #expect(plain.file == "a" && plain.mode == .fast && plain.bounds.low == 1 && plain.seed.value == 3)
        var given = try made([
            ("file", .string("b")), ("m", .string("exact")), ("high", .int(7)), ("seed", .int(.max)),
        ])
        #expect(given.mode == .exact && given.bounds.high == 7 && given.seed.value == .max)
        let copy = given
        given.bounds.low = 5
        #expect(copy.bounds.low == 1 && Sample.Inner().low == 1)
    }

    @Test(
        "what does not hold is said with the option's name",
        arguments: [
            ([("file", Value.string("a")), ("mode", .string("quick"))], "one of \"fast\", \"exact\""),
            ([("file", .string("a")), ("low", .int(-1))], "'low' expects integer at least 0"),
            ([("file", .string("a")), ("low", .int(4)), ("high", .int(2))], "low is above high"),
            ([("mode", .string("fast"))], "'file' is missing"),
            ([("file", .string("a")), ("moed", .int(1))], "did you mean 'mode'?"),
            ([("file", .string("a")), ("high", .int(1 << 40))], "no integer beyond"),
        ])
    func errors(fields: [(String, Value)], text: String) {
        #expect { try made(fields) } throws: { ($0 as? BSSError)?.kind == .usage && "\($0)".contains(text) }
    }
}
