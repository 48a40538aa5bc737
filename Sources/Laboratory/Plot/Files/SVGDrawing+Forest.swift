import BSSCore

extension Figure {
    /// Lines of a forest: of every group, each series that has it.
    var forestRows: Int { barGroups.reduce(0) { sum, group in sum + series.count { $0.x.contains(group.x) } } }
}

extension SVGDrawing {
    /// Values and intervals, a row each; the value axis lies below, zero is a dashed line.
    mutating func forest() {
        let groups = figure.barGroups
        let pitch = (bottom - top) / Double(max(figure.forestRows, 1))
        func place(_ value: Double) -> Double { left + y.fraction(value) * (right - left) }
        for tick in y.ticks where (-1e-9...1 + 1e-9).contains(y.fraction(tick.value)) {
            page.line(place(tick.value), top, place(tick.value), bottom, "#dddddd")
            page.text(tick.label, place(tick.value), bottom + 16, size: 11)
        }
        if (-1e-9...1 + 1e-9).contains(y.fraction(0)) {
            page.line(place(0), top, place(0), bottom, "#444444", width: 1.5)
        }
        var row = 0.0
        for group in groups {
            let first = row
            for (k, one) in figure.series.enumerated() {
                guard let i = one.x.firstIndex(of: group.x) else { continue }
                let height = top + (row + 0.5) * pitch
                row += 1
                page.beginClip(left, top, right, bottom)
                if let low = one.low?[i], let high = one.high?[i], low.isFinite, high.isFinite {
                    page.line(place(low), height, place(high), height, Figure.colour(k), width: 2)
                    for end in [low, high] {
                        page.line(place(end), height - 4, place(end), height + 4, Figure.colour(k), width: 2)
                    }
                }
                if one.y[i].isFinite { page.circle(place(one.y[i]), height, 4, Figure.colour(k)) }
                page.endClip()
            }
            page.text(group.label, left - 8, top + (first + row) / 2 * pitch + 4, anchor: "end", size: 11)
        }
        page.line(left, bottom, right, bottom, "black")
        page.text(figure.yLabel, (left + right) / 2, bottom + 36)
    }
}
