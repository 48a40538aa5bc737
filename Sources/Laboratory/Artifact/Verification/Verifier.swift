import BSSCore
import BSSRuns

/// Checks an artifact, level by level: 0 the seal, 1 what follows from the records, 2 the small form, 3 the runs
/// behind the claims again, 4 new seeds.
public final class Verifier {
    public struct Options {
        public var level = 3
        /// Ids; empty: every supported claim.
        public var claims: [String] = []
        public var budget = 3600.0
        /// New first seeds lie so far from the recorded ones.
        public var seedOffset = 1000
        public init() {}
    }

    let tree: any FileTree
    let options: Options
    let launcher: Launcher
    /// Told what is being done.
    let tell: (String) -> Void
    var result: Verification
    private let start = Clock.seconds()
    var deadline: Double { start + options.budget }

    public init(
        _ tree: any FileTree, _ options: Options, _ launcher: Launcher, tell: @escaping (String) -> Void = { _ in }
    ) {
        (self.tree, self.options, self.launcher, self.tell) = (tree, options, launcher, tell)
        result = Verification(level: options.level, isTrusted: launcher.isTrusted)
    }

    /// - Throws: kind `.usage`: a claim that the artifact does not make.
    public func run() throws -> Verification {
        defer { result.seconds = Clock.seconds() - start }
        tell("level 0: seal")
        let content: ArtifactContent
        let manifest: Manifest
        do {
            manifest = try Manifest(of: tree)
            (result.title, result.seal) = (manifest.title, manifest.seal)
            try note(Seal.faults(tree))
            guard !result.isDamaged else { return finished() }
            content = try ArtifactContent(tree)
            try note(evidence(content))
        } catch let error as BSSError where error.kind == .damaged {
            note([error.message])
            return finished()
        }
        guard !result.isDamaged, options.level >= 1 else { return finished() }
        try takeClaims(content)
        do {
            try levels(content, manifest)
        } catch let error as BSSError where error.kind == .damaged {
            note([error.message])
        }
        return finished()
    }

    private func finished() -> Verification {
        result.seconds = Clock.seconds() - start
        return result
    }

    private func note(_ faults: [String]) {
        result.findings += faults.map { Finding(level: 0, kind: "seal", text: $0, experiment: nil, run: nil) }
    }

    private func levels(_ content: ArtifactContent, _ manifest: Manifest) throws {
        tell("level 1: tables, statistics and claims from the records")
        result.findings += try Derivation.findings(content, manifest)
        let smoke = tree.names(in: "smoke").isEmpty ? nil : try ArtifactContent(tree, in: "smoke/")
        if let smoke { result.findings += try Derivation.findings(smoke, manifest) }
        settle(1, content) { _ in (.holds, []) }
        guard options.level >= 2 else { return }
        if let smoke {
            tell("level 2: the small form")
            try runSmall(smoke)
        } else if options.level == 2 {
            result.unchecked.append("level 2: there is no record of a small form")
        }
        guard options.level >= 3 else { return }
        try Replication(self, content).runAgain()
        guard options.level >= 4 else { return }
        try Replication(self, content).runAnew()
    }

    // MARK: Claims

    private func takeClaims(_ content: ArtifactContent) throws {
        let judged = try content.judged()
        for id in options.claims where !judged.contains(where: { $0.claim.id == id }) {
            let ids = judged.map(\.claim.id)
            let near = Text.nearest(to: id, in: ids).map { "did you mean '\($0)'?" }
            throw BSSError(
                "--claim", "it makes no claim '\(id)'", hint: near ?? ids.joined(separator: ", "), kind: .usage)
        }
        for (experiment, claim, verdict) in judged where options.claims.isEmpty || options.claims.contains(claim.id) {
            guard verdict.isSupported else {
                result.unsupported.append("\(claim.id) (\(claim.text)): \(verdict.word.rawValue): \(verdict.numbers)")
                continue
            }
            var outcome = ClaimOutcome(experiment: experiment.name, claim: claim)
            outcome.there = verdict.numbers
            result.claims.append(outcome)
        }
        if result.claims.isEmpty, result.findings.isEmpty { result.unchecked.append("it supports no claim") }
    }

    /// Claims that findings of a level concern differ; of the others `verdict` decides.
    func settle(
        _ level: Int, _ content: ArtifactContent, _ verdict: (ClaimOutcome) throws -> (ClaimOutcome.Verdict, [String])
    ) rethrows {
        for index in result.claims.indices {
            let outcome = result.claims[index]
            guard outcome.verdict != .differs else { continue }
            let experiment = content.experiments.first { $0.name == outcome.experiment }
            let runs = experiment.map { content.runs(of: $0, arms: outcome.claim.arms) } ?? []
            let concerning = result.findings.filter { finding in
                guard finding.level == level else { return false }
                if let run = finding.run { return runs.contains(run) }
                return finding.experiment.map { $0 == outcome.experiment } ?? (finding.kind == "claim")
            }
            if concerning.isEmpty || outcome.claim.kind == .info {
                let (word, why) = try verdict(outcome)
                result.claims[index].verdict = word
                result.claims[index].why += why
            } else {
                result.claims[index].verdict = .differs
                result.claims[index].why += concerning.map(\.text)
            }
        }
    }

    /// What supported claims stand on is there, and nothing names a folder of one machine.
    private func evidence(_ content: ArtifactContent) throws -> [String] {
        var faults: [String] = []
        for experiment in content.experiments {
            for id in content.runs(of: experiment) {
                for name in ["run.json", "metrics.jsonl", "trace.jsonl", "output.txt"]
                where !tree.has("runs/\(id)/\(name)") {
                    faults.append("'\(experiment.name)' names the run \(id), and runs/\(id)/\(name) is missing")
                }
            }
        }
        for name in tree.names where name.hasSuffix("run.json") || name.hasPrefix("results/experiments/") {
            let lines = Scrubber.lines(
                of: try tree.text(name), naming: Environment.quotedFolders)
            if let line = lines.first { faults.append("\(name) names a folder of one machine: \(line)") }
        }
        return faults
    }

    // MARK: The small form

    private func runSmall(_ smoke: ArtifactContent) throws {
        for group in CommandGroup.all(of: smoke.experiments) {
            let wanted = group.experiments.flatMap { experiment in
                experiment.rows.flatMap { row in
                    row.answers.map { RunKey(experiment.name, row.name, $0.seed).text }
                }
            }
            let rerun = Rerun(launcher: launcher, tree: tree, command: group.command, wanted: wanted, place: "smoke/")
            try rerun.run(until: deadline) { ending, out in
                let here = try HereResults(out)
                for experiment in group.experiments {
                    try compareSmall(experiment, smoke, here, ending)
                }
            }
        }
        settle(2, smoke) { ($0.verdict, []) }
    }

    private func compareSmall(
        _ experiment: ExperimentRecord, _ smoke: ArtifactContent, _ here: HereResults, _ ending: Rerun.Ending
    ) throws {
        var answered = 0
        for row in experiment.rows {
            for answer in row.answers {
                let key = RunKey(experiment.name, row.name, answer.seed)
                guard let mine = here.answer(key) else { continue }
                answered += 1
                guard let found = try RunPairs(there: smoke, here: here).firstDifference(answer, mine) else { continue }
                result.findings.append(
                    Finding(
                        level: 2, kind: found.kind, text: "small form, \(key.words): \(found.text)",
                        experiment: experiment.name, run: nil))
                return
            }
        }
        let missing = experiment.rows.reduce(0) { $0 + $1.answers.count } - answered
        guard missing > 0 else { return }
        note(ending, "the small form of '\(experiment.name)': \(missing) runs", level: 2, experiment: experiment.name)
    }

    /// Why runs did not come out.
    func note(_ ending: Rerun.Ending, _ what: String, level: Int, experiment: String) {
        switch ending {
        case .limit(let words): result.limits.append("\(what): \(words)")
        case .impossible(let words): result.unchecked.append("\(what): \(words)")
        case .failed(let words):
            result.findings.append(
                Finding(level: level, kind: "script", text: "\(what): \(words)", experiment: experiment, run: nil))
        case .finished:
            result.findings.append(
                Finding(
                    level: level, kind: "script", text: "\(what): the script did not run them", experiment: experiment,
                    run: nil))
        }
    }
}

/// One run among those of an artifact.
struct RunKey: Hashable {
    let experiment, arm: String
    let seed: Int
    init(_ experiment: String, _ arm: String, _ seed: Int) {
        (self.experiment, self.arm, self.seed) = (experiment, arm, seed)
    }
    var text: String { "\(experiment)\t\(arm)\t\(seed)" }
    var words: String { "'\(experiment)', \(arm), seed \(seed)" }
}

/// Experiments that one call of one script makes.
struct CommandGroup {
    let command: ExperimentRecord.Command
    var experiments: [ExperimentRecord]

    static func all(of experiments: [ExperimentRecord]) -> [CommandGroup] {
        var groups: [CommandGroup] = []
        for experiment in experiments {
            let text = experiment.command.text()
            if let index = groups.firstIndex(where: { $0.command.text() == text }) {
                groups[index].experiments.append(experiment)
            } else {
                groups.append(CommandGroup(command: experiment.command, experiments: [experiment]))
            }
        }
        return groups
    }
}

/// What a child left behind.
struct HereResults {
    let tree: any FileTree
    let experiments: [ExperimentRecord]

    init(_ out: String) throws {
        tree = try DiskTree(folder: out, skipsOthers: true)
        experiments = try ArtifactContent(tree).experiments
    }

    func answer(_ key: RunKey) -> ExperimentRecord.Answer? {
        experiments.first { $0.name == key.experiment }?.row(key.arm)?.answers.first { $0.seed == key.seed }
    }
}

/// Runs of an answer, there and here.
struct RunPairs {
    let there: ArtifactContent
    let here: HereResults

    /// Only where equal bits were promised; nil: nothing differs, or nothing was promised.
    func firstDifference(
        _ a: ExperimentRecord.Answer, _ b: ExperimentRecord.Answer
    ) throws -> (kind: String, text: String)? {
        guard a.runs.count == b.runs.count else {
            return ("script", "\(a.runs.count) runs there, \(b.runs.count) here")
        }
        for (x, y) in zip(a.runs, b.runs) {
            let comparison = try ExecutionPair(
                there: .init(there.tree, "\(there.place)runs/\(x)"), here: .init(here.tree, "runs/\(y)"))
            if let found = comparison.firstDifference(), try promisesBits(x, y) {
                return (found.kind, "\(x): \(found.text)")
            }
        }
        guard try zip(a.runs, b.runs).allSatisfy(promisesBits) else { return nil }
        for (metric, value) in a.values.sorted(by: { $0.key < $1.key }) {
            guard let own = b.values[metric], RunFolder.bits(own) != RunFolder.bits(value) else { continue }
            return ("script", "\(metric): \(Text.number(value)) there, \(Text.number(own)) here")
        }
        return nil
    }

    func promisesBits(_ x: String, _ y: String) throws -> Bool {
        let here = try here.tree.table("runs/\(y)/run.json")["engine"]?.table ?? Table()
        return ExecutionPair.promisesBits(try there.run(x)["engine"]?.table ?? Table(), here)
    }
}
