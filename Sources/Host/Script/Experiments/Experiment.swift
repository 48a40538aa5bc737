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
    let body: Callback

    init(
        _ workbench: Workbench, name: String, parameters: Table, arms: [Table], control: String?, seeds: Int,
        metrics: [String], facts: [String], body: Callback
    ) {
        (self.workbench, self.name, self.parameters, self.arms) = (workbench, name, parameters, arms)
        (self.control, self.seeds, self.metrics, self.facts, self.body) = (control, seeds, metrics, facts, body)
    }

    func run(title: String, lowerIsBetter: [String], notes: [String]) throws -> ExperimentObject {
        if let control, !arms.contains(where: { $0["name"]?.string == control }) {
            throw BSSError(
                "bss.experiment", "the control '\(control)' is no arm",
                hint: "arms: " + arms.compactMap { $0["name"]?.string }.joined(separator: ", "), kind: .usage)
        }
        let seedList = (0..<seeds).map { workbench.seed &+ $0 }
        workbench.describe(parameters: parameters)
        try workbench.endDescription(arms: arms.map { $0["name"]?.string ?? "run" }, seeds: seeds)
        if workbench.options.check { try check(seedList[0]) }
        try workbench.checkSmoke()
        let jobs = try plan(seedList)
        let trials = try run(jobs, seedList)
        let rows = try zip(arms, trials).map { arm, trials in
            var values: [String: [Double]] = [:]
            var measured: [String: [Double]] = [:]
            for answer in trials.map(\.answer) {
                for metric in metrics { values[metric, default: []].append(try number(answer, metric, arm)) }
                for fact in facts {
                    if let value = (answer[fact] ?? answer.value(atPath: fact))?.double {
                        measured[fact, default: []].append(value)
                    }
                }
            }
            return ReportTable.Row(
                name: arm["name"]?.string ?? "run", seeds: seedList, values: values, facts: texts(measured, arm),
                runs: trials.compactMap { $0.run?.facts.id })
        }
        var table = ReportTable(title: title, rows: rows, metrics: metrics, control: control)
        table.lowerIsBetter = Set(lowerIsBetter)
        table.notes = notes
        table.facts = facts
        var paths: [String] = []
        if let store = try workbench.store() {
            let path = "\(store.tables)/\(name)"
            try table.save(path)
            paths = ["csv", "md", "tex"].map { "\(path).\($0)" }
        }
        return ExperimentObject(
            name: name, table: table, runs: trials.map { $0.compactMap(\.run) }, fields: arms, parameters: parameters,
            paths: paths, figures: try workbench.store()?.figures)
    }

    /// Every run, named before the first of them begins; nil where nothing is recorded. The plan is on disk then.
    private func plan(_ seedList: [Int]) throws -> [[PlannedJob]]? {
        guard let store = try workbench.store() else { return nil }
        let jobs = try arms.map { arm in
            try seedList.map {
                try PlannedJob(workbench, experiment: name, parameters: parameters, arm: arm, seed: $0, body: body)
            }
        }
        let lines = jobs.joined().map { RunStore.PlannedRun(id: $0.id, name: $0.name, content: $0.content) }
        try tellReuse(store, lines)
        let frozen = try store.freeze(name, lines)
        try workbench.coordinator?.finish(name, plan: frozen, lines, in: store)
        try workbench.worker?.join(name, plan: frozen, lines, in: store)
        return jobs
    }

    /// Says why nothing of the last plan of this name can be used, and with `--resume` how much can be.
    private func tellReuse(_ store: RunStore, _ lines: [RunStore.PlannedRun]) throws {
        guard workbench.worker == nil else { return }
        let reasons = ReuseReasons(store, workbench)
        try reasons.keep(workbench.state.sources.entries)
        let last = try store.plans(name).first.map { try store.plan($0) } ?? []
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
    private func run(_ jobs: [[PlannedJob]]?, _ seedList: [Int]) throws -> [[Trial]] {
        var trials = arms.map { _ in [Trial?](repeating: nil, count: seedList.count) }
        var open = arms.indices.flatMap { arm in seedList.indices.map { (arm: arm, seed: $0) } }
        let before = workbench.tally
        var told: Set<String> = []
        workbench.progress = ExperimentProgress(
            workbench.options, name: name, total: open.count, open: try openCount(jobs) ?? open.count)
        defer {
            workbench.progress?.close()
            workbench.progress = nil
        }
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
                        trials[place.arm][place.seed] = try trial(arms[place.arm], seedList[place.seed], job)
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
        return trials.map { $0.compactMap { $0 } }
    }

    private func trial(_ arm: Table, _ seed: Int, _ job: PlannedJob?) throws -> Trial {
        let call = Trial.Call(
            workbench: workbench, body: body, parameters: parameters, arm: arm, seed: seed, job: job)
        workbench.progress?.begin(arm: arm["name"]?.string ?? "run", seed: seed)
        let trial = try StatusLine.sharing { try Trial(call) }
        let figures = metrics.prefix(2).compactMap { metric in
            (trial.answer[metric] ?? trial.answer.value(atPath: metric))?.double.map { (name: metric, value: $0) }
        }
        workbench.progress?.end(figures, id: trial.run?.facts.id)
        return trial
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

    /// Plain columns: the mean over seeds of what was measured, else the arm's own field.
    private func texts(_ measured: [String: [Double]], _ arm: Table) -> [String: String] {
        var texts: [String: String] = [:]
        for fact in facts {
            if let values = measured[fact] {
                let mean = values.reduce(0, +) / Double(values.count)
                texts[fact] = values.allSatisfy { $0 == $0.rounded() } ? Text.fixed(mean, 0) : Text.format("%.3g", mean)
            } else if let own = arm[fact] {
                texts[fact] = own.string ?? JSON.lua(own)
            }
        }
        return texts
    }

    private func number(_ table: Table, _ metric: String, _ arm: Table) throws -> Double {
        let where_ = "arm '\(arm["name"]?.string ?? "")'"
        guard let number = (table[metric] ?? table.value(atPath: metric))?.double else {
            throw BSSError(
                "bss.experiment", "\(where_) gives no number '\(metric)'",
                hint: "it has: \(table.keys.joined(separator: ", "))")
        }
        return number
    }
}
