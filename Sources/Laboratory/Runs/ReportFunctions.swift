import BSSCore
import BSSPlot

/// A report table as scripts hold it; `print` shows the aligned text.
public final class Report: HostObject {
    public let table: ReportTable
    public init(_ table: ReportTable) { self.table = table }

    private static let columns = Argument<Int?>(
        "columns", default: nil, "of the terminal; by default as wide as it is",
        check: Check("at least 20") { $0.map { (20...10_000).contains($0) } ?? true })
    private static let path = Argument<String>("path", "without extension: PATH.csv, PATH.md and PATH.tex are written")
    private static func form(
        _ name: String, _ help: String, _ make: @escaping (ReportTable) throws -> String
    ) -> Function {
        Function(
            name, help, returns: "string",
            example: "bss.report.table{ rows = { { name = \"a\", accuracy = {0.7, 0.8} } } }:\(name)()"
        ) {
            [.string(try make($0.receiver(as: Report.self).table))]
        }
    }

    public static let type = ObjectType(
        "report", help: "Results over seeds as a table.",
        methods: [
            Function(
                "text", "Aligned columns; metrics that do not fit beside each other stand below each other.", [columns],
                returns: "string",
                example: "bss.report.table{ rows = { { name = \"a\", accuracy = {0.7, 0.8} } } }:text{ columns = 60 }"
            ) { a in [.string(try a.receiver(as: Report.self).table.text(columns: a[columns]))] },
            Function(
                "data", "The table as a plain table: rows with seeds, runs and, by metric, mean, sd, values, p.",
                returns: "table",
                example:
                    "bss.report.table{ rows = { { name = \"a\", accuracy = {0.7, 0.8} } } }:data().rows[1].metrics"
            ) { a in [.table(try a.receiver(as: Report.self).table.data())] },
            form("markdown", "A Markdown table.") { try $0.markdown() },
            form("latex", "A LaTeX table (booktabs).") { try $0.latex() },
            form("csv", "One line per row and metric, full precision.") { try $0.csv() },
            Function(
                "save", "Writes the CSV, Markdown and LaTeX forms.", [path],
                example:
                    "bss.report.table{ rows = { { name = \"a\", accuracy = {0.7, 0.8} } } "
                    + "}:save(\"experiments/runs/results/tables/example\")"
            ) { arguments in
                try arguments.receiver(as: Report.self).table.save(arguments[path])
                return []
            },
        ])
    public var objectType: ObjectType { Report.type }
    public var summary: String { Report.shown(table) ?? "report" }

    /// `--json`: tables are printed as data, a line each.
    nonisolated(unsafe) public static var printsData = false

    /// As `print` shows it: on a terminal no wider than that; nil for a table that has no text, which was refused when
    /// it was made.
    public static func shown(_ table: ReportTable, name: String? = nil) -> String? {
        guard printsData else {
            let display = Display.output
            // Why there is none was said then.
            return try? table.text(columns: display.isTerminal || display.isColumnsGiven ? display.columns : nil)
        }
        guard var data = try? table.data() else { return nil }  // as above
        if let name { data = Table(fields: [("experiment", .string(name))] + data.fields) }
        return JSON.text(.table(data))
    }
}

/// `bss.report`
public enum ReportFunctions {
    private static let rows = Argument<[Table]>(
        "rows", "one table per arm: name, seeds (optional), and a list of values per metric")
    private static let metrics = Argument<[String]?>(
        "metrics", default: nil, "columns, in order; all list fields of the first row by default")
    private static let control = Argument<String?>(
        "control", default: nil, "name of the row that the others are compared with")
    private static let title = Argument("title", default: "", "above the table")
    private static let percent = Argument("percent", default: false, "show 0.7425 as 74.25")
    private static let alpha = Argument("alpha", default: 0.05, "level of the tests", check: .above(0, upTo: 1))
    private static let digits = Argument<Int?>(
        "digits", default: nil, "decimals; from the spread by default",
        check: Check("from 0 to 12") { $0.map { (0...12).contains($0) } ?? true })
    private static let lower = Argument<[String]?>(
        "lower_is_better", default: nil, "metrics of which low values are good; \"loss\" by default")
    private static let notes = Argument<[String]>("notes", default: [], "lines below the table")

    private static let kind = Argument("kind", default: "line", "\"line\" or \"bar\"", check: .oneOf(["line", "bar"]))
    private static let series = Argument<SeriesList>(
        "series",
        "tables: name, x (or categories of the figure), y; or runs = lists of y per seed; low and high draw a band")
    private static let categories = Argument<[String]>(
        "categories", default: [], "names of the positions on the x axis")
    private static let xLabel = Argument("x_label", default: "", "below the x axis")
    private static let yLabel = Argument("y_label", default: "", "beside the y axis")

    public static let functions: [Function] = [
        Function(
            "table",
            "Results over seeds: mean ± standard deviation, paired difference to a control with an "
                + "exact permutation p, and whether the seeds suffice to claim it.",
            [rows, metrics, control, title, percent, alpha, digits, lower, notes], returns: "report",
            example:
                "print(bss.report.table{ rows = { { name = \"uniform\", accuracy = {0.70, 0.71} }, { "
                + "name = \"BSS-L\", accuracy = {0.74, 0.73} } }, control = \"uniform\" })"
        ) { [.object(Report(try table($0)))] },
        Function(
            "figure", "A line or bar chart with its data; saved as CSV, SVG and a gnuplot script.",
            [series, kind, title, xLabel, yLabel, categories], returns: "figure",
            example:
                "bss.report.figure{ series = { { name = \"BSS-L\", x = {0, 0.2, 0.4}, runs = { {0.6, "
                + "0.7, 0.65}, {0.62, 0.71, 0.66} } } }, x_label = \"alpha\" }"
        ) { [.object(try FigureObject(figure($0), $0.operation))] },
    ]

    private static func table(_ arguments: Arguments) throws -> ReportTable {
        let reserved: Set<String> = ["name", "seeds"]
        var parsed: [ReportTable.Row] = []
        for (index, row) in arguments[rows].enumerated() {
            func mistake(_ message: String) -> BSSError {
                BSSError(arguments.operation, "row \(index + 1) \(message)", kind: .usage)
            }
            guard let name = row["name"]?.string else { throw mistake("has no name") }
            var values: [String: [Double]] = [:]
            for (key, value) in row.fields where !reserved.contains(key) {
                // What it is instead is told below.
                guard let list = value.double.map({ [$0] }) ?? (try? Vector(value: value))?.values else {
                    throw mistake("('\(name)'): '\(key)' expects a list of numbers, got \(value.described)")
                }
                values[key] = list.isEmpty ? nil : list
            }
            let seeds = try row["seeds"].map { value -> [Int] in
                // What it is instead is told below.
                guard let list = try? [Int](value: value) else {
                    throw mistake("('\(name)'): 'seeds' expects a list of integers, got \(value.described)")
                }
                try GivenNames.checkDistinct(list, "row \(index + 1): seed", arguments.operation)
                return list
            }
            for (key, list) in values {
                if let seeds, seeds.count != list.count {
                    throw mistake("('\(name)') has \(seeds.count) seeds and \(list.count) values of '\(key)'")
                }
            }
            parsed.append(.init(name: name, seeds: seeds, values: values))
        }
        guard let first = arguments[rows].first else {
            throw BSSError(arguments.operation, "option 'rows' is empty", kind: .usage)
        }
        let columns = arguments[metrics] ?? first.keys.filter { !reserved.contains($0) }
        try GivenNames.checkDistinct(columns, "the metric", arguments.operation)
        try GivenNames.checkDistinct(parsed.map(\.name), "the row", arguments.operation)
        let known = Set(parsed.flatMap(\.values.keys)).sorted()
        try GivenNames.check(arguments[metrics] ?? [], in: known, "metrics:", arguments.operation)
        try GivenNames.check(arguments[lower] ?? [], in: known, "lower_is_better:", arguments.operation)
        var table = ReportTable(title: arguments[title], rows: parsed, metrics: columns, control: arguments[control])
        (table.isPercent, table.alpha, table.digits, table.notes) = (
            arguments[percent], arguments[alpha], arguments[digits], arguments[notes]
        )
        table.lowerIsBetter = Set(arguments[lower] ?? ["loss"])
        _ = try table.cells()
        return table
    }

    private static func figure(_ arguments: Arguments) throws -> Figure {
        var figure = Figure(title: arguments[title], kind: Figure.Kind(rawValue: arguments[kind]) ?? .line)
        (figure.xLabel, figure.yLabel, figure.categories) = (
            arguments[xLabel], arguments[yLabel], arguments[categories]
        )
        figure.series = try arguments[series].named([], arguments.operation)
        return figure
    }
}
