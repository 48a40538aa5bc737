import BSSStatistics
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct SampleSizeTests {
    @Test("seeds with which a permutation test can reach .05, by the size of the Holm family")
    func seeds() {
        let families = [1, 2, 3, 5, 6, 10, 12, 20, 50, 100]
        func needed(_ paired: Bool) -> [Int] {
            families.map { Statistics.seedsNeeded(paired: paired, comparisons: $0) }
        }
        #expect(needed(true) == [6, 7, 7, 8, 8, 9, 9, 10, 11, 12])
        #expect(needed(false) == [4, 5, 5, 5, 5, 6, 6, 6, 7, 8])
    }

    @Test("Noether's runs for P(A > B)")
    func noether() {
        for (gamma, runs) in [(0.65, 80.1642504917), (0.75, 28.8591301770), (0.9, 11.2730977254)] {
            #expect(Seeds.agree(Statistics.noether(superiority: gamma), runs))
        }
    }

    @Test("power of t tests and the runs for a power of .8, as statsmodels has them")
    func power() {
        for (n, power) in [(5, 0.2862954934), (10, 0.5620066466), (17, 0.8070367151)] {
            #expect(abs(Statistics.power(effect: 1, runs: n) - power) < 1e-8, "\(n)")
        }
        let effects = [0.5, 0.8, 1, 1.5, 2, 3]
        #expect(effects.map { Statistics.runsNeeded(effect: $0) } == [64, 26, 17, 9, 6, 4])
        #expect(effects.map { Statistics.runsNeeded(effect: $0, paired: true) } == [34, 15, 10, 6, 5, 4])
        #expect(Statistics.runsNeeded(effect: 0.0001) == nil)
    }
}
