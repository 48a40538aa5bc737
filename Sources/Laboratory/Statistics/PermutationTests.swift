import BSSCore

extension Statistics {
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
    /// (Fisher 1935). All 2^n sign patterns for n <= 20, a seeded sample beyond: p = (extreme + 1) / (sampled + 1).
    /// - Throws: cancellation.
    public static func pairedPermutationTest(_ a: [Double], _ b: [Double], seed: UInt64 = 1) throws -> TestResult {
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
                try Cancellation.check("permutation test")
                let sum = differences.reduce(0) { $0 + (random.nextWord() & 1 == 0 ? $1 : -$1) }
                extreme += abs(sum) >= limit ? 1 : 0
            }
            result.arrangements = sampledArrangements
            result.p = Double(extreme + 1) / Double(sampledArrangements + 1)
        }
        return result
    }

    /// Two-sample test: all ways to split the values into groups of these sizes (Pitman 1937), or a seeded sample.
    /// - Throws: cancellation.
    public static func permutationTest(_ a: [Double], _ b: [Double], seed: UInt64 = 1) throws -> TestResult {
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
            // The smaller group is drawn: no deeper than its size, which is small where all ways can be counted.
            let isFirst = n <= m
            func count(_ start: Int, _ left: Int, _ sum: Double) {
                if left == 0 {
                    extreme += abs(difference(isFirst ? sum : total - sum)) >= limit ? 1 : 0
                    return
                }
                for i in start...(all.count - left) { count(i + 1, left - 1, sum + all[i]) }
            }
            count(0, min(n, m), 0)
            result.arrangements = Int(ways)
            result.p = Double(extreme) / ways
        } else {
            var random = RandomStream(seed: seed, name: "permutation")
            for _ in 0..<sampledArrangements {
                try Cancellation.check("permutation test")
                let sum = random.permutation(all.count).prefix(n).reduce(0) { $0 + all[$1] }
                extreme += abs(difference(sum)) >= limit ? 1 : 0
            }
            result.arrangements = sampledArrangements
            result.p = Double(extreme + 1) / Double(sampledArrangements + 1)
        }
        return result
    }

    static func combinations(_ n: Int, _ k: Int) -> Double {
        var result = 1.0
        for i in 0..<min(k, n - k) {
            result = (result * Double(n - i) / Double(i + 1)).rounded()
            if result.isInfinite { break }
        }
        return result
    }

    // MARK: Several tests

    /// p values adjusted for `count` tests (Holm, Scandinavian Journal of Statistics 1979), in the given order: the
    /// running maximum of (m - i + 1) p_(i), at most 1. A test without a p (NaN) stays without; it counts as one of the
    /// tests.
    public static func holm(_ p: [Double]) -> [Double] {
        var adjusted = p
        var running = 0.0
        for (k, i) in p.indices.filter({ !p[$0].isNaN }).sorted(by: { (p[$0], $0) < (p[$1], $1) }).enumerated() {
            running = max(running, min(1, p[i] * Double(p.count - k)))
            adjusted[i] = running
        }
        return adjusted
    }
}
