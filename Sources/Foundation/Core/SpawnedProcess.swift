import Glibc

/// A program that was started without a shell, in a process group of its own.
///
/// It begins with the system's signal handling, whatever this process has set; files here are opened close-on-exec.
public struct SpawnedProcess {
    public let id: pid_t

    /// Where a standard stream comes from or goes to.
    public enum Stream {
        case none
        /// Appended to.
        case file(String)
        case descriptor(Int32)
    }

    /// - Parameters:
    ///   - hidden: variables of the environment that the program does not see.
    ///   - variables: those it sees beside or instead of this process's.
    ///   - passes: whether it sees a variable of this process.
    /// - Throws: it could not be started.
    public init(
        _ path: String, _ arguments: [String], without hidden: Set<String> = [], variables: [String: String] = [:],
        passes: (String) -> Bool = { _ in true }, output: Stream = .none, errors: Stream = .none
    ) throws {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        SpawnedProcess.direct(STDOUT_FILENO, to: output, &actions)
        SpawnedProcess.direct(STDERR_FILENO, to: errors, &actions)
        var signals = sigset_t()
        var none = sigset_t()
        sigemptyset(&none)
        sigemptyset(&signals)
        for signal in [SIGINT, SIGPIPE, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        let seen = SpawnedProcess.environment(variables) { !hidden.contains($0) && passes($0) }
        var environment = seen.map { strdup($0) } + [nil]
        defer { (words + environment).forEach { free($0) } }
        var child: pid_t = 0
        let problem = posix_spawn(&child, path, &actions, &attributes, &words, &environment)
        guard problem == 0 else {
            throw BSSError("start", "cannot start \(path): \(String(cString: strerror(problem)))")
        }
        id = child
    }

    private static func direct(_ stream: Int32, to target: Stream, _ actions: inout posix_spawn_file_actions_t) {
        switch target {
        case .none: posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_WRONLY, 0)
        case .file(let path):
            posix_spawn_file_actions_addopen(&actions, stream, path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        case .descriptor(let other): posix_spawn_file_actions_adddup2(&actions, other, stream)
        }
    }

    private static func environment(_ variables: [String: String], _ passes: (String) -> Bool) -> [String] {
        var entries = variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        var at = environ
        while let entry = at.pointee {
            let text = String(cString: entry)
            let name = String(text.prefix { $0 != "=" })
            if passes(name), variables[name] == nil { entries.append(text) }
            at += 1
        }
        return entries
    }

    /// Exit status, 128 + signal number if a signal ended it; nil: it runs.
    public func reap(blocking: Bool) -> Int32? {
        var status: Int32 = 0
        while true {
            let got = waitpid(id, &status, blocking ? 0 : WNOHANG)
            if got == id { return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + status & 0x7F }
            if got == 0 { return nil }
            if errno != EINTR { return 127 }
        }
    }

    public func send(_ signal: Int32) { kill(id, signal) }

    /// The whole group ends at once.
    public func end() {
        kill(-id, SIGKILL)
        kill(id, SIGKILL)
    }

    /// This process's program.
    public static let ownPath: String = {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        return readlink("/proc/self/exe", &path, Int(PATH_MAX)) > 0 ? String(cString: path) : "/proc/self/exe"
    }()
}
