import Glibc

extension Int {
    /// Cut off towards zero; NaN becomes 0, and beyond ±2⁵³ it is ±2⁵³: for sizes that a script's numbers decide, where
    /// `Int(x)` would end the process. What comes out can be added to and multiplied by a few without overflow.
    @inlinable public init(saturating x: Double) {
        let most = 0x1p53
        self = x.isNaN ? 0 : Int(Swift.min(Swift.max(x, -most), most))
    }
}

/// The C library's functions, so that no other file needs to import it for one of them.
public enum Math {
    public static func log(_ x: Double) -> Double { Glibc.log(x) }
    public static func exp(_ x: Double) -> Double { Glibc.exp(x) }
    public static func pow(_ x: Double, _ y: Double) -> Double { Glibc.pow(x, y) }
    public static func cos(_ x: Double) -> Double { Glibc.cos(x) }
    public static func tanh(_ x: Double) -> Double { Glibc.tanh(x) }
    public static func sin(_ x: Double) -> Double { Glibc.sin(x) }
    public static func log10(_ x: Double) -> Double { Glibc.log10(x) }

    public static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    /// Sample standard deviation (divisor n - 1); NaN for fewer than two values.
    public static func standardDeviation(_ values: [Double]) -> Double {
        guard values.count > 1 else { return .nan }
        let mean = mean(values)
        return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
    }

    /// Linear interpolation between the neighbours at position (n - 1) q of ascending values (definition 7 of Hyndman &
    /// Fan 1996). An infinite neighbour of weight 0 counts for nothing.
    public static func quantile(_ sorted: [Double], _ q: Double) -> Double {
        let position = q * Double(sorted.count - 1)
        let below = min(max(Int(saturating: position), 0), sorted.count - 1)
        let above = min(below + 1, sorted.count - 1)
        let (low, high, share) = (sorted[below], sorted[above], position - Double(below))
        if share == 0 || low == high { return low }
        let gap = high - low
        return gap.isFinite ? low + share * gap : low * (1 - share) + high * share
    }
}
