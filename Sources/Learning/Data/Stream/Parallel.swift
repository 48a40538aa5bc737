import BSSCore
import CBSSKernels

/// Independent work on many samples with the engine's fork-join pool.
enum Parallel {
    private final class Box {
        let body: @Sendable (Int) -> Void
        init(_ body: @escaping @Sendable (Int) -> Void) { self.body = body }
    }

    /// `body(0) … body(count - 1)`, in that order whatever the number of threads. `body` must be pure: it runs on
    /// several threads at once. `progress` hears how many are done, between portions, on the calling thread.
    static func map<T: Sendable>(
        _ count: Int, portion: Int = 64, operation: String, progress: (Int) -> Void = { _ in },
        _ body: @escaping @Sendable (Int) -> T
    ) throws -> [T] {
        var results: [T] = []
        results.reserveCapacity(count)
        var start = 0
        while start < count {
            try Cancellation.check(operation)
            let size = min(portion, count - start)
            let first = start
            // Every call writes the one slot that is its own, and they are read when all have returned.
            nonisolated(unsafe) let slots = UnsafeMutablePointer<T?>.allocate(capacity: size)
            slots.initialize(repeating: nil, count: size)
            defer {
                slots.deinitialize(count: size)
                slots.deallocate()
            }
            let box = Box { (slots + $0).pointee = body(first + $0) }
            let status = withExtendedLifetime(box) {
                bss_pool_run(
                    Int64(size),
                    { context, index in
                        guard let context else { return }
                        Unmanaged<Box>.fromOpaque(context).takeUnretainedValue().body(Int(index))
                    },
                    Unmanaged.passUnretained(box).toOpaque())
            }
            try Cancellation.checkKernel(status, operation)
            for i in 0..<size { if let value = slots[i] { results.append(value) } }
            start += size
            progress(start)
        }
        return results
    }
}
