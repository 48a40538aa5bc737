import BSSCore

/// `lambda_0` and `t_grow` given to a scheduler itself: they stand above the pace's own.
struct PaceShorthands: OptionGroup {
    @Option("lambda_0", "sets lambda_0 of the pace", .optional(.above(0, upTo: 1))) var start: Double? = nil
    @Option("t_grow", "sets t_grow of the pace", .optional(.above(0))) var grow: Double? = nil

    static let offsetHelp = "added to t (the released code uses epoch + 1: 1)"
    static let paceHelp = "pace function: how fast the training set grows"
    static let antiHelp = "reverse the ranking at equal sizes: imbalanced first"

    var isGiven: Bool { start != nil || grow != nil }

    /// - Throws: a pace that has no such option.
    func adjusted(_ pace: Configured<Pace>, _ operation: String = "pace") throws -> Pace {
        var configuration = pace.configuration
        for (name, value) in [(Pace.startName, start), (Pace.growName, grow)] {
            guard let value else { continue }
            guard configuration[name] != nil else {
                throw BSSError(
                    operation, "the pace '\(pace.name)' has no \(name)",
                    hint: "set it only with paces that grow from lambda_0 to t_grow", kind: .usage)
            }
            configuration[name] = .number(value)
        }
        if start == nil, grow == nil { return pace.product }
        return try Configured<Pace>(value: .table(configuration)).product
    }
}

/// Which part of a ranking a fraction means.
public enum ClassBalance: String, Choice {
    case none
    case perClass = "per_class"
}

/// How many samples an epoch draws.
struct DrawOptions: OptionGroup {
    @Option("replacement", "draw with replacement") var hasReplacement = false
    @Option(
        "draws_fraction", "draws per epoch as a fraction of n (above 1 only with replacement)", .above(0, upTo: 1000))
    var fraction = 1.0

    func check(_ operation: String) throws {
        guard fraction > 1, !hasReplacement else { return }
        throw BSSError(
            operation,
            "option 'draws_fraction' is \(Text.number(fraction)): more draws than samples need replacement = true",
            kind: .usage)
    }
}

/// Which end of the ranking comes first.
struct OrderSign: OptionGroup {
    @Option(
        "order_sign", "1: high scores first; -1: low scores first, as released for Twitter2015",
        Check("1 or -1") { $0 == 1 || $0 == -1 })
    var value = 1
}
