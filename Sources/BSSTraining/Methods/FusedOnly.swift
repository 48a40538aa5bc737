import BSSCore
import BSSCurriculum
import BSSNN
import BSSTensor

/// Vanilla fusion: the fused cross-entropy alone trains encoders and fusion, and alone predicts (Eqs. 2, 3).
///
/// The unimodal heads are linear probes on detached features: they report what each encoder has learned and change
/// nothing else. Turn them off with `probes = false` to save their time; the unimodal figures are then of untrained heads.
public final class FusedOnly: RebalanceMethod {
    private let hasProbes: Bool
    init(hasProbes: Bool) { self.hasProbes = hasProbes }

    public override func loss(_ context: TrainingContext, _ output: MultimodalOutput, _ batch: TrainingBatch) throws -> [LossTerm] {
        var terms = [LossTerm("fused", try Tensor.crossEntropy(output.fused, batch.labels, reduction: .none), weight: 1)]
        if hasProbes {
            for (index, name) in context.model.modalities.enumerated() {
                let logits = try context.model.heads[index](output.features[index].detached, ForwardContext(.training))
                terms.append(LossTerm(name, try Tensor.crossEntropy(logits, batch.labels, reduction: .none), weight: 1))
            }
        }
        return terms
    }

    public override func predict(_ context: TrainingContext, _ output: MultimodalOutput) throws -> Tensor {
        context.options.inferenceHeads.isAutomatic ? output.fused : try super.predict(context, output)
    }

    public override func lossWeights(_ options: TrainingOptions, modalities: Int) -> LossWeights {
        LossWeights(multi: 1, uni: Array(repeating: 0, count: modalities))
    }

    static let part: Part<RebalanceRecipe> = {
        let probes = Argument("probes", default: true, "train the unimodal heads on detached features, as probes")
        return Part(
            "none", "Fused loss only: the usual concatenation or sum baseline; unimodal heads are probes.", [probes],
            source: "Guan, Jiang, Yang, IJCAI 2025, Eqs. 2, 3", example: "bss.rebalance.none{}"
        ) { a in RebalanceRecipe { FusedOnly(hasProbes: a[probes]) } }
    }()
}
