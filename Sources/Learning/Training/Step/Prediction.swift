import BSSNetworks
import BSSTensor

/// What a method says of a batch: `total` decides; `fused` and `unimodal` are what metrics and the balance score look
/// at. All logits [B, C].
public struct Prediction {
    public let total: Tensor
    public let fused: Tensor
    public let unimodal: [Tensor]

    public init(total: Tensor, fused: Tensor, unimodal: [Tensor]) {
        self.total = total
        self.fused = fused
        self.unimodal = unimodal
    }

    /// Outside the graph; what is one tensor stays one.
    var detached: Prediction {
        let fused = self.fused.detached
        return Prediction(
            total: total === self.fused ? fused : total.detached, fused: fused, unimodal: unimodal.map(\.detached))
    }

    /// The fused output decides.
    public init(fused: Tensor, unimodal: [Tensor]) { self.init(total: fused, fused: fused, unimodal: unimodal) }

    /// Heads and fusion as the model has them; the fused output decides.
    public init(_ output: MultimodalOutput) { self.init(fused: output.fused, unimodal: output.unimodal) }
}

/// How outputs of the model become predictions: `RebalanceMethod.predict`.
public typealias Predictor = (MultimodalOutput) throws -> Prediction
