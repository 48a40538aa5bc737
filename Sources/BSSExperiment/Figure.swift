import BSSCore

/// A line or bar chart that carries its data: saved as `.csv` (data), `.svg` (own writer, no dependency) and `.gp` (gnuplot).
public struct Figure {
    public enum Kind: String, CaseIterable { case line, bar }

    public struct Series {
        public var name: String
        public var x: [Double]
        public var y: [Double]
        /// Lower and upper edge of the band or error bar.
        public var low: [Double]?
        public var high: [Double]?
        /// Values of which `y` is the mean, if the series comes from several runs.
        public var runCount: Int?

        public init(name: String, x: [Double], y: [Double]) {
            self.name = name
            self.x = x
            self.y = y
        }

        /// y = mean over runs, band = ± one standard deviation.
        public mutating func setRuns(_ runs: [[Double]]) {
            let columns = (runs.first ?? []).indices.map { i in runs.map { $0[i] } }
            y = columns.map(Statistics.mean)
            runCount = runs.count
            guard runs.count > 1 else { return }
            let spread = columns.map(Statistics.standardDeviation)
            low = zip(y, spread).map(-)
            high = zip(y, spread).map(+)
        }
    }

    public var title: String
    public var kind: Kind
    public var xLabel = ""
    public var yLabel = ""
    /// Names for x = 1, 2, …
    public var categories: [String] = []
    public var series: [Series] = []

    public init(title: String, kind: Kind = .line) {
        self.title = title
        self.kind = kind
    }

    /// - Throws: series without values, lists of different length, values that are not finite.
    public func check() throws {
        guard !series.isEmpty else { throw BSSError("bss.report.figure", "there is no series", kind: .usage) }
        for one in series {
            func fail(_ message: String) -> BSSError { BSSError("bss.report.figure", "series '\(one.name)' \(message)", kind: .usage) }
            guard !one.y.isEmpty else { throw fail("has no values: give y, or runs") }
            for (name, list) in [("x", one.x), ("low", one.low ?? one.y), ("high", one.high ?? one.y)] where list.count != one.y.count {
                throw fail("has \(one.y.count) values of y and \(list.count) of \(name)")
            }
            guard (one.x + one.y + (one.low ?? []) + (one.high ?? [])).allSatisfy(\.isFinite) else { throw fail("has values that are not finite") }
        }
    }

    /// What the band means, for the caption.
    public var bandNote: String? {
        let counts = Set(series.compactMap { $0.low == nil ? nil : $0.runCount })
        return counts.isEmpty ? nil : "\(kind == .bar ? "error bars" : "band"): ± standard deviation, \(counts.sorted().map(String.init).joined(separator: " or ")) seeds"
    }

    public func csv() throws -> String {
        try check()
        var lines = ["series,x,y,low,high"]
        for one in series {
            for i in one.y.indices {
                let name = one.name.contains(",") ? "\"\(one.name)\"" : one.name
                lines.append([name, Text.number(one.x[i]), Text.number(one.y[i]), one.low.map { Text.number($0[i]) } ?? "", one.high.map { Text.number($0[i]) } ?? ""].joined(separator: ","))
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A gnuplot script with the data in it: `gnuplot name.gp` draws `name.pdf`.
    func gnuplot(_ name: String) throws -> String {
        try check()
        func quoted(_ text: String) -> String { "'" + text.map { $0 == "'" ? "''" : String($0) }.joined() + "'" }
        var lines = ["set terminal pdfcairo size 12cm,8cm font 'Helvetica,10'", "set output \(quoted(name + ".pdf"))", "set title \(quoted(title)) noenhanced"]
        lines += ["set xlabel \(quoted(xLabel)) noenhanced", "set ylabel \(quoted(yLabel)) noenhanced", "set key below", "set grid ytics", "set datafile separator ','"]
        if !categories.isEmpty { lines.append("set xtics (" + categories.enumerated().map { "\(quoted($1)) \($0 + 1)" }.joined(separator: ", ") + ")") }
        for (k, one) in series.enumerated() {
            lines.append("$data\(k) << EOD")
            for i in one.y.indices { lines.append([one.x[i], one.y[i], one.low?[i] ?? one.y[i], one.high?[i] ?? one.y[i]].map(Text.number).joined(separator: ",")) }
            lines.append("EOD")
        }
        let width = 0.8 / Double(series.count)
        if kind == .bar { lines += ["set style fill solid 0.8", "set boxwidth \(Text.fixed(width, 4))", "set yrange [0:*]"] }
        let plots = series.enumerated().flatMap { k, one -> [String] in
            let color = "lc rgb '\(Figure.palette[k % Figure.palette.count])'"
            if kind == .bar {
                let shift = Text.fixed((Double(k) - Double(series.count - 1) / 2) * width, 4)
                return ["$data\(k) using ($1+(\(shift))):2 with boxes \(color) title \(quoted(one.name)) noenhanced"]
                    + (one.low == nil ? [] : ["$data\(k) using ($1+(\(shift))):2:3:4 with yerrorbars lc rgb 'black' pt 0 notitle"])
            }
            return (one.low == nil ? [] : ["$data\(k) using 1:3:4 with filledcurves fs transparent solid 0.2 noborder \(color) notitle"])
                + ["$data\(k) using 1:2 with linespoints pt 7 ps 0.4 \(color) title \(quoted(one.name)) noenhanced"]
        }
        lines.append("plot " + plots.joined(separator: ", \\\n     "))
        return lines.joined(separator: "\n") + "\n"
    }

    /// Okabe and Ito's colours, which remain distinct for colour-blind readers.
    static let palette = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]

    /// Writes `path.csv`, `path.svg` and `path.gp`; folders are made.
    public func save(_ path: String) throws {
        if let slash = path.lastIndex(of: "/") { try Files.makeFolder(String(path[..<slash])) }
        try Files.write(csv(), to: path + ".csv")
        try Files.write(svg(), to: path + ".svg")
        try Files.write(gnuplot(path.split(separator: "/").last.map(String.init) ?? "figure"), to: path + ".gp")
    }
}
