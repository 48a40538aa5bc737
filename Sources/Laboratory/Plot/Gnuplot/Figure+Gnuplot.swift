import BSSCore

extension Figure {
    /// The forms that gnuplot writes.
    public enum Picture: String, CaseIterable, Sendable { case pdf, png, sixel }

    /// Sizes for papers, in centimetres.
    public enum Size: String, CaseIterable, Sendable {
        /// One column of a two-column paper.
        case column
        /// The text width of a one-column paper.
        case text
        /// Both columns.
        case page

        var centimetres: (width: Double, height: Double) {
            switch self {
            case .column: return (8.5, 6)
            case .text: return (12, 8)
            case .page: return (17.5, 8.5)
            }
        }
    }

    /// A gnuplot script with the data in it: `gnuplot name.gp` draws `output`.
    public func gnuplot(output: String, as picture: Picture = .pdf, size: Size = .text) throws -> String {
        try check()
        let q = Figure.quoted
        let (width, height) = size.centimetres
        let font = size == .column ? 8 : 10
        var lines: [String]
        switch picture {
        case .pdf:
            lines = [
                "set terminal pdfcairo size \(Text.number(width))cm,\(Text.number(height))cm font 'Helvetica,\(font)'"
            ]
        case .png:
            lines = [
                "set terminal pngcairo size \(Int(width * 80)),\(Int(saturating: height * 80)) font 'Helvetica,\(font)'"
            ]
        case .sixel: lines = ["set terminal sixelgd size \(Int(width * 60)),\(Int(saturating: height * 60))"]
        }
        lines += [
            "set output \(q(output))", "set title \(q(title)) noenhanced", "set xlabel \(q(xLabel)) noenhanced",
            "set ylabel \(q(yLabel)) noenhanced",
        ]
        lines += [
            "set encoding utf8", "set datafile separator ','", "set key below", "set grid ytics", "set border 3",
            "set tics nomirror", "set format '%g'",
        ]
        for (name, scale) in [("x", xScale), ("y", yScale)] {
            if scale.isLog { lines.append("set logscale \(name)") }
            if let range = scale.range {
                lines.append(
                    "set \(kind == .heatmap && name == "y" ? "cb" : name)range "
                        + "[\(Text.number(range.lowerBound)):\(Text.number(range.upperBound))]"
                )
            }
        }
        if !notes.isEmpty {
            lines.append(
                "set bmargin 6\nset label 99 \(q(notes.joined(separator: "; "))) at screen 0.99,0.03 "
                    + "right font ',\(font - 3)' noenhanced"
            )
        }
        switch kind {
        case .line, .scatter: lines += curveCommands()
        case .bar: lines += barCommands()
        case .histogram: lines += histogramCommands()
        case .box: lines += boxCommands()
        case .heatmap: lines += heatmapCommands()
        case .forest: lines += forestCommands()
        }
        return (lines + ["unset output"]).joined(separator: "\n") + "\n"
    }

    /// In single quotes nothing is executed or expanded; line ends are not allowed there.
    static func quoted(_ text: String) -> String {
        "'" + text.unicodeScalars.map { $0 == "'" ? "''" : $0.value < 0x20 ? " " : String($0) }.joined() + "'"
    }

    func block(_ k: Int, _ rows: [[Double]]) -> [String] {
        ["$data\(k) << EOD"]
            + rows.map { row in row.map { $0.isFinite ? Text.number($0) : "nan" }.joined(separator: ",") } + ["EOD"]
    }
    func ticks(_ names: [(String, Double)]) -> String {
        let turned = names.reduce(0) { $0 + $1.0.count + 2 } > 60 ? " rotate by -30" : ""
        return "set xtics (" + names.map { "\(Figure.quoted($0)) \(Text.number($1))" }.joined(separator: ", ")
            + ")\(turned) noenhanced"
    }
    func plot(_ parts: [String]) -> [String] { ["plot " + parts.joined(separator: ", \\\n     ")] }
    func name(_ one: Series) -> String {
        one.name.isEmpty ? "notitle" : "title \(Figure.quoted(one.name)) noenhanced"
    }

    private func curveCommands() -> [String] {
        var lines =
            categories.isEmpty
            ? []
            : [ticks(categories.enumerated().map { ($1, Double($0 + 1)) }), "set xrange [0.5:\(categories.count).5]"]
        for (k, one) in series.enumerated() {
            lines += block(
                k, one.y.indices.map { [one.x[$0], one.y[$0], one.low?[$0] ?? one.y[$0], one.high?[$0] ?? one.y[$0]] })
        }
        return lines
            + plot(
                series.enumerated().flatMap { k, one -> [String] in
                    let colour = "lc rgb '\(Figure.colour(k))'"
                    if kind == .scatter {
                        return ["$data\(k) using 1:2 with points pt 7 ps 0.4 \(colour) \(name(one))"]
                    }
                    return
                        (one.low == nil
                        ? []
                        : [
                            "$data\(k) using 1:3:4 with filledcurves fs transparent solid 0.2 noborder "
                                + "\(colour) notitle"
                        ])
                        + [
                            "$data\(k) using 1:2 with "
                                + "\(one.y.count <= 40 ? "linespoints pt 7 ps 0.4" : "lines") \(colour) "
                                + "\(name(one))"
                        ]
                })
    }

    private func barCommands() -> [String] {
        let groups = barGroups
        let width = 0.8 / Double(series.count)
        let place = Dictionary(
            groups.enumerated().map { ($1.x, Double($0 + 1)) }, uniquingKeysWith: { first, _ in first })
        var lines = [
            ticks(groups.enumerated().map { ($1.label, Double($0 + 1)) }), "set style fill solid 0.8",
            "set boxwidth \(Text.fixed(width, 4))",
        ]
        if yScale.range == nil, !yScale.isLog, series.allSatisfy({ $0.y.allSatisfy { !($0 < 0) } }) {
            lines.append("set yrange [0:*]")
        }
        for (k, one) in series.enumerated() {
            let shift = (Double(k) - Double(series.count - 1) / 2) * width
            lines += block(
                k,
                one.y.indices.compactMap { i in
                    place[one.x[i]].map { [$0 + shift, one.y[i], one.low?[i] ?? one.y[i], one.high?[i] ?? one.y[i]] }
                })
        }
        return lines
            + plot(
                series.enumerated().flatMap { k, one in
                    ["$data\(k) using 1:2 with boxes lc rgb '\(Figure.colour(k))' \(name(one))"]
                        + (one.low == nil
                            ? [] : ["$data\(k) using 1:2:3:4 with yerrorbars lc rgb 'black' pt 0 notitle"])
                })
    }

    private func histogramCommands() -> [String] {
        var lines = ["set style fill \(series.count > 1 ? "transparent solid 0.4" : "solid 0.8") border"]
        if yScale.range == nil, !yScale.isLog { lines.append("set yrange [0:*]") }
        for (k, one) in series.enumerated() {
            lines += block(
                k, one.y.indices.map { [(edges[$0] + edges[$0 + 1]) / 2, one.y[$0], edges[$0 + 1] - edges[$0]] })
        }
        return lines
            + plot(
                series.enumerated().map { k, one in
                    "$data\(k) using 1:2:3 with boxes lc rgb '\(Figure.colour(k))' \(name(one))"
                })
    }

    private func boxCommands() -> [String] {
        var lines = [
            ticks(series.enumerated().map { ($1.name, Double($0 + 1)) }),
            "set style fill solid 0.4 border lc rgb 'black'", "set boxwidth 0.5", "set xrange [0.5:\(series.count).5]",
            "unset key",
        ]
        var parts: [String] = []
        for (k, one) in series.enumerated() {
            guard let spread = Spread(one.y, isLog: yScale.isLog) else { continue }
            let at = Double(k + 1)
            lines += block(
                k,
                [
                    [
                        at, spread.lowerQuartile, spread.lowerWhisker, spread.upperWhisker, spread.upperQuartile,
                        spread.median,
                    ]
                ])
            parts.append("$data\(k) using 1:2:3:4:5 with candlesticks whiskerbars 0.5 lc rgb '\(Figure.colour(k))'")
            parts.append("$data\(k) using 1:6:6:6:6 with candlesticks lc rgb 'black' lw 2")
            if !spread.dots.isEmpty {
                lines += block(series.count + k, spread.dots.map { [at + 0.35, $0] })
                parts.append("$data\(series.count + k) using 1:2 with points pt 7 ps 0.4 lc rgb '\(Figure.colour(k))'")
            }
        }
        return lines + (parts.isEmpty ? ["set yrange [0:1]", "plot NaN notitle"] : plot(parts))
    }

    private func heatmapCommands() -> [String] {
        let palette = (0...8).map { "\($0) '\(Figure.shade(Double($0) / 8))'" }.joined(separator: ", ")
        var lines = [
            "unset key", "unset grid", "set cblabel \(Figure.quoted(yLabel)) noenhanced", "set ylabel ''",
            "set palette defined (\(palette))",
        ]
        if yScale.isLog { lines += ["unset logscale y", "set logscale cb"] }
        let rowNames = series.enumerated().map { "\(Figure.quoted($1.name)) \($0)" }.joined(separator: ", ")
        let count = series[0].y.count
        lines += [
            "set yrange [\(series.count).0-0.5:-0.5]", "set xrange [-0.5:\(count)-0.5]",
            "set ytics (\(rowNames)) noenhanced",
        ]
        if count <= 60 { lines.append(ticks((0..<count).map { (columnName($0), Double($0)) })) }
        return lines + block(0, series.map(\.y)) + plot(["$data0 matrix with image"])
    }
}
