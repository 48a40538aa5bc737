import BSSCore
import CBSSSandbox
import Glibc

/// What keeps a shut-in process from the files of others.
public enum Wall: Equatable, Sendable, CustomStringConvertible {
    /// By the kernel's version of it.
    case landlock(abi: Int)
    /// The path of `bwrap`, which gives the child a file system of its own.
    case bubblewrap(String)

    /// Before version 2 files cannot move between folders, and the run store moves them.
    static let leastABI = 2

    public var description: String {
        switch self {
        case .landlock(let abi): return "Landlock \(abi)"
        case .bubblewrap: return "bubblewrap"
        }
    }

    /// The best wall of this machine. `BSS_SANDBOX` asks for another: `landlock`, `landlock:N` (as if the kernel had
    /// version N), `bubblewrap`, `none`.
    /// - Throws: kind `.device`, "no sandbox here: …": there is none.
    public static func here() throws -> Wall {
        let asked = getenv("BSS_SANDBOX").map { String(cString: $0) } ?? "auto"
        let words = asked.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard ["auto", "landlock", "bubblewrap", "none"].contains(words[0]), words.count <= 2,
            words.count == 1 || (words[0] == "landlock" && Int(words[1]) != nil)
        else {
            throw BSSError(
                "BSS_SANDBOX", "expects auto, landlock, landlock:N, bubblewrap or none, got '\(asked)'", kind: .usage)
        }
        if asked == "none" { throw missing(["BSS_SANDBOX=none"]) }
        guard bss_jail_has_filter() != 0 else { throw missing(["this kernel filters no system calls (seccomp)"]) }
        var reasons: [String] = []
        if words[0] != "bubblewrap" {
            let abi = min(landlockABI, words.count == 2 ? Int(words[1]) ?? 0 : .max)
            if abi >= leastABI { return .landlock(abi: abi) }
            reasons.append(
                abi < 1 ? "this kernel has no Landlock" : "Landlock \(abi) lets no file move between folders")
        }
        if words[0] != "landlock" {
            do { return .bubblewrap(try bubblewrap()) } catch let error as BSSError { reasons.append(error.message) }
        }
        throw missing(reasons)
    }

    private static func missing(_ reasons: [String]) -> BSSError {
        BSSError("sandbox", "no sandbox here: \(reasons.joined(separator: "; "))", kind: .device)
    }

    /// 0: the kernel has none, or it is off.
    public static var landlockABI: Int { max(0, Int(bss_jail_abi())) }

    // MARK: bubblewrap

    /// It is there, and it works: some systems let nobody make a name space.
    private static func bubblewrap() throws -> String {
        let folders = (getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin").split(separator: ":")
        guard
            let path = folders.map({ (folder) -> String in "\(folder)/bwrap" }).first(where: { access($0, X_OK) == 0 })
        else {
            throw BSSError("sandbox", "there is no bubblewrap")
        }
        let trial = try SpawnedProcess(path, isolation + ["--ro-bind", "/", "/", "/bin/true"])
        let code = trial.reap(blocking: true) ?? 127
        guard code == 0 else { throw BSSError("sandbox", "bubblewrap may not work here (exit code \(code))") }
        return path
    }

    private static let isolation = ["--unshare-all", "--die-with-parent", "--cap-drop", "ALL"]
    private static let system = ["/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin"]
    private static let files = ["/etc/ld.so.cache", "/etc/localtime"]

    /// The words that start a program in a file system of its own.
    static func bubblewrapWords(_ jail: Jail, _ program: String, _ arguments: [String], folder: String) -> [String] {
        var words = isolation + ["--proc", "/proc", "--dev", "/dev", "--dir", folder]
        for path in system + files + libraries + [program] + jail.readable { words += ["--ro-bind-try", path, path] }
        for path in jail.writable { words += ["--bind", path, path] }
        return words + [
            "--remount-ro", "/proc", "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", folder, "--", program,
        ] + arguments
    }

    /// What this process, the same program, has loaded from elsewhere than the system's folders.
    private static var libraries: [String] {
        // Without the list a library outside the system's folders is missed, and the child says which.
        let map = (try? Files.readText("/proc/self/maps")) ?? ""
        let paths = map.split(separator: "\n").compactMap { line in
            line.firstIndex(of: "/").map { String(line[$0...]) }
        }
        return Set(paths).filter { path in !system.contains { path.hasPrefix($0 + "/") } }.sorted()
    }
}
