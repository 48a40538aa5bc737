import BSSCore

/// A drawing area with axes: ticks and labels left and below.
struct TextFrame {
    let x: Axis
    let y: Axis
    /// Columns left of the drawing area, the axis line included.
    let gutter: Int
    let columns: Int
    let rows: Int
    var grid: TextGrid
}

extension TextPlot {
    /// Axes for the figure with a drawing area as wide as the display leaves.
    func frame() -> TextFrame {
        let y = figure.yAxis(ticks: max(2, rows / 3))
        let labels = y.ticks.map { plain($0.label) }
        let gutter = min((labels.map(\.count).max() ?? 0) + 2, width / 2)
        let columns = width - gutter - 1
        let x = figure.xAxis(ticks: max(2, columns / 10))
        var frame = TextFrame(
            x: x, y: y, gutter: gutter, columns: columns, rows: rows, grid: TextGrid(columns: width, rows: rows + 2))
        let (bar, tick, corner, floor, mark) = display.isUnicode ? ("│", "┤", "└", "─", "┬") : ("|", "+", "+", "-", "+")
        for r in 0..<rows { frame.grid.put(bar, r, gutter - 1) }
        for (k, one) in y.ticks.enumerated() {
            let row = rowOf(y.fraction(one.value))
            guard (0..<rows).contains(row) else { continue }
            frame.grid.put(labels[k], row, gutter - 2 - labels[k].count)
            frame.grid.put(tick, row, gutter - 1)
        }
        frame.grid.put(corner + String(repeating: floor, count: columns), rows, gutter - 1)
        drawTicks(xTicks(x), mark, on: &frame.grid, row: rows, gutter: gutter, columns: columns)
        return frame
    }

    /// The row of a height 0 … 1.
    func rowOf(_ fraction: Double) -> Int {
        let steps = display.isUnicode ? rows * 4 - 1 : rows - 1
        let dot = Int(saturating: min(max(((1 - fraction) * Double(steps)).rounded(), -1e6), 1e6))
        return display.isUnicode ? dot / 4 - (dot < 0 ? 1 : 0) : dot
    }

    /// Places and labels below the axis: of the ticks, or of the categories.
    private func xTicks(_ x: Axis) -> [(Double, String)] {
        if figure.categories.isEmpty { return x.ticks.map { (x.fraction($0.value), $0.label) } }
        let count = figure.categories.count
        return figure.categories.enumerated().map {
            (x.fraction(Double($0 + 1)), shortened(plain($1), to: max(3, (width - 10) / max(count, 1) - 1)))
        }
    }

    /// Ticks and labels in two rows from `row` on. Labels that would touch the one before are left out, with their
    /// tick.
    func drawTicks(
        _ ticks: [(Double, String)], _ mark: String, on grid: inout TextGrid, row: Int, gutter: Int, columns: Int
    ) {
        var free = 0
        for (fraction, label) in ticks where fraction >= -1e-9 && fraction <= 1 + 1e-9 {
            let column = gutter + Int(saturating: (fraction * Double(columns - 1)).rounded())
            let size = Text.columns(label)
            let start = min(max(column - size / 2, 0), width - size)
            guard start >= free else { continue }
            grid.put(mark, row, column)
            grid.put(label, row + 1, start)
            free = start + size + 1
        }
    }

    /// A horizontal value axis under bars or boxes.
    mutating func appendAxis(_ axis: Axis, gutter: Int, columns: Int) {
        var grid = TextGrid(columns: width, rows: 2)
        let (corner, floor, mark) = display.isUnicode ? ("└", "─", "┬") : ("+", "-", "+")
        grid.put(corner + String(repeating: floor, count: columns), 0, gutter - 1)
        drawTicks(
            axis.ticks.map { (axis.fraction($0.value), $0.label) }, mark, on: &grid, row: 0, gutter: gutter,
            columns: columns)
        append(grid)
        appendLabel(figure.yLabel, gutter: gutter, columns: columns)
    }

    mutating func appendLabel(_ text: String, gutter: Int, columns: Int) {
        guard !text.isEmpty else { return }
        let label = shortened(plain(text), to: columns)
        append(String(repeating: " ", count: gutter + max(0, (columns - Text.columns(label)) / 2)) + label)
    }

    /// Labels of the axes around the finished frame, and the legend.
    mutating func finish(_ frame: TextFrame) {
        if !figure.yLabel.isEmpty { append(shortened(plain(figure.yLabel), to: width)) }
        append(frame.grid)
        appendLabel(figure.xLabel, gutter: frame.gutter, columns: frame.columns)
        legend(indent: frame.gutter)
    }
}
