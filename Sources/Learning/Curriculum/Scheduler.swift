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
    /// Epochs of uniform order before the first scores; t of the pace counts from their end.
    public let warmupEpochs: Int

    init(_ name: String, _ policy: any OrderPolicy) {
        (self.name, self.policy) = (name, policy)
        let scores: any ScoreOptions = policy.scores
        (measurer, scan, given, warmupEpochs) = (scores.scoredBy, scores.settings, scores.given, scores.warmup)
    }

    /// What its policy wants of a scan beyond what the measurer needs.
    public var needs: Set<Criterion.Need> { policy.needs }
    public var rule: BatchRule { policy.rule }

    /// State for one training on `count` samples. `labels` are class columns: for class-balanced subsets and the plan's
    /// log.
    public func begin(count: Int, labels: [Int]? = nil, classes: Int = 0) -> Sequencer {
        Sequencer(self, count: count, labels: labels, classes: classes)
    }

    public static let familyName = "scheduler"
    public static let noun = "scheduler"
    public static let help = "Which samples an epoch shows, and in which order, from balanced to imbalanced."

    public static let parts: [Part<Scheduler>] = [
        RandomOrder.part, HeuristicOrder.part, LearnedOrder.part, SelfPacedOrder.part, TransferOrder.part,
        CompetenceOrder.part, BucketOrder.babyStep, BucketOrder.onePass, TeacherStudentOrder.part, MinimaxOrder.part,
        HardnessOrder.part, AdaptiveOrder.part, CustomOrder.part,
    ]

    static let paper =
        "Guan, Jiang, Yang, Balance-aware Sequence Sampling Makes Multi-modal Learning Better, IJCAI 2025"
    static let curML = "constants of Zhou et al., CurML, ACM MM 2022"
}

extension Part where Product == Scheduler {
    /// A policy and its options. `setting` changes what is no option.
    init<P: OrderPolicy>(
        _ name: String, _ summary: String, policy: P.Type, source: String? = nil, example: String,
        setting: @escaping (inout P) -> Void = { _ in }
    ) {
        self.init(name, summary, options: policy, source: source, example: example) { options in
            var policy = options
            setting(&policy)
            return Scheduler(name, policy)
        }
    }
}

extension Measurer {
    /// Prediction similarity and loss, min-max: Eq. 6.
    public static let paper = Measurer(criteria: [.named("prediction_similarity"), .named("loss")])
    /// s = -L: what self-paced learning orders by.
    public static let plainLoss = Measurer(criteria: [.named("loss")], normalization: .none)
}
