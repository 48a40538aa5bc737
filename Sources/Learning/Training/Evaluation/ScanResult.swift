import BSSTensor

/// Logits of one pass over some rows, row-major [n, C], by output.
public struct ScanResult {
    public internal(set) var fused: [Float] = []
    public internal(set) var unimodal: [[Float]]
    /// Empty where the total output is the fused one.
    public internal(set) var total: [Float] = []
    /// [n, d_m], if they were asked for.
    public internal(set) var features: [[Float]]
    /// The fused loss per sample, where the fusion has a loss of its own.
    public internal(set) var fusedLosses: [Float] = []
    public internal(set) var count = 0

    init(modalities: Int) {
        unimodal = Array(repeating: [], count: modalities)
        features = Array(repeating: [], count: modalities)
    }

    mutating func append(_ prediction: Prediction) throws {
        let isOwn = prediction.total !== prediction.fused
        // A method may decide from batch to batch (DOMFN's gate): what was the fused output so far is the total's
        // beginning.
        if isOwn, total.isEmpty { total = fused }
        if isOwn || !total.isEmpty { try prediction.total.withValues { total.append(contentsOf: $0) } }
        try prediction.fused.withValues { fused.append(contentsOf: $0) }
        for m in prediction.unimodal.indices {
            try prediction.unimodal[m].withValues { unimodal[m].append(contentsOf: $0) }
        }
    }
}
