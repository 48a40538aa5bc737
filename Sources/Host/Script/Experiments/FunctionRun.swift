import BSSCore
import BSSLua
import BSSRuns

/// A run of a sweep whose function trains nothing: what it returns is its result and stands in its record, so that one
/// worker computes it and the others, and the coordinator, read it.
struct FunctionRun {
    private unowned let workbench: Workbench
    private let job: PlannedJob
    private let store: RunStore

    /// nil: this process shares no runs.
    init?(_ workbench: Workbench, _ job: PlannedJob?) throws {
        guard workbench.options.sweep != nil, let job, let store = try workbench.store() else { return nil }
        (self.workbench, self.job, self.store) = (workbench, job, store)
    }

    /// What a process has recorded, with what the function printed then; nil: nothing yet, or it is a training.
    func recorded() throws -> Table? {
        guard let record = try store.finished(job.id), let returned = record["returned"]?.table else { return nil }
        let reads = record["reads"]?.table ?? Table()
        guard ReadLedger.digests(of: reads.keys).differences(from: reads).isEmpty else { return nil }
        workbench.tally.reused(job.name, job.id)
        let output = store.folder(job.id) + "/output.txt"
        if Files.exists(output) { workbench.state.write(try Files.read(output)) }
        return returned
    }

    /// Calls the function; what it returns is published unless a training was.
    /// - Parameter answer: the numbers in what it returned.
    /// - Throws: what the function throws; kind `.busy`: another process is at it.
    func compute(_ body: () throws -> Value, answer: (Value) -> Table?) throws -> Value {
        // That an arm trains nothing shows in its first run; the others are claimed before they are computed.
        let isKnown = workbench.untrainedArms.contains(job.name)
        let held = isKnown ? try claim() : nil
        if isKnown, held == nil, let returned = try recorded() { return .table(returned) }
        var output: [UInt8] = []
        let clock = RunClock()
        let value: Value
        do { value = try PrintTap.listening(isShown: true, { output += $0 }, body) } catch {
            workbench.untrainedArms.remove(job.name)
            try held?.release()
            throw error
        }
        guard job.trainings == 0, let returned = answer(value) else {
            try held?.release()
            return value
        }
        workbench.untrainedArms.insert(job.name)
        guard let folder = try held ?? claim() else { return value }
        output.withUnsafeBytes(folder.print)
        guard case .different(let paths) = try folder.finish(record(returned, clock)) else { return value }
        workbench.warn(
            "\(job.name): attempt \(folder.number) of \(job.id) returned something else than the published one: "
                + paths.prefix(4).joined(separator: ", "))
        return value
    }

    /// nil: it is finished.
    private func claim() throws -> RunFolder? { try store.take(job.id, patience: .none) }

    private func record(_ returned: Table, _ clock: RunClock) -> RunRecord {
        var record = RunRecord(
            identity: RunIdentity(Table(), id: job.id), name: job.name,
            configuration: job.content["arm"]?.table ?? Table(), clock: clock)
        record.returned = Value.table(returned).recorded.table
        record.seed = job.seed
        record.arguments = workbench.options.commandLine
        record.parameters = workbench.effective
        record.code = workbench.state.sources.digests
        record.reads = workbench.state.reads.digests
        record.engine = workbench.engine
        return record
    }
}
