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
        let child: SpawnedProcess
        do {
            defer { close(ends[1]) }
            child = try SpawnedProcess(path, arguments, without: Set(hidden), errors: .descriptor(ends[1]))
        }
        _ = fcntl(reading, F_SETFL, O_NONBLOCK)
        var text: [UInt8] = []
        var status: Int32?
        let end = Clock.seconds() + seconds
        var isOpen = true
        while status == nil {
            let left = end - Clock.seconds()
            if left <= 0 || Cancellation.isRequested {
                child.end()
                status = child.reap(blocking: true)
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
            status = child.reap(blocking: false)
        }
        _ = drain(reading, into: &text)
        return Outcome(status: status ?? 0, errors: String(decoding: text, as: UTF8.self), isTimedOut: false)
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

    private static func failure(_ path: String, _ number: Int32) -> BSSError {
        BSSError("gnuplot", "cannot start \(path): \(String(cString: strerror(number)))")
    }
}
