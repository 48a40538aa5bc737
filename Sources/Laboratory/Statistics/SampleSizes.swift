import BSSCore
import Glibc

/// How many runs a statement needs.
extension Statistics {
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

    /// Runs with which a sign or rank test finds that one method is above the other with probability γ (Noether, JASA
    /// 1987, as in Bouthillier et al., MLSys 2021): ((Φ⁻¹(1-α) - Φ⁻¹(β)) / (√6 (½ - γ)))², not rounded.
    public static func noether(superiority gamma: Double, alpha: Double = 0.05, beta: Double = 0.05) -> Double {
        let z = Normal.quantile(1 - alpha) - Normal.quantile(beta)
        let root = z / (6.0.squareRoot() * (0.5 - gamma))
        return root * root
    }

    /// The probability that a two-sided t test with n runs an arm finds a difference of `effect` standard deviations
    /// (paired: of the differences).
    public static func power(effect: Double, runs n: Int, alpha: Double = 0.05, paired: Bool = false) -> Double {
        guard n > 1 else { return .nan }
        let distribution = StudentT(df: Double(paired ? n - 1 : 2 * n - 2))
        let nonCentrality = effect * (Double(n) / (paired ? 1 : 2)).squareRoot()
        return distribution.power(critical: distribution.quantile(1 - alpha / 2), nonCentrality: nonCentrality)
    }

    /// The fewest runs an arm that reach a power; nil: more than 100,000.
    public static func runsNeeded(
        effect: Double, power wanted: Double = 0.8, alpha: Double = 0.05, paired: Bool = false
    ) -> Int? {
        var (low, high) = (1, 2)
        func reaches(_ n: Int) -> Bool { power(effect: effect, runs: n, alpha: alpha, paired: paired) >= wanted }
        while !reaches(high) {
            guard high < 100_000 else { return nil }
            (low, high) = (high, high * 2)
        }
        while high - low > 1 {
            let middle = (low + high) / 2
            if reaches(middle) { high = middle } else { low = middle }
        }
        return high
    }
}
