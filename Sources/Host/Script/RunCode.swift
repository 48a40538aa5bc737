import BSSCore
import BSSData
import BSSLua
import BSSRuns

/// The functions of a run's configuration, and whether they changed what they use while it ran: a checkpoint does not
/// hold variables of the script.
struct RunCode {
    private let state: LuaState
    private let configuration: Table
    private let onEpoch: Table
    /// When the run was planned.
    let planned: Fingerprint
    private let plannedOnEpoch: Fingerprint
    /// When its first epoch began: what a method's set-up did is done again on resuming.
    private var began: Fingerprint

    init(_ state: LuaState, _ configuration: Table, onEpoch callback: Callback?) throws {
        self.state = state
        onEpoch = Table(fields: callback.map { [("on_epoch", $0.plain)] } ?? [])
        self.configuration = Table(fields: configuration.fields + onEpoch.fields)
        planned = try state.fingerprint(self.configuration)
        plannedOnEpoch = try state.fingerprint(onEpoch)
        began = planned
    }

    mutating func begin() throws { began = try state.fingerprint(configuration) }

    /// Names of variables that changed since the first epoch began.
    func changes() throws -> [String] {
        planned.isEmpty ? [] : try state.fingerprint(configuration).changes(since: began)
    }

    /// Names of variables that `on_epoch` changed: whoever takes the run from its record will miss them.
    func effects() throws -> [String] {
        plannedOnEpoch.isEmpty ? [] : try state.fingerprint(onEpoch).changes(since: plannedOnEpoch)
    }
}

extension Table {
    /// Files that options name (weights, checkpoints, vocabularies) by the option's path, with the SHA-256 of their
    /// bytes. The data has a hash of its own.
    func namedFiles(operation: String) throws -> Table {
        var found: [(option: String, path: String)] = []
        func visit(_ value: Value, _ option: String) {
            switch value {
            case .string(let text) where text.contains { $0 == "/" || $0 == "." } && Files.isFile(text):
                found.append((option, text))
            case .table(let table):
                for (i, item) in table.items.enumerated() { visit(item, "\(option)[\(i + 1)]") }
                for (key, item) in table.fields { visit(item, option.isEmpty ? key : "\(option).\(key)") }
            default: break
            }
        }
        for (key, value) in fields where key != "data" { visit(value, key) }
        let hashes = try MediaHash.of(found.map(\.path), operation: operation)
        return Table(fields: zip(found, hashes).map { ($0.option, .string($1)) })
    }
}

extension Value {
    /// As records hold it: parts by their options, functions by their place.
    var recorded: Value {
        switch self {
        case .table(let table):
            return .table(
                Table(items: table.items.map(\.recorded), fields: table.fields.map { ($0.key, $0.value.recorded) }))
        case .object(let object):
            guard let part = object as? any ConfiguredObject else { return .string(object.objectType.name) }
            return Value.table(part.configuration).recorded
        case .function(let function): return .string("function@\(function.definition)")
        default: return self
        }
    }
}

/// One run of an experiment, planned before the first of them began.
final class PlannedJob {
    let id: String
    let name: String
    let seed: Int
    /// What decides it, as far as that is known before it begins, and the parameters that were given.
    private(set) var content: Table
    /// Trainings of its function so far: the first has the job's id, others get their own.
    var trainings = 0
    /// Ids of their runs.
    var runs: [String] = []
    var planned: RunStore.PlannedRun { RunStore.PlannedRun(id: id, name: name, content: content) }

    init(_ workbench: Workbench, experiment: String, parameters: Table, arm: Table, seed: Int, body: Callback) throws {
        name = arm["name"]?.string ?? "run"
        self.seed = seed
        let code = Table(fields: [("run", body.plain), ("arm", .table(arm)), ("parameters", .table(parameters))])
        // How many seeds there are is the experiment's affair: more of them leave the runs that are there as they are.
        var given = parameters
        given["seeds"] = nil
        content = Table(fields: [
            ("experiment", .string(experiment)), ("arm", Value.table(arm).recorded), ("seed", .int(seed)),
            ("parameters", Value.table(given).recorded), ("sources", .table(workbench.state.sources.identity)),
            ("code", .table(try workbench.state.fingerprint(code).table)), ("engine", .table(workbench.engineIdentity)),
        ])
        // Where functions stand is no part of the identity, what they do is.
        var parts = content
        parts["arm"] = .string(CanonicalText.hash(PlannedJob.withoutPlaces(.table(arm))))
        parts["parameters"] = PlannedJob.withoutPlaces(.table(given))
        id = RunIdentity(parts).id
        // What the script made of these is in `code`; their values say it in words.
        content["given"] = .table(workbench.effective)
    }

    /// Parts by their options; `CanonicalText` leaves out where functions stand.
    private static func withoutPlaces(_ value: Value) -> Value {
        switch value {
        case .table(let table):
            return .table(
                Table(
                    items: table.items.map(withoutPlaces),
                    fields: table.fields.map { ($0.key, withoutPlaces($0.value)) }))
        case .object(let object):
            guard let part = object as? any ConfiguredObject else { return .string(object.objectType.name) }
            return withoutPlaces(.table(part.configuration))
        default: return value
        }
    }
}
