import BSSCore
import BSSCurriculum

/// Statistics over seeds: spread, tests that are exact for few seeds, corrections, intervals, effect sizes.
///
/// NaN in, NaN out: what a value that is no number would do to an order, a rank or a count is not guessed. Tests and
/// intervals need finite values. Every random choice comes from a named stream of a given seed: the same call gives the
/// same digits.
public enum Statistics {
    public static func mean(_ values: [Double]) -> Double { Math.mean(values) }
    /// Sample standard deviation (divisor n - 1); NaN for fewer than two values.
    public static func standardDeviation(_ values: [Double]) -> Double { Math.standardDeviation(values) }
    public static func quantile(_ values: [Double], _ q: Double) -> Double {
        values.isEmpty || hasNaN(values) ? .nan : Math.quantile(values.sorted(), q)
    }

    static func hasNaN(_ values: [Double]) -> Bool { values.contains { $0.isNaN } }
    static func areFinite(_ values: [Double]) -> Bool { values.allSatisfy(\.isFinite) }

    /// Mean of the middle half; a quarter of the values, rounded down, is left out at each end (Agarwal et al., NeurIPS
    /// 2021).
    public static func interquartileMean(_ values: [Double]) -> Double {
        guard !hasNaN(values) else { return .nan }
        let cut = values.count / 4
        return mean(Array(values.sorted()[cut..<values.count - cut]))
    }

    /// Pearson correlation; NaN if one side is constant.
    public static func correlation(_ a: [Double], _ b: [Double]) -> Double {
        let meanA = mean(a)
        let meanB = mean(b)
        var ab = 0.0
        var aa = 0.0
        var bb = 0.0
        for (x, y) in zip(a, b) {
            ab += (x - meanA) * (y - meanB)
            aa += (x - meanA) * (x - meanA)
            bb += (y - meanB) * (y - meanB)
        }
        return ab / (aa * bb).squareRoot()
    }

    /// Spearman's rank correlation; ties share their mean rank.
    public static func rankCorrelation(_ a: [Double], _ b: [Double]) -> Double {
        hasNaN(a + b) ? .nan : correlation(Normalization.meanRanks(a), Normalization.meanRanks(b))
    }

    /// Sums that differ by rounding only count as equal.
    static func tolerance(_ values: [Double]) -> Double { 1e-12 * values.reduce(0) { $0 + abs($1) } }
}
