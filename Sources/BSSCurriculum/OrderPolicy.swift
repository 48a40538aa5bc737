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
    /// Random numbers of this epoch.
    public var random: RandomStream
    /// Random numbers of the epoch in which the current scores were made (one sequence per evaluation).
    public var scoringRandom: RandomStream
    /// Random numbers of the whole run.
    public var runRandom: RandomStream
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

/// How a scheduler turns scores into the sample sequence of an epoch. Policies hold options only; state is in `Sequencer`.
public protocol OrderPolicy {
    /// `t`: epochs since the warm-up; `evaluations`: scans so far.
    func needsScores(t: Int, evaluations: Int) -> Bool
    /// s_upd from the new scores and the previous s_upd (`nil` at the first evaluation).
    func updated(current: [Double], previous: [Double]?) -> [Double]
    func draft(_ request: PlanRequest) throws -> OrderDraft
    /// p of Eq. 10, where the policy has such probabilities.
    func probabilities(_ scores: [Double]) throws -> [Double]?
    /// Samples from first to last in this policy's preference.
    func ranking(_ scores: [Double]) -> [Int]
}

extension OrderPolicy {
    public func needsScores(t: Int, evaluations: Int) -> Bool { false }
    public func updated(current: [Double], previous: [Double]?) -> [Double] { current }
    public func probabilities(_ scores: [Double]) throws -> [Double]? { nil }
    public func ranking(_ scores: [Double]) -> [Int] { Ranking.descending(scores) }
}

/// How many samples an epoch has at least, and what happens to the last, smaller batch.
public struct BatchRule {
    public var dropsLast = false
    /// At least this many batches, while there are samples.
    public var minBatches = 1

    static let dropLastArgument = Argument("drop_last", default: false, "leave out the last batch if it is smaller (the released code does)")
    static let minBatchesArgument = Argument("min_batches", default: 1, "an epoch has at least this many full batches, if there are so many samples", check: .range(0...1 << 30))
    static let arguments: [any AnyArgument] = [dropLastArgument, minBatchesArgument]

    public init() {}
    init(_ arguments: Arguments) {
        dropsLast = arguments[BatchRule.dropLastArgument]
        minBatches = arguments[BatchRule.minBatchesArgument]
    }

    /// floor(fraction * n), at least `minBatches` batches, at most n.
    public func size(_ fraction: Double, of n: Int, batchSize: Int) -> Int {
        min(n, max(minBatches * batchSize, Int(Double(n) * fraction)))
    }

    /// The same for draws with replacement, which n does not limit.
    public func draws(_ fraction: Double, of n: Int, batchSize: Int) -> Int {
        n == 0 ? 0 : max(minBatches * batchSize, Int(Double(n) * fraction))
    }
}
