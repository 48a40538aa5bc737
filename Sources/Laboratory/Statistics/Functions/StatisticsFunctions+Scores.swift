import BSSCore
import BSSTraining

/// Runs × tasks, and rankings of samples.
extension StatisticsFunctions {
    private static let isFilled = Check<Matrix>("with rows and columns") { $0.rows > 0 && $0.columns > 0 }
    private static let scores = Argument<Matrix>("scores", "one row per run, one column per task", check: isFilled)
    private static let other = Argument<Matrix>(
        "other", "the other method's scores, with the same tasks", check: isFilled)
    private static let goal = Argument("goal", default: 1.0, "the score that counts as reached", check: .finite)
    private static let thresholds = Argument<Vector>(
        "thresholds", "scores at which the profile is taken", check: isNotEmpty)
    private static let statistic = Argument(
        "statistic", default: "iqm", "of all scores", check: .oneOf(["iqm", "mean", "median", "optimality_gap"]))
    private static let draws = Argument(
        "resamples", default: 2000, "stratified bootstrap samples", check: .range(1...1_000_000))
    private static let source = "Agarwal et al., NeurIPS 2021"

    private static func matrix(_ matrix: Matrix) -> ScoreMatrix {
        ScoreMatrix(runs: matrix.rows, tasks: matrix.columns, matrix.values)
    }

    static let scoreFunctions: [Function] = [
        Function(
            "aggregate", "A statistic over runs × tasks with its stratified bootstrap interval.",
            [scores, statistic, goal, level, draws, seed], returns: "value, low, high",
            example: "bss.stats.aggregate{ {0.1, 0.8}, {0.2, 0.9}, {0.15, 0.7} }", source: source
        ) { arguments in
            let given = matrix(arguments[scores])
            let value: (ScoreMatrix) -> Double
            switch arguments[statistic] {
            case "mean": value = { $0.mean }
            case "median": value = { $0.median }
            case "optimality_gap":
                let goal = arguments[goal]
                value = { $0.optimalityGap(goal: goal) }
            default: value = { $0.interquartileMean }
            }
            let interval = try given.intervals(
                level: arguments[level], resamples: arguments[draws], seed: word(arguments[seed])
            ) { [value($0)] }[0]
            return [.number(value(given)), .number(interval.low), .number(interval.high)]
        },
        Function(
            "improvement",
            "Probability that a run of one method is above one of the other on a task, with its interval.",
            [scores, other, level, draws, seed], returns: "probability, low, high",
            example: "bss.stats.improvement({{0.1, 0.8}, {0.2, 0.9}}, {{0.1, 0.7}, {0.15, 0.8}})", source: source
        ) { arguments in
            let (ours, theirs) = (matrix(arguments[scores]), matrix(arguments[other]))
            guard ours.tasks == theirs.tasks else {
                throw BSSError(
                    arguments.operation, "one method has \(ours.tasks) tasks, the other \(theirs.tasks)", kind: .usage)
            }
            let interval = try ScoreMatrix.intervals(
                [ours, theirs], level: arguments[level], resamples: arguments[draws], seed: word(arguments[seed])
            ) { [$0[0].improvement(over: $0[1])] }[0]
            return [.number(ours.improvement(over: theirs)), .number(interval.low), .number(interval.high)]
        },
        Function(
            "profile", "Performance profile: the share of scores above each threshold, with its intervals.",
            [scores, thresholds, level, draws, seed], returns: "table { share, low, high }, lists by threshold",
            example: "bss.stats.profile({{0.1, 0.8}, {0.2, 0.9}}, {0.3, 0.6}).share", source: source
        ) { arguments in
            let given = matrix(arguments[scores])
            let points = arguments[thresholds].values
            let intervals = try given.intervals(
                level: arguments[level], resamples: arguments[draws], seed: word(arguments[seed])
            ) { resampled in points.map { resampled.profile($0) } }
            return [
                .fields([
                    ("share", .list(points.map { given.profile($0) })), ("low", .list(intervals.map(\.low))),
                    ("high", .list(intervals.map(\.high))),
                ])
            ]
        },
    ]

    // MARK: Rankings of samples

    private static let sampleScores = Argument<Vector>("scores", "one number per sample, high = positive")
    private static let labels = Argument<Flags>("labels", "which samples are positive")

    private static func ranked(
        _ name: String, _ summary: String, source: String, _ body: @escaping (RankingQuality) -> Double
    ) -> Function {
        Function(
            name, summary, [sampleScores, labels], returns: "number",
            example: "bss.stats.\(name)({0.9, 0.2, 0.6}, {1, 0, 1})   -- 1", source: source
        ) { arguments in
            let x = arguments[sampleScores].values
            let y = arguments[labels].values
            guard x.count == y.count else {
                throw BSSError(arguments.operation, "there are \(x.count) scores and \(y.count) labels", kind: .usage)
            }
            let isNumber = !x.contains { $0.isNaN }
            return [.number(isNumber ? body(RankingQuality(scores: x, isPositive: y)) : .nan)]
        }
    }

    static let rankings: [Function] = [
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
