import BSSCore

/// Computes results ahead of the one who takes them, on threads of its own, with bounded memory.
///
/// Jobs are numbered 0 ..< count and started in that order. A job must be a pure function of its number: then results
/// do not depend on how many threads there are, nor on which finishes first. The taker takes jobs in ascending order;
/// what no thread has begun it computes itself, so that 0 threads are the plain sequential loop and a small limit never
/// stops anything.
final class Lookahead<Output: Sendable>: @unchecked Sendable {
    private enum Slot {
        case running
        case done(Result<Output, any Error>)
    }

    private enum Step {
        case taken(Result<Output, any Error>)
        case compute(Int)
        case waited
    }

    private let count: Int
    private let limit: Int
    private let bytes: @Sendable (Output) -> Int
    private let job: @Sendable (Int) throws -> Output
    private let lock = Lock()
    private var slots: [Int: Slot] = [:]
    private var next = 0
    /// Bytes of finished results that nobody has taken, and of running jobs by the size of the largest so far.
    private var held = 0, running = 0, largest = 1
    private var isStopped = false

    /// - Parameters:
    ///   - limit: bytes of results that may wait to be taken.
    ///   - job: called from several threads at once.
    init(
        count: Int, limit: Int, bytes: @escaping @Sendable (Output) -> Int,
        job: @escaping @Sendable (Int) throws -> Output
    ) {
        self.count = count
        self.limit = limit
        self.bytes = bytes
        self.job = job
    }

    /// What a thread does: jobs in order, as long as there is room.
    func work() {
        while let number = claim() { finish(number, Result { try job(number) }) }
    }

    func stop() {
        lock.withLock {
            isStopped = true
            lock.wakeAll()
        }
    }

    private func claim() -> Int? {
        lock.withLock {
            while !isStopped {
                guard next < count else { return nil }
                if held + running * largest < limit { return begin() }
                lock.wait()
            }
            return nil
        }
    }

    /// Inside the lock.
    private func begin() -> Int {
        slots[next] = .running
        running += 1
        next += 1
        return next - 1
    }

    /// A failure holds nothing.
    private func size(_ result: Result<Output, any Error>) -> Int {
        if case .success(let output) = result { return bytes(output) }
        return 0
    }

    private func finish(_ number: Int, _ result: Result<Output, any Error>) {
        let size = size(result)
        lock.withLock {
            running -= 1
            held += size
            largest = max(largest, size)
            slots[number] = .done(result)
            lock.wakeAll()
        }
    }

    /// The result of a job. While it runs elsewhere, unstarted jobs below `helpUpTo` are computed here.
    func take(_ number: Int, helpUpTo end: Int, operation: String) throws -> Output {
        while true {
            let step: Step = lock.withLock {
                if case .done(let result)? = slots[number] {
                    slots[number] = nil
                    held -= size(result)
                    lock.wakeAll()
                    return .taken(result)
                }
                if next < min(end, count) { return .compute(begin()) }
                lock.wait(milliseconds: 50)
                return .waited
            }
            switch step {
            case .taken(let result): return try result.get()
            case .compute(let other): finish(other, Result { try job(other) })
            case .waited: try Cancellation.check(operation)
            }
        }
    }
}
