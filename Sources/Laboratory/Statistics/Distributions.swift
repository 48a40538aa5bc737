import BSSCore
import Glibc

/// The standard normal distribution.
enum Normal {
    /// Φ(z)
    static func below(_ z: Double) -> Double { erfc(-z / 2.0.squareRoot()) / 2 }
    /// 1 - Φ(z), without loss for large z.
    static func above(_ z: Double) -> Double { erfc(z / 2.0.squareRoot()) / 2 }
    /// Φ⁻¹(p), by bisection; ±∞ at the ends.
    static func quantile(_ p: Double) -> Double {
        if p <= 0 { return -.infinity }
        if p >= 1 { return .infinity }
        return Bisection.root(from: -40, to: 40) { below($0) - p }
    }
}

/// Student's t distribution with `df` degrees of freedom, a positive number that need not be an integer.
struct StudentT {
    let df: Double

    /// P(T > t)
    func above(_ t: Double) -> Double {
        if t.isNaN { return .nan }
        if t.isInfinite { return t > 0 ? 0 : 1 }
        let tail = IncompleteBeta.ratio(df / (df + t * t), df / 2, 0.5) / 2
        return t >= 0 ? tail : 1 - tail
    }

    /// P(|T| ≥ |t|)
    func twoSided(_ t: Double) -> Double { t.isNaN ? .nan : min(1, 2 * above(abs(t))) }

    /// The value that T stays below with probability p.
    func quantile(_ p: Double) -> Double {
        guard df > 0, p > 0, p < 1 else { return p == 0 ? -.infinity : p == 1 ? .infinity : .nan }
        // Symmetric: the upper tail is the accurate one.
        let q = min(p, 1 - p)
        var high = 1.0
        while above(high) > q, high < 1e300 { high *= 2 }
        let t = Bisection.root(from: 0, to: high) { q - above($0) }
        return p < 0.5 ? -t : t
    }

    /// P(|T'| ≥ t) where T' has the non-centrality δ: the power of a two-sided t test. T' = (Z + δ) / s with s the
    /// root of χ²_df / df, integrated over s (Simpson's rule).
    func power(critical t: Double, nonCentrality delta: Double) -> Double {
        guard t.isFinite, delta.isFinite else { return .nan }
        let logScale = Math.log(2) + df / 2 * Math.log(df / 2) - lgamma(df / 2)
        func density(_ s: Double) -> Double {
            s <= 0 ? 0 : Math.exp(logScale + (df - 1) * Math.log(s) - df * s * s / 2)
        }
        let high = 1 + 12 / df.squareRoot()
        let steps = 4000
        let width = high / Double(steps)
        var sum = 0.0
        for k in 0...steps {
            let s = Double(k) * width
            let weight = k == 0 || k == steps ? 1.0 : k % 2 == 0 ? 2 : 4
            sum += weight * density(s) * (Normal.above(t * s - delta) + Normal.below(-t * s - delta))
        }
        return min(1, sum * width / 3)
    }
}

/// The regularized incomplete beta function.
enum IncompleteBeta {
    /// I_x(a, b): the continued fraction of DiDonato & Morris (ACM TOMS 1992, eq. 9), evaluated by Lentz's method.
    static func ratio(_ x: Double, _ a: Double, _ b: Double) -> Double {
        if x <= 0 { return 0 }
        if x >= 1 { return 1 }
        // The fraction converges fast on this side of the mean.
        if x > (a + 1) / (a + b + 2) { return 1 - ratio(1 - x, b, a) }
        let front = a * Math.log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)
        return Math.exp(front) * fraction(x, a, b) / a
    }

    private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
        let tiny = 1e-300
        func guarded(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
        var c = 1.0
        var d = 1 / guarded(1 - (a + b) * x / (a + 1))
        var result = d
        for step in 1...10_000 {
            let m = Double(step)
            for term in [
                m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
            ] {
                d = 1 / guarded(1 + term * d)
                c = guarded(1 + term / c)
                result *= c * d
            }
            if abs(c * d - 1) < 1e-16 { break }
        }
        return result
    }
}

enum Bisection {
    /// Where a rising function is 0, to the last bit.
    static func root(from low: Double, to high: Double, _ value: (Double) -> Double) -> Double {
        var (low, high) = (low, high)
        while true {
            let middle = low + (high - low) / 2
            if middle <= low || middle >= high { return middle }
            if value(middle) < 0 { low = middle } else { high = middle }
        }
    }
}
