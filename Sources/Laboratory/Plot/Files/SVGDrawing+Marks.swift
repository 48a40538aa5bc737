import BSSCore

extension SVGDrawing {
    mutating func curves() {
        for (k, one) in figure.series.enumerated() {
            guard let low = one.low, let high = one.high else { continue }
            var piece: [Int] = []
            for i in one.y.indices.map({ $0 }) + [-1] {
                if i >= 0, figure.isDrawable(one.x[i], low[i]), figure.isDrawable(one.x[i], high[i]) {
                    piece.append(i)
                } else if !piece.isEmpty {
                    page.polygon(
                        piece.map { (px(one.x[$0]), py(high[$0])) }
                            + piece.reversed().map { (px(one.x[$0]), py(low[$0])) }, Figure.colour(k), opacity: 0.2)
                    piece = []
                }
            }
        }
        for (k, one) in figure.series.enumerated() {
            for path in figure.paths(one.x, one.y, x, y, resolution: 1200) {
                let points = path.map { point($0) }
                if points.count > 1 { page.polyline(points, Figure.colour(k)) }
                if one.y.count <= 40 || points.count == 1 {
                    for p in points { page.circle(p.0, p.1, 3, Figure.colour(k)) }
                }
            }
        }
    }

    /// Points that would cover each other within half a unit (two units if there are many) are drawn once.
    mutating func points() {
        for (k, one) in figure.series.enumerated() {
            var drawn: Set<Int> = []
            let radius = one.y.count > 2000 ? 1.5 : 3.0
            let grid = one.y.count > 20_000 ? 0.5 : 2
            for i in one.y.indices where figure.isDrawable(one.x[i], one.y[i]) {
                let vx = px(one.x[i])
                let vy = py(one.y[i])
                guard vx >= left - 5, vx <= right + 5, vy >= top - 5, vy <= bottom + 5,
                    drawn.insert(Int(vx * grid) * 10_000 + Int(vy * grid)).inserted
                else { continue }
                page.circle(vx, vy, radius, Figure.colour(k), opacity: 0.7)
            }
        }
    }

    /// A histogram: columns, or outlines over light columns if there are several.
    mutating func columns() {
        let base = y.isLog ? bottom : py(0)
        for (k, one) in figure.series.enumerated() {
            for i in one.y.indices where one.y[i] > 0 {
                page.rectangle(
                    px(figure.edges[i]), py(one.y[i]), px(figure.edges[i + 1]), base, fill: Figure.colour(k),
                    opacity: figure.series.count > 1 ? 0.4 : 1,
                    stroke: figure.series.count > 1 ? Figure.colour(k) : "white")
            }
        }
    }

    mutating func bars() {
        let groups = figure.barGroups
        let count = Double(figure.series.count)
        let pitch = (right - left) / Double(max(groups.count, 1))
        let base = y.isLog ? bottom : py(0)
        valueAxis()
        page.beginClip(left, top, right, bottom)
        for (k, one) in figure.series.enumerated() {
            let places = Dictionary(one.x.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
            for (g, group) in groups.enumerated() {
                guard let i = places[group.x], figure.isDrawable(group.x, one.y[i]) else { continue }
                let start = left + pitch * (Double(g) + 0.1 + 0.8 * Double(k) / count)
                let size = pitch * 0.8 / count * 0.95
                page.rectangle(start, py(one.y[i]), start + size, base, fill: Figure.colour(k))
                guard let low = one.low?[i], let high = one.high?[i], low.isFinite, high.isFinite else { continue }
                page.line(start + size / 2, py(y.isLog ? max(low, y.low) : low), start + size / 2, py(high), "black")
            }
        }
        page.endClip()
        names(groups.enumerated().map { (left + pitch * (Double($0) + 0.5), $1.label) })
        frame()
        if !y.isLog, y.low < 0 { page.line(left, base, right, base, "black") }
    }

    /// Boxes with whiskers, and the values as dots beside their middle line.
    mutating func boxes() {
        let pitch = (right - left) / Double(figure.series.count)
        valueAxis()
        page.beginClip(left, top, right, bottom)
        for (k, one) in figure.series.enumerated() {
            guard let spread = Spread(one.y, isLog: figure.yScale.isLog) else { continue }
            let middle = left + pitch * (Double(k) + 0.5)
            let half = min(pitch * 0.3, 40)
            let colour = Figure.colour(k)
            page.line(middle, py(spread.lowerWhisker), middle, py(spread.lowerQuartile), "black")
            page.line(middle, py(spread.upperQuartile), middle, py(spread.upperWhisker), "black")
            for end in [spread.lowerWhisker, spread.upperWhisker] {
                page.line(middle - half / 2, py(end), middle + half / 2, py(end), "black")
            }
            page.rectangle(
                middle - half, py(spread.upperQuartile), middle + half, py(spread.lowerQuartile), fill: colour,
                opacity: 0.4, stroke: "black")
            page.line(middle - half, py(spread.median), middle + half, py(spread.median), "black", width: 2)
            // Neighbouring values sit side by side: a fixed pattern, so that the bytes repeat.
            for (i, value) in spread.dots.enumerated() {
                page.circle(middle + (Double(i % 3) - 1) * min(6, half / 3), py(value), 2.5, colour)
            }
        }
        page.endClip()
        names(figure.series.enumerated().map { (left + pitch * (Double($0) + 0.5), $1.name) })
        frame()
    }

    /// Cells with their numbers if there are few, and the scale at the right.
    mutating func heatmap() {
        guard let map else { return }
        let rows = map.values.count
        let count = map.values.first?.count ?? 0
        let w = (right - left) / Double(max(count, 1))
        let h = (bottom - top) / Double(max(rows, 1))
        for (r, row) in map.values.enumerated() {
            for (c, value) in row.enumerated() {
                let x1 = left + Double(c) * w
                let y1 = top + Double(r) * h
                let shade = y.isLog && value <= 0 ? nil : value.isFinite ? min(max(y.fraction(value), 0), 1) : nil
                page.rectangle(x1, y1, x1 + w, y1 + h, fill: shade.map(Figure.shade) ?? "#bbbbbb")
                if !map.isReduced, w >= 26, h >= 12 {
                    page.text(
                        map.labels[r][c], x1 + w / 2, y1 + h / 2 + 4, size: 10,
                        colour: (shade ?? 1) < 0.5 ? "white" : "black")
                }
            }
            let every = max(1, Int(saturating: (11 / h).rounded(.up)))
            if map.rowStep == 1, r % every == 0 {
                page.text(
                    figure.series[r].name, left - 6, top + (Double(r) + 0.5) * h + 4, anchor: "end",
                    size: min(11, max(7, Int(h))))
            }
        }
        if map.columnStep == 1 { names((0..<count).map { (left + (Double($0) + 0.5) * w, figure.columnName($0)) }) }
        for step in 0..<64 {
            let y1 = bottom - Double(step) / 64 * (bottom - top)
            let y2 = bottom - Double(step + 1) / 64 * (bottom - top)
            page.rectangle(right + 14, y1, right + 28, y2 - 0.5, fill: Figure.shade((Double(step) + 0.5) / 64))
        }
        for tick in y.ticks where (-1e-9...1 + 1e-9).contains(y.fraction(tick.value)) {
            page.text(tick.label, right + 32, py(tick.value) + 4, anchor: "start", size: 10)
        }
    }
}

extension Figure {
    /// Nine colours of viridis (van der Walt and Smith 2015), which is even in lightness, with straight lines between.
    private static let shades: [(Double, Double, Double)] = [
        (68, 1, 84), (72, 40, 120), (62, 74, 137), (49, 104, 142), (38, 130, 142), (31, 158, 137), (53, 183, 121),
        (109, 205, 89), (253, 231, 37),
    ]

    /// The colour of a fraction 0 … 1.
    static func shade(_ fraction: Double) -> String {
        let place = min(max(fraction, 0), 1) * Double(shades.count - 1)
        let k = min(Int(saturating: place), shades.count - 2)
        let t = place - Double(k)
        let (a, b) = (shades[k], shades[k + 1])
        func mix(_ a: Double, _ b: Double) -> String { Text.format("%02x", Int32((a + (b - a) * t).rounded())) }
        return "#" + mix(a.0, b.0) + mix(a.1, b.1) + mix(a.2, b.2)
    }
}
