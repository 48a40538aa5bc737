import BSSCore

/// A pacing function: which part of the ranked training set is available at epoch t (t counts from 0, as in Algorithm
/// 1).
public struct Pace: Family {
    public let name: String
    /// lambda(t): the share of the ranking that is available, in (0, 1].
    private let fraction: (Double) throws -> Double
    /// Where the available part begins; 0 except for one-pass buckets.
    private let start: ((Double) -> Double)?

    init(_ name: String, start: ((Double) -> Double)? = nil, _ fraction: @escaping (Double) throws -> Double) {
        self.name = name
        self.start = start
        self.fraction = fraction
    }

    /// lambda(t), capped at 1.
    public func at(_ epoch: Double) throws -> Double { min(1, try fraction(epoch)) }

    /// The available part of the ranking as fractions: from `start` (0 unless earlier buckets are dropped) to
    /// lambda(t).
    public func window(_ epoch: Double) throws -> (start: Double, end: Double) { (start?(epoch) ?? 0, try at(epoch)) }

    public static let familyName = "pace"
    public static let noun = "pace function"
    public static let help =
        "How fast the training set grows: lambda(t), the most balanced fraction available at epoch t = 0, 1, …"

    /// Names of the options that a scheduler may set for its pace.
    static let startName = "lambda_0", growName = "t_grow"

    // MARK: Methods

    private static let epoch = Argument(
        "t", aliases: ["epoch"], "epoch t, counted from 0", check: Check<Double>.atLeast(0))
    private static let epochs = Argument("epochs", "how many epochs", check: Check<Int>.range(1...1_000_000))

    public static let methods: [Function] = [
        Function(
            "at", "lambda(t): the fraction available at epoch t, counted from 0.", [epoch], returns: "number",
            example: "bss.pace.linear{}:at(20)   -- 0.55"
        ) {
            [.number(try $0.part(Pace.self).at($0[epoch]))]
        },
        Function(
            "window", "Start and end of the available part of the ranking; the start is 0 except for one_pass.",
            [epoch], returns: "number, number",
            example: "bss.pace.root{}:window(0)   -- 0  0.1"
        ) { arguments in
            let (start, end) = try arguments.part(Pace.self).window(arguments[epoch])
            return [.number(start), .number(end)]
        },
        Function(
            "curve", "lambda(0), …, lambda(epochs - 1).", [epochs], returns: "list of numbers",
            example: "bss.pace.root{ t_grow = 5 }:curve(6)"
        ) { arguments in
            let pace = try arguments.part(Pace.self)
            let count = arguments[epochs]
            try Memory.reserve(count, of: 64, arguments.operation, "a list of \(count) numbers")
            return [.list(try Memory.array(count, arguments.operation) { try pace.at(Double($0)) })]
        },
    ]
}
