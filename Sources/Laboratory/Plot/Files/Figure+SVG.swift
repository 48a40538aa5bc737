import BSSCore

extension Figure {
    /// The drawing; the same figure gives the same bytes.
    public func svg() throws -> String {
        try check()
        return SVGDrawing(self).document
    }
}

/// A figure on its way to SVG.
struct SVGDrawing {
    let figure: Figure
    let left: Double
    let right: Double
    let top: Double
    let bottom: Double
    let x: Axis
    let y: Axis
    /// The cells of a heat map: no more than the eye can tell apart.
    let map: HeatMap.Reduced?
    var page: SVGPage
    private let notes: [String]

    init(_ figure: Figure) {
        self.figure = figure
        map = figure.kind == .heatmap ? HeatMap(figure).reduced(rows: 200, columns: 300) : nil
        notes = (figure.notes + (map?.note.map { [$0] } ?? [])).flatMap { SVGDrawing.wrapped($0, 110) }
        let legendRows =
            figure.hasLegend && figure.kind != .heatmap && figure.kind != .box ? (figure.series.count + 2) / 3 : 0
        let width = 640.0
        let extra =
            figure.kind == .heatmap
            ? max(0, Double(min(figure.series.count, 60)) * 14 - 280)
            : figure.kind == .forest ? Double(max(figure.forestRows, 4)) * 24 - 300 : 0
        let height = 376 + extra + Double(legendRows * 18) + Double(notes.count * 13)
        page = SVGPage(width: width, height: height)
        let rowNames =
            figure.kind == .heatmap
            ? figure.series.map(\.name) : figure.kind == .forest ? figure.barGroups.map(\.label) : nil
        y =
            figure.kind == .heatmap
            ? HeatMap(figure).axis : figure.kind == .box ? figure.boxAxis(ticks: 6) : figure.yAxis(ticks: 6)
        x = figure.xAxis(ticks: 8)
        let longest =
            rowNames.map { $0.map(Text.columns).max() ?? 0 } ?? y.ticks.map(\.label.count).max() ?? 0
        left = min(200, max(58, 34 + Double(longest) * 6.5))
        right = width - (figure.kind == .heatmap ? 84 : 20)
        top = figure.title.isEmpty ? 20 : 40
        bottom = height - 48 - Double(legendRows * 18) - Double(notes.count * 13)
    }

    func px(_ value: Double) -> Double { left + x.fraction(value) * (right - left) }
    func py(_ value: Double) -> Double { bottom - y.fraction(value) * (bottom - top) }
    func point(_ place: Figure.Place) -> (Double, Double) {
        (left + place.x * (right - left), bottom - place.y * (bottom - top))
    }

    var document: String {
        var drawing = self
        drawing.draw()
        drawing.page.title = figure.inWords
        return drawing.page.document
    }

    private mutating func draw() {
        if !figure.title.isEmpty { page.text(figure.title, (left + right) / 2, 24, size: 14) }
        switch figure.kind {
        case .heatmap: heatmap()
        case .bar: bars()
        case .box: boxes()
        case .forest: forest()
        case .line, .scatter, .histogram:
            valueAxis()
            positionAxis()
            page.beginClip(left - 4, top - 4, right + 4, bottom + 4)
            if figure.kind == .line { curves() } else if figure.kind == .scatter { points() } else { columns() }
            page.endClip()
            frame()
        }
        labels()
        if figure.kind != .heatmap, figure.kind != .box { legend() }
        for (k, note) in notes.enumerated() {
            page.text(note, right, page.height - 6 - Double(notes.count - 1 - k) * 13, anchor: "end", size: 10)
        }
    }

    // MARK: Axes

    mutating func valueAxis() {
        for tick in y.ticks where (-1e-9...1 + 1e-9).contains(y.fraction(tick.value)) {
            page.line(left, py(tick.value), right, py(tick.value), "#dddddd")
            page.text(tick.label, left - 6, py(tick.value) + 4, anchor: "end", size: 11)
        }
    }

    private mutating func positionAxis() {
        guard figure.categories.isEmpty else {
            return names(figure.categories.enumerated().map { (px(Double($0 + 1)), $1) })
        }
        for tick in x.ticks where (-1e-9...1 + 1e-9).contains(x.fraction(tick.value)) {
            page.line(px(tick.value), bottom, px(tick.value), bottom + 4, "black")
            page.text(tick.label, px(tick.value), bottom + 16, size: 11)
        }
    }

    /// Names below the axis: slanted if they would touch, every n-th if even that is too dense.
    mutating func names(_ names: [(place: Double, name: String)]) {
        let pitch = (right - left) / Double(max(names.count, 1))
        let longest = Double(names.map { Text.columns($0.name) }.max() ?? 0) * 6.2
        let stride = max(1, Int(saturating: (11 / pitch).rounded(.up)))
        for (k, entry) in names.enumerated() where k % stride == 0 {
            if longest <= pitch - 2 {
                page.text(entry.name, entry.place, bottom + 16, size: 11)
            } else {
                let short = entry.name.count > 12 ? String(entry.name.prefix(11)) + "…" : entry.name
                page.text(short, entry.place + 3, bottom + 12, anchor: "end", size: 9, rotation: -30)
            }
        }
    }

    mutating func frame() {
        page.line(left, bottom, right, bottom, "black")
        page.line(left, top, left, bottom, "black")
    }

    private mutating func labels() {
        if !figure.xLabel.isEmpty { page.text(figure.xLabel, (left + right) / 2, bottom + 36) }
        if figure.kind == .heatmap {
            if !figure.yLabel.isEmpty { page.text(figure.yLabel, page.width - 8, (top + bottom) / 2, rotation: -90) }
        } else if !figure.yLabel.isEmpty, figure.kind != .forest {
            page.text(figure.yLabel, 16, (top + bottom) / 2, rotation: -90)
        }
    }

    private mutating func legend() {
        guard figure.hasLegend else { return }
        for (k, one) in figure.series.enumerated() {
            let lx = left + Double(k % 3) * (right - left) / 3
            let ly = bottom + 58 + Double(k / 3) * 18
            page.rectangle(lx, ly - 9, lx + 14, ly + 1, fill: Figure.colour(k))
            page.text(one.name.count > 28 ? String(one.name.prefix(27)) + "…" : one.name, lx + 20, ly, anchor: "start")
        }
    }

    private static func wrapped(_ text: String, _ limit: Int) -> [String] {
        var lines = [""]
        for word in text.split(separator: " ") {
            if !lines[lines.count - 1].isEmpty, lines[lines.count - 1].count + word.count >= limit { lines.append("") }
            lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
        }
        return lines
    }
}
