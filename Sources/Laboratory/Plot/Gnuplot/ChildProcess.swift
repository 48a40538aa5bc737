import BSSCore
import Glibc

/// A program that runs once, without a shell: its standard error is read, its time is limited, and it is always reaped.
enum ChildProcess {
    struct Outcome {
        /// Exit status; 128 + signal number if a signal ended it.
        let status: Int32
        let errors: String
        let isTimedOut: Bool
    }

    /// Standard input and output are the null device. The child leads a process group of its own, which is killed as a
    /// whole at the time limit or on Ctrl-C.
    ///
    /// - Throws: the program could not be started; interrupted.
    static func run(
        _ path: String, _ arguments: [String], without hidden: [String] = [], seconds: Double
    ) throws -> Outcome {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw failure(path, errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let reading = ends[0]
        defer { close(reading) }
        let child: pid_t
        do {
            defer { close(ends[1]) }
            child = try spawn(path, arguments, hidden, errors: ends[1])
        }
        _ = fcntl(reading, F_SETFL, O_NONBLOCK)
        var text: [UInt8] = []
        var status: Int32?
        let end = now() + seconds
        var isOpen = true
        while status == nil {
            let left = end - now()
            if left <= 0 || Cancellation.isRequested {
                kill(-child, SIGKILL)
                kill(child, SIGKILL)
                status = reap(child, blocking: true)
                if left > 0 { throw BSSError.cancelled("gnuplot") }
                return Outcome(status: status ?? 0, errors: String(decoding: text, as: UTF8.self), isTimedOut: true)
            }
            if isOpen {
                var wait = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
                _ = poll(&wait, 1, Int32(min(left * 1000 + 1, 50)))
                isOpen = drain(reading, into: &text)
            } else {
                usleep(2000)
            }
            status = reap(child, blocking: false)
        }
        _ = drain(reading, into: &text)
        return Outcome(status: status!, errors: String(decoding: text, as: UTF8.self), isTimedOut: false)
    }

    private static func spawn(_ path: String, _ arguments: [String], _ hidden: [String], errors: Int32) throws -> pid_t
    {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
        // The host's signal handling is its own business: the child starts with the system's.
        var signals = sigset_t()
        var none = sigset_t()
        sigemptyset(&none)
        sigemptyset(&signals)
        for signal in [SIGINT, SIGPIPE, SIGTERM, SIGQUIT] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var environment: [UnsafeMutablePointer<CChar>?] = []
        var at = environ
        while let entry = at.pointee {
            let name = String(cString: entry).prefix { $0 != "=" }
            if !hidden.contains(String(name)) { environment.append(entry) }
            at += 1
        }
        environment.append(nil)
        var child: pid_t = 0
        let problem = posix_spawn(&child, path, &actions, &attributes, &words, &environment)
        guard problem == 0 else { throw failure(path, problem) }
        return child
    }

    /// False once the other end is closed.
    private static func drain(_ file: Int32, into text: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(file, &buffer, buffer.count)
            if count > 0 {
                // A flood of messages is cut, but still read, so that the child does not block.
                if text.count < 1 << 16 { text += buffer[..<count] }
            } else {
                return count < 0 && (errno == EAGAIN || errno == EINTR)
            }
        }
    }

    private static func reap(_ child: pid_t, blocking: Bool) -> Int32? {
        var status: Int32 = 0
        while true {
            let got = waitpid(child, &status, blocking ? 0 : WNOHANG)
            if got == child { return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + status & 0x7F }
            if got == 0 { return nil }
            if errno != EINTR { return 127 }
        }
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private static func failure(_ path: String, _ number: Int32) -> BSSError {
        BSSError("gnuplot", "cannot start \(path): \(String(cString: strerror(number)))")
    }
}
