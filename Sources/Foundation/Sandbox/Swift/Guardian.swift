import BSSCore
import Glibc

/// Watches a shut-in child from outside, where nothing that it does can stop the watch.
struct Guardian {
    private let child: SpawnedProcess
    private let limits: Jail.Limits
    private let pipes: (output: Pipe, errors: Pipe)
    private var filters = (output: OutputFilter(), errors: OutputFilter())
    private var written = 0
    private var limit: String?
    private let start = Clock.seconds()

    init(_ child: SpawnedProcess, _ limits: Jail.Limits, _ pipes: (Pipe, Pipe)) {
        (self.child, self.limits, self.pipes) = (child, limits, pipes)
    }

    mutating func watch(_ wall: Wall, _ output: Jail.Sink, _ errors: Jail.Sink) -> Jail.Outcome {
        let relay = SignalRelay()
        defer { relay.end() }
        var code: Int32?
        while code == nil || pipes.output.reading >= 0 || pipes.errors.reading >= 0 {
            wait()
            Guardian.pass(pipes.output, &filters.output, &written, output)
            Guardian.pass(pipes.errors, &filters.errors, &written, errors)
            if let signal = relay.take() { child.send(signal) }
            if limit == nil, code == nil, let met = metLimit() {
                limit = met
                child.end()
            }
            if code == nil { code = child.reap(blocking: false) }
        }
        output(filters.output.end())
        errors(filters.errors.end())
        return Jail.Outcome(
            code: limit == nil ? code ?? 127 : Jail.limitCode, limit: limit, seconds: Clock.seconds() - start,
            wall: wall
        )
    }

    private func wait() {
        var watched = [pipes.output, pipes.errors].filter { $0.reading >= 0 }.map {
            pollfd(fd: $0.reading, events: Int16(POLLIN), revents: 0)
        }
        _ = poll(&watched, nfds_t(watched.count), 10)
    }

    /// At most one piece at a time: limits are looked at between pieces.
    private static func pass(_ pipe: Pipe, _ filter: inout OutputFilter, _ written: inout Int, _ sink: Jail.Sink) {
        guard pipe.reading >= 0 else { return }
        var ready = pollfd(fd: pipe.reading, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, 0) == 1 else { return }
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(pipe.reading, &piece, piece.count)
        if count > 0 {
            written += count
            sink(filter.pass(piece[..<count]))
        } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
            pipe.closeReading()
        }
    }

    // MARK: Limits

    private func metLimit() -> String? {
        if Clock.seconds() - start > limits.seconds { return "\(Text.format("%g", limits.seconds)) s" }
        if written > limits.output { return "\(Guardian.size(limits.output)) of output" }
        let use = Guardian.use(of: Int(child.id))
        if use.memory > limits.memory { return "\(Guardian.size(limits.memory)) of memory" }
        if use.written - written > limits.disk { return "\(Guardian.size(limits.disk)) written to files" }
        return nil
    }

    private static func size(_ bytes: Int) -> String {
        bytes >= 1 << 30 ? Memory.gibibytes(Double(bytes)) : Text.format("%.3g MiB", Double(bytes) / Double(1 << 20))
    }

    /// Of a process and those that it started (bubblewrap starts ours): bytes occupied, and bytes written.
    private static func use(of process: Int) -> (memory: Int, written: Int) {
        // A process that has just ended occupies nothing.
        func text(_ name: String) -> String { (try? Files.readText("/proc/\(process)/\(name)")) ?? "" }
        let pages = text("statm").split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        let counted = text("io").split(separator: "\n").first { $0.hasPrefix("wchar: ") }
        var memory = pages * Int(sysconf(Int32(_SC_PAGESIZE)))
        var written = counted.flatMap { Int($0.dropFirst(7)) } ?? 0
        for child in text("task/\(process)/children").split(separator: " ").compactMap({ Int($0) }) {
            let use = use(of: child)
            memory += use.memory
            written += use.written
        }
        return (memory, written)
    }
}

/// While it lives, signals that ask this process to end or to leave are kept for the child.
private final class SignalRelay {
    nonisolated(unsafe) private static var pending: Int32 = 0
    private static let signals = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2]
    private var before: [(signal: Int32, action: sigaction)] = []

    init() {
        SignalRelay.pending = 0
        var ours = sigset_t()
        sigemptyset(&ours)
        for signal in SignalRelay.signals {
            sigaddset(&ours, signal)
            var action = sigaction()
            var old = sigaction()
            action.__sigaction_handler.sa_handler = { SignalRelay.pending = $0 }
            sigaction(signal, &action, &old)
            before.append((signal, old))
        }
        pthread_sigmask(SIG_UNBLOCK, &ours, nil)  // whoever started us may have blocked them
    }

    func take() -> Int32? {
        defer { SignalRelay.pending = 0 }
        return SignalRelay.pending == 0 ? nil : SignalRelay.pending
    }

    func end() {
        for (signal, action) in before {
            var action = action
            sigaction(signal, &action, nil)
        }
    }
}
