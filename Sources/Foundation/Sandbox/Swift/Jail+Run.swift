import BSSCore
import Glibc

extension Jail {
    public struct Outcome: Equatable, Sendable {
        /// The child's exit code, 128 + the signal that ended it; `limitCode` where a limit did.
        public let code: Int32
        /// The limit that ended it, in words: "600 s"; nil: none, or one that it met by itself (then with `limitCode`).
        public let limit: String?
        public let seconds: Double
        public let wall: Wall
    }

    /// Takes a piece of what the child wrote, free of control codes.
    public typealias Sink = (_ bytes: [UInt8]) -> Void

    /// Runs this program, shut in, with other arguments, and waits for it. It sees no environment but what the engine
    /// and a locale need, and nothing on standard input. Signals that ask this process to end or to leave go to it.
    /// - Parameters:
    ///   - program: this one, or another build of it: one that begins with `enterIfAsked`.
    ///   - folder: where it begins; nil: where this process is.
    ///   - variables: of its environment, beside those.
    /// - Throws: kind `.device`: there is no sandbox here; paths that cannot be made absolute.
    public func run(
        _ arguments: [String], of program: String = SpawnedProcess.ownPath, in folder: String? = nil,
        variables: [String: String] = [:],
        output: Sink = Jail.sink(STDOUT_FILENO), errors: Sink = Jail.sink(STDERR_FILENO)
    ) throws -> Outcome {
        let wall = try Wall.here()
        let folder = try Jail.absolute(folder ?? Files.workingFolder)
        var jail = self
        // What is not there cannot be read either.
        jail.readable = readable.compactMap { try? Jail.absolute($0) }
        jail.writable = try writable.map { try Jail.absolute($0) }
        var variables = variables
        let pipes = try (Pipe(), Pipe())
        var (path, words) = (program, arguments)
        switch wall {
        case .landlock(let abi): variables[Jail.variable] = jail.text(abi: abi, folder: folder)
        case .bubblewrap(let bwrap):
            variables[Jail.variable] = jail.text(abi: 0, folder: folder)
            (path, words) = (bwrap, Wall.bubblewrapWords(jail, program, arguments, folder: folder))
        }
        let child = try SpawnedProcess(
            path, words, variables: variables, passes: Jail.passes, output: .descriptor(pipes.0.writing),
            errors: .descriptor(pipes.1.writing))
        pipes.0.closeWriting()
        pipes.1.closeWriting()
        var guardian = Guardian(child, limits, (pipes.0, pipes.1))
        return guardian.watch(wall, output, errors)
    }

    /// The usual sink.
    public static func sink(_ descriptor: Int32) -> Sink {
        { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                if count < 0, errno != EINTR { return }  // the reader is gone
                rest = rest.dropFirst(max(0, count))
            }
        }
    }

    /// The engine's own settings, how text is shown, and where libraries lie; nothing that may hold a secret.
    private static func passes(_ name: String) -> Bool {
        let known = [
            "PATH", "LANG", "TZ", "TERM", "COLUMNS", "NO_COLOR", "CLICOLOR_FORCE", "SOURCE_DATE_EPOCH",
            "LD_LIBRARY_PATH", "OPENBLAS_NUM_THREADS",
        ]
        return name != variable && (known.contains(name) || name.hasPrefix("BSS_") || name.hasPrefix("LC_"))
    }

    /// Whether a folder is the user's home, or holds it.
    public static func isAboveHome(_ folder: String) -> Bool {
        let given = getenv("HOME").map { String(cString: $0) } ?? "/"
        // What is not there is above nothing.
        guard let home = try? absolute(given), let folder = try? absolute(folder) else { return false }
        return folder == "/" || home == folder || home.hasPrefix(folder + "/")
    }

    /// - Throws: there is nothing of this name.
    static func absolute(_ path: String) throws -> String {
        guard let real = realpath(path, nil) else {
            throw BSSError("sandbox", "\(path): \(String(cString: strerror(errno)))", kind: .data)
        }
        defer { free(real) }
        return String(cString: real)
    }
}

/// Both ends of a pipe; closed with it.
final class Pipe {
    private(set) var reading: Int32 = -1
    private(set) var writing: Int32 = -1

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0, ends.allSatisfy({ fcntl($0, F_SETFD, FD_CLOEXEC) == 0 }) else {
            throw BSSError("sandbox", "no pipe: \(String(cString: strerror(errno)))")
        }
        (reading, writing) = (ends[0], ends[1])
    }

    func closeWriting() {
        if writing >= 0 { close(writing) }
        writing = -1
    }

    func closeReading() {
        if reading >= 0 { close(reading) }
        reading = -1
    }

    deinit {
        closeWriting()
        closeReading()
    }
}
