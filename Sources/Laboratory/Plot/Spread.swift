import BSSCore

/// What a box shows of a list of values.
struct Spread {
    /// Up to so many values all are drawn as dots.
    static let mostDots = 50

    let low: Double
    let high: Double
    let lowerQuartile: Double
    let median: Double
    let upperQuartile: Double
    /// Last values within 1.5 box lengths of the box (Tukey 1977).
    let lowerWhisker: Double
    let upperWhisker: Double
    /// The values to draw as dots: all, or those beyond the whiskers.
    let dots: [Double]

    /// Of the finite values (positive ones on a log axis); nil if there are none. Quartiles: definition 7 of Hyndman &
    /// Fan 1996.
    init?(_ values: [Double], isLog: Bool) {
        let sorted = values.filter { $0.isFinite && (!isLog || $0 > 0) }.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        (low, high) = (first, last)
        let lower = Math.quantile(sorted, 0.25)
        let upper = Math.quantile(sorted, 0.75)
        let reach = 1.5 * (upper - lower)
        (lowerQuartile, median, upperQuartile) = (lower, Math.quantile(sorted, 0.5), upper)
        let lowerEnd = sorted.first { $0 >= lower - reach } ?? first
        let upperEnd = sorted.last { $0 <= upper + reach } ?? last
        (lowerWhisker, upperWhisker) = (min(lowerEnd, lower), max(upperEnd, upper))
        dots = values.count <= Spread.mostDots ? sorted : sorted.filter { $0 < lowerEnd || $0 > upperEnd }
    }
}

/// Counts of values in bins.
public struct Bins {
    public let edges: [Double]
    /// One list for each list of values.
    public let counts: [[Double]]
    /// Finite values outside the edges.
    public let outside: Int

    /// Bins of equal width over all lists: `count` of them, or round ones near the width of Freedman and Diaconis
    /// (1981).
    public init(_ lists: [[Double]], count: Int?, range: ClosedRange<Double>?) {
        let all = lists.flatMap { $0.filter { abs($0) <= 1e300 } }.filter { range?.contains($0) ?? true }.sorted()
        var low = range?.lowerBound ?? all.first ?? 0
        var high = range?.upperBound ?? all.last ?? 1
        if !(high > low) || high - low < 1e-12 * max(abs(low), abs(high), 1e-290) {
            // Beside large values one half is nothing.
            let half = max(0.5, 1e-9 * max(abs(low), abs(high)))
            (low, high) = (low - half, high + half)
        }
        let edges: [Double]
        if let count {
            edges = (0...count).map { low + (high - low) * Double($0) / Double(count) }
        } else {
            let box = all.isEmpty ? 0 : Math.quantile(all, 0.75) - Math.quantile(all, 0.25)
            let width = 2 * box / Math.pow(Double(max(all.count, 1)), 1 / 3)
            let wanted =
                width > 0 ? (high - low) / width : (Math.log(Double(max(all.count, 1))) / Math.log(2)).rounded(.up) + 1
            let step = Axis.step(high - low, count: Int(saturating: min(max(wanted, 5), 50)))
            let first = (low / step + 1e-9).rounded(.down)
            let last = max((high / step - 1e-9).rounded(.up), first + 1)
            edges = (0...Int(last - first)).map { (first + Double($0)) * step }
        }
        var missed = 0
        let end = edges[edges.count - 1]
        let size = (end - edges[0]) / Double(edges.count - 1)
        counts = lists.map { list in
            var counts = [Double](repeating: 0, count: edges.count - 1)
            for value in list where value.isFinite {
                // A tolerance of the rounding error of an edge; the last bin includes its end.
                let place = (value - edges[0]) / size + 1e-9
                guard place >= 0, value <= end + 1e-9 * size else {
                    missed += 1
                    continue
                }
                counts[min(Int(saturating: place), counts.count - 1)] += 1
            }
            return counts
        }
        self.edges = edges
        outside = missed
    }
}

extension Figure {
    /// A histogram of one or several lists of values.
    public static func histogram(
        _ lists: [(name: String, values: [Double])], bins: Int? = nil, range: ClosedRange<Double>? = nil,
        title: String = ""
    ) -> Figure {
        let binned = Bins(lists.map(\.values), count: bins, range: range)
        var figure = Figure(title: title, kind: .histogram)
        figure.edges = binned.edges
        figure.yLabel = "count"
        let centres = zip(binned.edges, binned.edges.dropFirst()).map { ($0 + $1) / 2 }
        figure.series = zip(lists, binned.counts).map { Series(name: $0.name, x: centres, y: $1) }
        for (name, values) in lists {
            let bad = values.count { !$0.isFinite }
            if bad > 0 {
                figure.remarks.append(
                    "\(bad) of \(values.count) values\(name.isEmpty ? "" : " of '\(name)'") not finite: left out")
            }
        }
        if binned.outside > 0 { figure.remarks.append("\(binned.outside) values outside the range") }
        return figure
    }
}
