import BSSCore

/// How many samples an epoch has at least, and what happens to the last, smaller batch.
public struct BatchRule: OptionGroup {
    @Option("drop_last", "leave out the last batch if it is smaller (the released code does)")
    public var dropsLast = false
    @Option(
        "min_batches", "an epoch has at least this many full batches, if there are so many samples",
        .range(0...1 << 30))
    public var minBatches = 1

    public init() {}

    /// floor(fraction * n), at least `minBatches` batches, at most n.
    public func size(_ fraction: Double, of n: Int, batchSize: Int) -> Int {
        min(n, max(minBatches * batchSize, Int(saturating: Double(n) * fraction)))
    }

    /// The same for draws with replacement, which n does not limit.
    public func draws(_ fraction: Double, of n: Int, batchSize: Int) -> Int {
        n == 0 ? 0 : max(minBatches * batchSize, Int(saturating: Double(n) * fraction))
    }
}
