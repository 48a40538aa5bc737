import Foundation

/// `bss-lua` on a real pseudo-terminal.
final class PseudoTerminal {
    private let main: Int32
    let pid: pid_t
    /// What came, without the marks around pastes.
    private(set) var text = ""
    /// The terminal was asked to mark what is pasted.
    private(set) var marksPastes = false

    /// - Parameter home: a folder of its own, so that nobody's history is touched.
    init(
        home: String, arguments: [String] = [], environment: [String: String] = [:], columns: UInt16 = 100
    ) throws {
        main = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var unlocked: Int32 = 0
        var number: UInt32 = 0
        // TIOCSPTLCK and TIOCGPTN: the C library's unlockpt and ptsname are hidden from Swift.
        guard main >= 0, ioctl(main, 0x4004_5431, &unlocked) == 0, ioctl(main, 0x8004_5430, &number) == 0 else {
            throw POSIXError(.EIO)
        }
        var size = winsize(ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(main, UInt(TIOCSWINSZ), &size)
        let slave = "/dev/pts/\(number)"
        let runner = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let candidates = ([runner] + CommandLine.arguments).map {
            URL(fileURLWithPath: $0).deletingLastPathComponent().appendingPathComponent("bss-lua").path
        }
        let binary = candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "bss-lua"
        var variables = [
            "HOME": home, "TERM": "xterm", "NO_COLOR": "1", "BSS_PAGER": "",
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "",
        ]
        variables.merge(environment) { $1 }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        // The first terminal that a session leader opens becomes its controlling terminal: Ctrl-C works.
        posix_spawn_file_actions_addopen(&actions, 0, slave, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        posix_spawn_file_actions_addclose(&actions, main)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSID_FLAG))
        var argv: [UnsafeMutablePointer<CChar>?] = ([binary] + arguments).map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0)=\($1)") } + [nil]
        var child: pid_t = 0
        let status = posix_spawn(&child, binary, &actions, &attributes, &argv, &envp)
        guard status == 0 else { throw POSIXError(.ENOENT) }
        pid = child
    }

    deinit {
        kill(pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        close(main)
    }

    func send(_ keys: String) { _ = keys.withCString { write(main, $0, strlen($0)) } }

    /// Reads until `expected` appears; what came since the last call, or nil after `seconds`.
    @discardableResult
    func wait(for expected: String, seconds: Double = 10) -> String? {
        let end = Date().addingTimeInterval(seconds)
        var buffer = [UInt8](repeating: 0, count: 65536)
        while Date() < end {
            if let found = text.range(of: expected) {
                defer { text = String(text[found.upperBound...]) }
                return String(text[..<found.upperBound])
            }
            var poll = pollfd(fd: main, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&poll, 1, 100) > 0 else { continue }
            let count = read(main, &buffer, buffer.count)
            if count <= 0 { break }
            text += String(decoding: buffer[..<count], as: UTF8.self)
            marksPastes = marksPastes || text.contains("\u{1B}[?2004h")
            text = text.replacing("\u{1B}[?2004h", with: "").replacing("\u{1B}[?2004l\r", with: "")
        }
        return nil
    }

    /// Types a line, waits for the next prompt, gives what appeared in between.
    func enter(_ line: String) -> String? {
        send(line + "\r")
        return wait(for: "]> ")
    }

    /// Reads what still comes: a program that leaves waits until its terminal has taken everything. -1: it did not
    /// leave.
    func exitCode(seconds: Double = 10) -> Int32 {
        var status: Int32 = 0
        let end = Date().addingTimeInterval(seconds)
        while waitpid(pid, &status, WNOHANG) == 0 {
            if Date() > end { return -1 }
            wait(for: "\u{0}", seconds: 0.02)
        }
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }
}

private let POSIX_SPAWN_SETSID_FLAG = 0x80
