import BSSCore
import BSSRuns

/// One experiment being run.
struct Experiment {
    let workbench: Workbench
    let name: String
    let parameters: Table
    let arms: [Table]
    let control: String?
    let seeds: Int
    let metrics: [String]
    let facts: [String]
    let claims: [ClaimObject]
    let body: Callback

    func run(title: String, lowerIsBetter: [String], notes: [String]) throws -> ExperimentObject {
        if let control, !arms.contains(where: { $0["name"]?.string == control }) {
            throw BSSError(
                "bss.experiment", "the control '\(control)' is no arm",
                hint: "arms: " + arms.compactMap { $0["name"]?.string }.joined(separator: ", "), kind: .usage)
        }
        try checkNames(lowerIsBetter)
        let stated = try ClaimObject.resolved(claims, arms: arms, control: control, columns: metrics + facts)
        let seedList = (0..<seeds).map { workbench.seed &+ $0 }
        workbench.describe(parameters: parameters)
        try workbench.endDescription(arms: arms.map(Experiment.name), seeds: seeds)
        if workbench.options.check { try check(seedList[0]) }
        try workbench.checkSmoke()
        var record = ExperimentRecord(
            name: name, title: title, metrics: metrics, facts: facts, control: control, lowerIsBetter: lowerIsBetter,
            notes: notes,
            rows: arms.map { arm in
                .init(name: Experiment.name(arm), arm: Value.table(arm).recorded.table ?? Table(), answers: [])
            })
        (record.claims, record.seed, record.engine) = (stated, workbench.seed, workbench.engine)
        record.engine["backend"] = nil  // which says how many threads there are
        record.parameters = Value.table(parameters).recorded.table ?? parameters
        record.command = workbench.command
        let jobs = try plan(seedList, &record)
        if let jobs { try workbench.begin(record, jobs) }
        let runs = try run(jobs, seedList, &record)
        return ExperimentObject(
            record, runs: runs, fields: arms, parameters: parameters, paths: try write(&record),
            figures: try workbench.store()?.figures)
    }

    static func name(_ arm: Table) -> String { arm["name"]?.string ?? "run" }

    /// Nothing is counted twice, and what is named is there.
    private func checkNames(_ lowerIsBetter: [String]) throws {
        let operation = "bss.experiment"
        try GivenNames.checkDistinct(metrics, "the metric", operation)
        try GivenNames.checkDistinct(facts, "the fact", operation)
        try GivenNames.checkDistinct(arms.map(Experiment.name), "the arm", operation)
        try GivenNames.check(lowerIsBetter, in: metrics, "lower_is_better:", operation)
        _ = try ArmGrid.product([arms.count, seeds], upTo: ArmGrid.mostCombinations, operation)
    }

    /// - Returns: the files of its table.
    private func write(_ record: inout ExperimentRecord) throws -> [String] {
        guard let store = try workbench.store() else { return [] }
        record.sources = try workbench.keepSources(store)
        if workbench.replay == nil { try record.write(in: store.root) }
        let path = "\(store.tables)/\(name)"
        try record.table.save(path)
        return ["csv", "md", "tex"].map { "\(path).\($0)" }
    }

    /// Every run, named before the first of them begins; nil where nothing is recorded. The plan is on disk then.
    private func plan(_ seedList: [Int], _ record: inout ExperimentRecord) throws -> [[PlannedJob]]? {
        guard let store = try workbench.store() else { return nil }
        workbench.state.reads.begin()
        let jobs = try arms.map { arm in
            try seedList.map {
                try PlannedJob(workbench, experiment: name, parameters: parameters, arm: arm, seed: $0, body: body)
            }
        }
        let lines = jobs.joined().map { RunStore.PlannedRun(id: $0.id, name: $0.name, content: $0.content) }
        try tellReuse(store, lines)
        let frozen = try store.freeze(name, lines)
        record.plan = "plans/\(frozen.split(separator: "/").last ?? "")"
        try workbench.coordinator?.finish(name, plan: frozen, lines, in: store)
        try workbench.worker?.join(name, plan: frozen, lines, in: store)
        return jobs
    }

    /// Says why nothing of the last plan of this name can be used, and with `--resume` how much can be.
    private func tellReuse(_ store: RunStore, _ lines: [RunStore.PlannedRun]) throws {
        guard workbench.worker == nil else { return }
        let reasons = ReuseReasons(store, workbench)
        _ = try workbench.keepSources(store)
        let last = try lastPlan(store, reasons.script)
        let isOther = Set(last.map(\.id)).isDisjoint(with: lines.map(\.id))
        let states = try lines.map { try store.state($0.id) }
        let finished = workbench.options.rerun ? 0 : states.count { if case .finished = $0 { true } else { false } }
        let reuse = "\(name): reused \(finished) of \(lines.count)"
        if finished == 0, isOther, let old = last.first, let new = lines.first {
            return workbench.note("\(reuse): \(reasons.words(new.content, old.content).joined(separator: "; "))")
        }
        guard workbench.options.resume, finished < lines.count else { return }
        if last.isEmpty { return workbench.note("\(reuse): there is no earlier plan '\(name)' in \(store.root)") }
        let known = Set(last.map(\.id))
        var counts: [(words: String, count: Int)] = []
        for (line, state) in zip(lines, states) {
            guard let words = try why(line.id, state, isKnown: known.contains(line.id), store) else { continue }
            if let place = counts.firstIndex(where: { $0.words == words }) {
                counts[place].count += 1
            } else {
                counts.append((words, 1))
            }
        }
        workbench.note("\(reuse): " + counts.map { "\($0.count) \($0.words)" }.joined(separator: ", "))
    }

    /// The last plan of this name that the same script made, else the last one.
    private func lastPlan(_ store: RunStore, _ script: String?) throws -> [RunStore.PlannedRun] {
        let plans = try store.plans(name).prefix(20).map { try store.plan($0) }
        func isOwn(_ plan: [RunStore.PlannedRun]) -> Bool {
            script.map { plan.first?.content["sources"]?.table?[$0] != nil } ?? false
        }
        return plans.first(where: isOwn) ?? plans.first ?? []
    }

    /// Why a run cannot be taken from its record; nil: it can.
    private func why(_ id: String, _ state: RunState, isKnown: Bool, _ store: RunStore) throws -> String? {
        switch state {
        case .finished: return workbench.options.rerun ? "begun again (--rerun)" : nil
        case .running: return "in the hands of another process"
        case .failed: return "failed before"
        case .lost: return "ended without a word before"
        case .open:
            if try !store.checkpoints(id).isEmpty { return "with a checkpoint" }
            return try store.attempts(id).isEmpty
                ? isKnown ? "not begun before" : "not planned before" : "interrupted before"
        }
    }

    /// Every run, by arm and seed. A run in the hands of another process is left for later; at the end its
    /// result is waited for.
    private func run(
        _ jobs: [[PlannedJob]]?, _ seedList: [Int], _ record: inout ExperimentRecord
    ) throws -> [[RunObject]] {
        var answers = arms.map { _ in [ExperimentRecord.Answer?](repeating: nil, count: seedList.count) }
        var runs = arms.map { _ in [RunObject?](repeating: nil, count: seedList.count) }
        var open = arms.indices.flatMap { arm in seedList.indices.map { (arm: arm, seed: $0) } }
        if let replay = workbench.replay { open = try replay.take(name, open, of: record, seedList, &answers) }
        let before = workbench.tally
        var told: Set<String> = []
        workbench.progress = ExperimentProgress(
            workbench.options, name: name, total: open.count, open: try openCount(jobs) ?? open.count)
        defer {
            workbench.progress?.close()
            workbench.progress = nil
        }
        var isFirst = true
        while !open.isEmpty {
            var left: [(arm: Int, seed: Int)] = []
            var mayCome = false
            for place in open {
                let job = jobs?[place.arm][place.seed]
                switch try job.flatMap({ try choice(of: $0) }) {
                case .later?: mayCome = true
                case .never?: break
                case .begin?, nil:
                    do {
                        let (made, run) = try answer(arms[place.arm], seedList[place.seed], job, isFirst: isFirst)
                        isFirst = false
                        (answers[place.arm][place.seed], runs[place.arm][place.seed]) = (made, run)
                        try workbench.replay?.note(made, of: record.rows[place.arm].name, in: record, workbench.store())
                        continue
                    } catch let error as BSSError where error.kind == .busy {
                        mayCome = true
                        guard workbench.worker == nil, told.insert(error.message).inserted else { break }
                        workbench.note("\(name): \(error.message); it comes later")
                    } catch {
                        guard let job, try isRecorded(job, error) else { throw error }
                    }
                }
                left.append(place)
            }
            if !left.isEmpty, !mayCome, let worker = workbench.worker, let jobs, let store = try workbench.store() {
                throw try worker.ended(name, jobs.flatMap { $0 }, in: store)
            }
            if left.count == open.count { try ClaimRules.sleep(workbench.worker == nil ? 0.5 : 0.1) }
            open = left
        }
        tell(since: before, jobs?.joined().count)
        for arm in arms.indices { record.rows[arm].answers = answers[arm].compactMap { $0 } }
        return runs.map { $0.compactMap { $0 } }
    }

    /// Runs that have no record yet; nil where nothing is recorded.
    private func openCount(_ jobs: [[PlannedJob]]?) throws -> Int? {
        guard let jobs, !workbench.options.rerun, let store = try workbench.store() else { return nil }
        return try jobs.joined().count { !Files.exists(store.folder($0.id) + "/run.json") }
    }

    /// What a worker does with a run; nil: this process is none.
    private func choice(of job: PlannedJob) throws -> SweepWorker.Choice? {
        guard let worker = workbench.worker, let store = try workbench.store() else { return nil }
        return try worker.choose(job, in: store)
    }

    /// In a worker an error ends the run, not the process: it stands in the run's record.
    private func isRecorded(_ job: PlannedJob, _ error: any Error) throws -> Bool {
        let kind = (error as? BSSError)?.kind
        guard workbench.worker != nil, kind != .cancelled, kind != .left, let store = try workbench.store() else {
            return false
        }
        if case .open = try store.state(job.id) {
            try store.recordFailure(job.id, name: job.name, seed: job.seed, error)
        }
        if case .failed = try store.state(job.id) { return true }
        return false
    }

    /// `ablation: reused 7 of 12, continued 1, trained 4`
    private func tell(since before: RunTally, _ count: Int?) {
        let now = workbench.tally
        let reused = now.reused - before.reused
        let continued = now.continued - before.continued
        let trained = now.trained - before.trained
        guard let count, reused + continued > 0 else { return }
        let rest = [(continued, "continued"), (trained, "trained")].filter { $0.0 > 0 }.map { ", \($0.1) \($0.0)" }
        workbench.note("\(name): reused \(reused) of \(count)" + rest.joined())
    }

    /// Every arm up to its training, once.
    private func check(_ seed: Int) throws {
        for arm in arms {
            do { _ = try body.function.call([.table(parameters), .table(arm), .int(seed)]) } catch let error as BSSError
                where error.kind == .checked
            {}
        }
        let armsText = "\(arms.count) \(arms.count == 1 ? "arm" : "arms")"
        let seedsText = "\(seeds) \(seeds == 1 ? "seed" : "seeds")"
        throw BSSError("bss.experiment", "checked: \(name), \(armsText) × \(seedsText)", kind: .checked)
    }
}
