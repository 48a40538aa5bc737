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
    /// Named random streams and how many blocks they gave.
    public var streams = Table()
    /// Scripts by relative name with their SHA-256.
    public var code = Table()
    /// Name, hash and sizes of the data.
    public var data = Table()
    /// Version, compiler, Lua, BLAS.
    public var engine = Table()
    /// What was promised and what broke it.
    public var determinism = Table(fields: [
        (
            "promised",
            .string("same bits for the same script, seed, build and instruction set, for any number of threads")
        ), ("broken_by", .list([Value]())),
    ])
    public var threads = 1
    /// `result.<selection>.<split>.<output>.<metric>`
    public var result = Table()
    /// Trainable parameters, and samples seen in training.
    public var cost = Table()
    /// Why the method ended the training early.
    public var stopReason: String?
    public var parametersHash: String?
    /// Metrics of every epoch, without times.
    public var history: [Table] = []
    /// Training and scoring seconds, which belong to `time`.
    public var phases: [(name: String, seconds: Double)] = []
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

    public var table: Table {
        var table = Table(fields: [
            ("schema", .int(1)), ("id", .string(identity.id)), ("id_parts", .table(identity.table)),
            ("name", .string(name)), ("state", .string(state.rawValue)),
            ("exit_code", .int(exitCode)), ("argv", .list(arguments)), ("parameters", .table(parameters)),
            ("config", .table(configuration)), ("seed", .int(seed)),
            ("streams", .table(streams)), ("code", .table(code)), ("data", .table(data)), ("engine", .table(engine)),
            ("determinism", .table(determinism)),
            ("threads", .int(threads)), ("result", .table(result)),
        ])
        if !cost.isEmpty { table["cost"] = .table(cost) }
        if let stopReason { table["stop_reason"] = .string(stopReason) }
        if let parametersHash { table["parameters_hash"] = .string(parametersHash) }
        if !history.isEmpty { table["history"] = .list(history.map(Value.table)) }
        if !orders.isEmpty { table["order_hashes"] = .list(orders) }
        table["restarts"] = .list(restarts.map(Value.int))
        table["warnings"] = .table(Table(fields: warnings.map { ($0.kind, .int($0.count)) }))
        if let error { table["error"] = .string(error) }
        table["machine"] = .table(Machine.description)
        var time = clock.table
        for (name, seconds) in phases { time[name + "_seconds"] = .number(seconds) }
        table["time"] = .table(time)
        return table
    }
}
