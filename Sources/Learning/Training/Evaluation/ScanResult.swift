/// Logits of one pass over some rows, row-major [n, C], by output.
public struct ScanResult {
    public let fused: [Float]
    public let unimodal: [[Float]]
    /// Empty where the total output is the fused one.
    public let total: [Float]
    /// [n, d_m], if they were asked for.
    public let features: [[Float]]
    /// The fused loss per sample, where the fusion has a loss of its own.
    public let fusedLosses: [Float]
    public let count: Int
}
