import BSSCore

/// Two arms: tests of their difference.
extension StatisticsFunctions {
    private static let margin = Argument<Double>("margin", "differences up to it do not matter", check: .above(0))
    private static let ratio = Argument(
        "ratio", default: 0.25, "size of the test set over that of the training set", check: .above(0))
    private static let folds = Argument<Matrix>(
        "differences", "five rows of two: a - b of each fold",
        check: Check("of 5 rows and 2 columns") { $0.rows == 5 && $0.columns == 2 })
    private static let onlyA = Argument<Int>("only_a", "samples that a alone gets right", check: .atLeast(0))
    private static let onlyB = Argument<Int>("only_b", "samples that b alone gets right", check: .atLeast(0))
    private static let pValues = Argument<Vector>(
        "p", "p values", check: Check("from 0 to 1") { $0.values.allSatisfy { (0...1).contains($0) } })

    private static let nine = "{3, 4, 5}, b = {1, 2, 2}"

    static let comparisons: [Function] = [
        Function(
            "permutation_test",
            "Two-sided permutation test of mean(a) - mean(b): exact where the arrangements can be counted.",
            [a, b, paired, seed],
            returns: "table { difference, p, exact, arrangements, smallest_p }",
            example: "bss.stats.permutation_test{ a = \(nine), paired = false }.p   -- 0.1",
            source: "Fisher 1935; paired: all sign patterns, unpaired: all splits"
        ) { arguments in
            let result: Statistics.TestResult
            if arguments[paired] {
                let (x, y) = try equallyLong(arguments)
                result = try Statistics.pairedPermutationTest(x, y, seed: word(arguments[seed]))
            } else {
                result = try Statistics.permutationTest(
                    arguments[a].values, arguments[b].values, seed: word(arguments[seed]))
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
            "t_test", "t test of mean(a) - mean(b): paired, or Welch's with paired = false; nan without two values.",
            [a, b, paired, level], returns: "table { difference, t, df, p, low, high }",
            example: "bss.stats.t_test{ a = \(nine) }.p",
            source: "Student, Biometrika 1908; Welch, Biometrika 1947"
        ) { arguments in
            [.table(table(try meanTest(arguments), level: arguments[level]))]
        },
        Function(
            "equivalence", "Two one-sided t tests: is mean(a) - mean(b) within ±margin?",
            [a, b, margin, paired, alpha],
            returns: "table { difference, p, p_lower, p_upper, low, high, equivalent }",
            example: "bss.stats.equivalence{ a = {3.1, 3.2, 3.1}, b = {3.2, 3.1, 3.1}, margin = 1 }.equivalent",
            source: "Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 1987"
        ) { [.table(equivalence(try meanTest($0), $0))] },
        rank(
            "wilcoxon", "Signed-rank test of pairs: w is the smaller rank sum; exact up to 100 pairs.",
            statistic: "w", source: "Wilcoxon, Biometrics Bulletin 1945"
        ) {
            let (x, y) = try equallyLong($0)
            return Statistics.wilcoxon(x, y)
        },
        rank(
            "mann_whitney", "Rank test of two groups: u counts the pairs with a above b; exact up to 60 values.",
            statistic: "u", source: "Mann & Whitney, Annals of Mathematical Statistics 1947"
        ) { Statistics.mannWhitney($0[a].values, $0[b].values) },
        Function(
            "corrected_t_test", "t test of results on overlapping training sets, with a corrected variance.",
            [a, b, ratio, level], returns: "table { difference, t, df, p, low, high }",
            example: "bss.stats.corrected_t_test{ a = \(nine), ratio = 0.25 }.p",
            source: "Nadeau & Bengio, Machine Learning 2003"
        ) { arguments in
            let (x, y) = try equallyLong(arguments)
            let test = Statistics.correctedTest(x, y, testShare: arguments[ratio])
            return [.table(table(test, level: arguments[level]))]
        },
        Function(
            "five_by_two", "t test over five times twofold cross-validation.", [folds],
            returns: "table { t, df, p }",
            example: "bss.stats.five_by_two{ {0.02, 0.01}, {0.02, 0.02}, {0.01, 0.02}, {0.02, 0.01}, {0.01, 0.02} }.p",
            source: "Dietterich, Neural Computation 1998"
        ) { arguments in
            let all = arguments[folds].values
            let test = Statistics.fiveByTwo(stride(from: 0, to: all.count, by: 2).map { [all[$0], all[$0 + 1]] })
            return [.fields([("t", .number(test.t)), ("df", .number(test.df)), ("p", .number(test.p))])]
        },
        Function(
            "mcnemar", "Exact test of two classifiers on the same samples.", [onlyA, onlyB], returns: "number",
            example: "bss.stats.mcnemar(5, 15)   -- 0.0414", source: "McNemar, Psychometrika 1947"
        ) { [.number(Statistics.mcnemar($0[onlyA], $0[onlyB]))] },
        Function(
            "holm", "p values corrected for several tests.", [pValues], returns: "list of numbers",
            example: "bss.stats.holm{0.01, 0.04, 0.03}",
            source: "Holm, Scandinavian Journal of Statistics 1979"
        ) { [.list(Statistics.holm($0[pValues].values))] },
    ]

    private static func meanTest(_ arguments: Arguments) throws -> Statistics.MeanTest {
        guard arguments[paired] else { return Statistics.welchTest(arguments[a].values, arguments[b].values) }
        let (x, y) = try equallyLong(arguments)
        return Statistics.pairedTest(x, y)
    }

    private static func table(_ test: Statistics.MeanTest, level: Double) -> Table {
        let (low, high) = test.interval(level)
        return Table(fields: [
            ("difference", .number(test.difference)), ("t", .number(test.t)), ("df", .number(test.df)),
            ("p", .number(test.p)), ("low", .number(low)), ("high", .number(high)),
        ])
    }

    private static func equivalence(_ test: Statistics.MeanTest, _ arguments: Arguments) -> Table {
        let (lower, upper, p) = test.equivalence(margin: arguments[margin])
        let (low, high) = test.interval(1 - 2 * arguments[alpha])
        return Table(fields: [
            ("difference", .number(test.difference)), ("p", .number(p)), ("p_lower", .number(lower)),
            ("p_upper", .number(upper)), ("low", .number(low)), ("high", .number(high)),
            ("equivalent", .bool(p < arguments[alpha])),
        ])
    }

    private static func rank(
        _ name: String, _ summary: String, statistic: String, source: String,
        _ test: @escaping (Arguments) throws -> Statistics.RankTest
    ) -> Function {
        Function(
            name, summary, [a, b], returns: "table { \(statistic), p, exact }",
            example: "bss.stats.\(name){ a = \(nine) }.p", source: source
        ) { arguments in
            let result = try test(arguments)
            return [
                .fields([
                    (statistic, .number(result.statistic)), ("p", .number(result.p)), ("exact", .bool(result.isExact)),
                ])
            ]
        }
    }
}
