import BSSCore
import Glibc

/// Seeded fuzzing of one parser: `bss-fuzz PARSER [--seconds S] [--seed N] [--from I] [--only I] [--save FILE] [--hang
/// S]`, or `--list`.
///
/// Input I of a parser depends on the seed alone, so that `--only I` repeats it, and `--save` writes it. Ends with one
/// line `done EXECUTIONS READ` (exit 0; READ: without an error), or `finding INPUT WHAT` (exit 1). What counts: a
/// crash, an input that takes longer than `--hang` seconds of processor time, memory above 1.5 GiB, an error that is
/// none of ours.
struct Options {
    var parser = ""
    var seconds = 10.0
    var seed = 1
    var from = 0
    var only: Int?
    var save: String?
    var hang = 2.0

    init(_ arguments: [String]) {
        var rest = arguments.dropFirst()[...]
        func value() -> String { rest.popFirst() ?? "" }
        while let word = rest.popFirst() {
            switch word {
            case "--list":
                for parser in Parser.all { print(parser.name) }
                exit(0)
            case "--seconds": seconds = Double(value()) ?? seconds
            case "--seed": seed = Int(value()) ?? seed
            case "--from": from = Int(value()) ?? from
            case "--only": only = Int(value())
            case "--save": save = value()
            case "--hang": hang = Double(value()) ?? hang
            default: parser = word
            }
        }
    }
}

let options = Options(CommandLine.arguments)
guard let parser = Parser.all.first(where: { $0.name == options.parser }) else {
    print("no parser '\(options.parser)'; --list names them")
    exit(2)
}
let corpus = try parser.corpus()
let mutator = Mutator(name: parser.name, seed: UInt64(options.seed), corpus: corpus)

/// The input with this number: the corpus first, then changed copies.
func input(_ number: Int) throws -> [UInt8] {
    let bytes = number < corpus.count ? corpus[number] : mutator.input(number)
    return number % 2 == 0 ? bytes : try parser.wrapped(bytes)
}

/// Inputs that were read without an error.
var read = 0

func run(_ number: Int) {
    Watch.begin(number)
    defer { Watch.end() }
    do {
        try parser.parse(input(number))
        read += 1
    } catch is BSSError {} catch { Watch.finding(number, "threw \(type(of: error)): \(error)") }
}

if let only = options.only {
    if let file = options.save { try Files.write(input(only), to: file) }
    Watch.start(hang: options.hang)
    run(only)
    print("done 1 \(read)")
} else {
    Watch.start(hang: options.hang)
    var number = options.from
    let end = Watch.now() + options.seconds
    while Watch.now() < end {
        run(number)
        number += 1
    }
    print("done \(number - options.from) \(read)")
}
