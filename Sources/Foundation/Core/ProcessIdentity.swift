import Glibc

/// Enough to tell a process from every other, on this machine, in another container or on another machine of a shared
/// disk.
///
/// Process ids are used again, and two containers have equal ones: the machine's start (boot id), the process table
/// (pid namespace) and the process's start (clock ticks since boot) belong to it.
public struct ProcessIdentity: Equatable, Sendable {
    public var host: String
    public var boot: String
    public var pidNamespace: String
    public var pid: Int
    /// Field 22 of `/proc/PID/stat`; empty where that cannot be read.
    public var start: String

    public enum Life: Sendable { case alive, gone, unknown }

    public init(host: String, boot: String, pidNamespace: String, pid: Int, start: String) {
        (self.host, self.boot, self.pidNamespace, self.pid, self.start) = (host, boot, pidNamespace, pid, start)
    }

    public static let current: ProcessIdentity = {
        var name = [CChar](repeating: 0, count: 256)
        let host = gethostname(&name, name.count - 1) == 0 ? String(cString: name) : ""
        // Without /proc there is no name of the boot; then nobody's life is judged (`sharesTable`).
        let boot = (try? Files.readText("/proc/sys/kernel/random/boot_id"))?.split(separator: "\n").first
        var link = [CChar](repeating: 0, count: 64)
        let length = readlink("/proc/self/ns/pid", &link, link.count - 1)
        return ProcessIdentity(
            host: host, boot: boot.map(String.init) ?? "", pidNamespace: length > 0 ? String(cString: link) : "",
            pid: Int(getpid()), start: start(of: Int(getpid())) ?? "")
    }()

    /// Both are numbered by one process table, as far as that can be known.
    public func sharesTable(with other: ProcessIdentity) -> Bool {
        !boot.isEmpty && !pidNamespace.isEmpty && boot == other.boot && pidNamespace == other.pidNamespace
    }

    /// Whether the process is at work, as `observer` sees it; `unknown` on other machines and in other containers.
    public func life(seenFrom observer: ProcessIdentity) -> Life {
        guard sharesTable(with: observer), !start.isEmpty else { return .unknown }
        return ProcessIdentity.start(of: pid) == start ? .alive : .gone
    }

    /// Field 22 of /proc/PID/stat; the name before it may hold blanks and brackets. A zombie (state Z or X) is gone.
    private static func start(of pid: Int) -> String? {
        // No such file: no such process.
        guard let stat = try? Files.readText("/proc/\(pid)/stat"), let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[end...].split(separator: " ")
        return fields.count > 20 && fields[1] != "Z" && fields[1] != "X" ? String(fields[20]) : nil
    }

    // MARK: Names of files that may outlive the process

    /// `<process table>-<pid>-<start>`: in the names of unfinished files, so that those of a killed process can be
    /// told.
    public var tag: String { "\(table)-\(pid)-\(start)" }
    private var table: String { String(SHA256.hex("\(boot) \(pidNamespace)").prefix(8)) }

    /// Whether a tag names a process of this table that is gone.
    public func isGone(tag: String) -> Bool {
        let parts = tag.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == table, let pid = Int(parts[1]), !parts[2].isEmpty else { return false }
        var other = self
        (other.pid, other.start) = (pid, String(parts[2]))
        return other.life(seenFrom: self) == .gone
    }
}
