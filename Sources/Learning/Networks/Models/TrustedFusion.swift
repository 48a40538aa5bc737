import BSSCore
import BSSTensor

/// Enhanced trusted multi-view classification: the views' evidence, combined by Dempster's rule.
///
///     e_m = softplus(head_m(h_m)) of every modality, e_P = softplus(head_P([h_1; …; h_K])) of the pseudo-view;
///     α = e + 1
///     α_F = (((α_1 ⊕ α_2) … ⊕ α_K) ⊕ α_P),  S = Σ_c α_F,c;  probability α_F / S, uncertainty C / S
///     loss = Σ over α_1 … α_K, α_P, α_F of  ψ(S) - ψ(α_y) + λ_t KL(Dir(α̃) ‖ Dir(1)),
///         λ_t = min(1, t / T_a), t the epoch from 0
///
/// `pseudo_view = false`: the evidence of the K modalities alone, α_F = ((α_1 ⊕ α_2) … ⊕ α_K), K + 1 loss terms (TMC).
///
/// The logits are ln α_F: their softmax is α_F / S. Han, Zhang, Fu and Zhou, "Trusted multi-view classification with
/// dynamic evidential fusion" (TPAMI 2023; without the pseudo-view: ICLR 2021). The rule is associative and
/// commutative, so the order of modalities does not matter.
///
/// Deviation: the public code trains with Adam at 1e-4, decay 1e-5 and heads with dropout 0.1 after their hidden
/// layers; only the last is this fusion's to choose.
public final class TrustedFusion: Fusion {
    private var heads: [Sequential] = []
    private let annealing: Double
    private let hasPseudoView: Bool

    init(_ setting: FusionSetting, annealing: Double, hidden: [Int], dropout: Double, hasPseudoView: Bool) throws {
        self.annealing = annealing
        self.hasPseudoView = hasPseudoView
        super.init()
        let sizes = setting.features + (hasPseudoView ? [setting.features.reduce(0, +)] : [])
        for (name, size) in zip(setting.modalities.map { "view." + $0 } + ["pseudo"], sizes) {
            heads.append(
                add(
                    name,
                    Sequential(try Linear.classifier(size, hidden: hidden, classes: setting.classes, dropout: dropout)))
            )
        }
    }

    /// `views`: α_1 … α_K, α_P if there is one, α_F, [B, C] each.
    public override func fuse(_ features: [Tensor], _ context: ForwardContext) throws -> FusionResult {
        let seen = try hasPseudoView ? features + [Tensor.concatenated(features, axis: 1)] : features
        var views = try zip(heads, seen).map { head, feature in
            try head(feature, context).unary(.softplus, 1, 20) + 1
        }
        let fused = try views.dropFirst().reduce(views[0]) { try Tensor.dempsterShafer($0, $1) }
        views.append(fused)
        return FusionResult(try fused.log(), views: views)
    }

    public override var hasOwnLoss: Bool { true }

    /// K + 2 terms, K + 1 without the pseudo-view.
    public override func loss(_ output: MultimodalOutput, _ labels: Tensor, epoch: Int) throws -> Tensor {
        // All Dirichlets as rows of one: [(K + 2) B, C] or [(K + 1) B, C].
        let count = output.views.count
        let batch = labels.shape[0]
        let terms = try Tensor.evidenceCrossEntropy(
            Tensor.concatenated(output.views, axis: 0),
            Tensor.concatenated(Array(repeating: labels, count: count), axis: 0), step: Double(epoch),
            annealing: annealing)
        return try terms.reshaped([count, batch]).sum([0])
    }

    static let part: Part<FusionRecipe> = {
        let annealing = Argument(
            "annealing", default: 10.0,
            "epochs T_a over which the divergence from the uniform Dirichlet gains its whole weight (50 in the first "
                + "paper)",
            check: .above(0))
        let dropout = Argument("dropout", default: 0.1, "rate after every hidden layer", check: .range(0...1))
        let pseudo = Argument(
            "pseudo_view", default: true,
            "a further view of all features together; false: the evidence of the modalities alone, as in the first "
                + "paper (TMC)"
        )
        return Part(
            "etmc",
            "Trusted fusion: evidence of every modality and of a pseudo-view of all, combined by Dempster's rule.",
            [annealing, ConcatFusion.hiddenArgument, dropout, pseudo],
            source: "Han et al., TPAMI 2023 (ICLR 2021)", example: "bss.fusion.etmc{ annealing = 50 }"
        ) { a in
            FusionRecipe {
                try TrustedFusion(
                    $0, annealing: a[annealing], hidden: a[ConcatFusion.hiddenArgument], dropout: a[dropout],
                    hasPseudoView: a[pseudo])
            }
        }
    }()
}
