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
            "columns: paths in what run returns, such as \"test.total.accuracy\" "
                + "(of the run's selection) or \"last.test.total.accuracy\""
        )
        let facts = Argument(
            "facts", default: [String](),
            "columns without statistics, after the metrics: \"parameters\", \"samples\", \"seconds\" of a run, "
                + "or fields of what run returns or of the arm (texts: cited figures)"
        )
        let lower = Argument("lower_is_better", default: [String](), "metrics of which less is better")
        let notes = Argument("notes", default: [String](), "lines under the table")
        let claims = Argument<[Value]>(
            "claims", default: [], "what the paper says of the arms: a list of bss.claim; told with the table, packed")
        let body = Argument<Callback>("run", "function(p, arm, seed) returning a run or a table of numbers")
        return Function(
            "experiment",
            "Runs every arm with every seed and compares the arms: mean ± standard deviation over seeds, "
                + "paired difference to the control with an exact permutation p-value.",
            [name, title, params, arms, control, seeds, metrics, facts, lower, notes, claims, body],
            returns: "experiment",
            example: ExperimentObject.example,
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
                workbench: workbench, name: a[name], parameters: parameters,
                arms: try a[arms].map(named) ?? combinations(axes), control: a[control], seeds: count,
                metrics: a[metrics], facts: a[facts], claims: try claimObjects(a[claims]), body: a[body])
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

    private static func claimObjects(_ values: [Value]) throws -> [ClaimObject] {
        try values.enumerated().map { index, value in
            guard case .object(let object) = value, let claim = object as? ClaimObject else {
                throw BSSError(
                    "bss.experiment", "claim \(index + 1) is \(value.described)", hint: "bss.claim{ id =, text = }",
                    kind: .usage)
            }
            return claim
        }
    }

    private static func named(_ arms: [Table]) throws -> [Table] {
        for (index, arm) in arms.enumerated() where arm["name"]?.string == nil {
            throw BSSError("bss.experiment", "arm \(index + 1) has no name", kind: .usage)
        }
        return arms
    }

    /// Every combination of the axes.
    private static func combinations(_ axes: [(String, [Value])]) throws -> [Table] {
        let axes = axes.map { ArmAxis($0.0, $0.1) }
        for axis in axes { try axis.checkDistinct("bss.experiment") }
        return try ArmGrid(steps: axes.map { [$0] }, operation: "bss.experiment").arms()
    }
}
