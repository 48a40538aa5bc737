import BSSCore
import BSSCurriculum
import BSSTraining

/// Yes/no per sample: booleans, or numbers of which 0 is no.
struct Flags: ArgumentType, ListArgument {
    let values: [Bool]
    static let expected = "list of booleans or 0/1"
    init(value: Value) throws {
        if case .table(let table) = value, table.keys.isEmpty, !table.items.isEmpty,
            table.items.allSatisfy({ $0.bool != nil })
        {
            values = table.items.compactMap(\.bool)
        } else {
            let numbers = try Vector(value: value).values
            if let i = numbers.firstIndex(where: { $0.isNaN }) {
                throw Mismatch("entry \(i + 1) is nan, neither yes nor no")
            }
            values = numbers.map { $0 != 0 }
        }
    }
    var plain: Value { .list(values.map(Value.bool)) }
}

/// `bss.stats`
public enum StatisticsFunctions {
    private static let values = Argument<Vector>(
        "values", "numbers, one per seed", check: Check("that is not empty") { !$0.values.isEmpty })
    private static let q = Argument("q", default: 0.5, "which quantile", check: .range(0...1))
    private static let a = Argument<Vector>(
        "a", "results of one arm, one per seed", check: Check("that is not empty") { !$0.values.isEmpty })
    private static let b = Argument<Vector>(
        "b", "results of the other arm", check: Check("that is not empty") { !$0.values.isEmpty })
    private static let paired = Argument("paired", default: true, "a[i] and b[i] share seed and split")
    private static let seed = Argument(
        "seed", default: 1, "of the random arrangements, where there are too many to count")
    private static let alpha = Argument("alpha", default: 0.05, "the level to reach", check: .above(0, upTo: 1))
    private static let comparisons = Argument(
        "comparisons", default: 1, "tests that share the level", check: .atLeast(1))
    private static let count = Argument("n", "seeds per arm", check: .atLeast(1))
    private static let level = Argument(
        "level", default: 0.95, "of the interval", check: Check("between 0 and 1") { $0 > 0 && $0 < 1 })
    private static let resamples = Argument(
        "resamples", default: 10_000, "bootstrap samples", check: .range(1...10_000_000))
    private static let statistic = Argument(
        "statistic", default: "mean", "of each resample", check: .oneOf(["mean", "median", "iqm"]))
    private static let scores = Argument<Vector>("scores", "one number per sample, high = positive")
    private static let labels = Argument<Flags>("labels", "which samples are positive")
    private static let pValues = Argument<Vector>(
        "p", "p values", check: Check("from 0 to 1") { $0.values.allSatisfy { (0...1).contains($0) } })

    private static func one(
        _ name: String, _ summary: String, example: String, source: String? = nil,
        _ body: @escaping ([Double]) -> Double
    ) -> Function {
        Function(name, summary, [values], returns: "number", example: example, source: source) {
            [.number(body($0[values].values))]
        }
    }

    private static func two(
        _ name: String, _ summary: String, example: String, _ body: @escaping ([Double], [Double]) -> Double
    ) -> Function {
        Function(name, summary, [a, b], returns: "number", example: example) { arguments in
            let (x, y) = try equallyLong(arguments)
            return [.number(body(x, y))]
        }
    }

    private static func equallyLong(_ arguments: Arguments) throws -> ([Double], [Double]) {
        let x = arguments[a].values
        let y = arguments[b].values
        guard x.count == y.count else {
            throw BSSError(
                arguments.operation, "a has \(x.count) values, b has \(y.count)",
                hint: "values are compared in pairs; for two separate groups use paired = false", kind: .usage)
        }
        return (x, y)
    }

    private static func ranked(
        _ name: String, _ summary: String, source: String, _ body: @escaping (RankingQuality) -> Double
    ) -> Function {
        Function(
            name, summary, [scores, labels], returns: "number",
            example: "bss.stats.\(name)({0.9, 0.2, 0.6}, {1, 0, 1})   -- 1", source: source
        ) { arguments in
            let x = arguments[scores].values
            let y = arguments[labels].values
            guard x.count == y.count else {
                throw BSSError(arguments.operation, "there are \(x.count) scores and \(y.count) labels", kind: .usage)
            }
            let isNumber = !x.contains { $0.isNaN }
            return [.number(isNumber ? body(RankingQuality(scores: x, isPositive: y)) : .nan)]
        }
    }

    public static let functions: [Function] = [
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
            "permutation_test",
            "Two-sided permutation test of mean(a) - mean(b): exact where the arrangements can be counted.",
            [a, b, paired, seed],
            returns: "table { difference, p, exact, arrangements, smallest_p }",
            example: "bss.stats.permutation_test{ a = {3, 4, 5}, b = {1, 2, 2}, paired = false }.p   -- 0.1",
            source: "Fisher 1935; paired: all sign patterns, unpaired: all splits"
        ) { arguments in
            let seed = UInt64(bitPattern: Int64(arguments[seed]))
            var result: Statistics.TestResult
            if arguments[paired] {
                let (x, y) = try equallyLong(arguments)
                result = Statistics.pairedPermutationTest(x, y, seed: seed)
            } else {
                result = Statistics.permutationTest(arguments[a].values, arguments[b].values, seed: seed)
            }
            return [
                .fields([
                    ("difference", .number(result.difference)), ("p", .number(result.p)),
                    ("exact", .bool(result.isExact)),
                    ("arrangements", .int(result.arrangements)), ("smallest_p", .number(result.smallestP)),
                ])
            ]
        },
        Function(
            "smallest_p", "The smallest two-sided p that n seeds per arm can give.", [count, paired], returns: "number",
            example: "bss.stats.smallest_p{ 5, paired = false }   -- 0.00794"
        ) {
            [.number($0[paired] ? Statistics.smallestPairedP($0[count]) : Statistics.smallestP($0[count], $0[count]))]
        },
        Function(
            "seeds_needed", "Seeds per arm with which a permutation test can reach the level at all.",
            [alpha, paired, comparisons], returns: "integer",
            example: "bss.stats.seeds_needed{}   -- 6"
        ) { [.int(Statistics.seedsNeeded(alpha: $0[alpha], paired: $0[paired], comparisons: $0[comparisons]))] },
        Function(
            "holm", "p values corrected for several tests.", [pValues], returns: "list of numbers",
            example: "bss.stats.holm{0.01, 0.04, 0.03}",
            source: "Holm, Scandinavian Journal of Statistics 1979"
        ) { [.list(Statistics.holm($0[pValues].values))] },
        Function(
            "bootstrap", "Percentile bootstrap interval, seeded.", [values, level, resamples, statistic, seed],
            returns: "low, high",
            example: "bss.stats.bootstrap{ 0.71, 0.74, 0.69, level = 0.9 }", source: "Efron, Annals of Statistics 1979"
        ) { arguments in
            let value: ([Double]) -> Double
            switch arguments[statistic] {
            case "median": value = { Statistics.quantile($0, 0.5) }
            case "iqm": value = Statistics.interquartileMean
            default: value = Statistics.mean
            }
            let (low, high) = Statistics.bootstrap(
                arguments[values].values, level: arguments[level], resamples: arguments[resamples],
                seed: UInt64(bitPattern: Int64(arguments[seed])), statistic: value)
            return [.number(low), .number(high)]
        },
        ranked(
            "auroc", "Area under the ROC curve: how well scores find the positives; ties count half.",
            source: "Hanley & McNeil, Radiology 1982"
        ) { $0.auroc },
        ranked(
            "average_precision", "Average precision of a ranking; equal scores enter together.",
            source: "as in scikit-learn"
        ) { $0.averagePrecision },
    ]
}
