import BSSCore

/// What an order policy knows when it plans one epoch.
public struct PlanRequest {
    /// As the trainer counts, from 0.
    public var epoch: Int
    /// Epochs since the warm-up ended, from 0: the t of Eq. 7.
    public var t: Int
    public var count: Int
    public var batchSize: Int
    /// s_upd, high = balanced; empty for policies without scores.
    public var scores: [Double]
    /// Class columns, if the trainer gave them.
    public var labels: [Int]?
    /// What the policy kept of earlier epochs.
    public var memory: OrderMemory = [:]
    /// Random numbers of this epoch.
    public var random: RandomStream
    /// Random numbers of the epoch in which the current scores were made (one sequence per evaluation).
    public var scoringRandom: RandomStream
    /// Random numbers of the whole run.
    public var runRandom: RandomStream

    /// Numbers of every sample that the policy kept under a name; `nil` if there are none.
    func perSample(_ name: String) -> [Double]? { memory[name].flatMap { $0.count == count ? $0 : nil } }
}

/// Numbers that a policy keeps between epochs beside the scores, by name; finite, saved in checkpoints.
public typealias OrderMemory = [String: [Double]]

/// What one epoch of training showed of its samples, from the forward passes of training themselves (before each
/// update).
public struct TrainingObservation {
    /// Epochs since the warm-up; negative within it.
    public var t: Int
    /// Positions in the training split, in the order of the batches; repeated where the plan repeated them.
    public var positions: [Int]
    /// Loss of Eq. 5 per entry of `positions`.
    public var losses: [Double]
    /// The fused prediction was right.
    public var isCorrect: [Bool]
    public var learningRate: Double
    /// Samples of the training split.
    public var count: Int
}

/// The samples of one epoch, before the trainer's own bookkeeping.
public struct OrderDraft {
    public var indices: [Int]
    /// lambda(t), or the share of the training set in this epoch.
    public var fraction: Double
    /// The order carries the curriculum; otherwise it is a shuffle.
    public var isSequential: Bool
    /// Loss weight of each entry of `indices`; `nil` = 1.
    public var weights: [Double]?

    public init(indices: [Int], fraction: Double, isSequential: Bool, weights: [Double]? = nil) {
        self.indices = indices
        self.fraction = fraction
        self.isSequential = isSequential
        self.weights = weights
    }
}

/// How a scheduler turns scores into the sample sequence of an epoch. A policy is the options of its part; scores and
/// memory are in `Sequencer`, and `draft` changes neither: asking twice gives the same order.
public protocol OrderPolicy: OptionGroup {
    associatedtype Scores: ScoreOptions
    /// Where the scores come from.
    var scores: Scores { get }
    /// What it wants of a scan beyond what the measurer needs.
    var needs: Set<Criterion.Need> { get }
    var rule: BatchRule { get }
    /// `t`: epochs since the warm-up; `evaluations`: scans so far.
    func needsScores(t: Int, evaluations: Int) -> Bool
    /// s_upd from the new scores and the previous s_upd (`nil` at the first evaluation).
    func updated(current: [Double], previous: [Double]?) -> [Double]
    /// Takes in more of a scan than its scores; `scores` is s_upd after it.
    func measured(_ evidence: Evidence, t: Int, scores: [Double], _ memory: inout OrderMemory) throws
    /// True if `observed` wants every epoch of training.
    var observesTraining: Bool { get }
    /// Takes in what an epoch of training showed; may change s_upd.
    func observed(_ training: TrainingObservation, scores: inout [Double], _ memory: inout OrderMemory) throws
    /// Takes in the validation loss (else the training loss) of an epoch.
    func epochEnded(loss: Double, _ memory: inout OrderMemory)
    /// Scores that came with the scheduler are those of the first evaluation; otherwise they wait in the memory under
    /// `given`.
    var startsFromGiven: Bool { get }
    func draft(_ request: PlanRequest) throws -> OrderDraft
    /// p of Eq. 10, where the policy has such probabilities.
    func probabilities(_ scores: [Double]) throws -> [Double]?
    /// Samples from first to last in this policy's preference.
    func ranking(_ scores: [Double]) -> [Int]
}

extension OrderPolicy {
    public var needs: Set<Criterion.Need> { [] }
    public func needsScores(t: Int, evaluations: Int) -> Bool { false }
    public func updated(current: [Double], previous: [Double]?) -> [Double] { current }
    public func measured(_ evidence: Evidence, t: Int, scores: [Double], _ memory: inout OrderMemory) throws {}
    public var observesTraining: Bool { false }
    public func observed(_ training: TrainingObservation, scores: inout [Double], _ memory: inout OrderMemory) throws {}
    public func epochEnded(loss: Double, _ memory: inout OrderMemory) {}
    public var startsFromGiven: Bool { true }
    public func probabilities(_ scores: [Double]) throws -> [Double]? { nil }
    public func ranking(_ scores: [Double]) -> [Int] { Ranking.descending(scores) }
}
