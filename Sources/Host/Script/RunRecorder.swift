import BSSCPU
import BSSCore
import BSSData
import BSSCurriculum
import BSSLua
import BSSRuns
import BSSTraining

/// Writes what a training leaves behind: an attempt of `runs/<id>`, published when it has finished.
final class RunRecorder: TrainingObserver {
    let workbench: Workbench
    let store: RunStore
    let identity: RunIdentity
    private(set) var code: RunCode
    private let planned: RunStore.PlannedRun
    private let job: PlannedJob?
    private var runFolder: RunFolder?
    private var events: EventFile?
    private var start: StartingPoint?
    private var record: RunRecord
    private var orders: [String] = []
    /// Where the attempts that this one goes on from began: `{ epoch, instruction_set }`, oldest first.
    private var lineage: [Table] = []
    private var finalizerErrors = 0
    private var lastFlush = Clock.seconds()
    weak var trainer: Trainer?

    var id: String { identity.id }
    var folder: String { store.folder(id) }
    private var name: String { record.name }

    /// nil where nothing is recorded (at the prompt without --out).
    init?(
        _ workbench: Workbench, name: String, _ given: Table, onEpoch: Callback?, source: any SampleSource, seed: Int
    ) throws {
        guard let store = try workbench.store() else {
            if workbench.options.log == nil { return nil }
            throw BSSError(
                "--log-to", "nothing is recorded here", hint: "--out DIR says where records go", kind: .usage)
        }
        (self.workbench, self.store) = (workbench, store)
        if workbench.job == nil { workbench.state.reads.begin() }
        let code = try RunCode(workbench.state, given, onEpoch: onEpoch)
        self.code = code
        let data = try source.fingerprint
        var configuration = given
        var parts = Table(fields: [("data", .string(data)), ("engine", .table(workbench.engineIdentity))])
        let files = try given.namedFiles(operation: "bss.train")
        if !files.isEmpty { parts["files"] = .table(files) }
        workbench.job?.trainings += 1
        job = workbench.job.flatMap { $0.trainings > 1 ? nil : $0 }
        let known: RunIdentity
        if let job {
            parts["configuration"] = .string(CanonicalText.hash(.table(configuration)))
            parts["job"] = .string(job.id)
            known = try RunRecorder.identity(of: job, parts, store, workbench)
        } else {
            parts["parameters"] = .table(workbench.effective)
            parts["sources"] = .table(workbench.state.sources.identity)
            if !code.planned.isEmpty { parts["callbacks"] = .table(code.planned.table) }
            parts["configuration"] = .string(CanonicalText.hash(.table(configuration)))
            // A second run like this one is another run: of its job, whichever process has that, or of this process.
            if let job = workbench.job { parts["job"] = .string(job.id) }
            let occurrence =
                workbench.job?.trainings ?? workbench.occurrence(of: RunIdentity(parts).id)
            if occurrence > 1 {
                configuration["occurrence"] = .int(occurrence)
                parts["configuration"] = .string(CanonicalText.hash(.table(configuration)))
            }
            known = RunIdentity(parts)
        }
        identity = try RunRecorder.identity(known, parts, reading: store, name, workbench)
        workbench.job?.runs.append(identity.id)
        let plain = Value.table(configuration).recorded.table ?? configuration
        planned = RunStore.PlannedRun(
            id: identity.id, name: name,
            content: Table(fields: [
                ("seed", .int(seed)), ("identity", .table(identity.parts)), ("configuration", .table(plain)),
            ]))
        record = RunRecord(identity: identity, name: name, configuration: plain, clock: RunClock())
        record.arguments = workbench.options.commandLine
        record.seed = seed
        record.threads = workbench.options.threads ?? CPUBackend.processorCount
        record.engine = workbench.engine
        record.parameters = workbench.effective
        record.code = Table(fields: workbench.sourceFiles.map { ($0.path, .string($0.sha256)) })
        record.sources = try workbench.keepSources(store)
        record.commit = workbench.commit
        record.data = Table(fields: [
            ("name", .string(source.name)), ("hash", .string(data)),
            (
                "samples",
                .fields(
                    SplitName.allCases.map { ($0.rawValue, .int(source.rows($0).count)) })
            ),
        ])
        guard let set = (source as? DatasetSource)?.dataset else { return }
        record.data["index"] = .string(try store.keep(data: DataNote.table(set, hash: data), hash: data))
        guard !set.skipped.isEmpty else { return }
        record.count("rows_without_sample", set.skipped.count)
        record.data["rows_without_sample"] = .list(set.skipped.map(\.value))
    }

    /// A planned run keeps its id unless what its function made of it differs from what stands in the folder: data,
    /// options.
    private static func identity(
        of job: PlannedJob, _ parts: Table, _ store: RunStore, _ workbench: Workbench
    ) throws -> RunIdentity {
        let last = try store.finished(job.id)?["id_parts"]?.table ?? store.attempts(job.id).last?.owner()?.identity
        guard let last, !last.isEmpty else { return RunIdentity(parts, id: job.id) }
        let differences = RunIdentity.differences(parts, last)
        guard !differences.isEmpty else { return RunIdentity(parts, id: job.id) }
        let own = RunIdentity(parts)
        workbench.note(
            "\(job.name), seed \(job.seed): \(own.id), not \(job.id): \(differences.joined(separator: ", "))")
        return own
    }

    /// A run whose functions would read something else than those of the finished run of its identity is another run.
    private static func identity(
        _ identity: RunIdentity, _ parts: Table, reading store: RunStore, _ name: String, _ workbench: Workbench
    ) throws -> RunIdentity {
        guard let was = try store.finished(identity.id)?["reads"]?.table else { return identity }
        let now = ReadLedger.digests(of: was.keys)
        let changed = was.keys.filter { was[$0]?.string != now[$0]?.string }
        guard !changed.isEmpty else { return identity }
        var own = parts
        own["reads"] = .table(now)
        let other = RunIdentity(own)
        let names = changed.map { "'\($0)'" }.joined(separator: ", ")
        workbench.note("\(name): \(other.id), not \(identity.id): its functions read \(names), which changed")
        return other
    }

    // MARK: Taking it from its record

    /// The record of a finished run of the same identity, if it can stand for a new one.
    func reusable() throws -> Table? {
        guard !workbench.options.rerun, let found = try store.finished(id) else { return nil }
        if let effects = found["effects"]?.table?.items.compactMap(\.string), !effects.isEmpty {
            workbench.note(
                "\(name): \(id) is finished, but its on_epoch changed \(quoted(effects)), "
                    + "which no record holds: trained again"
            )
            return nil
        }
        return found
    }

    func isFinished() throws -> Bool { try store.finished(id) != nil }

    /// Shows what the run printed, as if it ran.
    func replay() throws {
        try store.tidy(id)
        if job == nil { workbench.note("\(name): reused \(id), finished earlier (--rerun trains it again)") }
        let path = folder + "/output.txt"
        if Files.exists(path) { workbench.state.write(try Files.read(path)) }
        _ = try startEvents(after: .max, in: folder)
    }

    /// The event file that `--log-to` asks for, if it does; epochs that an earlier call measured without one are in it.
    private func startEvents(after epoch: Int, in measured: String?) throws -> EventFile? {
        guard workbench.options.log == .tensorboard else { return nil }
        let run = "\(RunStore.fileName(job?.name ?? name))-seed\(record.seed)-\(id.prefix(8))"
        let place = "\(store.root)/tensorboard/\(run)"
        guard let measured, !Files.isFolder(place) else {
            return epoch == .max ? nil : try EventFile(place, from: epoch + 1)
        }
        let events = try EventFile(place, from: 1)
        for line in try Files.readText(measured + "/metrics.jsonl").split(separator: "\n") {
            guard let fact = try JSON.parse(String(line)).table, let step = fact["step"]?.int, step <= epoch,
                let name = fact["name"]?.string, let value = fact["value"]?.double
            else { continue }
            try events.log(step: step, name, value)
        }
        return events
    }

    // MARK: Beginning

    enum Beginning {
        /// From a checkpoint, if there is one.
        case train(String?)
        /// Another process has finished it meanwhile.
        case finished(Table)
    }

    /// Claims the run; with `--resume` finds the checkpoint to go on from.
    /// - Parameter again: although it is finished.
    func begin(again: Bool) throws -> Beginning {
        // Refused before anything is claimed.
        start = try startingPoint()
        let taken = try store.take(
            id, identity: identity.parts, again: again, patience: workbench.worker == nil ? .some : .none
        ) { [workbench] in workbench.note($0) }
        guard let folder = taken else {
            guard let found = try reusable() else { return try begin(again: true) }
            return .finished(found)
        }
        start = try startingPoint()
        if !workbench.options.resume, !again, let left = try store.checkpoints(id).first {
            workbench.note(
                "\(name): begins anew; attempt \(left.attempt) of \(id) was left after epoch \(left.epoch) "
                    + "(--resume goes on from there)"
            )
        }
        runFolder = folder
        if job == nil {
            if workbench.options.resume, start == nil { try tellDifferences() }
            try store.freeze(name, [planned])
        }
        return .train(start?.checkpoint.path)
    }

    private struct StartingPoint {
        let checkpoint: Attempt.Checkpoint
        let carried: Table
    }

    /// The last checkpoint that is whole.
    /// - Throws: it cannot be gone on from; all are damaged.
    private func startingPoint() throws -> StartingPoint? {
        guard workbench.options.resume || workbench.worker != nil else { return nil }
        var damage: (any Error)?
        for checkpoint in try store.checkpoints(id) {
            do {
                let carried = try Trainer.carried(checkpoint.path).table ?? Table()
                let changed = carried["not_resumable"]?.table?.items.compactMap(\.string) ?? []
                // A worker goes on where that is possible.
                if !changed.isEmpty, workbench.worker != nil { return nil }
                guard changed.isEmpty else {
                    throw BSSError(
                        "resume",
                        "\(name) (\(id)) is not resumable: its callbacks changed \(quoted(changed)), which "
                            + "checkpoints do not hold",
                        hint: "without --resume it begins anew, and finished runs are still taken from their records")
                }
                if let damage { workbench.note("\(name): \(damage)") }
                if damage != nil { record.count("checkpoint_damaged") }
                return StartingPoint(checkpoint: checkpoint, carried: carried)
            } catch let error as BSSError where error.kind == .data { damage = damage ?? error }
        }
        if let damage { throw damage }
        return nil
    }

    /// Says in what an earlier plan of this name differs: why nothing was found to go on from.
    private func tellDifferences() throws {
        guard try store.attempts(id).count == 1 else { return }
        /// Parts by hash, the configuration in full.
        func parts(_ content: Table) -> Table {
            var parts = content["identity"]?.table ?? Table()
            parts["configuration"] = content["configuration"]
            return parts
        }
        let earlier = try store.plans(name).prefix(50).compactMap { try store.plan($0).first }
        let reasons = ReuseReasons(store, workbench)
        let differences = earlier.map { reasons.words(parts(planned.content), parts($0.content)) }
        guard let least = differences.min(by: { $0.count < $1.count }), !least.isEmpty else { return }
        workbench.note("\(name): nothing to go on from: \(least.joined(separator: "; "))")
    }

    private func quoted(_ names: [String]) -> String { names.map { "'\($0)'" }.joined(separator: ", ") }

    // MARK: Events

    /// Runs a training with its output kept, and shown unless it was shown before.
    func keepingOutput<R>(isShown: Bool, _ body: () throws -> R) rethrows -> R {
        finalizerErrors = workbench.state.finalizerErrors
        return try PrintTap.listening(isShown: isShown, { [weak self] in self?.runFolder?.print($0) }, body)
    }

    func trainingBegan(epochs: Int, resumedAt: Int) throws {
        try code.begin()
        trainer?.checkpoints.name = runFolder.map { folder in { folder.checkpoint($0) } }
        trainer?.checkpoints.carried = { [unowned self] in carried }
        events = try startEvents(after: resumedAt, in: resumedAt > 0 ? start?.checkpoint.folder : nil)
        let here = CPUBackend.instructionSet
        if resumedAt > 0, let start {
            let bytes = start.carried["output_bytes"]?.int ?? 0
            workbench.state.write(try runFolder?.resume(from: start.checkpoint, outputBytes: bytes) ?? [])
            orders = try runFolder?.tracedOrders ?? []
            lineage = start.carried["lineage"]?.table?.items.compactMap(\.table) ?? []
        }
        for entry in lineage where entry["instruction_set"]?.string != here {
            let other = entry["instruction_set"]?.string ?? "?"
            record.brokenBy.append(
                "resumed after epoch \(resumedAt) with \(here); trained with \(other) from epoch "
                    + "\((entry["epoch"]?.int ?? 0) + 1)")
        }
        if !record.brokenBy.isEmpty { workbench.note("\(name): \(record.brokenBy.joined(separator: "; "))") }
        lineage.append(Table(fields: [("epoch", .int(resumedAt)), ("instruction_set", .string(here))]))
        record.restarts = lineage.dropFirst().compactMap { $0["epoch"]?.int.map { $0 + 1 } }
    }

    /// What a checkpoint says beside the state of training.
    private var carried: Value {
        .fields([
            ("lineage", .list(lineage.map(Value.table))), ("output_bytes", .int(runFolder?.outputBytes ?? 0)),
            ("not_resumable", .list(record.notResumable)),
        ])
    }

    func epochEnded(_ epoch: EpochRecord) throws {
        guard let runFolder else { return }
        let step = epoch.epoch  // files count epochs from 1
        func log(_ name: String, _ number: Double) throws {
            runFolder.log(step: step, name, number)
            try events?.log(step: step, name, number)
        }
        func log(_ prefix: String, _ table: Table) throws {
            for (key, value) in table.fields {
                if let inner = value.table {
                    try log(prefix + key + ".", inner)
                } else if let number = value.double {
                    try log(prefix + key, number)
                }
            }
        }
        for (split, figures) in [("train", epoch.train), ("val", epoch.val), ("test", epoch.test)] {
            if let figures { try log(split + ".", figures.table) }
        }
        try log("learning_rate", epoch.learningRate)
        let order = trainer?.lastTrained?.trace ?? []
        orders.append(RunFolder.hash(order))
        runFolder.trace(
            step: step, indices: order, loss: epoch.train.loss, firstLoss: trainer?.firstStep?.loss,
            gradientNorm: trainer?.firstStep?.gradientNorm,
            parameters: try trainer.map { String(try $0.model.parametersHash().prefix(16)) })
        try runFolder.checkOwnership()
        try workbench.worker?.checkStanding()
        // Every file is synced: often enough to watch a run, not so often that short ones wait for the disk.
        if Clock.seconds() - lastFlush >= 2 {
            try runFolder.flush()
            lastFlush = Clock.seconds()
        }
    }

    func checkpointing() throws {
        record.notResumable = Array(Set(record.notResumable).union(try code.changes())).sorted()
        try runFolder?.flush()
    }

    func checkpointed() throws { try runFolder?.removeOldCheckpoints() }

    // MARK: Endings

    func finish(_ result: TrainingResult, _ trainer: Trainer) throws {
        record.state = .finished
        record.result = result.selections.table
        record.cost = RunFacts.cost(result)
        record.stopReason = result.stopReason
        record.parametersHash = result.parametersHash
        record.phases = [("training", result.seconds), ("scoring", result.scoringSeconds)]
        // Times differ from call to call: they stand in `time` alone.
        record.epochTimes = Table(
            fields: EpochRecord.times.map { key in
                (key, .list(result.history.map { $0.table[key] ?? .number(0) }))
            })
        record.history = result.history.map { epoch in
            var plain = epoch.table
            for key in EpochRecord.times { plain[key] = nil }
            return plain
        }
        record.orders = orders
        record.streams = trainer.streams
        record.count("finalizer_errors", workbench.state.finalizerErrors - finalizerErrors)
        record.notResumable = Array(Set(record.notResumable).union(try code.changes())).sorted()
        record.effects = try code.effects()
        record.reads = workbench.state.reads.digests
        guard case .different(let paths)? = try runFolder?.finish(record) else { return }
        workbench.warn(
            "\(name): attempt \(runFolder?.number ?? 0) of \(id) gave other results than the published one: "
                + "\(paths.prefix(4).joined(separator: ", ")); \(folder)/run.json stays as it is")
    }

    func fail(_ error: any Error) {
        // Stopped, asked to leave, or taken over: nothing is wrong with the run.
        let isStopped = [.cancelled, .left, .busy].contains((error as? BSSError)?.kind)
        record.state = isStopped ? .interrupted : .failed
        record.exitCode =
            isStopped
            ? Int(ErrorReport.exitCode(.cancelled(""), signal: workbench.state.stopSignal))
            : Int((error as? BSSError).map { ErrorReport.exitCode($0) } ?? 1)
        record.error = "\(error)"
        do { try runFolder?.finish(record) } catch let second {
            if "\(second)" != "\(error)" { workbench.warn("\(name): its record could not be written: \(second)") }
        }
    }
}
