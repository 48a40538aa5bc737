/// The samples of an epoch on their way to batches; methods may copy, mask or weigh them.
public struct SamplePlan {
    /// Positions in the training split.
    public var positions: [Int]
    /// Loss weight per entry; nil = 1.
    public var weights: [Double]?
    /// Per entry, the modalities whose features are kept (bit m = modality m); nil = all.
    public var keeps: [UInt32]?
    /// True if the order carries the scheduler's curriculum (BSS-L): added entries belong beside the sample they come
    /// from; else the order is a shuffle.
    public var isSequential: Bool

    public init(positions: [Int], weights: [Double]? = nil, keeps: [UInt32]? = nil, isSequential: Bool = false) {
        self.positions = positions
        self.weights = weights
        self.keeps = keeps
        self.isSequential = isSequential
    }

    /// The first `count` entries.
    func prefix(_ count: Int) -> SamplePlan {
        guard count < positions.count else { return self }
        return SamplePlan(
            positions: Array(positions.prefix(count)), weights: weights.map { Array($0.prefix(count)) },
            keeps: keeps.map { Array($0.prefix(count)) }, isSequential: isSequential)
    }

    /// Everything that tells two epochs apart, as numbers to hash: positions, then masks and weights where there are
    /// some.
    public var trace: [Int] {
        positions + (keeps.map { [-1] + $0.map(Int.init) } ?? [])
            + (weights.map { [-2] + $0.map { Int(truncatingIfNeeded: $0.bitPattern) } } ?? [])
    }
}
