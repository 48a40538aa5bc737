import BSSCore
import Glibc

/// The folder of an experiment's results (surface.md section 4):
/// `plan.jsonl`, `runs/<id>/{run.json, metrics.jsonl, trace.jsonl, output.txt}`, `results/tables`, `results/figures`.
///
/// No database and no global lock: a run is claimed by making a folder, every file is written new, synced and renamed.
public struct RunStore {
    public static let defaultRoot = "experiments/runs"
    public let root: String

    /// - Throws: kind `.output` if the folder cannot be made.
    public init(_ root: String = RunStore.defaultRoot) throws {
        self.root = root
        try Files.makeFolder(root + "/runs")
    }

    public func folder(_ id: String) -> String { "\(root)/runs/\(id)" }
    public var tables: String { root + "/results/tables" }
    public var figures: String { root + "/results/figures" }

    // MARK: Plan

    public struct PlannedRun {
        public var id: String
        public var name: String
        public var configuration: Table
        public init(id: String, name: String, configuration: Table) {
            self.id = id
            self.name = name
            self.configuration = configuration
        }
    }

    /// Freezes the plan: one line per run.
    public func write(plan: [PlannedRun]) throws {
        try Files.write(plan.map(RunStore.line).joined(), to: root + "/plan.jsonl")
    }

    /// Starts with the id, by which `add` knows it again.
    private static func line(_ run: PlannedRun) -> String {
        JSON.text(
            .fields([
                ("id", .string(run.id)), ("name", .string(run.name)), ("configuration", .table(run.configuration)),
            ])) + "\n"
    }

    /// Adds a run that is about to begin, unless the plan has it.
    public func add(toPlan run: PlannedRun) throws {
        let path = root + "/plan.jsonl"
        let line = RunStore.line(run)
        let text = Files.exists(path) ? try Files.readText(path) : ""
        let start = "{\"id\":\(JSON.text(.string(run.id))),"
        guard !text.utf8.split(separator: UInt8(ascii: "\n")).contains(where: { $0.starts(with: start.utf8) }) else {
            return
        }
        try Files.write(text + line, to: path)
    }

    public func plan() throws -> [PlannedRun] {
        let path = root + "/plan.jsonl"
        guard Files.exists(path) else { return [] }
        return try Files.readText(path).split(separator: "\n").enumerated().map { number, line in
            guard let table = try JSON.parse(String(line), source: "\(path) line \(number + 1)").table,
                let id = table["id"]?.string
            else {
                throw BSSError("plan", "\(path) line \(number + 1) has no id", kind: .data)
            }
            return PlannedRun(
                id: id, name: table["name"]?.string ?? "", configuration: table["configuration"]?.table ?? Table())
        }
    }

    // MARK: Runs

    /// `run.json` of a run that ended well; `nil` if it has not.
    public func finished(_ id: String) throws -> Table? {
        let path = folder(id) + "/run.json"
        guard Files.exists(path), let record = try JSON.parse(Files.readText(path), source: path).table else {
            return nil
        }
        return record["state"]?.string == "finished" ? record : nil
    }

    /// Every run's record, finished or not, by id.
    public func records() throws -> [(id: String, record: Table)] {
        try Files.list(root + "/runs").compactMap { id in
            let path = folder(id) + "/run.json"
            guard Files.exists(path), let record = try JSON.parse(Files.readText(path), source: path).table else {
                return nil
            }
            return (id, record)
        }
    }

    /// Takes a run for this process. A run left behind by a process that is gone is taken over with its files; one that is
    /// being killed may still wait for the disk, so its end is waited for, up to `patience` seconds.
    /// - Throws: the run is in the hands of a living process (named).
    public func claim(_ id: String, patience: Double = 3) throws -> RunFolder {
        for _ in 0..<Int(patience / 0.05) {
            guard let owner = RunOwner(in: folder(id) + "/claim"), owner.isAlive, owner.host == Machine.host else {
                break
            }
            usleep(50_000)
        }
        let folder = folder(id)
        try Files.makeFolder(folder)
        let claim = folder + "/claim"
        let own = "\(claim).\(getpid())"
        for _ in 0..<3 {
            // Made with the owner's name in it and then renamed: a claim is never seen half-made, and renaming onto a
            // claim that exists fails.
            try Files.makeFolder(own)
            try Files.write(JSON.text(.table(RunOwner.current.table)) + "\n", to: own + "/owner.json")
            if rename(own, claim) == 0 {
                // Ours alone now: files that a killed owner had not finished go.
                for name in try Files.list(folder) where name.hasSuffix(".new") { Files.remove("\(folder)/\(name)") }
                return RunFolder(folder, claim: claim)
            }
            let reason = errno
            RunFolder.remove(claim: own)
            guard reason == EEXIST || reason == ENOTEMPTY else {
                throw BSSError("claim run", "\(claim): \(String(cString: strerror(reason)))", kind: .output)
            }
            func refuse(_ owner: RunOwner) -> BSSError {
                BSSError(
                    "claim run",
                    "\(id) is in the hands of process \(owner.pid) on \(owner.host) since \(owner.started)",
                    hint: "wait for it, or end it; then run again")
            }
            if let owner = RunOwner(in: claim), owner.isAlive { throw refuse(owner) }
            // Of two processes that find the dead claim, one takes it away; should it be another's new claim by now, it goes back.
            let dead = own + ".dead"
            guard rename(claim, dead) == 0 else { continue }
            if let owner = RunOwner(in: dead), owner.isAlive {
                rename(dead, claim)
                throw refuse(owner)
            }
            RunFolder.remove(claim: dead)
        }
        throw BSSError("claim run", "\(id) was taken by another process", hint: "run again")
    }
}

/// Who holds a run: enough to tell, on the same machine, whether it is still at work.
struct RunOwner {
    let host: String
    let boot: String
    let pid: Int
    /// Start of the process in clock ticks since boot: process ids are used again.
    let ticks: String
    let started: String

    static var current: RunOwner {
        let pid = Int(getpid())
        return RunOwner(
            host: Machine.host, boot: Machine.bootID, pid: pid, ticks: startTicks(pid) ?? "",
            started: Machine.timestamp())
    }

    private init(host: String, boot: String, pid: Int, ticks: String, started: String) {
        (self.host, self.boot, self.pid, self.ticks, self.started) = (host, boot, pid, ticks, started)
    }

    /// The owner named in a claim; `nil` if it names none.
    init?(in claim: String) {
        guard let table = try? JSON.parse(Files.readText(claim + "/owner.json")).table,
            let host = table["host"]?.string, let boot = table["boot"]?.string, let pid = table["pid"]?.int
        else { return nil }
        self.init(
            host: host, boot: boot, pid: pid, ticks: table["ticks"]?.string ?? "",
            started: table["started"]?.string ?? "?")
    }

    var table: Table {
        Table(fields: [
            ("host", .string(host)), ("boot", .string(boot)), ("pid", .int(pid)), ("ticks", .string(ticks)),
            ("started", .string(started)),
        ])
    }

    /// On another machine (a shared disk) nobody can tell: counts as alive.
    var isAlive: Bool {
        guard host == Machine.host else { return true }
        guard boot == Machine.bootID, pid != Int(getpid()) else { return false }
        return RunOwner.startTicks(pid) == ticks && kill(pid_t(pid), 0) == 0
    }

    /// Field 22 of /proc/PID/stat; the name before it may hold blanks and brackets. A zombie (state Z or X) is gone.
    private static func startTicks(_ pid: Int) -> String? {
        guard let stat = try? Files.readText("/proc/\(pid)/stat"), let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[end...].split(separator: " ")
        return fields.count > 20 && fields[1] != "Z" && fields[1] != "X" ? String(fields[20]) : nil
    }
}
