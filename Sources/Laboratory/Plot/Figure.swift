import BSSCore

/// A chart that carries its data: shown as text, saved as CSV (data), SVG (own writer), a gnuplot script, PDF and PNG
/// (through gnuplot).
public struct Figure {
    public enum Kind: String, CaseIterable, Sendable {
        case line, scatter, bar
        case histogram = "hist"
        case heatmap, box
        /// Values with their intervals, a row each, against zero.
        case forest
    }

    /// One line, group of points, set of bars, distribution, row of a heat map, or box.
    public struct Series {
        public var name: String
        /// Positions: the x axis; bin centres of a histogram; columns 1, 2, … of a heat map; unused for boxes.
        public var x: [Double]
        /// Values: the y axis; counts of a histogram; a row of a heat map; the values behind a box.
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

        /// Over 1, 2, …
        public init(name: String, y: [Double]) { self.init(name: name, x: y.indices.map { Double($0 + 1) }, y: y) }

        /// y = mean over runs, band = ± one standard deviation.
        public mutating func setRuns(_ runs: [[Double]]) {
            let columns = (runs.first ?? []).indices.map { i in runs.map { $0[i] } }
            y = columns.map(Math.mean)
            runCount = runs.count
            guard runs.count > 1 else { return }
            let spread = columns.map(Math.standardDeviation)
            low = zip(y, spread).map(-)
            high = zip(y, spread).map(+)
        }
    }

    /// How an axis maps its values.
    public struct Scale: Equatable {
        public var isLog = false
        /// The shown interval; the data's own by default.
        public var range: ClosedRange<Double>?
        public init() {}
    }

    public var title: String
    public var kind: Kind
    public var xLabel = ""
    public var yLabel = ""
    /// Names for x = 1, 2, …
    public var categories: [String] = []
    public var series: [Series] = []
    public var xScale = Scale()
    /// Of a heat map: the scale of its shades.
    public var yScale = Scale()
    /// Ascending bin borders of a histogram.
    public var edges: [Double] = []
    /// Lines for the caption, before those that follow from the data.
    public var remarks: [String] = []

    public init(title: String, kind: Kind = .line) {
        self.title = title
        self.kind = kind
    }

    /// - Throws: usage errors that name the series: without values, lists of different length.
    public func check(_ operation: String = "figure") throws {
        guard !series.isEmpty else {
            throw BSSError(
                operation, "there is no series", hint: "give y = {1, 2, 3}, or a list of lists", kind: .usage)
        }
        for one in series {
            func fail(_ message: String) -> BSSError {
                BSSError(
                    operation, (one.name.isEmpty ? "the series" : "series '\(one.name)'") + " \(message)", kind: .usage)
            }
            guard !one.y.isEmpty else { throw fail("has no values") }
            let others =
                kind == .box
                ? []
                : [
                    ("x", one.x.count), ("low", one.low?.count ?? one.y.count),
                    ("high", one.high?.count ?? one.y.count),
                ]
            for (name, count) in others where count != one.y.count {
                throw fail("has \(one.y.count) values of y and \(count) of \(name)")
            }
            if kind == .heatmap, one.y.count != series[0].y.count {
                throw BSSError(
                    operation,
                    "row '\(one.name)' has \(one.y.count) values, row '\(series[0].name)' has \(series[0].y.count)",
                    kind: .usage)
            }
        }
        for (name, scale) in [("x", xScale), ("y", yScale)] {
            guard let range = scale.range else { continue }
            guard range.lowerBound.isFinite, range.upperBound.isFinite, range.lowerBound < range.upperBound,
                !scale.isLog || range.lowerBound > 0
            else {
                throw BSSError(
                    operation,
                    "\(name)_range expects two finite numbers, the lower one "
                        + "first\(scale.isLog ? " and positive" : "")",
                    kind: .usage)
            }
        }
        if !categories.isEmpty, let widest = series.map({ $0.x.max() ?? 0 }).max(), kind != .box,
            widest > Double(categories.count)
        {
            throw BSSError(
                operation, "there are \(categories.count) categories, but values at position \(Text.number(widest))",
                kind: .usage)
        }
    }

    // MARK: Captions

    /// What the band means, for the caption.
    public var bandNote: String? {
        let counts = Set(series.compactMap { $0.low == nil ? nil : $0.runCount })
        return counts.isEmpty
            ? nil
            : "\(kind == .bar ? "error bars" : "band"): ± standard deviation, "
                + "\(counts.sorted().map(String.init).joined(separator: " or ")) seeds"
    }

    /// Everything a reader has to know: remarks, what band and box mean, which values could not be drawn.
    public var notes: [String] {
        var notes = remarks + (bandNote.map { [$0] } ?? [])
        if kind == .box {
            notes.append(
                "box: quartiles and median; whiskers: last value within 1.5 box lengths; dots: "
                    + "\(series.contains { $0.y.count > Spread.mostDots } ? "values beyond" : "all values")"
            )
        }
        for one in series {
            let bad = one.y.indices.count { !one.y[$0].isFinite || (kind != .box && !one.x[$0].isFinite) }
            let whose = one.name.isEmpty ? "values" : "values of '\(one.name)'"
            if bad > 0 { notes.append("\(bad) of \(one.y.count) \(whose) not finite: left out") }
            let hidden = one.y.indices.count {
                (yScale.isLog && one.y[$0] <= 0) || (xScale.isLog && kind != .box && one.x[$0] <= 0)
            }
            if hidden > 0, kind != .histogram {
                notes.append("\(hidden) of \(one.y.count) \(whose) not above 0: left out of the log axis")
            }
        }
        return notes
    }

    /// True if lines and points need a legend.
    var hasLegend: Bool { series.count > 1 || !(series.first?.name.isEmpty ?? true) }

    // MARK: Colours

    /// Okabe and Ito's colours, which remain distinct for colour-blind readers.
    static let palette = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]
    static func colour(_ k: Int) -> String { palette[k % palette.count] }
}

// MARK: Geometry that every drawing shares

extension Figure {
    /// A place in the drawing area: 0 … 1 from left to right and from bottom to top.
    struct Place: Equatable {
        var x: Double
        var y: Double
    }

    func isDrawable(_ x: Double, _ y: Double) -> Bool {
        x.isFinite && y.isFinite && !(xScale.isLog && x <= 0) && !(yScale.isLog && y <= 0)
    }

    func xAxis(ticks: Int) -> Axis {
        var bounds = Axis.Bounds(isLog: xScale.isLog)
        if kind == .histogram {
            edges.forEach { bounds.add($0) }
        } else if categories.isEmpty {
            for one in series { one.x.forEach { bounds.add($0) } }
        } else {
            bounds.add(0.5)
            bounds.add(Double(categories.count) + 0.5)
        }
        return Axis(bounds, xScale, count: ticks, fit: kind == .scatter ? .loose : .tight)
    }

    func yAxis(ticks: Int) -> Axis {
        var bounds = Axis.Bounds(isLog: yScale.isLog)
        for one in series {
            for list in [one.y, one.low ?? [], one.high ?? []] { list.forEach { bounds.add($0) } }
        }
        if [.bar, .histogram, .forest].contains(kind), !yScale.isLog { bounds.add(0) }
        return Axis(bounds, yScale, count: ticks, fit: kind == .forest ? .loose : .round)
    }

    /// The unbroken pieces of a series, with no more than four points for each of `resolution` columns: first, lowest,
    /// highest and last, which draw the same picture as all of them.
    func paths(_ xs: [Double], _ ys: [Double], _ x: Axis, _ y: Axis, resolution: Int) -> [[Place]] {
        var paths: [[Place]] = []
        var path: [Place] = []
        var column = Int.min
        var low = Place(x: 0, y: 0)
        var high = low
        var last = low
        func flush() {
            guard column != .min else { return }
            let pair = low.x <= high.x ? [low, high] : [high, low]
            for place in pair + [last] where path.last != place { path.append(place) }
            column = .min
        }
        for i in ys.indices {
            guard isDrawable(xs[i], ys[i]) else {
                flush()
                if !path.isEmpty { paths.append(path) }
                path = []
                continue
            }
            let place = Place(x: x.fraction(xs[i]), y: y.fraction(ys[i]))
            let here = Int(saturating: min(max(place.x * Double(resolution), -1e9), 1e9))
            if here != column {
                flush()
                path.append(place)
                (column, low, high) = (here, place, place)
            }
            if place.y < low.y { low = place }
            if place.y > high.y { high = place }
            last = place
        }
        flush()
        return path.isEmpty ? paths : paths + [path]
    }

    /// Where a bar chart and a forest put their groups: the categories, or each x that occurs.
    var barGroups: [(label: String, x: Double)] {
        if !categories.isEmpty { return categories.enumerated().map { ($1, Double($0 + 1)) } }
        return Set(series.flatMap(\.x).filter(\.isFinite)).sorted().map { (Text.number($0), $0) }
    }
}
