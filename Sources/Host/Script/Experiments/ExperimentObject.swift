import BSSCore
import BSSRuns

/// A finished experiment in scripts; printing it shows its table.
final class ExperimentObject: HostObject {
    let record: ExperimentRecord
    let table: ReportTable
    /// By arm and seed; empty lists where the function trained nothing.
    let runs: [[RunObject]]
    /// Of the arms, as they were given.
    let fields: [Table]
    let parameters: Table
    let paths: [String]
    let figures: String?
    var name: String { record.name }

    init(
        _ record: ExperimentRecord, runs: [[RunObject]], fields: [Table], parameters: Table, paths: [String],
        figures: String?
    ) {
        (self.record, self.runs, self.fields, self.parameters) = (record, runs, fields, parameters)
        (table, self.paths, self.figures) = (record.table, paths, figures)
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
        let written = paths.isEmpty || Report.printsData ? "" : "\nwritten: " + paths.joined(separator: ", ")
        // Interrupted: there is nobody to tell here.
        let claims = Report.printsData ? "" : (try? record.claimsText()) ?? ""
        return (Report.shown(table, name: name) ?? name) + claims + written
    }

    private static let arm = Argument<String>("arm", "its name"), metric = Argument<String>("metric", "a column")

    var columns: String { "columns: " + table.metrics.joined(separator: ", ") }

    /// - Throws: there is no such arm.
    func position(of arm: String, _ operation: String) throws -> Int {
        let names = table.rows.map(\.name)
        if let found = names.firstIndex(of: arm) { return found }
        let near = Text.nearest(to: arm, in: names).map { "did you mean '\($0)'? " } ?? ""
        throw BSSError(
            operation, "there is no arm '\(arm)'", hint: near + "arms: " + names.joined(separator: ", "), kind: .usage)
    }

    /// Its runs by arm.
    /// - Throws: its function trained nothing.
    func trained(_ operation: String) throws -> [[RunObject]] {
        guard runs.contains(where: { !$0.isEmpty }) else {
            throw BSSError(operation, "the function of experiment '\(name)' trains nothing: there are no runs")
        }
        return runs
    }

    private func claims() throws -> [Table] {
        try zip(record.claims, record.verdicts()).map { claim, verdict in
            Table(fields: [
                ("id", .string(claim.id)), ("text", .string(claim.text)),
                ("verdict", .string(verdict.word.rawValue)), ("numbers", .string(verdict.numbers)),
                ("needed", verdict.needed.map(Value.int) ?? .null),
            ])
        }
    }

    /// What the examples run, and call the methods of.
    static let example =
        "bss.experiment{ name = \"example\", arms = { { name = \"a\", x = 1 }, { name = \"b\", x = 2 } }, "
        + "seeds = 2, metrics = { \"y\" }, run = function(p, arm, seed) return { y = arm.x + seed } end }"

    /// One that trains.
    static let training =
        "bss.experiment{ name = \"trained\", arms = { { name = \"a\" }, { name = \"b\" } }, seeds = 2, "
        + "metrics = { \"test.total.accuracy\" }, run = function(p, arm, seed) return bss.train{ "
        + "data = bss.data.synthetic{ samples = 300 }, epochs = 2, seed = seed } end }"

    static let type = ObjectType(
        "experiment", help: "A finished experiment: its table, and the values behind it.",
        methods: [
            Function(
                "values", "The values of one arm and metric, by seed.", [arm, metric], returns: "list",
                example: example + ":values(\"a\", \"y\")",
                style: .positional
            ) { a in
                let experiment = try a.receiver(as: ExperimentObject.self)
                let row = experiment.table.rows[try experiment.position(of: a[arm], "values")]
                guard let values = row.values[a[metric]] else {
                    throw BSSError("values", "there is no metric '\(a[metric])'", hint: experiment.columns)
                }
                return [.list(values)]
            },
            Function(
                "runs_of", "The runs of one arm, by seed.", [arm], returns: "list",
                example: training + ":runs_of(\"b\")[1].history[1].train.loss",
                style: .positional
            ) { a in
                let experiment = try a.receiver(as: ExperimentObject.self)
                let position = try experiment.position(of: a[arm], a.operation)
                return [.list(try experiment.trained(a.operation)[position].map(Value.object))]
            },
            Function(
                "markdown", "Its table as Markdown.", returns: "string", example: "print(" + example + ":markdown())"
            ) { a in [.string(try a.receiver(as: ExperimentObject.self).table.markdown())] },
        ] + ExperimentPlots.methods,
        properties: [
            Property("name", "Name of the experiment.") { (e: ExperimentObject) in .string(e.name) },
            Property(
                "runs",
                "Its runs, arm by arm and seed by seed: result, history; the model is trained again when asked for."
            ) { (e: ExperimentObject) in .list(e.runs.joined().map(Value.object)) },
            Property("params", "The parameters it ran with.") { (e: ExperimentObject) in .table(e.parameters) },
            Property("table", "The report table.") { (e: ExperimentObject) in .object(Report(e.table)) },
            Property("claims", "Its claims: id, text, verdict, numbers.") { (e: ExperimentObject) in
                try .list(e.claims().map(Value.table))
            },
            Property("figures", "The folder for figures of this experiment; nil if nothing is recorded.") {
                (e: ExperimentObject) in e.figures.map(Value.string) ?? .null
            },
            Property("arms", "Names of the arms.") { (e: ExperimentObject) in .list(e.table.rows.map(\.name)) },
        ])
}
