import BSSCore

/// Which samples an epoch shows, and in which order: options only. `begin` makes the state of one training.
public struct Scheduler: Family {
    public let name: String
    public let policy: any OrderPolicy
    /// How samples are scored; `nil` = this scheduler needs no scores.
    public let measurer: Measurer?
    public let scan: ScanSettings
    /// Scores that come with the scheduler.
    public let given: DifficultySource?
    /// What its policy wants of a scan beyond what the measurer needs.
    public let needs: Set<Criterion.Need>
    /// Epochs of uniform order before the first scores; t of the pace counts from their end.
    public let warmupEpochs: Int
    public let rule: BatchRule

    init(
        _ name: String, _ policy: any OrderPolicy, measurer: Measurer? = nil, scan: ScanSettings = ScanSettings(),
        given: DifficultySource? = nil,
        needs: Set<Criterion.Need> = [], warmupEpochs: Int = 0, rule: BatchRule
    ) {
        self.name = name
        self.policy = policy
        self.measurer = measurer
        self.scan = scan
        self.given = given
        self.needs = needs
        self.warmupEpochs = warmupEpochs
        self.rule = rule
    }

    /// State for one training on `count` samples. `labels` are class columns: for class-balanced subsets and the plan's
    /// log.
    public func begin(count: Int, labels: [Int]? = nil, classes: Int = 0) -> Sequencer {
        Sequencer(self, count: count, labels: labels, classes: classes)
    }

    public static let familyName = "scheduler"
    public static let noun = "scheduler"
    public static let help = "Which samples an epoch shows, and in which order, from balanced to imbalanced."

    // MARK: Arguments

    static let measurer = Argument(
        "measurer", default: Measurer.paper, "how samples are scored: bss.measurer{…}, or a list of criteria")
    static let pace = Argument(
        "pace", default: Configured<Pace>.named("root"), "pace function: how fast the training set grows")
    static let linearPace = Argument(
        "pace", default: Configured<Pace>.named("linear"), "quantile of the losses that is the threshold at epoch t")
    static let optionalPace = Argument<Configured<Pace>?>(
        "pace", default: nil,
        "grow a fixed random ranking at this pace: the same sizes as a curriculum, without its order")
    static let lambda0 = Argument<Double?>(
        "lambda_0", default: nil, "sets lambda_0 of the pace",
        check: Check("greater than 0, at most 1") { $0.map { $0 > 0 && $0 <= 1 } ?? true })
    static let grow = Argument<Double?>(
        "t_grow", default: nil, "sets t_grow of the pace",
        check: Check("greater than 0") { $0.map { $0 > 0 && $0.isFinite } ?? true })
    static let paceOffset = Argument(
        "pace_offset", default: 0, "added to t (the released code uses epoch + 1: 1)", check: .range(0...1_000_000))
    static let anti = Argument("anti", default: false, "reverse the ranking at equal sizes: imbalanced first")
    static let orderSign = Argument(
        "order_sign", default: 1, "1: high scores first; -1: low scores first, as released for Twitter2015",
        check: Check("1 or -1") { abs($0) == 1 })
    static let warmup = Argument(
        "score_warmup_epochs", default: 0, "epochs of uniform order before the first scores", check: .atLeast(0))
    static let rerank = Argument(
        "rerank_epochs", default: [0],
        "epochs t (from 0, after the warm-up) at which the samples are scored and ranked")
    static let classBalance = Argument(
        "class_balance", default: "none",
        "\"per_class\": take the fraction of every class instead of the whole ranking",
        check: .oneOf(["none", "per_class"]))
    static let replacement = Argument("replacement", default: false, "draw with replacement")
    static let drawsFraction = Argument(
        "draws_fraction", default: 1.0, "draws per epoch as a fraction of n (above 1 only with replacement)",
        check: .above(0, upTo: 1000))
    static let interval = Argument(
        "score_interval", aliases: ["every"], default: 5, "E of Eq. 9: epochs between two scans", check: .atLeast(1))
    static let everyEpoch = Argument(
        "score_interval", aliases: ["every"], default: 1, "epochs between two scans", check: .atLeast(1))
    static let beta = Argument(
        "ema_beta", aliases: ["beta"], default: 0.6, "beta of Eq. 9: weight of the newest scores; 1 = no memory",
        check: .range(0...1))
    static let probMap = Argument(
        "prob_map", default: "softmax",
        "from scores to probabilities: \"softmax\" (Eq. 10), \"linear\" (1 + s + eps, as released) or \"rank\"",
        check: .oneOf(LearnedOrder.Map.allCases.map(\.rawValue)))
    static let temperature = Argument(
        "temperature", default: 1.0, "softmax of s / temperature: small = stricter order", check: .above(0))
    static let eps = Argument("eps", default: 0.01, "added to the weights of the linear map", check: .atLeast(0))
    static let redraw = Argument(
        "redraw_each_epoch", default: true, "draw a new order every epoch; false: one order per scan")
    static let fresh = Argument(
        "fresh", default: false, "with a pace: another random subset every epoch instead of a growing one")
    static let weighting = Argument(
        "weighting", default: "hard", "weight as a function of the loss",
        check: .oneOf(SelfPacedWeight.allCases.map(\.rawValue)))
    static let gamma = Argument("gamma", default: 0.5, "g of the mixture weight", check: .above(0))
    static let polynomialOrder = Argument(
        "polynomial_order", default: 3.0, "t of the polynomial weight", check: .above(1))
    static let threshold = Argument<Double?>(
        "threshold", default: nil, "a first loss threshold that grows, instead of the pace's quantile",
        check: Check("greater than 0") { $0.map { $0 > 0 } ?? true })
    static let growth = Argument("growth", default: 1.1, "factor of the threshold per epoch", check: .above(0))
    static let rescale = Argument(
        "rescale", default: false, "rescale losses to [0, 1) first (the logarithmic weight needs it)")
    static let diversity = Argument(
        "diversity", default: 0.0, "mu of the diversity term: lets the easiest of every class in", check: .atLeast(0))
    static let normalize = Argument("normalize_weights", default: true, "scale soft weights to mean 1")
    static let stale = Argument(
        "stale", default: false, "after one scan, use the losses that training itself showed last")
    static let prior = Argument<GivenScores?>(
        "prior", default: nil,
        "self-paced curriculum learning: a prior order (scores, high = easy: list or CSV file) along which weights never rise; for hard and linear"
    )
    static let lossMeasurer = Argument(
        "measurer", default: Measurer.plainLoss, "difficulty = minus its score; the default is the loss itself")
    static let optionalMeasurer = Argument<Measurer?>(
        "measurer", default: nil, "give the function scores from this measurer")
    static let function = Argument<Callback>(
        "function",
        "function(t, scores) returning the order: positions from 1, or { order = …, weights = … }; the epoch t counts from 0, scores is nil without a measurer"
    )

    static let scoring: [any AnyArgument] = [measurer, warmup] + ScanSettings.arguments
    static let pacing: [any AnyArgument] = [pace, lambda0, grow, paceOffset]
    static let paper =
        "Guan, Jiang, Yang, Balance-aware Sequence Sampling Makes Multi-modal Learning Better, IJCAI 2025"

    // MARK: Parts

    public static let parts: [Part<Scheduler>] = own + curricula + [custom]

    private static let own: [Part<Scheduler>] = [
        Part(
            "random",
            "Uniform random order: the vanilla control. With a pace, a random ranking that grows like a curriculum.",
            [optionalPace, lambda0, grow, paceOffset, fresh] + BatchRule.arguments,
            source: "the usual training; control arm of the comparison in Fig. 1(c) of \(paper)",
            example: "bss.scheduler.random{}"
        ) { arguments in
            let rule = BatchRule(arguments)
            let pace = try arguments[optionalPace].map { try adjusted($0, arguments) }
            return Scheduler(
                "random",
                RandomOrder(pace: pace, paceOffset: arguments[paceOffset], isFresh: arguments[fresh], rule: rule),
                rule: rule)
        },
        Part(
            "heuristic",
            "BSS-H: rank once before training, then train on the most balanced lambda(t), shuffled (Eqs. 7-8).",
            pacing + [anti, orderSign, rerank, classBalance, replacement, drawsFraction] + scoring
                + BatchRule.arguments, source: "\(paper), Eqs. 7-8",
            example: "bss.scheduler.heuristic{ pace = \"root\", lambda_0 = 0.1, t_grow = 40 }"
        ) { arguments in
            let rule = BatchRule(arguments)
            try checkDraws(arguments)
            let policy = HeuristicOrder(
                pace: try adjusted(arguments[pace], arguments), paceOffset: arguments[paceOffset],
                rerankEpochs: arguments[rerank],
                sign: Double(arguments[orderSign]), isAnti: arguments[anti],
                isPerClass: arguments[classBalance] == "per_class",
                hasReplacement: arguments[replacement], drawsFraction: arguments[drawsFraction], rule: rule)
            return Scheduler(
                "heuristic", policy, measurer: arguments[measurer], scan: ScanSettings(arguments),
                warmupEpochs: arguments[warmup], rule: rule)
        },
        Part(
            "learned",
            "BSS-L: scores every E epochs, smoothed (Eq. 9), as sampling probabilities (Eq. 10) of a weighted random order (Eq. 11).",
            [interval, beta, probMap, temperature, eps, orderSign, anti, replacement, drawsFraction, redraw] + scoring
                + BatchRule.arguments,
            source: "\(paper), Eqs. 9-11", example: "bss.scheduler.learned{ every = 5, beta = 0.6 }"
        ) { arguments in
            let rule = BatchRule(arguments)
            try checkDraws(arguments)
            // The reversed ranking of a probabilistic order: the same draws from negated scores.
            let sign = Double(arguments[orderSign]) * (arguments[anti] ? -1 : 1)
            let policy = LearnedOrder(
                interval: arguments[interval], beta: arguments[beta],
                map: LearnedOrder.Map(rawValue: arguments[probMap]) ?? .softmax,
                temperature: arguments[temperature], eps: arguments[eps], sign: sign,
                hasReplacement: arguments[replacement],
                drawsFraction: arguments[drawsFraction], redrawsEachEpoch: arguments[redraw], rule: rule)
            return Scheduler(
                "learned", policy, measurer: arguments[measurer], scan: ScanSettings(arguments),
                warmupEpochs: arguments[warmup], rule: rule)
        },
        Part(
            "self_paced", "Self-paced learning: low losses first, by a threshold (hard) or by weights (soft).",
            [
                weighting, linearPace, lambda0, grow, paceOffset, threshold, growth, gamma, polynomialOrder, rescale,
                diversity, normalize, prior, stale, everyEpoch, anti,
            ]
                + [lossMeasurer, warmup] + ScanSettings.arguments + BatchRule.arguments,
            source:
                "Kumar, Packer, Koller, NeurIPS 2010; Jiang et al., ACM MM 2014, NeurIPS 2014 (diversity) and AAAI 2015 (prior); Xu et al., IJCAI 2015; Gong et al., TEVC 2018",
            example: "bss.scheduler.self_paced{ weighting = \"linear\", pace = \"linear\" }"
        ) { arguments in
            let rule = BatchRule(arguments)
            if arguments[prior] != nil, !["hard", "linear"].contains(arguments[weighting]) || arguments[diversity] > 0 {
                throw BSSError(
                    arguments.operation,
                    "a prior order has a solution for weighting = \"hard\" and \"linear\" without diversity",
                    kind: .usage)
            }
            let policy = SelfPacedOrder(
                pace: try adjusted(arguments[linearPace], arguments), paceOffset: arguments[paceOffset],
                weight: SelfPacedWeight(rawValue: arguments[weighting]) ?? .hard, gamma: arguments[gamma],
                order: arguments[polynomialOrder],
                threshold: arguments[threshold], growth: arguments[growth], rescales: arguments[rescale],
                diversity: arguments[diversity],
                normalizesWeights: arguments[normalize], isAnti: arguments[anti], interval: arguments[everyEpoch],
                isStale: arguments[stale],
                rule: rule)
            return Scheduler(
                "self_paced", policy, measurer: arguments[lossMeasurer], scan: ScanSettings(arguments),
                given: arguments[prior].map { DifficultySource($0, isDifficulty: false) },
                warmupEpochs: arguments[warmup], rule: rule)
        },
    ]

    private static let custom = Part(
        "custom", "A scheduler written in Lua.",
        [function, optionalMeasurer, everyEpoch, warmup] + ScanSettings.arguments + BatchRule.arguments,
        example: "bss.scheduler.custom(function(t, scores) return {3, 1, 2} end)"
    ) { arguments in
        let measurer = arguments[optionalMeasurer]
        let policy = CustomOrder(callback: arguments[function], interval: measurer == nil ? nil : arguments[everyEpoch])
        return Scheduler(
            "custom", policy, measurer: measurer, scan: ScanSettings(arguments), warmupEpochs: arguments[warmup],
            rule: BatchRule(arguments))
    }

    /// `lambda_0` and `t_grow` given to the scheduler itself override the pace's own.
    static func adjusted(_ pace: Configured<Pace>, _ arguments: Arguments) throws -> Pace {
        var configuration = pace.configuration
        for (name, value) in [(Pace.start0, arguments[lambda0]), (Pace.growName, arguments[grow])] {
            guard let value else { continue }
            guard configuration[name] != nil else {
                throw BSSError(
                    arguments.operation, "the pace '\(pace.name)' has no \(name)",
                    hint: "set it only with paces that grow from lambda_0 to t_grow", kind: .usage)
            }
            configuration[name] = .number(value)
        }
        if arguments[lambda0] == nil && arguments[grow] == nil { return pace.product }
        return try Configured<Pace>(value: .table(configuration)).product
    }

    private static func checkDraws(_ arguments: Arguments) throws {
        guard arguments[drawsFraction] <= 1 || arguments[replacement] else {
            throw BSSError(
                arguments.operation,
                "option 'draws_fraction' is \(Text.number(arguments[drawsFraction])): more draws than samples need replacement = true",
                kind: .usage)
        }
    }
}

extension Measurer {
    /// Prediction similarity and loss, min-max: Eq. 6.
    public static let paper = Measurer(criteria: [.named("prediction_similarity"), .named("loss")])
    /// s = -L: what self-paced learning orders by.
    public static let plainLoss = Measurer(criteria: [.named("loss")], normalization: .none)
}
