import BSSCore
import BSSCurriculum

extension Statistics {
    public struct RankTest {
        /// Wilcoxon: the smaller of the two rank sums. Mann-Whitney: pairs in which a is above b, ties half.
        public var statistic: Double
        /// Two-sided.
        public var p: Double
        /// Counted over all arrangements of the ranks; otherwise the normal approximation.
        public var isExact: Bool
        /// Values that took part.
        public var count: Int
    }

    /// Signed-rank test of paired values (Wilcoxon, Biometrics Bulletin 1945): ranks of |a_i - b_i|, the smaller sum
    /// of those with one sign. Differences of 0 are left out, ties share their mean rank. Exact up to 100 differences,
    /// ties included; beyond them the normal approximation with its correction for ties and for continuity.
    public static func wilcoxon(_ a: [Double], _ b: [Double]) -> RankTest {
        let all = zip(a, b).map { $0 - $1 }
        guard areFinite(all) else { return RankTest(statistic: .nan, p: .nan, isExact: false, count: all.count) }
        let scale = tolerance(all)
        let differences = all.filter { abs($0) > scale }
        let ranks = meanRanks(differences.map(abs), tolerance: scale)
        let n = differences.count
        let above = zip(ranks, differences).reduce(0) { $1.1 > 0 ? $0 + $1.0 : $0 }
        let total = Double(n * (n + 1)) / 2
        let statistic = min(above, total - above)
        guard n > 0 else { return RankTest(statistic: 0, p: 1, isExact: true, count: 0) }
        if n <= 100 {
            let ways = sums(of: ranks)
            let extreme = share(of: ways, atLeast: abs(above - total / 2), from: total / 2)
            return RankTest(statistic: statistic, p: extreme, isExact: true, count: n)
        }
        let variance = ranks.reduce(0) { $0 + $1 * $1 } / 4
        let z = max(0, abs(above - total / 2) - 0.5) / variance.squareRoot()
        return RankTest(statistic: statistic, p: min(1, 2 * Normal.above(z)), isExact: false, count: n)
    }

    /// Two-sample rank test (Mann & Whitney, Annals of Mathematical Statistics 1947): U counts the pairs in which a is
    /// above b, ties half. Exact up to 60 values, ties included; beyond them the normal approximation.
    public static func mannWhitney(_ a: [Double], _ b: [Double]) -> RankTest {
        let (n, m) = (a.count, b.count)
        guard areFinite(a + b) else { return RankTest(statistic: .nan, p: .nan, isExact: false, count: n + m) }
        let ranks = meanRanks(a + b, tolerance: 0)
        let lowest = Double(n * (n + 1)) / 2
        let u = ranks.prefix(n).reduce(0, +) - lowest
        let middle = Double(n * m) / 2
        if n + m <= 60 {
            let ways = sums(of: ranks, taking: n)
            let extreme = share(of: ways, atLeast: abs(u - middle), from: middle + lowest)
            return RankTest(statistic: u, p: extreme, isExact: true, count: n + m)
        }
        let count = Double(n + m)
        let spread = ranks.reduce(0) { $0 + ($1 - (count + 1) / 2) * ($1 - (count + 1) / 2) }
        let variance = Double(n) * Double(m) / (count * (count - 1)) * spread
        let z = max(0, abs(u - middle) - 0.5) / variance.squareRoot()
        return RankTest(statistic: u, p: variance > 0 ? min(1, 2 * Normal.above(z)) : 1, isExact: false, count: n + m)
    }

    /// Ranks from 1; values within the tolerance of their neighbour share the mean of their ranks.
    static func meanRanks(_ values: [Double], tolerance: Double) -> [Double] {
        let order = Ranking.ascending(values)
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, values[order[end]] - values[order[end - 1]] <= tolerance { end += 1 }
            for k in start..<end { ranks[order[k]] = Double(start + end + 1) / 2 }
            start = end
        }
        return ranks
    }

    /// In how many ways ranks add up to each sum, counted in halves: of every subset, or of those of one size.
    private static func sums(of ranks: [Double], taking size: Int? = nil) -> [Double] {
        let halves = ranks.map { Int($0 * 2) }
        let most = halves.reduce(0, +)
        let sizes = size ?? 0
        var ways = [[Double]](repeating: [Double](repeating: 0, count: most + 1), count: sizes + 1)
        ways[0][0] = 1
        var reached = 0
        for half in halves {
            reached += half
            for taken in stride(from: sizes, through: size == nil ? 0 : 1, by: -1) {
                let source = size == nil ? taken : taken - 1
                for sum in stride(from: reached, through: half, by: -1) { ways[taken][sum] += ways[source][sum - half] }
            }
        }
        return ways[sizes]
    }

    /// The share of arrangements whose sum is so far from the middle, or farther.
    private static func share(of ways: [Double], atLeast distance: Double, from middle: Double) -> Double {
        var extreme = 0.0
        var all = 0.0
        for (sum, count) in ways.enumerated() where count > 0 {
            all += count
            if abs(Double(sum) / 2 - middle) >= distance - 1e-9 { extreme += count }
        }
        return extreme / all
    }
}
