import BSSCore
import BSSNetworks
import BSSTensor

/// The learned factor b of the ensemble.
final class EnsembleScale: Module {
    let factor: Parameter
    init(startingAt start: Double) throws {
        factor = try Parameter([1], .constant(start))
        super.init()
        _ = add("b", factor)
    }
}

/// The loss of phase 1.
struct BoostLoss {
    /// w1
    var own = 5.0
    /// w2
    var others = 1.0
    var alpha = 0.5
    var consolidation = ReconBoost.Options.Consolidation.paper

    /// `own`: φ_k in the graph; `others`: b Σ_{j≠k} φ_j (nil: q = 1) and `previous`: φ_k' outside of it. All [B, C].
    func terms(_ name: String, own: Tensor, others: Tensor?, previous: Tensor?, labels: Tensor) throws -> [LossTerm] {
        let classes = own.shape[1]
        let q =
            try others.map { try $0.detached.softmax(axis: 1).gather(1, labels.unsqueezed(1)).squeezed(1) }
            ?? Tensor.ones([labels.elementCount], own.dtype, on: own.backend)
        let weight = try q.multiplied(by: -self.others / Double(classes)).adding(self.own / Double(classes))
        var terms = [LossTerm(name, try Tensor.crossEntropy(own, labels, reduction: .none) * weight)]
        if let previous, alpha != 0 {
            let moving = consolidation == .paper ? own : own.detached
            let difference = try moving.softmax(axis: 1) - previous.detached.softmax(axis: 1)
            terms.append(LossTerm("consolidation", try difference.square().mean([1]), weight: alpha))
        }
        return terms
    }
}
