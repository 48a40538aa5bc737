import BSSCore
import BSSRuns
import BSSTraining

/// `bss.choice{…}`: the values of one axis of an experiment.
final class ChoiceObject: HostObject {
    let values: [Value]
    init(_ values: [Value]) { self.values = values }
    static let type = ObjectType("choice", help: "Values of one axis of an experiment.")
    var objectType: ObjectType { ChoiceObject.type }
    var summary: String { "choice" + JSON.lua(.list(values)) }
}

/// `bss.experiment{…}`: arms × seeds of one function, and the table that compares them.
enum ExperimentFunction {
    static let choice: Function = {
        let values = Argument<[Value]>("values", "the values to try")
        return Function(
            "choice", "Values of one axis of an experiment: its arms are all combinations.", [values],
            returns: "choice", example: "bss.choice{ 0.1, 0.2 }"
        ) { a in
            [.object(ChoiceObject(a[values]))]
        }
    }()

    static func make(_ workbench: Workbench) -> Function {
        let name = Argument<String>("name", "name of the experiment and of its files")
        let title = Argument("title", default: "", "headline of the table")
        let params = Argument(
            "params", default: Table(), "parameters with defaults, changed by --set; a bss.choice makes arms")
        let arms = Argument<[Table]?>("arms", default: nil, "the variants, each with a name; instead of choices")
        let control = Argument<String?>("control", default: nil, "the arm that others are compared with")
        let seeds = Argument(
            "seeds", default: 5, "runs per arm, with seeds --seed, --seed + 1, …; --set seeds=N",
            check: .range(1...10_000))
        let metrics = Argument<[String]>(
            "metrics",
            "columns: paths in what run returns, such as \"test.total.accuracy\" (of the run's selection) or \"last.test.total.accuracy\""
        )
        let facts = Argument(
            "facts", default: [String](),
            "columns without statistics, after the metrics: \"parameters\", \"samples\", \"seconds\" of a run, or fields of what run returns or of the arm (texts: cited figures)"
        )
        let lower = Argument("lower_is_better", default: [String](), "metrics of which less is better")
        let notes = Argument("notes", default: [String](), "lines under the table")
        let body = Argument<Callback>("run", "function(p, arm, seed) returning a run or a table of numbers")
        return Function(
            "experiment",
            "Runs every arm with every seed and compares the arms: mean ± standard deviation over seeds, paired difference to the control with an exact permutation p-value.",
            [name, title, params, arms, control, seeds, metrics, facts, lower, notes, body], returns: "experiment",
            example:
                "bss.experiment{ name = \"example\", arms = { { name = \"a\", x = 1 }, { name = \"b\", x = 2 } }, seeds = 2, metrics = { \"y\" }, run = function(p, arm, seed) return { y = arm.x + seed } end }",
            source: "permutation test: Fisher 1935; Pitman 1937; Holm 1979 for several comparisons"
        ) { a in
            var declared = a[params]
            var axes: [(String, [Value])] = []
            for (key, value) in declared.fields {
                if case .object(let object) = value, let choice = object as? ChoiceObject {
                    axes.append((key, choice.values))
                    declared[key] = .list(choice.values)
                }
            }
            declared["seeds"] = .int(a[seeds])
            try workbench.checkSets(allDeclared: declared.keys)
            var parameters = try workbench.parameters(declared, operation: "bss.experiment")
            for index in axes.indices {
                if case .table(let list)? = parameters[axes[index].0] { axes[index].1 = list.items }
                parameters[axes[index].0] = nil
            }
            let count = parameters["seeds"]?.int ?? a[seeds]
            guard (1...10_000).contains(count) else {
                throw BSSError("bss.experiment", "seeds must be from 1 to 10000, got \(count)", kind: .usage)
            }
            try checkName(a[name])
            let experiment = Experiment(
                workbench, name: a[name], parameters: parameters, arms: try a[arms].map(named) ?? combinations(axes),
                control: a[control], seeds: count, metrics: a[metrics], facts: a[facts], body: a[body])
            return [
                .object(
                    try experiment.run(
                        title: a[title].isEmpty ? a[name] : a[title], lowerIsBetter: a[lower], notes: a[notes]))
            ]
        }
    }

    /// The name of files, so a name and no path.
    private static func checkName(_ name: String) throws {
        let isPlain = !name.unicodeScalars.contains { $0 == "/" || $0.value < 0x20 || $0.value == 0x7F }
        guard isPlain, !name.isEmpty, !name.hasPrefix("."), name.utf8.count <= 100 else {
            throw BSSError(
                "bss.experiment", "name = \(JSON.text(.string(name))) cannot name its files",
                hint: "1 to 100 bytes without '/' and control characters, not beginning with '.'", kind: .usage)
        }
    }

    private static func named(_ arms: [Table]) throws -> [Table] {
        for (index, arm) in arms.enumerated() where arm["name"]?.string == nil {
            throw BSSError("bss.experiment", "arm \(index + 1) has no name", kind: .usage)
        }
        return arms
    }

    /// Every combination of the axes; the first axis varies slowest.
    private static func combinations(_ axes: [(String, [Value])]) -> [Table] {
        var arms = [Table()]
        for (key, values) in axes {
            arms = arms.flatMap { arm in
                values.map { value in
                    var next = arm
                    next[key] = value
                    return next
                }
            }
        }
        return arms.map { arm in
            var arm = arm
            arm["name"] = .string(
                arm.isEmpty
                    ? "run"
                    : arm.fields.map { "\($0.key) = \($0.value.string ?? JSON.lua($0.value))" }.joined(separator: ", "))
            return arm
        }
    }
}

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
        let answers = try run(plan(seedList), seedList)
        let rows = try zip(arms, answers).map { arm, answers in
            var values: [String: [Double]] = [:]
            var measured: [String: [Double]] = [:]
            for answer in answers {
                for metric in metrics { values[metric, default: []].append(try number(answer, metric, arm)) }
                for fact in facts {
                    if let value = (answer[fact] ?? answer.value(atPath: fact))?.double {
                        measured[fact, default: []].append(value)
                    }
                }
            }
            return ReportTable.Row(
                name: arm["name"]?.string ?? "run", seeds: seedList, values: values, facts: texts(measured, arm))
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
            name: name, table: table, parameters: parameters, paths: paths, figures: try workbench.store()?.figures)
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
        try tellDifferences(store, lines)
        try store.freeze(name, lines)
        return jobs
    }

    /// Says in what the last plan of this name differs, if none of its runs is one of ours.
    private func tellDifferences(_ store: RunStore, _ lines: [RunStore.PlannedRun]) throws {
        guard let path = try store.plans(name).first else { return }
        let last = try store.plan(path)
        guard Set(last.map(\.id)).isDisjoint(with: lines.map(\.id)), let old = last.first, let new = lines.first else {
            return
        }
        let differences = RunIdentity.differences(new.content, old.content)
        workbench.note("\(name): another plan than \(path), which differs in \(differences.joined(separator: ", "))")
    }

    /// What each run returned, by arm and seed. A run in the hands of another process is left for later; at the end its
    /// result is waited for.
    private func run(_ jobs: [[PlannedJob]]?, _ seedList: [Int]) throws -> [[Table]] {
        var answers = arms.map { _ in [Table?](repeating: nil, count: seedList.count) }
        var open = arms.indices.flatMap { arm in seedList.indices.map { (arm: arm, seed: $0) } }
        let before = workbench.tally
        var told: Set<String> = []
        while !open.isEmpty {
            var left: [(arm: Int, seed: Int)] = []
            for place in open {
                workbench.job = jobs?[place.arm][place.seed]
                workbench.job?.isTaken = false
                defer { workbench.job = nil }
                do {
                    let value =
                        try body.function.call([
                            .table(parameters), .table(arms[place.arm]), .int(seedList[place.seed]),
                        ]).first ?? .null
                    answers[place.arm][place.seed] = try numbers(value, arms[place.arm])
                } catch let error as BSSError where error.kind == .busy {
                    if told.insert(error.message).inserted {
                        workbench.note("\(name): \(error.message); it comes later")
                    }
                    left.append(place)
                }
            }
            if left.count == open.count { try ClaimRules.sleep(0.5) }
            open = left
        }
        tell(since: before, jobs?.joined().count)
        return answers.map { $0.map { $0 ?? Table() } }
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
        throw BSSError(
            "bss.experiment",
            "checked: \(name), \(arms.count) \(arms.count == 1 ? "arm" : "arms") × \(seeds) \(seeds == 1 ? "seed" : "seeds")",
            kind: .checked)
    }

    /// What `run` returned as a table: of a run, "test.total.accuracy" is of the selected epoch,
    /// "last.test.total.accuracy" of the selection it names.
    private func numbers(_ value: Value, _ arm: Table) throws -> Table {
        if case .object(let object) = value, let run = object as? RunObject { return run.numbers }
        guard case .table(let given) = value else {
            throw BSSError(
                "bss.experiment",
                "arm '\(arm["name"]?.string ?? "")' returned \(value.described), expected a run or a table")
        }
        return given
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

/// A finished experiment in scripts; printing it shows its table.
final class ExperimentObject: HostObject {
    let name: String
    let table: ReportTable
    let parameters: Table
    let paths: [String]
    let figures: String?

    init(name: String, table: ReportTable, parameters: Table, paths: [String], figures: String?) {
        (self.name, self.table, self.parameters, self.paths, self.figures) = (name, table, parameters, paths, figures)
    }

    var objectType: ObjectType { ExperimentObject.type }
    /// Its numbers; no times and no paths.
    func identityData() throws -> Value {
        .fields(
            table.rows.map { row in
                (row.name, .fields(row.values.sorted { $0.key < $1.key }.map { ($0.key, .list($0.value)) }))
            })
    }
    var summary: String {
        ((try? table.text()) ?? name) + (paths.isEmpty ? "" : "\nwritten: " + paths.joined(separator: ", "))
    }

    private static let arm = Argument<String>("arm", "its name"), metric = Argument<String>("metric", "a column")

    static let type = ObjectType(
        "experiment", help: "A finished experiment: its table, and the values behind it.",
        methods: [
            Function(
                "values", "The values of one arm and metric, by seed.", [arm, metric], returns: "list",
                example:
                    "bss.experiment{ name = \"example\", arms = { { name = \"a\", x = 1 }, { name = \"b\", x = 2 } }, seeds = 2, metrics = { \"y\" }, run = function(p, arm, seed) return { y = arm.x + seed } end }:values(\"a\", \"y\")",
                style: .positional
            ) { a in
                let experiment = try a.receiver(as: ExperimentObject.self)
                guard let row = experiment.table.rows.first(where: { $0.name == a[arm] }),
                    let values = row.values[a[metric]]
                else {
                    throw BSSError(
                        "values", "no arm '\(a[arm])' with metric '\(a[metric])'",
                        hint: "arms: " + experiment.table.rows.map(\.name).joined(separator: ", "))
                }
                return [.list(values)]
            }
        ] + RunPlots.experimentMethods,
        properties: [
            Property("name", "Name of the experiment.") { (e: ExperimentObject) in .string(e.name) },
            Property("params", "The parameters it ran with.") { (e: ExperimentObject) in .table(e.parameters) },
            Property("table", "The report table.") { (e: ExperimentObject) in .object(Report(e.table)) },
            Property("figures", "The folder for figures of this experiment; nil if nothing is recorded.") {
                (e: ExperimentObject) in e.figures.map(Value.string) ?? .null
            },
            Property("arms", "Names of the arms.") { (e: ExperimentObject) in .list(e.table.rows.map(\.name)) },
        ])
}
