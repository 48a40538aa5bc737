import BSSStatistics
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct RankTestTests {
    @Test("Wilcoxon and Mann-Whitney: exact statistic and p of scipy")
    func exact() {
        let paired = Statistics.wilcoxon(Seeds.a, Seeds.b)
        #expect(paired.statistic == 3 && Seeds.agree(paired.p, 0.0390625000) && paired.isExact)
        let unpaired = Statistics.mannWhitney(Seeds.a, Seeds.b)
        #expect(unpaired.statistic == 54 && Seeds.agree(unpaired.p, 0.0206682207) && unpaired.isExact)
        #expect(Statistics.mannWhitney(Seeds.b, Seeds.a).statistic == 10)
        #expect(abs(Statistics.mannWhitney(Seeds.b, Seeds.a).p - unpaired.p) < 1e-15)
    }

    @Test("ties share their rank, differences of 0 are left out; counted by hand")
    func ties() {
        // |d| = 1, 1, 2: ranks 1.5, 1.5, 3. W- = 1.5; sums as far from 3: 0, 1.5 (twice), 4.5 (twice), 6.
        let result = Statistics.wilcoxon([2, 1, 3, 5], [1, 2, 1, 5])
        #expect(result.statistic == 1.5 && result.p == 0.75 && result.count == 3)
        // Ranks of 1, 2 against 2, 3: 1, 2.5, 2.5, 4; u = 0.5; 3.5 or less in 2 of 6 splits, as many above.
        let groups = Statistics.mannWhitney([1, 2], [2, 3])
        #expect(groups.statistic == 0.5 && abs(groups.p - 4.0 / 6) < 1e-15)
        #expect(Statistics.wilcoxon([1, 2], [1, 2]).p == 1 && Statistics.mannWhitney([1, 1], [1, 1]).p == 1)
    }

    @Test("many values: the normal approximation is near the exact p")
    func many() {
        let signs = (0..<100).map { $0 * 7 % 10 < 6 ? 1.0 : -1 }
        let differences = signs.indices.map { signs[$0] * Double($0 + 1) }
        func signed(_ d: [Double]) -> Statistics.RankTest { Statistics.wilcoxon(d, d.map { _ in 0 }) }
        let (short, long) = (signed(differences), signed(differences + [0.1]))
        #expect(short.isExact && !long.isExact && abs(short.p - long.p) < 0.01 && short.p > 0.01)
        let low = (0..<30).map { Double($0) }
        let high = low.map { $0 + 4.5 }
        let (small, large) = (Statistics.mannWhitney(low, high), Statistics.mannWhitney(low + [16], high))
        #expect(small.isExact && !large.isExact && abs(small.p - large.p) < 0.02 && small.p > 0.01)
        let equal = [Double](repeating: 1, count: 70)
        #expect(Statistics.mannWhitney(equal, equal).p == 1)
    }

    @Test func notFinite() {
        for wrong in [Double.nan, .infinity] {
            #expect(Statistics.wilcoxon([1, wrong, 2], [0, 0, 0]).p.isNaN)
            #expect(Statistics.mannWhitney([1, 2], [wrong]).p.isNaN)
        }
    }
}
