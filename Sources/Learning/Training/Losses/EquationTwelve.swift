import BSSCore
import BSSNetworks
import BSSTensor

/// z_total = Σ weights · (z, z_1, …, z_K) (Eq. 12 has all weights 1).
public enum EquationTwelve {
    static func total(_ outputs: [Tensor], _ weights: [Double]) throws -> Tensor {
        let chosen = zip(weights, outputs).filter { $0.0 != 0 }
        guard !chosen.isEmpty else { throw BSSError("inference_heads", "all weights are 0", kind: .usage) }
        return try Tensor.sum(chosen.map { $0 == 1 ? $1 : try $1.multiplied(by: $0) })
    }
}

extension TrainingContext {
    /// The heads that `bss.train`'s option `inference_heads` asks for; where it says "auto", those of the method.
    public func prediction(
        fused: Tensor, unimodal: [Tensor], automatic: InferenceHeads = .all
    ) throws -> Prediction {
        let heads = options.inferenceHeads.isAutomatic ? automatic : options.inferenceHeads
        let total = try EquationTwelve.total([fused] + unimodal, heads.weights(model.modalities))
        return Prediction(total: total, fused: fused, unimodal: unimodal)
    }
}

extension Tensor {
    /// x_1 + x_2 + …, from the left.
    static func sum(_ tensors: [Tensor]) throws -> Tensor {
        try tensors.dropFirst().reduce(tensors[0]) { try $0 + $1 }
    }

    /// Σ x², in one pass.
    var squared: Double { get throws { try Tensor.sumOfSquares([contiguous()]).item() } }
}
