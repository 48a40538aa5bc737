import BSSCore
import BSSCurriculum
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct PaceTests {
    private func pace(_ name: String, _ options: [(String, Value)] = []) throws -> Pace {
        try Configured<Pace>(name, Table(fields: options)).product
    }

    /// methods.md C1: lambda_0 = 0.1, T = 40.
    private static let epochs = [0, 1, 5, 10, 20, 30, 39, 40, 41, 100]
    private static let table: [(name: String, options: [(String, Value)], values: [Double])] = [
        ("root", [], [0.1, 0.186414, 0.365718, 0.507445, 0.710634, 0.867468, 0.987547]),
        ("root", [("p", .int(3))], [0.1, 0.296155, 0.501164, 0.630590, 0.793965, 0.908661, 0.991605]),
        ("root", [("p", .int(5))], [0.1, 0.478214, 0.659763, 0.757863, 0.870552, 0.944088, 0.994949]),
        ("linear", [], [0.1, 0.1225, 0.2125, 0.325, 0.55, 0.775, 0.9775]),
        ("geometric", [], [0.1, 0.105925, 0.133352, 0.177828, 0.316228, 0.562341, 0.944061]),
        ("logarithmic", [], [0.1, 0.668164, 0.812883, 0.875250, 0.937625, 0.974114, 0.997726]),
        ("exponential", [], [0.1, 0.100012, 0.100102, 0.100457, 0.106024, 0.173839, 0.800912]),
        ("quadratic", [], [0.1, 0.100562, 0.114063, 0.15625, 0.325, 0.60625, 0.955562]),
        ("square_root", [], [0.1, 0.242302, 0.418198, 0.55, 0.736396, 0.879423, 0.988679]),
        ("step", [], [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]),
        ("baby_step", [], [0.1, 0.1, 0.2, 0.3, 0.6, 0.8, 1]),
    ]

    @Test("the reference table", arguments: table.indices)
    func pacing_table(_ row: Int) throws {
        let (name, options, values) = Self.table[row]
        let pace = try pace(name, options)
        for (k, epoch) in Self.epochs.enumerated() {
            let wanted = k < values.count ? values[k] : 1
            #expect(try abs(pace.at(Double(epoch)) - wanted) < 6e-7, "\(name) at \(epoch)")
        }
    }

    @Test("lambda by epoch as the audit lists it; the released code is one epoch ahead")
    func root() throws {
        let listed = [
            (0, 0.1), (1, 0.1864), (2, 0.2439), (5, 0.3657), (10, 0.5074), (20, 0.7106), (30, 0.8675), (39, 0.9875),
            (40, 1),
        ]
        let released = try pace("root", [("offset", .int(1))])
        for (t, lambda) in listed {
            #expect(try abs(pace("root").at(Double(t)) - lambda) < 5e-5)
            if t > 0 { #expect(try abs(released.at(Double(t - 1)) - lambda) < 5e-5) }
        }
    }

    @Test func stepwise() throws {
        let fixed = try pace("fixed_exponential")
        for (t, value) in [(0, 0.04), (10, 0.076), (20, 0.1444), (30, 0.27436), (40, 0.52128), (50, 0.99044), (60, 1)] {
            #expect(try abs(fixed.at(Double(t)) - value) < 5e-6)
        }
        let adaptive = try pace("adaptive")
        for (t, value) in [(0, 0.1), (15, 0.12), (30, 0.144), (150, 0.61917)] {
            #expect(try abs(adaptive.at(Double(t)) - value) < 5e-6)
        }
        let varied = try pace(
            "varied_exponential",
            [("lambda_0", .number(0.1)), ("increase", .int(2)), ("steps", .list([.int(2), .int(3)]))])
        #expect(try (0..<7).map { try varied.at(Double($0)) } == [0.1, 0.1, 0.2, 0.2, 0.2, 1, 1])
        #expect(try abs(pace("staircase").at(20) - 0.2) < 1e-12)
    }

    /// λ(t) = (t / 100)² from 0.01 on, as a script would write it.
    private func quadratic() throws -> Pace {
        let body = Stand { arguments in
            let t = arguments[0].double ?? 0
            return [.number(min(1, max(0.01, t * t / 10_000)))]
        }
        return try Pace.part(named: "custom").configured([.function(body)]).product
    }

    @Test("every pace stays in (0, 1], never falls, and reaches everything; windows never go backwards")
    func pacing_monotone_and_capped() throws {
        for part in Pace.parts {
            let pace = try part.name == "custom" ? quadratic() : pace(part.name)
            var before = 0.0
            var startBefore = 0.0
            for epoch in 0...300 {
                let (start, end) = try pace.window(Double(epoch))
                #expect(end > 0 && end <= 1 && end >= before, "\(part.name) at \(epoch): \(end)")
                #expect(start >= startBefore && start < end, "\(part.name) starts at \(start)")
                (before, startBefore) = (end, start)
            }
            #expect(before > 1 - 1e-12, "\(part.name) ends at \(before)")
            if part.name != "one_pass" { #expect(startBefore == 0) }
        }
    }

    @Test func one_pass_disjoint() throws {
        let pace = try pace("one_pass", [("buckets", .int(4)), ("t_grow", .int(8))])
        let windows = try (0..<10).map { try pace.window(Double($0)) }
        #expect(windows.map(\.start) == [0, 0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 0.75, 0.75])
        #expect(windows.map(\.end) == [0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1, 1, 1, 1])
    }

    @Test("fractions outside (0, 1] are refused where they are given")
    func pacing_geometric_rejects_zero_start() {
        for lambda in [-0.1, 0, 1.5, .nan] {
            #expect { try pace("geometric", [("lambda_0", .number(lambda))]) } throws: { "\($0)".contains("lambda_0") }
        }
        #expect { try pace("root", [("t_grow", .int(0))]) } throws: { "\($0)".contains("t_grow") }
        #expect { try Configured<Pace>("rot") } throws: { "\($0)".contains("did you mean 'root'") }
    }

    @Test("a Lua pace that leaves (0, 1] names epoch and value")
    func custom() throws {
        let pace = try Pace.part(named: "custom").configured([
            .function(Stand { [.number($0[0].double! < 3 ? 0.5 : 1.5)] })
        ]).product
        #expect(try pace.at(2) == 0.5)
        #expect { try pace.at(3) } throws: { "\($0)".contains("t = 3") && "\($0)".contains("1.5") }
    }

    @Test("methods as scripts call them")
    func methods() throws {
        let object = PartObject(try Configured<Pace>("root"))
        let curve = try #require(object.objectType.method("curve")).call([.int(41)], receiver: object)
        #expect(curve[0].table?.items.count == 41 && curve[0].table?.items.last?.double == 1)
        let at = try #require(object.objectType.method("at")).call([.int(10)], receiver: object)
        #expect(abs(at[0].double! - 0.507445) < 1e-6)
        #expect(object.summary == "bss.pace.root{lambda_0 = 0.1, t_grow = 40, p = 2, offset = 0}")
    }
}

/// A Lua function for tests.
final class Stand: Callable {
    let body: ([Value]) throws -> [Value]
    init(_ body: @escaping ([Value]) throws -> [Value]) { self.body = body }
    func call(_ arguments: [Value]) throws -> [Value] { try body(arguments) }
    let definition = "test.lua:1"
}
