import BSSCore
import BSSRuns
import BSSStatistics

/// Levels 3 and 4: the runs behind the claims, with their seeds or with new ones.
struct Replication {
    private let verifier: Verifier
    private let content: ArtifactContent

    init(_ verifier: Verifier, _ content: ArtifactContent) { (self.verifier, self.content) = (verifier, content) }

    /// Claims still standing, the cheapest first, with what they need.
    private func asked(_ isAsked: (ClaimOutcome) -> Bool) throws -> [(index: Int, keys: [RunKey], seconds: Double)] {
        try verifier.result.claims.indices.filter { isAsked(verifier.result.claims[$0]) }.compactMap { index in
            let outcome = verifier.result.claims[index]
            guard let experiment = content.experiments.first(where: { $0.name == outcome.experiment }) else {
                return nil
            }
            let rows = experiment.rows.filter { outcome.claim.arms.contains($0.name) }
            let keys = rows.flatMap { row in row.answers.map { RunKey(experiment.name, row.name, $0.seed) } }
            let seconds = try content.cost(content.runs(of: experiment, arms: outcome.claim.arms)).seconds
            return (index, keys, seconds)
        }.sorted { $0.seconds < $1.seconds }
    }

    private func each(
        _ claims: [(index: Int, keys: [RunKey], seconds: Double)], seedOffset: Int?,
        _ body: (CommandGroup, HereResults, Rerun.Ending) throws -> Void
    ) throws {
        for group in CommandGroup.all(of: content.experiments) {
            let names = group.experiments.map(\.name)
            var keys: [RunKey] = []
            for key in claims.flatMap(\.keys) where names.contains(key.experiment) && !keys.contains(key) {
                keys.append(key)
            }
            guard !keys.isEmpty else { continue }
            let offset = seedOffset ?? 0
            let wanted = keys.map { RunKey($0.experiment, $0.arm, $0.seed &+ offset).text }
            var rerun = Rerun(
                launcher: verifier.launcher, tree: content.tree, command: group.command, wanted: wanted, place: "")
            if seedOffset != nil { rerun.seed = (group.experiments.first?.seed ?? 1) &+ offset }
            verifier.tell("\(wanted.count) runs of \(group.command.script)")
            try rerun.run(until: verifier.deadline) { ending, out in
                try body(group, HereResults(out), ending)
            }
        }
    }

    // MARK: Level 3

    func runAgain() throws {
        let claims = try asked { $0.verdict != .differs }
        for (index, _, _) in claims {
            verifier.result.claims[index].verdict = .notChecked("its runs were not run again")
        }
        try each(claims, seedOffset: nil) { group, here, ending in
            for (index, keys, _) in claims
            where group.experiments.contains(where: { $0.name == verifier.result.claims[index].experiment }) {
                try judge(index, keys, here, ending)
            }
        }
    }

    private func judge(_ index: Int, _ keys: [RunKey], _ here: HereResults, _ ending: Rerun.Ending) throws {
        var outcome = verifier.result.claims[index]
        defer { verifier.result.claims[index] = outcome }
        guard let there = content.experiments.first(where: { $0.name == outcome.experiment }) else { return }
        let pairs = RunPairs(there: content, here: here)
        var merged = there
        var isPromised = true
        var missing = 0
        for key in keys {
            guard let own = there.row(key.arm)?.answers.first(where: { $0.seed == key.seed }) else { continue }
            guard let mine = here.answer(key) else {
                missing += 1
                continue
            }
            merged.replace(key.arm, mine)
            outcome.seconds += try seconds(mine.runs, here)
            if let found = try pairs.firstDifference(own, mine), outcome.claim.kind != .info {
                outcome.verdict = .differs
                outcome.why = ["\(key.arm), seed \(key.seed): first difference in the \(found.kind): \(found.text)"]
                return
            }
            isPromised = try isPromised && zip(own.runs, mine.runs).allSatisfy(pairs.promisesBits)
        }
        guard missing == 0 else { return unanswered(&outcome, missing, ending) }
        let verdict = try self.verdict(outcome.claim, merged)
        outcome.here = verdict.numbers
        if isPromised {
            outcome.verdict = verdict.isSupported || outcome.claim.kind == .info ? .holds : .differs
            outcome.why = ["\(keys.count) runs again, equal bits in every step and metric"]
        } else {
            (outcome.verdict, outcome.why) = compare(outcome.claim, there, merged, verdict)
        }
    }

    private func unanswered(_ outcome: inout ClaimOutcome, _ missing: Int, _ ending: Rerun.Ending) {
        switch ending {
        case .limit(let words):
            outcome.verdict = .notChecked("\(missing) runs met a limit: \(words)")
            if !verifier.result.limits.contains(words) { verifier.result.limits.append(words) }
        case .impossible(let words): outcome.verdict = .notChecked(words)
        case .failed(let words):
            outcome.verdict = .differs
            outcome.why = [words]
        case .finished:
            outcome.verdict = .differs
            outcome.why = ["the script did not run \(missing) of its runs"]
        }
    }

    private func seconds(_ runs: [String], _ here: HereResults) throws -> Double {
        try runs.reduce(0) { sum, id in
            sum + (try here.tree.table("runs/\(id)/run.json").value(atPath: "time.wall_seconds")?.double ?? 0)
        }
    }

    private func verdict(_ claim: StatedClaim, _ record: ExperimentRecord) throws -> ClaimVerdict {
        try zip(record.claims, record.verdicts()).first { $0.0.id == claim.id }?.1
            ?? ClaimVerdict(word: .fails, numbers: "no such claim")
    }

    // MARK: Where no equal bits were promised

    /// Another build, device or instruction set: by the class of the claim.
    private func compare(
        _ claim: StatedClaim, _ there: ExperimentRecord, _ here: ExperimentRecord, _ verdict: ClaimVerdict
    ) -> (ClaimOutcome.Verdict, [String]) {
        let pairs = claim.arms.map { (there.values($0, claim.metric), here.values($0, claim.metric)) }
        let all = pairs.flatMap { zip($0.0, $0.1) }
        let other = "another build, device or instruction set"
        switch claim.kind {
        case .info: return (.holds, ["told, not judged"])
        case .bits: return (.notChecked("equal bits are not promised: \(other)"), [])
        case .exact:
            let wrong = all.first { $0.0 != $0.1 }
            return (wrong == nil ? .holds : .differs, wrong.map { ["\($0.0) there, \($0.1) here"] } ?? ["equal"])
        case .near:
            let wrong = all.first { abs($0.0 - $0.1) > 1e-6 + 1e-4 * abs($0.1) }
            return (
                wrong == nil && verdict.isSupported ? .holds : .differs,
                wrong.map { ["\($0.0) there, \($0.1) here: not within 1e-6 + 1e-4 |b|"] } ?? ["within 1e-6 + 1e-4 |b|"]
            )
        case .order: return judged(verdict, "the same test here (\(other))")
        case .stat: return statistically(claim, pairs, verdict)
        }
    }

    /// A verdict here as one of the verification: too few runs are no "holds" and no "differs".
    private func judged(_ verdict: ClaimVerdict, _ how: String) -> (ClaimOutcome.Verdict, [String]) {
        switch verdict.word {
        case .holds: return (.holds, ["\(how): \(verdict.numbers)"])
        case .fails: return (.differs, ["\(how): \(verdict.numbers)"])
        case .fewRuns, .noRuns:
            return (.notChecked("\(verdict.word.rawValue)\(verdict.needed.map { " (\($0) needed)" } ?? "")"), [])
        }
    }

    /// The statement here, and for a value the equivalence of both sides within the author's margin.
    private func statistically(
        _ claim: StatedClaim, _ pairs: [([Double], [Double])], _ verdict: ClaimVerdict
    ) -> (ClaimOutcome.Verdict, [String]) {
        guard case .value(_, _, let margin) = claim.statement, let (there, here) = pairs.first else {
            return judged(verdict, "the same test here")
        }
        let test = Statistics.welchTest(here, there)
        let equal = ExperimentRecord.withinMargin(
            test, margin, runs: min(there.count, here.count),
            "here - there = " + Text.format("%+.4g, margin ±%.4g", test.difference, margin))
        return judged(equal, "equivalence of both sides")
    }

    // MARK: Level 4

    func runAnew() throws {
        let offset = verifier.options.seedOffset
        let claims = try asked { outcome in
            outcome.verdict == .holds && [.stat, .order].contains(outcome.claim.kind)
        }
        verifier.tell("level 4: new seeds")
        var open = Set(claims.map(\.index))
        try each(claims, seedOffset: offset) { group, here, ending in
            for (index, keys, _) in claims
            where group.experiments.contains(where: { $0.name == verifier.result.claims[index].experiment }) {
                open.remove(index)
                try replicate(index, keys.map { RunKey($0.experiment, $0.arm, $0.seed &+ offset) }, here, ending)
            }
        }
        for index in open {
            verifier.result.claims[index].verdict = .notChecked("its runs were not run with new seeds")
        }
    }

    private func replicate(_ index: Int, _ keys: [RunKey], _ here: HereResults, _ ending: Rerun.Ending) throws {
        var outcome = verifier.result.claims[index]
        defer { verifier.result.claims[index] = outcome }
        guard let there = content.experiments.first(where: { $0.name == outcome.experiment }) else { return }
        var merged = there
        for arm in outcome.claim.arms { merged.clear(arm) }
        var missing = 0
        for key in keys {
            guard let mine = here.answer(key) else {
                missing += 1
                continue
            }
            merged.replace(key.arm, mine)
        }
        guard missing == 0 else { return unanswered(&outcome, missing, ending) }
        let verdict = try self.verdict(outcome.claim, merged)
        let pairs = outcome.claim.arms.map {
            (there.values($0, outcome.claim.metric), merged.values($0, outcome.claim.metric))
        }
        let (word, why) =
            outcome.claim.kind == .stat ? statistically(outcome.claim, pairs, verdict) : judged(verdict, "new seeds")
        outcome.verdict = word
        outcome.here = verdict.numbers
        outcome.why += why.map { "new seeds: \($0)" }
    }
}

extension ExperimentRecord {
    /// An answer in place of the one for its seed, or beside the others.
    mutating func replace(_ arm: String, _ answer: Answer) {
        guard let row = rows.firstIndex(where: { $0.name == arm }) else { return }
        if let at = rows[row].answers.firstIndex(where: { $0.seed == answer.seed }) {
            rows[row].answers[at] = answer
        } else {
            rows[row].answers.append(answer)
        }
    }

    mutating func clear(_ arm: String) {
        guard let row = rows.firstIndex(where: { $0.name == arm }) else { return }
        rows[row].answers = []
    }
}
