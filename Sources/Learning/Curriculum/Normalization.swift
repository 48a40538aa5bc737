import BSSCore

/// Norm() of Eq. 6, which the paper leaves open ("normalization operation"); the released code uses min-max.
public enum Normalization: String, Choice {
    /// (x - min) / (max - min): [0, 1]. Deviation from the released code: equal values give 0 instead of a division by
    /// zero.
    case minMax = "min_max"
    /// (x - mean) / standard deviation (of the population); equal values give 0.
    case zScore = "z_score"
    /// Position among the values, ties sharing their mean position, divided by n - 1: [0, 1]; equal values give 1/2.
    case rank
    /// x / |x|_2; all zeros stay.
    case l2
    /// x
    case none

    public func apply(_ values: [Double]) -> [Double] {
        guard !values.isEmpty else { return [] }
        switch self {
        case .minMax:
            var low = values[0]
            var high = values[0]
            for x in values {
                if x < low { low = x }
                if x > high { high = x }
            }
            let range = high - low
            return range == 0 ? values.map { _ in 0 } : values.map { ($0 - low) / range }
        case .zScore:
            let mean = values.reduce(0, +) / Double(values.count)
            let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
            return deviation == 0 ? values.map { _ in 0 } : values.map { ($0 - mean) / deviation }
        case .rank:
            let last = Double(max(values.count - 1, 1))
            return Normalization.meanRanks(values).map { $0 / last }
        case .l2:
            let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return length == 0 ? values : values.map { $0 / length }
        case .none: return values
        }
    }

    /// Position of each value from 0 (smallest); equal values share the mean of their positions.
    public static func meanRanks(_ values: [Double]) -> [Double] {
        let order = Ranking.ascending(values)
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            for k in start..<end { ranks[order[k]] = Double(start + end - 1) / 2 }
            start = end
        }
        return ranks
    }

    /// Values outside the quantiles `fraction` and `1 - fraction` moved onto them, so that single outliers do not set
    /// the scale.
    public static func clipped(_ values: [Double], fraction: Double) -> [Double] {
        guard fraction > 0, values.count > 1 else { return values }
        let sorted = values.sorted()
        let low = Math.quantile(sorted, fraction)
        let high = Math.quantile(sorted, 1 - fraction)
        return values.map { min(max($0, low), high) }
    }
}
