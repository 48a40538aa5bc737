import BSSCore
import BSSData
import BSSNetworks
import BSSTensor

/// How the total comes from a network's outputs: z_total = w_0 z + Σ_m w_m z_m (Eq. 12 has all weights 1), and where
/// the z_m come from.
public struct InferenceRule {
    /// Of the fused logits, then of each modality's, in the network's order.
    public let weights: [Double]
    public let unimodal: UnimodalSource

    public init(weights: [Double], unimodal: UnimodalSource) {
        (self.weights, self.unimodal) = (weights, unimodal)
    }

    var table: Table {
        Table(fields: [("weights", .list(weights)), ("unimodal", .string(unimodal.rawValue))])
    }

    init?(_ table: Table) {
        guard let weights = table["weights"]?.table?.items.compactMap(\.double), weights.contains(where: { $0 != 0 }),
            let source = table["unimodal"]?.string.flatMap(UnimodalSource.init(rawValue:))
        else { return nil }
        self.init(weights: weights, unimodal: source)
    }

    /// The rule that a finished training predicts by, told by some of its samples: the outputs' bits must agree.
    /// - Returns: nil where the method has a rule of its own (a gate, weights by entropy, a script's function).
    public static func used(by trainer: Trainer) throws -> InferenceRule? {
        // A gate may stand one way in a few samples; a script's function may count its calls.
        guard !["domfn", "custom"].contains(trainer.options.rebalance.name) else { return nil }
        let rows = Array(trainer.source.rows(.train).prefix(4))
        var seen: MultimodalOutput?
        let evaluator = Evaluator(trainer.model, trainer.source)
        let scan = try evaluator.scan(rows: rows, trainer.method.predict) { _, output in seen = output }
        guard let output = seen else { return nil }
        let model = trainer.model
        func isEqual(_ tensor: Tensor, _ values: [Float]) throws -> Bool {
            try tensor.withValues { $0.elementsEqual(values) }
        }
        return try Autograd.withoutRecording {
            guard try isEqual(output.fused, scan.fused) else { return nil }
            for source in [UnimodalSource.head, .slice, .mask] {
                // A fusion that is no sum has no slices.
                guard source != .slice || model.fusion.isSum(output.features) else { continue }
                let unimodal = try model.unimodal(output, source, ForwardContext(.evaluation))
                guard try zip(unimodal, scan.unimodal).allSatisfy({ try isEqual($0, $1) }) else { continue }
                for heads in [.fused, .all, .unimodal, trainer.options.inferenceHeads] as [InferenceHeads] {
                    let weights = heads.weights(model.modalities)
                    let total = try EquationTwelve.total([output.fused] + unimodal, weights)
                    if try isEqual(total, scan.total.isEmpty ? scan.fused : scan.total) {
                        return InferenceRule(weights: weights, unimodal: source)
                    }
                }
            }
            return nil
        }
    }
}

extension Fusion {
    fileprivate func isSum(_ features: [Tensor]) -> Bool {
        // Whoever cannot say is none.
        (try? slices(features, ForwardContext(.evaluation))) != nil
    }
}
