import BSSCore

/// `bss.stats`
public enum StatisticsFunctions {
    public static let functions = summaries + comparisons + sizes + scoreFunctions + planning + rankings

    // MARK: Arguments that several of them take

    static let isNotEmpty = Check<Vector>("that is not empty") { !$0.values.isEmpty }
    static let values = Argument<Vector>("values", "numbers, one per seed", check: isNotEmpty)
    static let a = Argument<Vector>("a", "results of one arm, one per seed", check: isNotEmpty)
    static let b = Argument<Vector>("b", "results of the other arm", check: isNotEmpty)
    static let paired = Argument("paired", default: true, "a[i] and b[i] share seed and split")
    static let alpha = Argument("alpha", default: 0.05, "the level to reach", check: .above(0, upTo: 1))
    static let level = Argument(
        "level", default: 0.95, "of the interval", check: Check("between 0 and 1") { $0 > 0 && $0 < 1 })
    static let resamples = Argument(
        "resamples", default: 10_000, "bootstrap samples", check: .range(1...10_000_000))
    static let seed = Argument("seed", default: 1, "of the random resamples", check: .anyInteger)

    static func word(_ seed: Int) -> UInt64 { UInt64(bitPattern: Int64(seed)) }

    static func two(
        _ name: String, _ summary: String, example: String, _ body: @escaping ([Double], [Double]) -> Double
    ) -> Function {
        Function(name, summary, [a, b], returns: "number", example: example) { arguments in
            let (x, y) = try equallyLong(arguments)
            return [.number(body(x, y))]
        }
    }

    static func equallyLong(_ arguments: Arguments) throws -> ([Double], [Double]) {
        let x = arguments[a].values
        let y = arguments[b].values
        guard x.count == y.count else {
            throw BSSError(
                arguments.operation, "a has \(x.count) values, b has \(y.count)",
                hint: "values are compared in pairs; for two separate groups use paired = false", kind: .usage)
        }
        return (x, y)
    }

    // MARK: One list

    private static let q = Argument("q", default: 0.5, "which quantile", check: .range(0...1))
    private static let statistic = Argument(
        "statistic", default: "mean", "of each resample", check: .oneOf(["mean", "median", "iqm"]))
    private static let exact = Argument(
        "exact", default: false,
        "every resample instead of random ones, for up to \(Statistics.mostExactValues) values")

    private static func one(
        _ name: String, _ summary: String, example: String, source: String? = nil,
        _ body: @escaping ([Double]) -> Double
    ) -> Function {
        Function(name, summary, [values], returns: "number", example: example, source: source) {
            [.number(body($0[values].values))]
        }
    }

    private static let summaries: [Function] = [
        one("mean", "Arithmetic mean.", example: "bss.stats.mean{1, 2, 4}", Statistics.mean),
        one(
            "sd", "Sample standard deviation, divisor n - 1; nan for one value.", example: "bss.stats.sd{1, 2, 4}",
            Statistics.standardDeviation),
        one("median", "Middle value.", example: "bss.stats.median{1, 2, 4}") { Statistics.quantile($0, 0.5) },
        one(
            "iqm", "Interquartile mean: the mean of the middle half.", example: "bss.stats.iqm{1, 2, 4, 9}",
            source: "Agarwal et al., NeurIPS 2021", Statistics.interquartileMean),
        Function(
            "quantile", "Quantile with linear interpolation.", [values, q], returns: "number",
            example: "bss.stats.quantile({1, 2, 4}, 0.25)   -- 1.5",
            source: "Hyndman & Fan 1996, definition 7"
        ) { [.number(Statistics.quantile($0[values].values, $0[q]))] },
        two(
            "pearson", "Correlation of two lists.", example: "bss.stats.pearson({1, 2, 3}, {2, 4, 7})",
            Statistics.correlation),
        two(
            "spearman", "Rank correlation of two lists.", example: "bss.stats.spearman({1, 2, 3}, {2, 7, 4})",
            Statistics.rankCorrelation),
        Function(
            "bootstrap", "Percentile bootstrap interval, seeded, and the standard error.",
            [values, level, resamples, statistic, seed, exact], returns: "low, high, error",
            example: "bss.stats.bootstrap{ 0.71, 0.74, 0.69, level = 0.9 }", source: "Efron, Annals of Statistics 1979"
        ) { arguments in
            let interval = try interval(arguments)
            return [.number(interval.low), .number(interval.high), .number(interval.error)]
        },
    ]

    private static func interval(_ arguments: Arguments) throws -> Statistics.Interval {
        let value: ([Double]) -> Double
        switch arguments[statistic] {
        case "median": value = { Statistics.quantile($0, 0.5) }
        case "iqm": value = Statistics.interquartileMean
        default: value = Statistics.mean
        }
        let list = arguments[values].values
        guard arguments[exact] else {
            return try Statistics.bootstrap(
                list, level: arguments[level], resamples: arguments[resamples], seed: word(arguments[seed]),
                statistic: value)
        }
        guard list.count <= Statistics.mostExactValues else {
            throw BSSError(
                arguments.operation, "\(list.count) values have too many resamples to form each",
                hint: "exact = true takes up to \(Statistics.mostExactValues) values", kind: .usage)
        }
        return try Statistics.exactBootstrap(list, level: arguments[level], statistic: value)
    }
}
