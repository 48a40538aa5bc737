import BSSCore
import BSSStatistics
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct PermutationTests {
    @Test("smallest p of an exact permutation test: 3 against 3 seeds .10, 4 .029, 5 .0079, 6 .0022, 8 .00016")
    func smallest() throws {
        for (n, p) in [(3, 0.10), (4, 0.029), (5, 0.0079), (6, 0.0022), (8, 0.00016)] {
            #expect(abs(Statistics.smallestP(n, n) - p) < 0.05 * p)
            let low = (0..<n).map { Double($0) * 0.1 }
            let high = (0..<n).map { 10 + Double($0) * 0.17 }
            let result = try Statistics.permutationTest(high, low)
            #expect(result.isExact && abs(result.p - Statistics.smallestP(n, n)) < 1e-12, "\(n) against \(n)")
            let paired = try Statistics.pairedPermutationTest(high, low)
            #expect(abs(paired.p - Statistics.smallestPairedP(n)) < 1e-12 && paired.arrangements == 1 << n)
        }
        #expect(Statistics.smallestPairedP(5) == 0.0625)
        #expect(
            Statistics.seedsNeeded() == 6 && Statistics.seedsNeeded(paired: false) == 4
                && Statistics.seedsNeeded(comparisons: 3) == 7)
    }

    @Test("paired p counted by hand: differences 1, 2, -0.5 leave 2 of 8 patterns as far out")
    func paired() throws {
        // Sums over signs: ±3.5, ±2.5 (observed), ±0.5, ±1.5 → |sum| >= 2.5 for four of eight.
        let result = try Statistics.pairedPermutationTest([1, 2, 0], [0, 0, 0.5])
        #expect(result.p == 0.5 && abs(result.difference - 2.5 / 3) < 1e-15)
        #expect(try Statistics.pairedPermutationTest([1, 1], [1, 1]).p == 1)
    }

    @Test("more than 20 pairs: a seeded sample near the exact answer, the same each time")
    func sampled() throws {
        let a = (0..<24).map { Double($0 % 5) }
        let b = (0..<24).map { Double(($0 * 7) % 5) * 0.9 }
        let one = try Statistics.pairedPermutationTest(a, b, seed: 4)
        let two = try Statistics.pairedPermutationTest(a, b, seed: 4)
        let other = try Statistics.pairedPermutationTest(a, b, seed: 5)
        #expect(!one.isExact && one.p == two.p && abs(one.p - other.p) < 0.02)
    }

    @Test func holm() {
        let adjusted = Statistics.holm([0.01, 0.04, 0.03])
        for (got, wanted) in zip(adjusted, [0.03, 0.06, 0.06]) { #expect(abs(got - wanted) < 1e-15) }
        #expect(Statistics.holm([0.9, 0.8]) == [1, 1])
    }

    @Test("a lone value against many is counted exactly, either way round; an interrupt ends a sampled test")
    func boundaries() throws {
        let many = (0..<100_000).map(Double.init)
        let (one, other) = (try Statistics.permutationTest([2e5], many), try Statistics.permutationTest(many, [2e5]))
        #expect(one.isExact && one.p == other.p && one.p < 1e-4)
        let long = (0..<2000).map { Double($0 % 7) }
        defer { Cancellation.clear() }
        Cancellation.request()
        #expect(throws: BSSError.self) { try Statistics.pairedPermutationTest(long, long.reversed()) }
        #expect(throws: BSSError.self) { try Statistics.permutationTest(long, long) }
    }
}
