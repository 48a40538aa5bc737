import BSSCore

extension Statistics {
    /// A t statistic of a difference of means: estimate / error has Student's distribution with `df`.
    public struct MeanTest {
        /// mean(a) - mean(b)
        public var difference: Double
        /// Standard error of the difference.
        public var error: Double
        public var df: Double

        public var t: Double { difference / error }
        /// Two-sided.
        public var p: Double { StudentT(df: df).twoSided(t) }

        /// The interval that holds the difference with this probability.
        public func interval(_ level: Double) -> (low: Double, high: Double) {
            let half = StudentT(df: df).quantile((1 + level) / 2) * error
            return (difference - half, difference + half)
        }

        /// Two one-sided tests (Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 1987): whether the
        /// difference is within ±margin. p is the larger of the two; below α the interval of level 1 - 2α lies inside.
        public func equivalence(margin: Double) -> (lower: Double, upper: Double, p: Double) {
            let t = StudentT(df: df)
            let lower = t.above((difference + margin) / error)
            let upper = t.above((margin - difference) / error)
            return (lower, upper, lower.isNaN || upper.isNaN ? .nan : max(lower, upper))
        }

        static let none = MeanTest(difference: .nan, error: .nan, df: .nan)
    }

    /// Paired (Student, Biometrika 1908): t = d̄ / (s_d / √n), n - 1 degrees of freedom. NaN for fewer than two pairs.
    public static func pairedTest(_ a: [Double], _ b: [Double]) -> MeanTest {
        correctedTest(a, b, testShare: 0)
    }

    /// Unpaired with own variances (Welch, Biometrika 1947), degrees of freedom by Satterthwaite.
    public static func welchTest(_ a: [Double], _ b: [Double]) -> MeanTest {
        guard a.count > 1, b.count > 1, areFinite(a + b) else { return .none }
        func squaredError(_ values: [Double]) -> Double {
            let sd = standardDeviation(values)
            return sd * sd / Double(values.count)
        }
        let (x, y) = (squaredError(a), squaredError(b))
        let df = (x + y) * (x + y) / (x * x / Double(a.count - 1) + y * y / Double(b.count - 1))
        // Without any spread the formula is 0 / 0.
        let plain = Double(a.count + b.count - 2)
        return MeanTest(difference: mean(a) - mean(b), error: (x + y).squareRoot(), df: x + y > 0 ? df : plain)
    }

    /// Of results on overlapping training sets (Nadeau & Bengio, Machine Learning 2003): the variance of the mean is
    /// (1/n + n_test / n_train) s² instead of s² / n.
    public static func correctedTest(_ a: [Double], _ b: [Double], testShare ratio: Double) -> MeanTest {
        let d = zip(a, b).map { $0 - $1 }
        guard d.count > 1, areFinite(d) else { return .none }
        let sd = standardDeviation(d)
        return MeanTest(
            difference: mean(d), error: (1 / Double(d.count) + ratio).squareRoot() * sd, df: Double(d.count - 1))
    }

    /// Five times twofold cross-validation (Dietterich, Neural Computation 1998): t = p₁₁ / √(Σ s_i² / 5), 5 degrees
    /// of freedom; s_i² = Σ_j (p_ij - p̄_i)².
    /// - Parameter differences: `[5][2]`, of each fold.
    public static func fiveByTwo(_ differences: [[Double]]) -> MeanTest {
        let all = differences.flatMap { $0 }
        guard all.count == 10, differences.count == 5, areFinite(all) else { return .none }
        let variances = differences.map { pair -> Double in
            let centre = mean(pair)
            return pair.reduce(0) { $0 + ($1 - centre) * ($1 - centre) }
        }
        return MeanTest(difference: all[0], error: (variances.reduce(0, +) / 5).squareRoot(), df: 5)
    }

    /// Exact test of two classifiers on the same samples (McNemar, Psychometrika 1947): of the samples that only one
    /// of them gets right, how many are whose, against a fair coin.
    public static func mcnemar(_ onlyA: Int, _ onlyB: Int) -> Double {
        let n = onlyA + onlyB
        guard onlyA >= 0, onlyB >= 0 else { return .nan }
        // P(X ≤ k) of a fair coin is the incomplete beta ratio I_½(n - k, k + 1).
        let k = min(onlyA, onlyB)
        return k * 2 == n ? 1 : min(1, 2 * IncompleteBeta.ratio(0.5, Double(n - k), Double(k + 1)))
    }
}
