import BSSCore

extension Figure {
    /// Values with horizontal intervals over named rows, the first above.
    func forestCommands() -> [String] {
        let groups = barGroups
        let place = Dictionary(
            groups.enumerated().map { ($1.x, Double(groups.count - $0)) }, uniquingKeysWith: { first, _ in first })
        let names = groups.map { (Figure.quoted($0.label), place[$0.x] ?? 0) }
        var lines = [
            "set ytics (" + names.map { "\($0.0) \(Text.number($0.1))" }.joined(separator: ", ") + ") noenhanced",
            "set xlabel \(Figure.quoted(yLabel)) noenhanced", "set ylabel ''", "set grid xtics",
            "set yrange [0.5:\(groups.count).5]", "set xzeroaxis",
            "set arrow 1 from 0, graph 0 to 0, graph 1 nohead dt 2",
        ]
        if let range = yScale.range {
            lines.append("set xrange [\(Text.number(range.lowerBound)):\(Text.number(range.upperBound))]")
        }
        for (k, one) in series.enumerated() {
            let shift = (Double(series.count - 1) / 2 - Double(k)) * 0.2
            lines += block(
                k,
                one.y.indices.compactMap { i in
                    place[one.x[i]].map { [one.y[i], $0 + shift, one.low?[i] ?? one.y[i], one.high?[i] ?? one.y[i]] }
                })
        }
        return lines
            + plot(
                series.enumerated().map { k, one in
                    "$data\(k) using 1:2:3:4 with xerrorbars pt 7 ps 0.6 lc rgb '\(Figure.colour(k))' \(name(one))"
                })
    }
}
