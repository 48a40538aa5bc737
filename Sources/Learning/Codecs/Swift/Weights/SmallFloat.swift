/// The values of 8-bit floats, by their bits.
///
/// Source: Micikevicius et al., FP8 formats for deep learning, arXiv 2209.05433, 2022, table 1.
enum SmallFloat {
    /// 1 sign, 4 exponent bits (bias 7), 3 of the fraction; no infinities, one NaN.
    static let e4m3fn = (0..<256).map { $0 & 0x7F == 0x7F ? Float.nan : value($0, fraction: 3, bias: 7) }
    /// 1 sign, 5 exponent bits (bias 15), 2 of the fraction: the upper half of a float16.
    static let e5m2 = (0..<256).map { Float(Float16(bitPattern: UInt16($0) << 8)) }

    private static func value(_ bits: Int, fraction: Int, bias: Int) -> Float {
        let exponent = bits >> fraction & (0x7F >> fraction)
        let rest = bits & (1 << fraction - 1)
        let significand = exponent == 0 ? rest : rest + 1 << fraction
        let magnitude = Float(
            sign: .plus, exponent: max(exponent, 1) - bias - fraction, significand: Float(significand))
        return bits & 0x80 == 0 ? magnitude : -magnitude
    }
}
