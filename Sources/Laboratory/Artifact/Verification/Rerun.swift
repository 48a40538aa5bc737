import BSSCore
import BSSRuns
import Glibc

/// How a stranger's script is run: this program as a child, shut in unless the artifact is trusted.
public struct Launcher {
    public enum Wall {
        /// The artifact is trusted: no wall.
        case none
        /// Options that shut the child in, for so many seconds at most.
        case sandbox((_ seconds: Double) -> [String])
        /// There is no sandbox here: nothing is run; why.
        case missing(String)
    }

    let wall: Wall
    let threads: Int?
    let dataFolders: [String]
    /// Options that a record may ask for; others are refused.
    let allowed: [String]

    public init(wall: Wall, threads: Int?, dataFolders: [String], allowed: [String]) {
        (self.wall, self.threads, self.dataFolders, self.allowed) = (wall, threads, dataFolders, allowed)
    }

    var isTrusted: Bool { if case .none = wall { return true } else { return false } }

    /// Options of a record, all of which are known to decide results and nothing else.
    func isAllowed(_ options: [String]) -> Bool {
        var takesValue = false
        for word in options {
            if takesValue {
                takesValue = false
                continue
            }
            let name = String(word.prefix { $0 != "=" })
            guard allowed.contains(name) else { return false }
            takesValue = name == word && !["--smoke", "--no-strict", "--lua-env"].contains(name)
        }
        return !takesValue
    }
}

/// One command of an artifact, run again in a folder of its own.
struct Rerun {
    /// What became of the child.
    enum Ending: Equatable {
        case finished
        /// A limit of time, memory or output.
        case limit(String)
        /// It could not be looked at: data, device, budget, sandbox.
        case impossible(String)
        /// The script stopped with an error.
        case failed(String)
    }

    let launcher: Launcher
    let tree: any FileTree
    let command: ExperimentRecord.Command
    /// Keys of the runs, the first ones first; see `Replay`.
    let wanted: [String]
    /// A new first seed; nil: the recorded one.
    var seed: Int?
    /// "" or "smoke/"
    let place: String

    /// Runs it and hands over what came out, before the folder goes.
    /// - Parameter deadline: by `Clock.seconds`.
    func run<R>(until deadline: Double, _ body: (Ending, _ out: String) throws -> R) throws -> R {
        let folder = try Rerun.makeFolder()
        defer { Rerun.removeFolder(folder) }
        let out = folder + "/out"
        for name in ["out", "artifact/src", "artifact/files", "work"] { try Files.makeFolder("\(folder)/\(name)") }
        let sources = tree.names(in: "src").reduce(0) { $0 + (tree.size("src/\($1)") ?? 0) }
        guard sources <= ArtifactLimits.sources else { return try body(.impossible("its scripts are too large"), out) }
        guard tree.has("src/\(command.script)") else {
            return try body(.impossible("src/\(command.script) is not in it"), out)
        }
        guard launcher.isAllowed(command.options) else {
            return try body(.impossible("its command asks for options that decide no results"), out)
        }
        let seconds = max(1, deadline - Clock.seconds())
        var wall: [String] = []
        switch launcher.wall {
        case .none: break
        case .sandbox(let words): wall = words(seconds)
        case .missing(let why): return try body(.impossible(why), out)
        }
        try tree.unpack("src", into: folder + "/artifact/src")
        try tree.unpack("data/files", into: folder + "/artifact/files")
        try tree.unpack("\(place)results/experiments", into: Rerun.made(folder + "/artifact/results/experiments"))
        let replay = Table(fields: [("records", .string(folder + "/artifact")), ("runs", .list(wanted))])
        try Files.write(JSON.text(.table(replay)), to: folder + "/artifact/replay.json")
        let log = folder + "/errors.txt"
        let code = try watch(start(folder, wall, log), until: deadline)
        return try body(ending(code, Rerun.lastWords(log)), out)
    }

    private func start(_ folder: String, _ wall: [String], _ log: String) throws -> SpawnedProcess {
        var words = wall + ["--quiet", "--progress", "none", "--out", folder + "/out"]
        words += ["--replay", folder + "/artifact/replay.json"]
        for data in [folder + "/artifact", folder + "/artifact/files"] + launcher.dataFolders {
            words += ["--data", data]
        }
        if let threads = launcher.threads { words += ["--threads", "\(threads)"] }
        words += command.options
        if let seed { words += ["--seed", "\(seed)"] }
        words += ["\(folder)/artifact/src/\(command.script)", "--"] + command.arguments
        // It begins in a folder of its own: what a script writes beside itself goes with it.
        let here = Files.workingFolder
        guard chdir(folder + "/work") == 0 else { throw FileTreeError.writing(folder) }
        defer { chdir(here) }
        return try SpawnedProcess(SpawnedProcess.ownPath, words, errors: .file(log))
    }

    /// nil: the budget ended it.
    private func watch(_ child: SpawnedProcess, until deadline: Double) throws -> Int32? {
        while true {
            if let code = child.reap(blocking: false) { return code }
            if Clock.seconds() > deadline || Cancellation.isRequested {
                child.send(SIGTERM)
                for _ in 0..<200 where child.reap(blocking: false) == nil { usleep(10_000) }
                child.end()
                _ = child.reap(blocking: true)
                try Cancellation.check("verify")
                return nil
            }
            usleep(10_000)
        }
    }

    private func ending(_ code: Int32?, _ words: String) -> Ending {
        switch code {
        case 0?: return .finished
        case nil: return .impossible("the budget of time ended")
        case 7?: return .limit(words.isEmpty ? "a limit of the sandbox" : words)
        case 8?: return .impossible("data missing: \(words)")
        case 9?: return .impossible("no sandbox or device here: \(words)")
        case 74?, 75?, 130?: return .impossible(words)
        case let code?: return .failed("the script ended with exit code \(code): \(words)")
        }
    }

    // MARK: Folders

    private static func made(_ folder: String) throws -> String {
        try Files.makeFolder(folder)
        return folder
    }

    private static func makeFolder() throws -> String {
        var path = Array("\(Environment.variable("TMPDIR") ?? "/tmp")/bss-verify-XXXXXX".utf8CString)
        guard mkdtemp(&path) != nil else {
            throw BSSError("verify", "no temporary folder: \(String(cString: strerror(errno)))", kind: .output)
        }
        return String(cString: path)
    }

    static func removeFolder(_ path: String) {
        // What cannot be removed stays in the folder of temporary files.
        for name in (try? Files.list(path)) ?? [] {
            let inner = "\(path)/\(name)"
            var info = stat()
            guard lstat(inner, &info) == 0 else { continue }
            if info.st_mode & S_IFMT == S_IFDIR { removeFolder(inner) } else { unlink(inner) }
        }
        rmdir(path)
    }

    private static func lastWords(_ log: String) -> String {
        // A child that wrote nothing has no last words.
        let text = (try? Files.readText(log)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("bss-lua: ") }?.dropFirst(9)
        return String((line ?? text.split(separator: "\n").last ?? "").prefix(300))
    }
}
