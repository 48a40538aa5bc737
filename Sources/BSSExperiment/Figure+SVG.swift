import BSSCore

extension Figure {
    private struct Axis {
        var low: Double
        var high: Double
        var ticks: [Double]
        var decimals: Int

        /// Round steps of 1, 2 or 5 times a power of ten, about `count` of them, that cover the values.
        init(_ values: [Double], count: Double, includesZero: Bool) {
            var low = values.min() ?? 0, high = values.max() ?? 1
            if includesZero { (low, high) = (min(low, 0), max(high, 0)) }
            if high - low < 1e-12 * max(abs(low), abs(high), 1e-300) {
                let margin = max(abs(high) * 0.1, 0.5)
                (low, high) = (low - margin, high + margin)
            }
            let rough = (high - low) / count
            let power = (Math.log(rough) / Math.log(10)).rounded(.down)
            let unit = Math.pow(10, power)
            let step = unit * ([1, 2, 5, 10].first { $0 * unit >= rough * 0.999 } ?? 10)
            self.low = (low / step).rounded(.down) * step
            self.high = (high / step).rounded(.up) * step
            let first = (self.low / step).rounded()
            ticks = (0...min(50, Int(((self.high - self.low) / step).rounded()))).map { (first + Double($0)) * step }
            decimals = max(0, Int(-(Math.log(step * 1.000001) / Math.log(10)).rounded(.down)))
        }
    }

    /// The drawing; the same figure gives the same bytes.
    public func svg() throws -> String {
        try check()
        let width = 640.0, height = 420.0
        let left = 70.0, right = width - 20, top = title.isEmpty ? 20.0 : 40.0
        let legendRows = Double((series.count + 2) / 3)
        let bottom = height - 62 - legendRows * 18
        let isBar = kind == .bar
        let y = Axis(series.flatMap { $0.y + ($0.low ?? []) + ($0.high ?? []) }, count: 6, includesZero: isBar)
        let positions = categories.isEmpty ? series.flatMap(\.x) : (1...categories.count).map(Double.init)
        var x = Axis(positions, count: 8, includesZero: false)
        if isBar || !categories.isEmpty { (x.low, x.high) = ((positions.min() ?? 1) - 0.5, (positions.max() ?? 1) + 0.5) }
        func px(_ value: Double) -> Double { left + (value - x.low) / (x.high - x.low) * (right - left) }
        func py(_ value: Double) -> Double { bottom - (value - y.low) / (y.high - y.low) * (bottom - top) }
        func n(_ value: Double) -> String { Text.fixed(value, 2) }
        func text(_ string: String, _ tx: Double, _ ty: Double, anchor: String = "middle", size: Int = 12, extra: String = "") -> String {
            "<text x=\"\(n(tx))\" y=\"\(n(ty))\" text-anchor=\"\(anchor)\" font-size=\"\(size)\"\(extra)>\(Figure.escaped(string))</text>"
        }
        func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) -> String {
            "<line x1=\"\(n(x1))\" y1=\"\(n(y1))\" x2=\"\(n(x2))\" y2=\"\(n(y2))\" \(style)/>"
        }
        var out = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(width)) \(Int(height))\" width=\"\(Int(width))\" height=\"\(Int(height))\" font-family=\"Helvetica, Arial, sans-serif\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
        ]
        if !title.isEmpty { out.append(text(title, (left + right) / 2, 24, size: 14)) }
        for tick in y.ticks {
            out.append(line(left, py(tick), right, py(tick), "stroke=\"#dddddd\""))
            out.append(text(Text.fixed(tick, y.decimals), left - 6, py(tick) + 4, anchor: "end", size: 11))
        }
        if categories.isEmpty {
            let ticks = isBar ? Array(Set(positions)).sorted() : x.ticks
            for tick in ticks { out.append(text(isBar ? Text.number(tick) : Text.fixed(tick, x.decimals), px(tick), bottom + 16, size: 11)) }
        } else {
            for (k, name) in categories.enumerated() { out.append(text(name, px(Double(k + 1)), bottom + 16, size: 11)) }
        }
        for (k, one) in series.enumerated() {
            let color = Figure.palette[k % Figure.palette.count]
            out += isBar ? bars(one, k, color, px, py, line, n) : curve(one, color, px, py, n)
            let column = Double(k % 3), row = Double(k / 3)
            let lx = left + column * (right - left) / 3, ly = bottom + 54 + row * 18
            out.append("<rect x=\"\(n(lx))\" y=\"\(n(ly - 9))\" width=\"14\" height=\"10\" fill=\"\(color)\"/>")
            out.append(text(one.name, lx + 20, ly, anchor: "start"))
        }
        out.append(line(left, bottom, right, bottom, "stroke=\"black\""))
        out.append(line(left, top, left, bottom, "stroke=\"black\""))
        out.append(text(xLabel, (left + right) / 2, bottom + 34))
        out.append(text(yLabel, 16, (top + bottom) / 2, extra: " transform=\"rotate(-90 16 \(n((top + bottom) / 2)))\""))
        if let bandNote { out.append(text(bandNote, right, height - 6, anchor: "end", size: 10)) }
        return (out + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private func bars(
        _ one: Series, _ k: Int, _ color: String, _ px: (Double) -> Double, _ py: (Double) -> Double, _ line: (Double, Double, Double, Double, String) -> String,
        _ n: (Double) -> String
    ) -> [String] {
        let share = 0.8 / Double(series.count)
        return one.y.indices.flatMap { i -> [String] in
            let start = one.x[i] - 0.4 + Double(k) * share
            let x1 = px(start), x2 = px(start + share * 0.95), y1 = py(max(one.y[i], 0)), y2 = py(min(one.y[i], 0))
            var out = ["<rect x=\"\(n(x1))\" y=\"\(n(y1))\" width=\"\(n(x2 - x1))\" height=\"\(n(max(y2 - y1, 0)))\" fill=\"\(color)\"/>"]
            if let low = one.low, let high = one.high { out.append(line((x1 + x2) / 2, py(low[i]), (x1 + x2) / 2, py(high[i]), "stroke=\"black\"")) }
            return out
        }
    }

    private func curve(_ one: Series, _ color: String, _ px: (Double) -> Double, _ py: (Double) -> Double, _ n: (Double) -> String) -> [String] {
        func points(_ xs: [Double], _ ys: [Double]) -> String { zip(xs, ys).map { "\(n(px($0))),\(n(py($1)))" }.joined(separator: " ") }
        var out: [String] = []
        if let low = one.low, let high = one.high {
            out.append("<polygon points=\"\(points(one.x, high)) \(points(one.x.reversed(), low.reversed()))\" fill=\"\(color)\" fill-opacity=\"0.2\"/>")
        }
        out.append("<polyline points=\"\(points(one.x, one.y))\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"2\"/>")
        if one.y.count <= 40 { for (vx, vy) in zip(one.x, one.y) { out.append("<circle cx=\"\(n(px(vx)))\" cy=\"\(n(py(vy)))\" r=\"3\" fill=\"\(color)\"/>") } }
        return out
    }

    private static func escaped(_ text: String) -> String {
        text.map { c -> String in
            switch c {
            case "&": return "&amp;"
            case "<": return "&lt;"
            case ">": return "&gt;"
            case "\"": return "&quot;"
            default: return String(c)
            }
        }.joined()
    }
}
