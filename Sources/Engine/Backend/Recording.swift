import BSSCore

/// The kernel calls of a piece of work, to be made again on the same memory: a step of training without its tape.
///
/// What runs while it records is done as ever. Calls say how they are made again (`Backend.run`, `KernelCall.add`); one
/// that cannot be (the host reads or writes) leaves the recording incomplete: there is nothing to replay. Memory that
/// the calls touch stays theirs as long as the recording lives; among themselves they use it again as soon as they
/// would without a recording. Random numbers come from one stream, named beforehand, and in a replay from where it is
/// by then. Where the device can start all calls at once (`Backend.joined`), replays do.
public final class Recording {
    private var calls: [() throws -> Int32] = []
    let memory = RecordedMemory()
    private let draws: Draws
    public private(set) var isComplete = true
    /// Of all calls.
    private var backend: (any Backend)?
    /// All calls as one; set by the first replay.
    private var joined: (() throws -> Int32)?
    private var wasReplayed = false
    /// Bytes of memory that a recording may hold: where it is more, the time is in the kernels, nothing is gained.
    private static let limit = 256 << 20

    /// `stream`: what the calls draw from.
    public init(drawingFrom stream: RandomStream? = nil) { draws = Draws(stream) }

    /// Runs `body` and keeps its calls.
    public func record<R>(_ body: () throws -> R) rethrows -> R {
        let outer = KernelCall.recording
        KernelCall.recording = self
        defer { KernelCall.recording = outer }
        let result = try body()
        memory.close()
        return result
    }

    /// Said by whoever does in Swift what a replay would not do: puts another tensor in the place of one.
    public static func spoil() { KernelCall.recording?.spoil() }

    func add(_ call: @escaping () throws -> Int32, on backend: any Backend) {
        guard isComplete else { return }
        if let known = self.backend, known !== backend { return spoil() }
        self.backend = backend
        calls.append(call)
    }

    /// For a draw from the stream of that key; nil, and nothing to replay, where it is another than the recording's.
    func draws(key: UInt64) -> Draws? {
        if draws.key == key { return draws }
        spoil()
        return nil
    }

    func allocated(_ storage: Storage) {
        memory.allocated(storage)
        if memory.size > Recording.limit { spoil() }
    }

    /// It holds a call that is not the same again.
    func spoil() {
        (isComplete, calls) = (false, [])
        memory.forget()
    }

    /// The same calls in the same order. They draw from where `stream` is now, as they did from where it was when the
    /// recording was made; the caller moves it on.
    public func replay(drawingFrom stream: RandomStream? = nil) throws {
        if let stream { draws.shift = stream.block &- draws.block }
        if !wasReplayed { joined = try backend?.joined(calls) }
        wasReplayed = true
        if let joined { return try Cancellation.checkKernel(joined(), "replay") }
        for call in calls { try Cancellation.checkKernel(call(), "replay") }
    }

    /// How far a stream has moved since the recording: calls draw that many blocks further on.
    public final class Draws {
        fileprivate let key: UInt64?
        fileprivate let block: UInt64
        @exclusivity(unchecked) public fileprivate(set) var shift: UInt64 = 0

        fileprivate init(_ stream: RandomStream?) { (key, block) = (stream?.key, stream?.block ?? 0) }
    }
}
