import BSSCore

extension TextPlot {
    /// Lines and points. Several series carry their signs, so that they can be told apart without colours.
    mutating func curves() {
        var frame = frame()
        var canvas = DotCanvas(columns: frame.columns, rows: frame.rows, isUnicode: display.isUnicode)
        let isLine = figure.kind == .line
        for (k, one) in figure.series.enumerated() where isLine { shade(one, k, frame, on: &canvas) }
        for (k, one) in figure.series.enumerated() {
            if isLine {
                for path in figure.paths(one.x, one.y, frame.x, frame.y, resolution: canvas.width) {
                    canvas.path(path, series: k)
                }
            } else {
                for i in one.y.indices where figure.isDrawable(one.x[i], one.y[i]) {
                    let (x, y) = canvas.dot(.init(x: frame.x.fraction(one.x[i]), y: frame.y.fraction(one.y[i])))
                    canvas.set(x, y, series: k)
                }
            }
        }
        let signs = isLine ? lineSigns(frame, canvas) : pointSigns(frame, canvas)
        canvas.draw(on: &frame.grid, row: 0, column: frame.gutter, mark: mark)
        for sign in signs {
            frame.grid[sign.row, frame.gutter + sign.column] = TextGrid.Cell(
                text: String(mark(sign.series)), ink: sign.series + 1)
        }
        finish(frame)
    }

    private func shade(_ one: Figure.Series, _ k: Int, _ frame: TextFrame, on canvas: inout DotCanvas) {
        guard let low = one.low, let high = one.high else { return }
        var edges: (low: [Figure.Place], high: [Figure.Place]) = ([], [])
        for i in one.y.indices {
            if figure.isDrawable(one.x[i], low[i]), figure.isDrawable(one.x[i], high[i]) {
                edges.low.append(.init(x: frame.x.fraction(one.x[i]), y: frame.y.fraction(low[i])))
                edges.high.append(.init(x: frame.x.fraction(one.x[i]), y: frame.y.fraction(high[i])))
            } else {
                canvas.shade(edges.low, edges.high, series: k)
                edges = ([], [])
            }
        }
        canvas.shade(edges.low, edges.high, series: k)
    }

    private typealias Sign = (row: Int, column: Int, series: Int)

    /// Signs at data points, about ten columns apart, in turn for each series; of a single series, only at points
    /// without neighbours.
    private func lineSigns(_ frame: TextFrame, _ canvas: DotCanvas) -> [Sign] {
        let isAlone = figure.series.count == 1
        var signs: [Sign] = []
        var taken: Set<Int> = []
        for (k, one) in figure.series.enumerated() {
            var next = k * 3 % 10
            for path in figure.paths(one.x, one.y, frame.x, frame.y, resolution: canvas.width)
            where !isAlone || path.count == 1 {
                for place in path {
                    guard let cell = canvas.cell(place), cell.column >= next || place == path.last,
                        taken.insert(cell.row * frame.columns + cell.column).inserted
                    else { continue }
                    signs.append((cell.row, cell.column, k))
                    next = cell.column + 10
                }
            }
        }
        return signs
    }

    /// With several groups, each cell shows the sign of the group that has most points in it; few points of one group
    /// show as signs too.
    private func pointSigns(_ frame: TextFrame, _ canvas: DotCanvas) -> [Sign] {
        guard figure.series.count > 1 || figure.series[0].y.count <= 100 else { return [] }
        var counts = Array(repeating: 0, count: frame.rows * frame.columns)
        var best = counts
        var winner = counts
        for (k, one) in figure.series.enumerated() {
            var touched: [Int] = []
            for i in one.y.indices where figure.isDrawable(one.x[i], one.y[i]) {
                guard let cell = canvas.cell(.init(x: frame.x.fraction(one.x[i]), y: frame.y.fraction(one.y[i]))) else {
                    continue
                }
                let index = cell.row * frame.columns + cell.column
                if counts[index] == 0 { touched.append(index) }
                counts[index] += 1
                if counts[index] > best[index] { (best[index], winner[index]) = (counts[index], k) }
            }
            for index in touched { counts[index] = 0 }
        }
        return best.indices.filter { best[$0] > 0 }.map { ($0 / frame.columns, $0 % frame.columns, winner[$0]) }
    }

    // MARK: Histogram

    /// One distribution as columns, several as outlines.
    mutating func histogram() {
        guard figure.series.count == 1 else { return outlines() }
        var frame = frame()
        let blocks = display.isUnicode ? Array("▁▂▃▄▅▆▇█") : [".", "#"].map(Character.init)
        let counts = figure.series[0].y
        let bins = figure.edges.count - 1
        for c in 0..<frame.columns {
            let at = frame.x.low + (frame.x.high - frame.x.low) * (Double(c) + 0.5) / Double(frame.columns)
            let place = (at - figure.edges[0]) / (figure.edges[bins] - figure.edges[0]) * Double(bins)
            guard place >= 0, place < Double(bins), counts[Int(saturating: place)] > 0 else { continue }
            let height = min(max(frame.y.fraction(counts[Int(saturating: place)]), 0), 1) * Double(frame.rows)
            // At least the lowest block, so that a single value among thousands is seen.
            let eighths = max(1, Int(saturating: (height * Double(blocks.count)).rounded()))
            for r in 0..<frame.rows {
                let level = eighths - r * blocks.count
                if level > 0 {
                    frame.grid[frame.rows - 1 - r, frame.gutter + c] = TextGrid.Cell(
                        text: String(blocks[min(level, blocks.count) - 1]), ink: 1)
                }
            }
        }
        finish(frame)
    }

    private mutating func outlines() {
        var outline = figure
        outline.kind = .line
        for k in outline.series.indices {
            let counts = figure.series[k].y
            outline.series[k].x = figure.edges.flatMap { [$0, $0] }
            outline.series[k].y = [0] + counts.flatMap { [$0, $0] } + [0]
        }
        (outline.title, outline.remarks) = ("", [])
        var plot = TextPlot(outline, display, rows: rows)
        plot.curves()
        for line in plot.lines { append(line) }
    }
}
