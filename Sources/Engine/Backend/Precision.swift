import BSSCore

/// How products of `float32` matrices, and convolutions, are computed. Everything is kept in `float32`: weights,
/// activations, gradients, optimizer; sums are made in `float32`. `float64` is never rounded.
public enum Precision: String, Choice {
    /// As they are.
    case f32
    /// Factors are rounded to TF32 first: 10 bits of fraction (NVIDIA A100 whitepaper, 2020).
    case tf32
    /// Factors are rounded to bfloat16 first: 7 bits of fraction.
    case bf16
}

extension Backend {
    /// Runs `body` with this precision; then it is as before.
    /// - Throws: a precision that the device does not compute in, before `body` begins.
    public func with<R>(_ wanted: Precision, _ body: () throws -> R) throws -> R {
        let before = precision
        try setPrecision(wanted)
        defer { restorePrecision(before) }
        return try body()
    }

    private func restorePrecision(_ before: Precision) {
        // It was set before, so that the device has it.
        try? setPrecision(before)
    }
}
