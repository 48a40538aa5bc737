import BSSCore
import Glibc

/// `owner.json`: who holds an attempt, and which run it is of.
public struct RunOwner {
    public var process: ProcessIdentity
    /// Random: two claims of one process differ.
    public var token: String
    /// UTC, for people.
    public var started: String
    /// `SLURM_JOB_ID` and array index, if there are any.
    public var job: String?
    /// The parts of the run's identity.
    public var identity: Table

    public init(_ process: ProcessIdentity, identity: Table) {
        self.process = process
        self.identity = identity
        token = RunOwner.randomToken()
        started = Machine.timestamp()
        let names = ["SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_JOB_ID"]
        let ids = names.compactMap { name in getenv(name).map { String(cString: $0) } }
        job = ids.isEmpty ? nil : ids.joined(separator: "_")
    }

    /// `nil` if the file is not there.
    /// - Throws: kind `.data` for a file that cannot be read (another user's, perhaps) or understood.
    public init?(of attempt: String) throws {
        let path = attempt + "/owner.json"
        guard let text = try StoreFiles.text(path) else { return nil }
        guard let table = try JSON.parse(text, source: path).table, let pid = table["pid"]?.int,
            let token = table["token"]?.string
        else { throw BSSError("claim run", "\(path) names no owner", kind: .data) }
        func field(_ name: String) -> String { table[name]?.string ?? "" }
        process = ProcessIdentity(
            host: field("host"), boot: field("boot"), pidNamespace: field("pid_namespace"), pid: pid,
            start: field("start"))
        self.token = token
        started = field("started")
        job = table["job"]?.string
        identity = table["identity"]?.table ?? Table()
    }

    var table: Table {
        var table = Table(fields: [
            ("host", .string(process.host)), ("boot", .string(process.boot)),
            ("pid_namespace", .string(process.pidNamespace)), ("pid", .int(process.pid)),
            ("start", .string(process.start)), ("started", .string(started)), ("token", .string(token)),
        ])
        if let job { table["job"] = .string(job) }
        table["identity"] = .table(identity)
        return table
    }

    public var description: String { "process \(process.pid) on \(process.host) since \(started)" }

    private static func randomToken() -> String {
        var system = SystemRandomNumberGenerator()
        return (0..<2).map { _ in Text.format("%016lx", UInt(system.next())) }.joined()
    }
}
