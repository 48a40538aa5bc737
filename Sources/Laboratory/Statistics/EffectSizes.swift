import BSSCore
import Glibc

extension Statistics {
    /// How large a difference is, in units of the spread and as a probability.
    public struct EffectSizes {
        /// (mean(a) - mean(b)) / pooled standard deviation (Cohen 1988).
        public var cohen: Double
        /// Cohen's d without its bias for few values: J d, J = Γ(ν/2) / (√(ν/2) Γ((ν - 1)/2)), ν = n + m - 2 (Hedges,
        /// Journal of Educational Statistics 1981).
        public var hedges: Double
        /// P(A > B), ties half (Vargha & Delaney, Journal of Educational and Behavioral Statistics 2000).
        public var superiority: Double
        /// P(A > B) - P(A < B) (Cliff, Psychological Bulletin 1993).
        public var cliff: Double { 2 * superiority - 1 }
    }

    public static func effectSizes(_ a: [Double], _ b: [Double]) -> EffectSizes {
        guard areFinite(a + b) else { return EffectSizes(cohen: .nan, hedges: .nan, superiority: .nan) }
        let (n, m) = (Double(a.count), Double(b.count))
        let (sa, sb) = (standardDeviation(a), standardDeviation(b))
        let freedom = n + m - 2
        let pooled = (((n - 1) * sa * sa + (m - 1) * sb * sb) / freedom).squareRoot()
        let d = (mean(a) - mean(b)) / pooled
        return EffectSizes(cohen: d, hedges: hedgesCorrection(freedom) * d, superiority: superiority(a, b))
    }

    /// J(ν); NaN for fewer than two degrees of freedom.
    public static func hedgesCorrection(_ freedom: Double) -> Double {
        guard freedom > 1 else { return .nan }
        return Math.exp(lgamma(freedom / 2) - lgamma((freedom - 1) / 2) - Math.log(freedom / 2) / 2)
    }

    /// Of all pairs, the share in which a is above b; ties half.
    public static func superiority(_ a: [Double], _ b: [Double]) -> Double {
        guard !hasNaN(a + b), !a.isEmpty, !b.isEmpty else { return .nan }
        let ordered = b.sorted()
        var (below, upTo, wins) = (0, 0, 0.0)
        for x in a.sorted() {
            while below < ordered.count, ordered[below] < x { below += 1 }
            while upTo < ordered.count, ordered[upTo] <= x { upTo += 1 }
            wins += Double(below) + Double(upTo - below) / 2
        }
        return wins / (Double(a.count) * Double(b.count))
    }

    /// Paired: d̄ / s_d (Cohen's d_z).
    public static func pairedEffect(_ a: [Double], _ b: [Double]) -> Double {
        let d = zip(a, b).map { $0 - $1 }
        return mean(d) / standardDeviation(d)
    }

    /// How far a is from being stochastically above b (del Barrio, Cuesta-Albertos & Matrán 2018; Dror, Shlomov &
    /// Reichart, ACL 2019): ∫ (G⁻¹ - F⁻¹)² over where b's quantile is above a's, by the same over all. 0: above
    /// everywhere; 1: below. The step functions are integrated exactly.
    public static func orderViolation(_ a: [Double], _ b: [Double]) -> Double {
        guard areFinite(a + b), !a.isEmpty, !b.isEmpty else { return .nan }
        let (f, g) = (a.sorted(), b.sorted())
        let (n, m) = (f.count, g.count)
        // Both change at multiples of 1/(n m): integers, so that no step is lost to rounding.
        let cuts = Set((0...n).map { $0 * m } + (0...m).map { $0 * n }).sorted()
        var (violated, all) = (0.0, 0.0)
        for (low, high) in zip(cuts, cuts.dropFirst()) {
            let gap = g[low / n] - f[low / m]
            all += gap * gap * Double(high - low)
            if gap > 0 { violated += gap * gap * Double(high - low) }
        }
        return violated / all
    }
}
