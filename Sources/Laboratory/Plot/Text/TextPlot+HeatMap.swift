import BSSCore

extension TextPlot {
    /// Shades; with the numbers in them where they fit.
    mutating func heatmap() {
        let map = HeatMap(figure)
        let gutter = min((figure.series.map { Text.columns(plain($0.name)) }.max() ?? 0) + 1, width / 3)
        let room = width - gutter
        let cellWidth = max(1, min(room / max(map.columns, 1), 10))
        let shown = map.reduced(rows: max(rows, 24), columns: room / cellWidth)
        if let note = shown.note { notes.append(note) }
        let numbers = cellWidth >= 6 ? shown.labels : []
        let fits = !numbers.isEmpty && numbers.allSatisfy { $0.allSatisfy { $0.count <= cellWidth - 3 } }
        for (r, row) in shown.values.enumerated() {
            var grid = TextGrid(columns: width, rows: 1)
            grid.put(shortened(plain(figure.series[r * shown.rowStep].name), to: gutter - 1), 0, 0)
            for (c, value) in row.enumerated() {
                fill(
                    value, fits ? numbers[r][c] : nil, map.axis, on: &grid, at: gutter + c * cellWidth, width: cellWidth
                )
            }
            append(grid)
        }
        columnLabels(shown, gutter: gutter, cellWidth: cellWidth)
        appendLabel(figure.xLabel, gutter: gutter, columns: min(room, cellWidth * (shown.values.first?.count ?? 1)))
        scale(map.axis, indent: gutter)
    }

    private var glyphs: [Character] { display.isUnicode ? Array(" ░▒▓█") : Array(" .:-=+*#%@") }

    /// Viridis in the colours that 256-colour terminals have.
    private static let papers = [53, 54, 60, 61, 67, 66, 30, 36, 35, 71, 77, 113, 149, 185, 227]

    private func fill(
        _ value: Double, _ number: String?, _ axis: Axis, on grid: inout TextGrid, at column: Int, width: Int
    ) {
        let fraction = value.isFinite && !(axis.isLog && value <= 0) ? min(max(axis.fraction(value), 0), 1) : nil
        if display.colours >= 256, let fraction {
            let level = Int(saturating: (fraction * Double(TextPlot.papers.count - 1)).rounded())
            let text =
                number.map { padded($0, to: width - 1, right: true) + " " } ?? String(repeating: " ", count: width)
            for (c, character) in text.enumerated() {
                grid[0, column + c] = .init(
                    text: String(character), paper: TextPlot.papers[level], paperInk: level < 8 ? 231 : 16)
            }
            return
        }
        let glyph = fraction.map { glyphs[min(Int($0 * Double(glyphs.count)), glyphs.count - 1)] } ?? "?"
        if let number {
            grid.put(padded(number, to: width - 3, right: true) + " " + String(glyph), 0, column)
        } else {
            grid.put(String(repeating: glyph, count: width), 0, column)
        }
    }

    /// Names under the columns if there is room, else numbers of some columns.
    private mutating func columnLabels(_ shown: HeatMap.Reduced, gutter: Int, cellWidth: Int) {
        var grid = TextGrid(columns: width, rows: 1)
        let count = shown.values.first?.count ?? 0
        if cellWidth >= 4, !shown.isReduced {
            for c in 0..<count {
                let name = figure.categories.isEmpty ? Text.number(figure.series[0].x[c]) : figure.categories[c]
                let label = shortened(plain(name), to: cellWidth - 1)
                grid.put(padded(label, to: cellWidth - 1, right: true), 0, gutter + c * cellWidth)
            }
        } else {
            var free = 0
            for c in 0..<count {
                let label = "\(c * shown.columnStep + 1)"
                let column = gutter + c * cellWidth
                guard column >= free,
                    c == 0 || (c * shown.columnStep + 1) % max(1, 5 * shown.columnStep) == 0 || shown.columnStep > 1,
                    column + label.count <= width
                else { continue }
                grid.put(label, 0, column)
                free = column + max(label.count + 2, 8)
            }
        }
        append(grid)
    }

    private mutating func scale(_ axis: Axis, indent: Int) {
        var grid = TextGrid(columns: width, rows: 1)
        let low = Axis.short(axis.low)
        let high = Axis.short(axis.high)
        var column = max(0, min(indent, width - low.count - high.count - 14))
        grid.put(low, 0, column)
        column += low.count + 1
        let steps = display.colours >= 256 ? 15 : glyphs.count
        for step in 0..<steps {
            let fraction = (Double(step) + 0.5) / Double(steps)
            let value =
                axis.isLog
                ? axis.low * Math.pow(axis.high / axis.low, fraction) : axis.low + (axis.high - axis.low) * fraction
            fill(value, nil, axis, on: &grid, at: column + step, width: 1)
        }
        grid.put(high, 0, column + steps + 1)
        append(grid)
        if !figure.yLabel.isEmpty {
            append(String(repeating: " ", count: indent) + shortened(plain(figure.yLabel), to: width - indent))
        }
    }
}

/// The values of a heat map by row and column, and its scale.
struct HeatMap {
    struct Reduced {
        let values: [[Double]]
        let rowStep: Int
        let columnStep: Int
        /// What stands in the cells, with a `*` where an interval is known and does not hold 0; empty: they are means.
        var labels: [[String]] = []
        var isReduced: Bool { rowStep > 1 || columnStep > 1 }
        var note: String? { isReduced ? "each cell: mean of up to \(rowStep) × \(columnStep) values" : nil }
    }

    let values: [[Double]]
    let axis: Axis
    private let labels: [[String]]
    var columns: Int { values.first?.count ?? 0 }

    init(_ figure: Figure) {
        values = figure.series.map(\.y)
        let write = HeatMap.format(values.joined().filter(\.isFinite))
        labels = figure.series.map { one in
            one.y.indices.map { i in
                let isCertain = one.low.map { $0[i] > 0 } ?? false || one.high.map { $0[i] < 0 } ?? false
                return write(one.y[i]) + (isCertain ? "*" : "")
            }
        }
        var bounds = Axis.Bounds(isLog: figure.yScale.isLog)
        for row in values { row.forEach { bounds.add($0) } }
        axis = Axis(bounds, figure.yScale, count: 4, fit: .tight)
    }

    /// Whole numbers as they are; others with the decimals that the largest has within three digits.
    private static func format(_ finite: [Double]) -> (Double) -> String {
        let largest = finite.map(abs).max() ?? 0
        if finite.allSatisfy({ $0 == $0.rounded() }) || largest == 0 { return Text.number }
        let decimals = 2 - Int(saturating: Math.log10(largest).rounded(.down))
        let pattern = decimals <= 6 ? "%.\(max(decimals, 0))f" : "%.3g"
        return { $0.isFinite ? Text.format(pattern, $0) : Text.number($0) }
    }

    /// At most so many rows and columns: blocks of values become their mean.
    func reduced(rows: Int, columns: Int) -> Reduced {
        let rowStep = max(1, (values.count + rows - 1) / max(rows, 1))
        let columnStep = max(1, (self.columns + columns - 1) / max(columns, 1))
        guard rowStep > 1 || columnStep > 1 else {
            return Reduced(values: values, rowStep: 1, columnStep: 1, labels: labels)
        }
        let means = stride(from: 0, to: values.count, by: rowStep).map { r in
            stride(from: 0, to: self.columns, by: columnStep).map { c -> Double in
                var sum = 0.0
                var count = 0.0
                for row in values[r..<min(r + rowStep, values.count)] {
                    for value in row[c..<min(c + columnStep, row.count)] where value.isFinite {
                        (sum, count) = (sum + value, count + 1)
                    }
                }
                return count > 0 ? sum / count : .nan
            }
        }
        return Reduced(values: means, rowStep: rowStep, columnStep: columnStep)
    }
}
