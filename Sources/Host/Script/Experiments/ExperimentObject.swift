import BSSCore
import BSSRuns

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
        // Printing must not fail: without a table the name stands for the experiment.
        ((try? table.text()) ?? name) + (paths.isEmpty ? "" : "\nwritten: " + paths.joined(separator: ", "))
    }

    private static let arm = Argument<String>("arm", "its name"), metric = Argument<String>("metric", "a column")

    /// What the examples run, and call the methods of.
    static let example =
        "bss.experiment{ name = \"example\", arms = { { name = \"a\", x = 1 }, { name = \"b\", x = 2 } }, "
        + "seeds = 2, metrics = { \"y\" }, run = function(p, arm, seed) return { y = arm.x + seed } end }"

    static let type = ObjectType(
        "experiment", help: "A finished experiment: its table, and the values behind it.",
        methods: [
            Function(
                "values", "The values of one arm and metric, by seed.", [arm, metric], returns: "list",
                example: example + ":values(\"a\", \"y\")",
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
