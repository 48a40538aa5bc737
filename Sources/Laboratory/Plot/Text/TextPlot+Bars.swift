import BSSCore

extension TextPlot {
    static let mostLines = 200

    /// Horizontal bars with their values.
    mutating func bars() {
        let groups = figure.barGroups
        let count = figure.series.count
        let axis = figure.yAxis(ticks: 6)
        let shown = groups.prefix(max(1, TextPlot.mostLines / count))
        let names = shown.map { shortened(plain($0.label), to: width / 3) }
        let gutter = (names.map(Text.columns).max() ?? 0) + 2 + (count > 1 ? 2 : 0)
        let digits = decimals(axis)
        let index = figure.series.map { one in
            Dictionary(one.x.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        }
        func words(_ series: Int, _ i: Int) -> String { plain(value(figure.series[series], i, digits)) }
        let texts = shown.map { group in
            index.enumerated().map { k, places in places[group.x].map { words(k, $0) } ?? "" }
        }
        let columns = max(5, width - gutter - 1 - (texts.joined().map(Text.columns).max() ?? 0))
        let zero = axis.isLog ? 0 : axis.fraction(0)
        if !figure.xLabel.isEmpty { append(shortened(plain(figure.xLabel), to: width)) }
        for (g, group) in shown.enumerated() {
            for k in 0..<count {
                var grid = TextGrid(columns: width, rows: 1)
                if k == 0 { grid.put(padded(names[g], to: gutter - 2 - (count > 1 ? 2 : 0), right: true), 0, 0) }
                if count > 1 { grid.put(String(mark(k)), 0, gutter - 3, ink: k + 1) }
                grid.put(display.isUnicode ? "│" : "|", 0, gutter - 1)
                if let i = index[k][group.x] {
                    let y = figure.series[k].y[i]
                    let end =
                        isShown(y)
                        ? bar(from: zero, to: axis.fraction(y), columns, series: k, on: &grid, at: gutter) : 0
                    grid.put(texts[g][k], 0, gutter + end + 1)
                }
                append(grid)
            }
        }
        if shown.count < groups.count { notes.append("… \(groups.count - shown.count) more bars") }
        if !figure.yLabel.isEmpty { appendLabel(figure.yLabel, gutter: gutter, columns: columns) }
        legendOfBars(gutter)
    }

    private mutating func legendOfBars(_ gutter: Int) { if figure.series.count > 1 { legend(indent: gutter) } }

    private func isShown(_ value: Double) -> Bool { value.isFinite && !(figure.yScale.isLog && value <= 0) }

    /// Draws one bar; the columns it reaches.
    private func bar(
        from zero: Double, to end: Double, _ columns: Int, series: Int, on grid: inout TextGrid, at gutter: Int
    ) -> Int {
        let zero = min(max(zero, 0), 1)
        let end = min(max(end, 0), 1)
        let steps = display.isUnicode ? 8 : 1
        let eighths = Array(" ▏▎▍▌▋▊▉")
        func cell(_ column: Int, _ text: Character) {
            grid[0, gutter + column] = TextGrid.Cell(text: String(text), ink: series + 1)
        }
        if end >= zero {
            // From a whole column, so that only the far end needs a part of a block.
            let start = Int(saturating: (zero * Double(columns)).rounded(.down))
            let length = Int(saturating: ((end - zero) * Double(columns * steps)).rounded())
            for c in 0..<(length / steps) { cell(start + c, display.isUnicode ? "█" : "=") }
            if length % steps > 0 { cell(start + length / steps, eighths[length % steps]) }
            return start + (length + steps - 1) / steps
        }
        let start = Int(saturating: (zero * Double(columns)).rounded(.down))
        let halves = Int(saturating: ((zero - end) * Double(columns * 2)).rounded())
        for c in 0..<min(halves / 2, start) { cell(start - 1 - c, display.isUnicode ? "█" : "=") }
        if halves % 2 == 1, halves / 2 < start { cell(start - 1 - halves / 2, display.isUnicode ? "▐" : "=") }
        return start
    }

    /// One decimal more than the ticks have, for the values at the bars.
    func decimals(_ axis: Axis) -> Int? {
        let all = figure.series.flatMap(\.y).filter(\.isFinite)
        if all.allSatisfy({ $0 == $0.rounded() && abs($0) < 1e9 }) {
            return figure.series.contains { $0.low != nil } ? 2 : 0
        }
        guard let largest = all.map(abs).max(), largest >= 1e-3, largest < 1e6 else { return nil }
        return max(0, min(6, 3 - Int(saturating: Math.log10(largest).rounded(.down)) - (largest < 1 ? 1 : 0)))
    }

    func value(_ one: Figure.Series, _ i: Int, _ digits: Int?) -> String {
        func number(_ value: Double) -> String {
            value.isFinite ? digits.map { Text.fixed(value, $0) } ?? Axis.short(value) : Text.number(value)
        }
        guard let low = one.low?[i], let high = one.high?[i], low.isFinite, high.isFinite else {
            return number(one.y[i])
        }
        let above = high - one.y[i]
        let below = one.y[i] - low
        return number(one.y[i])
            + (abs(above - below) <= 1e-9 * max(abs(above), abs(below))
                ? " ± \(number(above))" : " [\(number(low)), \(number(high))]")
    }

    // MARK: Boxes

    /// Two lines a box: quartiles and whiskers, and the values as dots below.
    mutating func boxes() {
        let shown = figure.series.prefix(TextPlot.mostLines / 2)
        let names = shown.map { shortened(plain($0.name), to: width / 3) }
        let gutter = (names.map(Text.columns).max() ?? 0) + 2
        let columns = width - gutter - 1
        let axis = figure.boxAxis(ticks: max(2, columns / 10))
        let wall = display.isUnicode ? "│" : "|"
        for (k, one) in shown.enumerated() {
            var grid = TextGrid(columns: width, rows: 2)
            grid.put(padded(names[k], to: gutter - 2, right: true), 0, 0)
            grid.put(wall, 0, gutter - 1)
            grid.put(wall, 1, gutter - 1)
            if let spread = Spread(one.y, isLog: figure.yScale.isLog) {
                draw(spread, axis, columns, series: k, on: &grid, at: gutter)
            }
            append(grid)
        }
        if shown.count < figure.series.count { notes.append("… \(figure.series.count - shown.count) more boxes") }
        appendAxis(axis, gutter: gutter, columns: columns)
    }

    private func draw(
        _ spread: Spread, _ axis: Axis, _ columns: Int, series: Int, on grid: inout TextGrid, at gutter: Int
    ) {
        func column(_ value: Double) -> Int? {
            let fraction = axis.fraction(value)
            return fraction >= -1e-9 && fraction <= 1 + 1e-9
                ? Int(saturating: (fraction * Double(columns - 1)).rounded()) : nil
        }
        func clamped(_ value: Double) -> Int {
            Int(saturating: (min(max(axis.fraction(value), 0), 1) * Double(columns - 1)).rounded())
        }
        func put(_ row: Int, _ column: Int, _ text: String) {
            grid[row, gutter + column] = TextGrid.Cell(text: text, ink: series + 1)
        }
        let (line, left, right, body, middle, dot) =
            display.isUnicode ? ("─", "├", "┤", "▒", "┃", "•") : ("-", "|", "|", "=", "#", "o")
        for c in clamped(spread.lowerWhisker)...clamped(spread.upperWhisker) { put(0, c, line) }
        if let c = column(spread.lowerWhisker) { put(0, c, left) }
        if let c = column(spread.upperWhisker) { put(0, c, right) }
        for c in clamped(spread.lowerQuartile)...clamped(spread.upperQuartile) { put(0, c, body) }
        if let c = column(spread.median) { put(0, c, middle) }
        for value in spread.dots { if let c = column(value) { put(1, c, dot) } }
    }
}

extension Figure {
    /// The value axis of boxes: the finite values and a little room.
    func boxAxis(ticks: Int) -> Axis {
        var bounds = Axis.Bounds(isLog: yScale.isLog)
        for one in series { one.y.forEach { bounds.add($0) } }
        return Axis(bounds, yScale, count: ticks, fit: .loose)
    }
}
