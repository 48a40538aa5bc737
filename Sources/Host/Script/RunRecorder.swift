import BSSCPU
import BSSCore
import BSSCurriculum
import BSSRuns
import BSSTraining

/// Writes what a training leaves behind: runs/<id>/{run.json, metrics.jsonl, trace.jsonl, output.txt}.
final class RunRecorder: TrainingObserver {
    let id: String
    private let session: Session
    private let store: RunStore
    private let identity: RunIdentity
    private var runFolder: RunFolder?
    private var record: RunRecord
    private var orders: [String] = []
    /// Why an interrupted run's earlier lines could not be read back: the run must not end as if they had.
    private var lostLines: (any Error)?
    private var lastFlush = Progress.now()
    weak var trainer: Trainer?

    /// nil where nothing is recorded (at the prompt without --out).
    convenience init?(
        _ session: Session, name: String, _ configuration: Table, source: any SampleSource, seed: Int
    ) throws {
        guard let store = try session.store() else { return nil }
        try self.init(session, store, name: name, configuration, source: source, seed: seed)
    }

    private init(
        _ session: Session, _ store: RunStore, name: String, _ configuration: Table, source: any SampleSource, seed: Int
    ) throws {
        self.session = session
        self.store = store
        var configuration = configuration
        let plain = RunIdentity(
            configuration: configuration, script: session.script, data: source.fingerprint, engine: API.version)
        let occurrence = session.occurrence(of: plain.id)
        if occurrence > 1 { configuration["occurrence"] = .int(occurrence) }
        identity =
            occurrence == 1
            ? plain
            : RunIdentity(
                configuration: configuration, script: session.script, data: source.fingerprint, engine: API.version)
        id = identity.id
        record = RunRecord(identity: identity, name: name, configuration: configuration, clock: RunClock())
        record.arguments = session.options.commandLine
        record.seed = seed
        record.threads = session.options.threads ?? CPUBackend.processorCount
        record.engine = session.engine
        record.parameters = Table(fields: session.options.sets.map { ($0.key, .string($0.value)) })
        if let script = session.options.script {
            record.code = Table(fields: [(script, .string(SHA256.hex(session.script)))])
        }
        record.data = Table(fields: [
            ("name", .string(source.name)), ("hash", .string(source.fingerprint)),
            (
                "samples",
                .fields(
                    ["train", "val", "test"].map { split in (split, .int(source.rows(.init(rawValue: split)!).count)) })
            ),
        ])
    }

    var folder: String { store.folder(id) }

    /// The record of an earlier run of the same identity that ended well.
    func finishedRun() throws -> Table? { try store.finished(id) }
    func claim() throws {
        runFolder = try store.claim(id)
        try store.add(toPlan: RunStore.PlannedRun(id: id, name: record.name, configuration: record.configuration))
    }

    // MARK: Events

    func trainingBegan(epochs: Int, resumedAt: Int) {
        guard resumedAt > 0 else { return }
        do { try runFolder?.resume(upTo: resumedAt - 1) } catch { lostLines = error }
        orders = runFolder?.tracedOrders ?? []
        record.restarts.append(resumedAt)
    }

    func epochEnded(_ epochRecord: Table, epoch: Int) {
        guard let runFolder else { return }
        func log(_ prefix: String, _ table: Table) {
            for (key, value) in table.fields {
                if let inner = value.table {
                    log(prefix + key + ".", inner)
                } else if let number = value.double {
                    runFolder.log(step: epoch, prefix + key, number)
                }
            }
        }
        for key in ["train", "val", "test"] { if let table = epochRecord[key]?.table { log(key + ".", table) } }
        runFolder.log(step: epoch, "learning_rate", epochRecord["learning_rate"]?.double ?? 0)
        let order = trainer?.lastPlan?.indices ?? []
        orders.append(RunFolder.hash(order))
        runFolder.trace(step: epoch, indices: order, loss: epochRecord.value(atPath: "train.loss")?.double ?? .nan)
        // Every file is synced: often enough to watch a run, not so often that short ones wait for the disk.
        if Progress.now() - lastFlush >= 2 {
            try? runFolder.flush()
            lastFlush = Progress.now()
        }
    }

    func checkpointing() throws {
        if let lostLines { throw lostLines }
        try runFolder?.flush()
    }

    // MARK: Endings

    func finish(_ result: TrainingResult, _ trainer: Trainer) throws {
        if let lostLines { throw lostLines }
        record.state = .finished
        record.result = result.selections
        record.cost = RunObject.cost(result)
        record.stopReason = result.stopReason
        record.parametersHash = result.parametersHash
        record.phases = [("training", result.seconds), ("scoring", result.scoringSeconds)]
        // Times differ from call to call: they stand in `time` alone.
        record.history = result.history.map { epoch in
            var plain = epoch
            plain["seconds"] = nil
            plain["scoring_seconds"] = nil
            plain["step_seconds"] = nil
            return plain
        }
        record.orders = orders
        try runFolder?.finish(record)
        Files.remove(folder + "/checkpoint.safetensors")
    }

    func fail(_ error: any Error) {
        let known = error as? BSSError
        record.state = known?.kind == .cancelled ? .interrupted : .failed
        record.exitCode = known?.kind == .cancelled ? 130 : 1
        record.error = "\(error)"
        try? runFolder?.finish(record)
    }
}
