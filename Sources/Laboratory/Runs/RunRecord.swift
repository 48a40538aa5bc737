import BSSCore

/// `run.json`: everything that decides a run's numbers, and the numbers.
///
/// Fields that differ from call to call stand in `time` and `machine` alone; the rest of two equal runs is equal.
public struct RunRecord {
    public enum State: String { case finished, failed, interrupted }

    public var identity: RunIdentity
    public var name: String
    public var state = State.finished
    public var exitCode = 0
    /// Command line.
    public var arguments: [String] = []
    /// The full plain configuration, defaults filled in.
    public var configuration: Table
    /// `--set` and script parameters: value and where it came from.
    public var parameters = Table()
    public var seed = 0
    /// Named random streams that the training drew from: key and blocks of four 32-bit words. Initial parameters are
    /// drawn before it, from `init`.
    public var streams = Table()
    /// Script, modules and texts of the command line, by name, with their SHA-256.
    public var code = Table()
    /// Where copies of them are, from the folder of results.
    public var sources: String?
    /// The commit of the repository that the script lies in.
    public var commit: String?
    /// Name, hash and sizes of the data; `index` names the note with its files.
    public var data = Table()
    /// Version, compiler, Lua, BLAS.
    public var engine = Table()
    public var threads = 1
    /// `result.<selection>.<split>.<output>.<metric>`
    public var result = Table()
    /// Of a run whose function trained nothing: what it returned.
    public var returned: Table?
    /// Which try this is, from 1.
    public var attempt = 1
    /// Values of the script that callbacks changed: the run cannot go on from a checkpoint, which does not hold them.
    public var notResumable: [String] = []
    /// Values of the script that `on_epoch` changed: they are not in the record.
    public var effects: [String] = []
    /// What the functions of the script read meanwhile, files and variables, by hash.
    public var reads = Table()
    /// Why the promise of equal bits does not hold, if it does not.
    public var brokenBy: [String] = []
    /// Trainable parameters, and samples seen in training.
    public var cost = Table()
    /// Why the method ended the training early.
    public var stopReason: String?
    public var parametersHash: String?
    /// Metrics of every epoch, without times.
    public var history: [Table] = []
    /// Training and scoring seconds, which belong to `time`.
    public var phases: [(name: String, seconds: Double)] = []
    /// By name a list over the epochs.
    public var epochTimes = Table()
    /// Hash of the sample order of every epoch.
    public var orders: [String] = []
    /// Epochs at which the run was resumed.
    public var restarts: [Int] = []
    public var warnings: [(kind: String, count: Int)] = []
    /// Message of a run that failed.
    public var error: String?
    public var clock: RunClock

    public init(identity: RunIdentity, name: String, configuration: Table, clock: RunClock) {
        self.identity = identity
        self.name = name
        self.configuration = configuration
        self.clock = clock
    }

    /// More warnings of a kind.
    public mutating func count(_ kind: String, _ number: Int = 1) {
        guard number > 0 else { return }
        if let i = warnings.firstIndex(where: { $0.kind == kind }) {
            warnings[i].count += number
        } else {
            warnings.append((kind, number))
        }
    }

    public var table: Table {
        var table = Table(fields: [
            ("schema", .int(1)), ("id", .string(identity.id)), ("id_parts", .table(identity.parts)),
            ("attempt", .int(attempt)),
            ("name", .string(name)), ("state", .string(state.rawValue)),
            ("exit_code", .int(exitCode)), ("argv", .list(arguments)), ("parameters", .table(parameters)),
            ("config", .table(configuration)), ("seed", .int(seed)),
            ("streams", .table(streams)), ("code", .table(code)), ("data", .table(data)), ("engine", .table(engine)),
            (
                "determinism",
                .fields([
                    (
                        "promised",
                        .string(
                            "same bits for the same script, seed, build and instruction set, for any number of threads")
                    ), ("broken_by", .list(brokenBy)),
                ])
            ),
            ("threads", .int(threads)), ("result", .table(result)),
        ])
        if let returned { table["returned"] = .table(returned) }
        if let sources { table["sources"] = .string(sources) }
        if let commit { table["commit"] = .string(commit) }
        if !cost.isEmpty { table["cost"] = .table(cost) }
        if let stopReason { table["stop_reason"] = .string(stopReason) }
        if let parametersHash { table["parameters_hash"] = .string(parametersHash) }
        if !history.isEmpty { table["history"] = .list(history.map(Value.table)) }
        if !orders.isEmpty { table["order_hashes"] = .list(orders) }
        if !reads.isEmpty { table["reads"] = .table(reads) }
        if !effects.isEmpty { table["effects"] = .list(effects) }
        if !notResumable.isEmpty { table["not_resumable"] = .list(notResumable) }
        table["restarts"] = .list(restarts.map(Value.int))
        table["warnings"] = .table(Table(fields: warnings.map { ($0.kind, .int($0.count)) }))
        if let error { table["error"] = .string(error) }
        table["machine"] = .table(Machine.description)
        var time = clock.table
        for (name, seconds) in phases { time[name + "_seconds"] = .number(seconds) }
        if !epochTimes.isEmpty { time["epochs"] = .table(epochTimes) }
        table["time"] = .table(time)
        return table
    }

    /// What two finished attempts at one run must share: paths of what differs.
    static func resultDifferences(_ own: Table, _ other: Table) -> [String] {
        func facts(_ record: Table) -> Table {
            Table(
                fields: ["result", "returned", "parameters_hash", "history", "order_hashes"].map {
                    ($0, record[$0] ?? .null)
                })
        }
        // As text and back: what JSON keeps of a value.
        let fresh = (try? JSON.parse(JSON.text(.table(facts(own)))))?.table ?? facts(own)
        return fresh.differences(from: facts(other)).map(\.path)
    }
}
