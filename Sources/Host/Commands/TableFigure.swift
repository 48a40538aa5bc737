import BSSCodecs
import BSSCore
import BSSPlot

/// How the columns of a table become series.
struct TableFigure {
    let table: CSVTable
    let x: String?
    let y: [String]?
    let by: String?

    /// A figure's own data, as `Figure.csv` writes it; nil: another table, or columns were asked for.
    func saved(_ asked: Figure.Kind?) throws -> Figure? {
        guard x == nil, y == nil, by == nil else { return nil }
        switch table.columns {
        case ["series", "x", "y", "low", "high"], ["series", "category", "x", "y", "low", "high"]:
            guard asked.map({ [Figure.Kind.line, .scatter, .bar, .forest].contains($0) }) ?? true else { return nil }
            var figure = Figure(title: "", kind: asked ?? (table.has("category") ? .bar : .line))
            let x = try table.doubles("x")
            let y = try table.doubles("y")
            let low = try optional("low")
            let high = try optional("high")
            for (name, rows) in groups(try table.strings("series")) {
                var one = Figure.Series(name: name, x: rows.map { x[$0] }, y: rows.map { y[$0] })
                let bounds = (rows.compactMap { low[$0] }, rows.compactMap { high[$0] })
                if bounds.0.count == rows.count, bounds.1.count == rows.count { (one.low, one.high) = bounds }
                figure.series.append(one)
            }
            if table.has("category") {
                let names = try table.strings("category")
                for (row, position) in x.enumerated() {
                    guard let index = Int(exactly: position), (1...table.count).contains(index) else {
                        throw table.damage("line \(table.lines[row]): x is no position of a category")
                    }
                    while figure.categories.count < index { figure.categories.append("") }
                    figure.categories[index - 1] = names[row]
                }
            }
            return figure
        case ["series", "from", "to", "count"]:
            guard asked == nil || asked == .histogram else { return nil }
            let from = try table.doubles("from")
            let to = try table.doubles("to")
            let count = try table.doubles("count")
            var figure = Figure(title: "", kind: .histogram)
            let all = groups(try table.strings("series"))
            let first = all[0].rows
            figure.edges = first.map { from[$0] } + first.suffix(1).map { to[$0] }
            guard zip(figure.edges, figure.edges.dropFirst()).allSatisfy(<),
                all.allSatisfy({ $0.rows.map { from[$0] } == first.map { from[$0] } })
            else {
                throw table.damage("its bins do not ascend, or differ between series")
            }
            figure.series = all.map { name, rows in
                Figure.Series(name: name, x: rows.map { (from[$0] + to[$0]) / 2 }, y: rows.map { count[$0] })
            }
            figure.yLabel = "count"
            return figure
        case ["row", "column", "value"]:
            guard asked == nil || asked == .heatmap else { return nil }
            let value = try table.doubles("value")
            let columns = try table.strings("column")
            var figure = Figure(title: "", kind: .heatmap)
            let all = groups(try table.strings("row"))
            figure.categories = all[0].rows.map { columns[$0] }
            guard all.allSatisfy({ $0.rows.map { columns[$0] } == figure.categories }) else {
                throw table.damage("its rows have different columns")
            }
            figure.series = all.map { name, rows in Figure.Series(name: name, y: rows.map { value[$0] }) }
            return figure
        case ["series", "value"]:
            guard asked == nil || asked == .box || asked == .histogram else { return nil }
            let value = try table.doubles("value")
            let lists = groups(try table.strings("series")).map { (name: $0.name, values: $0.rows.map { value[$0] }) }
            if asked == .histogram { return Figure.histogram(lists) }
            var figure = Figure(title: "", kind: .box)
            figure.series = lists.map { Figure.Series(name: $0.name, y: $0.values) }
            return figure
        default: return nil
        }
    }

    /// Columns as series. Without `--y`: every numeric column other than `--x`; without `--x` rows are numbered.
    func figure(_ kind: Figure.Kind, bins: Int?) throws -> Figure {
        var columns = y ?? numeric.filter { $0 != x && $0 != by }
        if kind == .scatter, x == nil, y == nil, columns.count > 1 {
            return try TableFigure(table: table, x: columns[0], y: Array(columns.dropFirst()), by: by).figure(
                kind, bins: bins)
        }
        guard !columns.isEmpty else {
            throw BSSError(
                "plot", "\(table.source) has no column of numbers",
                hint: "its columns: " + table.columns.joined(separator: ", "), kind: .data)
        }
        let parts = try by.map { groups(try table.strings($0)) } ?? [(name: "", rows: Array(0..<table.count))]
        let positions = try x.flatMap { numeric.contains($0) ? try table.doubles($0) : nil }
        let names = try x.flatMap { numeric.contains($0) ? nil : try table.strings($0) }
        var series: [Figure.Series] = []
        for column in columns {
            let values = try table.doubles(column)
            for part in parts {
                let name = [part.name, columns.count > 1 || part.name.isEmpty ? column : ""].filter { !$0.isEmpty }
                    .joined(separator: ": ")
                series.append(
                    Figure.Series(
                        name: columns.count == 1 && parts.count == 1 ? "" : name,
                        x: part.rows.enumerated().map { positions?[$1] ?? Double($0 + 1) },
                        y: part.rows.map { values[$0] }))
            }
        }
        if kind == .histogram { return Figure.histogram(series.map { ($0.name, $0.y) }, bins: bins) }
        var figure = Figure(title: "", kind: kind)
        figure.series = series
        if kind == .heatmap {
            for k in figure.series.indices where figure.series[k].name.isEmpty { figure.series[k].name = columns[0] }
        } else if let names, parts.count == 1 {
            figure.categories = names
        }
        if columns.count == 1 { figure.yLabel = columns.removeFirst() }
        figure.xLabel = x ?? ""
        return figure
    }

    /// Columns whose every cell is a number.
    private var numeric: [String] {  // A column that does not read as numbers is none.
        table.columns.filter { (try? table.doubles($0)) != nil }
    }

    private func optional(_ column: String) throws -> [Double?] { try table.strings(column).map { Double($0) } }

    /// Rows by name, in the order in which the names appear.
    private func groups(_ names: [String]) -> [(name: String, rows: [Int])] {
        var order: [String] = []
        var rows: [String: [Int]] = [:]
        for (row, name) in names.enumerated() {
            if rows[name] == nil { order.append(name) }
            rows[name, default: []].append(row)
        }
        return order.map { ($0, rows[$0] ?? []) }
    }
}
