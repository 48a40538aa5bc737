import Synchronization

/// How many blocks of four random words were drawn from a stream and the streams below it, on any thread.
public final class DrawCounter: Sendable {
    private let count: Atomic<UInt64>

    public init(_ blocks: UInt64 = 0) { count = Atomic(blocks) }

    public var blocks: UInt64 { count.load(ordering: .relaxed) }
    func add(_ blocks: UInt64) { count.wrappingAdd(blocks, ordering: .relaxed) }
}
