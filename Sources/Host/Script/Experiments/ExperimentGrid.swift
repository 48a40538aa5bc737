import BSSCore
import BSSPlot
import BSSRuns
import BSSStatistics

/// A metric over the fields of arms: for each combination of two fields the values by seed, averaged over the arms
/// that share it; with `against`, of the paired differences to the arms that differ in those fields alone.
struct ExperimentGrid {
    private let experiment: ExperimentObject
    private let operation: String
    private let metric: String
    private let against: Table?
    private var arms: [(fields: Table, values: [Double])] = []

    /// - Throws: fields that no arm has; arms without their counterpart.
    init(_ experiment: ExperimentObject, _ metric: String, only: Table, against: Table?, _ operation: String) throws {
        (self.experiment, self.metric, self.against, self.operation) = (experiment, metric, against, operation)
        for name in only.keys + (against?.keys ?? []) { try check(name) }
        let all = zip(experiment.fields, experiment.table.rows).map { ($0, $1.values[metric] ?? []) }
        for (fields, values) in all where ExperimentGrid.matches(fields, only) {
            guard let against else {
                arms.append((fields, values))
                continue
            }
            if ExperimentGrid.matches(fields, against) { continue }
            var wanted = fields
            for (key, value) in against.fields { wanted[key] = value }
            wanted["name"] = nil
            guard
                let base = all.first(where: {
                    $0.0.keys.count == fields.keys.count && ExperimentGrid.matches($0.0, wanted)
                })
            else {
                throw BSSError(
                    operation,
                    "against: the arm '\(fields["name"]?.string ?? "")' has no counterpart with "
                        + ExperimentGrid.text(against), kind: .usage)
            }
            arms.append((fields, zip(values, base.1).map { $0 - $1 }))
        }
        guard !arms.isEmpty else { throw BSSError(operation, "no arm is left to show", kind: .usage) }
    }

    private func check(_ field: String) throws {
        let known = Array(Set(experiment.fields.flatMap(\.keys)).subtracting(["name"])).sorted()
        guard !known.contains(field) else { return }
        let near = Text.nearest(to: field, in: known).map { "did you mean '\($0)'? " } ?? ""
        throw BSSError(
            operation, "no arm has a field '\(field)'", hint: near + "fields: " + known.joined(separator: ", "),
            kind: .usage)
    }

    private static func matches(_ fields: Table, _ wanted: Table) -> Bool {
        wanted.fields.allSatisfy { key, value in fields[key].map(text) == text(value) }
    }
    private static func text(_ value: Value) -> String { value.string ?? JSON.lua(value.recorded) }
    private static func text(_ fields: Table) -> String {
        fields.fields.map { "\($0.key) = \(text($0.value))" }.joined(separator: ", ")
    }

    // MARK: Cells

    /// The values of a field, numbers in order, texts as they come.
    private func axis(_ field: String) throws -> [Value] {
        try check(field)
        var values: [Value] = []
        for value in arms.compactMap({ $0.fields[field] })
        where !values.contains(where: { ExperimentGrid.text($0) == ExperimentGrid.text(value) }) {
            values.append(value)
        }
        guard values.allSatisfy({ $0.double != nil }) else { return values }
        return values.sorted { ($0.double ?? 0) < ($1.double ?? 0) }
    }

    /// By seed, the mean over the arms that have these fields; empty: there is none.
    private func cell(_ wanted: Table) -> [Double] {
        let found = arms.filter { ExperimentGrid.matches($0.fields, wanted) }.map(\.values)
        return (0..<(found.map(\.count).min() ?? 0)).map { seed in Math.mean(found.map { $0[seed] }) }
    }

    private static func interval(_ values: [Double], _ level: Double) -> (low: Double, high: Double) {
        Statistics.pairedTest(values, [Double](repeating: 0, count: values.count)).interval(level)
    }

    private var what: String {
        guard let against else { return metric }
        return "\(metric), difference to \(ExperimentGrid.text(against))"
    }

    /// What is averaged beside seeds.
    private func remark(without shown: [String]) throws -> [String] {
        let others = try Set(arms.flatMap(\.fields.keys)).subtracting(shown + ["name"] + (against?.keys ?? []))
            .sorted().filter { try axis($0).count > 1 }
        return others.isEmpty ? [] : ["averaged over \(others.joined(separator: ", "))"]
    }

    // MARK: Figures

    /// Columns x, rows y, shades the mean over seeds.
    func heatmap(_ x: String, _ y: String, level: Double) throws -> Figure {
        let (columns, rows) = (try axis(x), try axis(y))
        var figure = Figure(title: "", kind: .heatmap)
        var (certain, all, seeds) = (0, 0, Set<Int>())
        figure.series = rows.map { row in
            let cells = columns.map { cell(Table(fields: [(x, $0), (y, row)])) }
            var one = Figure.Series(
                name: ExperimentGrid.text(row), y: cells.map { $0.isEmpty ? .nan : Math.mean($0) })
            seeds.formUnion(cells.map(\.count).filter { $0 > 0 })
            guard against != nil else { return one }
            let intervals = cells.map { $0.isEmpty ? (.nan, .nan) : ExperimentGrid.interval($0, level) }
            (one.low, one.high) = (intervals.map(\.low), intervals.map(\.high))
            all += cells.filter { !$0.isEmpty }.count
            certain += intervals.filter { $0.low > 0 || $0.high < 0 }.count
            return one
        }
        figure.categories = columns.map(ExperimentGrid.text)
        (figure.xLabel, figure.yLabel) = (x, what)
        let counts = seeds.sorted().map(String.init).joined(separator: " or ")
        figure.remarks = ["rows: \(y), columns: \(x); mean of \(what) over \(counts) seeds"]
        if against != nil {
            figure.remarks.append(
                "*: a \(Text.number(level * 100)) % interval without 0, in \(certain) of \(all) cells (paired t, "
                    + "not corrected for \(all) cells)")
        }
        figure.remarks += try remark(without: [x, y])
        return figure
    }

    /// Over a number x, a line for each value of `lines`, with the t interval of its mean.
    func response(_ x: String, lines: String?, level: Double) throws -> Figure {
        let places = try axis(x)
        guard places.allSatisfy({ $0.double != nil }) else {
            throw BSSError(operation, "x: the field '\(x)' is no number in every arm", kind: .usage)
        }
        var figure = Figure(title: "", kind: .line)
        figure.series = try (lines.map { try axis($0).map(Optional.some) } ?? [nil]).compactMap { value in
            var wanted = Table()
            if let lines, let value { wanted[lines] = value }
            let cells = places.compactMap { place -> (x: Double, values: [Double])? in
                wanted[x] = place
                let values = cell(wanted)
                return values.isEmpty ? nil : (place.double ?? .nan, values)
            }
            guard !cells.isEmpty else { return nil }
            let name = value.map { "\(lines ?? "") = \(ExperimentGrid.text($0))" } ?? ""
            var one = Figure.Series(name: name, x: cells.map(\.x), y: cells.map { Math.mean($0.values) })
            let intervals = cells.map { ExperimentGrid.interval($0.values, level) }
            if intervals.allSatisfy({ $0.low.isFinite }) {
                (one.low, one.high) = (intervals.map(\.low), intervals.map(\.high))
            }
            return one
        }
        (figure.xLabel, figure.yLabel) = (x, what)
        let bands = "bands: \(Text.number(level * 100)) % t interval of the mean over seeds"
        figure.remarks = [bands] + (try remark(without: [x] + (lines.map { [$0] } ?? [])))
        return figure
    }
}
