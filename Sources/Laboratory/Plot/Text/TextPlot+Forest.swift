import BSSCore

extension TextPlot {
    /// One line a value: its interval, its sign, and both in numbers; zero is a line through all of them.
    mutating func forest() {
        let groups = figure.barGroups.prefix(max(1, TextPlot.mostLines / figure.series.count))
        let axis = figure.yAxis(ticks: 6)
        let names = groups.map { shortened(plain($0.label), to: width / 3) }
        let gutter = (names.map(Text.columns).max() ?? 0) + 2
        let digits = decimals(axis)
        var rows = groups.enumerated().flatMap { g, group in
            figure.series.enumerated().compactMap { k, one in
                one.x.firstIndex(of: group.x).map { (group: g, series: k, at: $0, words: words(one, $0, digits)) }
            }
        }
        func room() -> Int { width - gutter - 1 - (rows.map { Text.columns($0.words) }.max() ?? 0) }
        if room() < 20 {  // the interval is drawn, its ends need not be read
            for r in rows.indices { rows[r].words = String(rows[r].words.prefix { $0 != " " }) }
        }
        let columns = max(8, room())
        for (line, row) in rows.enumerated() {
            var grid = TextGrid(columns: width, rows: 1)
            if line == 0 || rows[line - 1].group != row.group {
                grid.put(padded(names[row.group], to: gutter - 2, right: true), 0, 0)
            }
            grid.put(display.isUnicode ? "│" : "|", 0, gutter - 1)
            draw(row.series, row.at, Line(axis, columns, gutter), on: &grid)
            grid.put(row.words, 0, gutter + columns + 1)
            append(grid)
        }
        if groups.count < figure.barGroups.count {
            notes.append("… \(figure.barGroups.count - groups.count) more rows")
        }
        appendAxis(figure.yAxis(ticks: max(2, columns / 10)), gutter: gutter, columns: columns)
        if figure.series.count > 1 { legend(indent: gutter) }
    }

    private func words(_ one: Figure.Series, _ i: Int, _ digits: Int?) -> String { plain(value(one, i, digits)) }

    /// Columns of a line of the drawing by values of its axis.
    private struct Line {
        let axis: Axis, columns: Int, gutter: Int
        init(_ axis: Axis, _ columns: Int, _ gutter: Int) {
            (self.axis, self.columns, self.gutter) = (axis, columns, gutter)
        }

        /// nil: outside.
        func column(_ value: Double) -> Int? {
            let fraction = axis.fraction(value)
            return value.isFinite && fraction >= -1e-9 && fraction <= 1 + 1e-9 ? clamped(value) : nil
        }
        func clamped(_ value: Double) -> Int {
            gutter + Int(saturating: (min(max(axis.fraction(value), 0), 1) * Double(columns - 1)).rounded())
        }
    }

    private func draw(_ series: Int, _ i: Int, _ line: Line, on grid: inout TextGrid) {
        let one = figure.series[series]
        let (zero, dash, left, right) = display.isUnicode ? ("┊", "─", "├", "┤") : (":", "-", "[", "]")
        if let c = line.column(0) { grid.put(zero, 0, c) }
        func put(_ column: Int, _ text: String) { grid[0, column] = TextGrid.Cell(text: text, ink: series + 1) }
        if let low = one.low?[i], let high = one.high?[i], low.isFinite, high.isFinite {
            for c in line.clamped(min(low, high))...line.clamped(max(low, high)) { put(c, dash) }
            if let c = line.column(low) { put(c, left) }
            if let c = line.column(high) { put(c, right) }
        }
        if let c = line.column(one.y[i]) { put(c, String(mark(series))) }
    }
}
