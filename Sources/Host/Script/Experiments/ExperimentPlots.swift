import BSSCore
import BSSPlot

/// Curves and figures of an experiment.
enum ExperimentPlots {
    private enum Kind: String, Choice { case box, curves, forest, heatmap, response }

    private static let path = Argument<String>(
        "metric", "a path in the history of its runs, such as \"test.total.accuracy\" or \"train.loss\"")
    private static let kind = Argument(
        "kind", default: Kind.box,
        "box: values over seeds; curves: mean and band over epochs; forest: differences to the control with intervals; "
            + "heatmap: a metric over two fields of the arms; response: over one, with intervals")
    private static let metric = Argument<String?>(
        "metric", default: nil, "a column of the table, of curves a path in the history; the first column by default")
    private static let control = Argument<String?>(
        "control", default: nil, "of a forest: the arm that the others are compared with; the experiment's by default")
    private static let level = Argument(
        "level", default: 0.95, "of the intervals of a forest",
        check: Check("above 0 and below 1") { $0 > 0 && $0 < 1 })
    private static let x = Argument<String?>(
        "x", default: nil, "of a heatmap or response: the field of the arms that makes columns, or the axis")
    private static let y = Argument<String?>(
        "y", default: nil, "of a heatmap: the field that makes rows; of a response: the one that makes lines")
    private static let only = Argument(
        "only", default: Table(), "of a heatmap or response: fields that the shown arms have, { order = \"BSS-L\" }")
    private static let against = Argument<Table?>(
        "against", default: nil,
        "of a heatmap or response: paired differences to the arms that are like them but for these fields")
    private static let title = Argument("title", default: "", "above the chart")

    static let methods: [Function] = [
        Function(
            "curves",
            "A metric over epochs, for each arm: { name, x = epochs, y = mean over seeds, low, high = ± one standard "
                + "deviation, seeds }; bss.plot.line draws them. Epochs that only some runs reached are of those.",
            [path], returns: "list", example: ExperimentObject.training + ":curves(\"test.total.accuracy\")[1].y",
            style: .positional
        ) { a in
            let experiment = try a.receiver(as: ExperimentObject.self)
            return [.list(try curves(experiment, a[path], a.operation).map(value))]
        },
        Function(
            "plot",
            "The arms of an experiment: boxes over their seeds, curves over epochs, differences as a forest, or a map "
                + "over their fields.",
            [kind, metric, control, level, x, y, only, against, title], returns: "figure",
            example: "print(" + ExperimentObject.example + ":plot{ kind = \"forest\", control = \"a\" })",
            source: "intervals: Student, Biometrika 1908 (paired); Welch, Biometrika 1947"
        ) { a in
            let experiment = try a.receiver(as: ExperimentObject.self)
            try checkOptions(a)
            var figure: Figure
            switch a[kind] {
            case .box: figure = try boxes(experiment, a)
            case .curves: figure = try lines(experiment, a)
            case .forest: figure = try forest(experiment, a)
            case .heatmap: figure = try map(experiment, a)
            case .response: figure = try response(experiment, a)
            }
            figure.title = a[title].isEmpty ? experiment.table.title : a[title]
            return [.object(try FigureObject(figure, a.operation))]
        },
    ]

    // MARK: Curves

    private static func curves(
        _ experiment: ExperimentObject, _ path: String, _ operation: String
    ) throws -> [Figure.Series] {
        try zip(experiment.table.rows, experiment.trained(operation)).map { row, runs in
            guard runs.contains(where: { $0.metricPaths.contains(path) }) else {
                let known = runs.first?.metricPaths ?? []
                let near = Text.nearest(to: path, in: known).map { "did you mean '\($0)'? " } ?? ""
                throw BSSError(
                    operation, "the history of arm '\(row.name)' has no '\(path)'",
                    hint: near + (runs.first?.recorded ?? ""), kind: .usage)
            }
            return series(row.name, runs.map { $0.curve(path) })
        }
    }

    private static func series(_ name: String, _ runs: [[Double]]) -> Figure.Series {
        let epochs = 0..<(runs.map(\.count).max() ?? 0)
        let columns = epochs.map { epoch in runs.compactMap { $0.indices.contains(epoch) ? $0[epoch] : nil } }
        var one = Figure.Series(name: name, y: columns.map(Math.mean))
        one.runCount = runs.count
        guard runs.count > 1 else { return one }
        let spread = columns.map { $0.count > 1 ? Math.standardDeviation($0) : 0 }
        one.low = zip(one.y, spread).map(-)
        one.high = zip(one.y, spread).map(+)
        return one
    }

    private static func value(_ one: Figure.Series) -> Value {
        var fields: [(String, Value)] = [
            ("name", .string(one.name)), ("x", .list(one.x)), ("y", .list(one.y)), ("seeds", .int(one.runCount ?? 1)),
        ]
        if let low = one.low, let high = one.high { fields += [("low", .list(low)), ("high", .list(high))] }
        return .fields(fields)
    }

    // MARK: Figures

    /// - Throws: an option that the kind of figure does not have.
    private static func checkOptions(_ a: Arguments) throws {
        let isGrid = [.heatmap, .response].contains(a[kind])
        let odd =
            isGrid
            ? (a[control] == nil ? nil : "control")
            : a[x] != nil ? "x" : a[y] != nil ? "y" : !a[only].isEmpty ? "only" : a[against] != nil ? "against" : nil
        guard let odd else { return }
        let hint = isGrid ? "against = { field = value }" : "heatmap and response have it"
        throw BSSError(a.operation, "a figure of kind \(a[kind].rawValue) takes no '\(odd)'", hint: hint, kind: .usage)
    }

    private static func column(_ experiment: ExperimentObject, _ a: Arguments) throws -> String {
        let column = a[metric] ?? experiment.table.metrics[0]
        guard experiment.table.metrics.contains(column) else {
            throw BSSError(a.operation, "there is no metric '\(column)'", hint: experiment.columns, kind: .usage)
        }
        return column
    }

    private static func boxes(_ experiment: ExperimentObject, _ a: Arguments) throws -> Figure {
        var figure = Figure(title: "", kind: .box)
        figure.yLabel = try column(experiment, a)
        figure.series = experiment.table.rows.map { Figure.Series(name: $0.name, y: $0.values[figure.yLabel] ?? []) }
        return figure
    }

    private static func lines(_ experiment: ExperimentObject, _ a: Arguments) throws -> Figure {
        var path = a[metric] ?? experiment.table.metrics[0]
        // A column may name a selection, which a history has not: "val_best.test.total.accuracy".
        if let first = path.split(separator: ".").first, ["last", "val_best", "test_best", "selected"].contains(first) {
            path = String(path.dropFirst(first.count + 1))
        }
        var figure = Figure(title: "", kind: .line)
        figure.series = try curves(experiment, path, a.operation)
        (figure.xLabel, figure.yLabel) = ("epoch", path)
        return figure
    }

    private static func grid(_ experiment: ExperimentObject, _ a: Arguments) throws -> ExperimentGrid {
        try ExperimentGrid(
            experiment, try column(experiment, a), only: a[only], against: a[against], a.operation)
    }

    private static func map(_ experiment: ExperimentObject, _ a: Arguments) throws -> Figure {
        guard let x = a[x], let y = a[y] else {
            throw BSSError(a.operation, "a heatmap needs two fields of the arms: x and y", kind: .usage)
        }
        return try grid(experiment, a).heatmap(x, y, level: a[level])
    }

    private static func response(_ experiment: ExperimentObject, _ a: Arguments) throws -> Figure {
        guard let x = a[x] else {
            throw BSSError(a.operation, "a response needs a field of the arms: x", kind: .usage)
        }
        return try grid(experiment, a).response(x, lines: a[y], level: a[level])
    }

    private static func forest(_ experiment: ExperimentObject, _ a: Arguments) throws -> Figure {
        let column = try column(experiment, a)
        guard let base = a[control] ?? experiment.table.control else {
            throw BSSError(
                a.operation, "a forest shows differences to a control, and the experiment has none",
                hint: "control = one of " + experiment.table.rows.map(\.name).joined(separator: ", "), kind: .usage)
        }
        _ = try experiment.position(of: base, a.operation)
        let rows = experiment.table.differences(column, to: base, level: a[level])
        guard !rows.isEmpty else {
            throw BSSError(a.operation, "there is no arm beside '\(base)' that has '\(column)'", kind: .usage)
        }
        var one = Figure.Series(name: "", y: rows.map(\.value))
        (one.low, one.high) = (rows.map(\.low), rows.map(\.high))
        var figure = Figure(title: "", kind: .forest)
        figure.series = [one]
        figure.categories = rows.map(\.name)
        figure.yLabel = "difference in \(column) to '\(base)'"
        let pairing = rows.allSatisfy(\.isPaired) ? "paired" : "Welch's"
        let counts = Set(rows.map(\.count)).sorted().map(String.init).joined(separator: " or ")
        let several = rows.count > 1 ? ", not corrected for \(rows.count) comparisons" : ""
        figure.remarks = [
            "intervals: \(pairing) t, \(Text.number(a[level] * 100)) %, \(counts) seeds\(several)"
        ]
        if rows.contains(where: { $0.low.isNaN }) { figure.remarks.append("one seed has no interval") }
        return figure
    }
}
