import BSSCore

/// The kernel calls of a piece of work, to be made again on the same memory: a step of training without its tape.
///
/// What runs while it records is done as ever. Calls say how they are made again (`Backend.run`); one that cannot be
/// (the host reads or writes, random numbers are drawn) leaves the recording incomplete: there is nothing to replay.
/// Memory that the calls touch stays theirs as long as the recording lives.
public final class Recording {
    private var calls: [() throws -> Int32] = []
    public private(set) var isComplete = true
    /// Bytes of new memory so far, and how many there may be.
    private var made = 0
    private static let limit = 64 << 20

    public init() {}

    /// Runs `body` and keeps its calls.
    public func record<R>(_ body: () throws -> R) rethrows -> R {
        let outer = KernelCall.recording
        KernelCall.recording = self
        defer { KernelCall.recording = outer }
        return try body()
    }

    /// Said by whoever does in Swift what a replay would not do: puts another tensor in the place of one.
    public static func spoil() { KernelCall.recording?.spoil() }

    func add(_ call: @escaping () throws -> Int32) { if isComplete { calls.append(call) } }

    /// Memory of a recording is not used twice. Where it is much, the time is in the kernels: nothing is gained.
    func made(_ bytes: Int) {
        made += bytes
        if made > Recording.limit { spoil() }
    }

    /// It holds a call that is not the same again.
    func spoil() { (isComplete, calls) = (false, []) }

    /// The same calls in the same order.
    public func replay() throws {
        for call in calls { try Cancellation.checkKernel(call(), "replay") }
    }
}
