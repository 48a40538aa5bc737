import BSSCore
import BSSCurriculum
import BSSTraining

/// Statistics over seeds: spread, permutation tests that are exact for few seeds, corrections, intervals.
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

    private static func hasNaN(_ values: [Double]) -> Bool { values.contains { $0.isNaN } }
    private static func areFinite(_ values: [Double]) -> Bool { values.allSatisfy(\.isFinite) }

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

    // MARK: Permutation tests

    public struct TestResult {
        /// mean(a) - mean(b)
        public var difference: Double
        /// Two-sided; NaN where a value is not finite.
        public var p: Double
        /// Every arrangement was counted; otherwise a seeded sample of them.
        public var isExact: Bool
        public var arrangements: Int
        /// The smallest p that this test can give for so many values.
        public var smallestP: Double
    }

    /// Arrangements up to this number are counted exactly.
    private static let exactLimit = 1 << 20
    private static let sampledArrangements = 100_000

    /// Paired test: under the null hypothesis every difference a_i - b_i is as likely with the opposite sign
    /// (Fisher 1935). All 2^n sign patterns for n <= 20, a seeded sample beyond.
    public static func pairedPermutationTest(_ a: [Double], _ b: [Double], seed: UInt64 = 1) -> TestResult {
        let differences = zip(a, b).map { $0 - $1 }
        let n = differences.count
        let observed = differences.reduce(0, +)
        let limit = abs(observed) - tolerance(differences)
        var result = TestResult(
            difference: observed / Double(n), p: .nan, isExact: n <= 20, arrangements: 0, smallestP: smallestPairedP(n))
        guard areFinite(a), areFinite(b), observed.isFinite else { return result }
        var extreme = 0
        if n <= 20 {
            func count(_ i: Int, _ sum: Double) {
                if i == n {
                    extreme += abs(sum) >= limit ? 1 : 0
                    return
                }
                count(i + 1, sum + differences[i])
                count(i + 1, sum - differences[i])
            }
            count(0, 0)
            result.arrangements = 1 << n
            result.p = Double(extreme) / Double(result.arrangements)
        } else {
            var random = RandomStream(seed: seed, name: "permutation")
            for _ in 0..<sampledArrangements {
                let sum = differences.reduce(0) { $0 + (random.nextWord() & 1 == 0 ? $1 : -$1) }
                extreme += abs(sum) >= limit ? 1 : 0
            }
            result.arrangements = sampledArrangements
            result.p = Double(extreme + 1) / Double(sampledArrangements + 1)
        }
        return result
    }

    /// Two-sample test: all ways to split the values into groups of these sizes, or a seeded sample of them.
    public static func permutationTest(_ a: [Double], _ b: [Double], seed: UInt64 = 1) -> TestResult {
        let all = a + b
        let n = a.count
        let m = b.count
        let total = all.reduce(0, +)
        func difference(_ sumA: Double) -> Double { sumA / Double(n) - (total - sumA) / Double(m) }
        let observed = mean(a) - mean(b)
        let limit = abs(observed) - tolerance(all)
        let ways = combinations(n + m, n)
        var result = TestResult(
            difference: observed, p: .nan, isExact: ways <= Double(exactLimit), arrangements: 0,
            smallestP: smallestP(n, m))
        guard areFinite(all), total.isFinite else { return result }
        var extreme = 0
        if result.isExact {
            func count(_ i: Int, _ left: Int, _ sum: Double) {
                if left == 0 {
                    extreme += abs(difference(sum)) >= limit ? 1 : 0
                    return
                }
                if all.count - i < left { return }
                count(i + 1, left - 1, sum + all[i])
                count(i + 1, left, sum)
            }
            count(0, n, 0)
            result.arrangements = Int(ways)
            result.p = Double(extreme) / ways
        } else {
            var random = RandomStream(seed: seed, name: "permutation")
            for _ in 0..<sampledArrangements {
                let sum = random.permutation(all.count).prefix(n).reduce(0) { $0 + all[$1] }
                extreme += abs(difference(sum)) >= limit ? 1 : 0
            }
            result.arrangements = sampledArrangements
            result.p = Double(extreme + 1) / Double(sampledArrangements + 1)
        }
        return result
    }

    /// Sums that differ by rounding only count as equal.
    private static func tolerance(_ values: [Double]) -> Double { 1e-12 * values.reduce(0) { $0 + abs($1) } }

    private static func combinations(_ n: Int, _ k: Int) -> Double {
        var result = 1.0
        for i in 0..<min(k, n - k) {
            result = (result * Double(n - i) / Double(i + 1)).rounded()
            if result.isInfinite { break }
        }
        return result
    }

    /// Smallest two-sided p of the paired test: 2 / 2^n. Three seeds can never reach 0.05.
    public static func smallestPairedP(_ n: Int) -> Double { n < 1 ? 1 : min(1, 2 * Math.pow(0.5, Double(n))) }

    /// Smallest two-sided p of the two-sample test: 2 / C(2n, n) for equal sizes; for unequal ones the mirror image of
    /// the most extreme split is no split, which leaves 1 / C(n + m, n).
    public static func smallestP(_ n: Int, _ m: Int) -> Double {
        n < 1 || m < 1 ? 1 : min(1, (n == m ? 2 : 1) / combinations(n + m, n))
    }

    /// Seeds per arm with which the test can reach `alpha` at all, when `comparisons` tests share it (Holm's first
    /// step).
    public static func seedsNeeded(alpha: Double = 0.05, paired: Bool = true, comparisons: Int = 1) -> Int {
        (1...200).first { (paired ? smallestPairedP($0) : smallestP($0, $0)) <= alpha / Double(max(1, comparisons)) }
            ?? 200
    }

    /// p values adjusted for `count` tests (Holm, Scandinavian Journal of Statistics 1979), in the given order. A test
    /// without a p (NaN) stays without; it counts as one of the tests.
    public static func holm(_ p: [Double]) -> [Double] {
        var adjusted = p
        var running = 0.0
        for (k, i) in p.indices.filter({ !p[$0].isNaN }).sorted(by: { (p[$0], $0) < (p[$1], $1) }).enumerated() {
            running = max(running, min(1, p[i] * Double(p.count - k)))
            adjusted[i] = running
        }
        return adjusted
    }

    /// Percentile bootstrap interval of a statistic (Efron 1979); `values` are resampled with replacement.
    public static func bootstrap(
        _ values: [Double], level: Double = 0.95, resamples: Int = 10_000, seed: UInt64 = 1,
        statistic: ([Double]) -> Double = mean
    ) -> (low: Double, high: Double) {
        guard values.count > 1, areFinite(values) else { return (.nan, .nan) }
        var random = RandomStream(seed: seed, name: "bootstrap")
        var sample = values
        let sorted = (0..<resamples).map { _ -> Double in
            for i in sample.indices { sample[i] = values[random.integer(below: values.count)] }
            return statistic(sample)
        }.sorted()
        return (Math.quantile(sorted, (1 - level) / 2), Math.quantile(sorted, (1 + level) / 2))
    }
}
