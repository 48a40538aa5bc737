import BSSCore
import BSSTensor

/// A weighted sum of predictions (`static`, `gated`) or of features (`cmml`, `cmml_mlp`), the weights learned.
///
///     static: z = Σ_m π_m (W_m h_m + b_m),  π = softmax(w), w ∈ R^K, 0 at first
///     gated:  the same with π = softmax(G [h_1; …; h_K] + g) of every sample
///     cmml:   z = W u + b,  u = Σ_m ρ_m ⊙ h_m,  ρ_m = a_m / Σ_j a_j element by element,
///             a_m = softmax over the elements of h_m
///     cmml_mlp: z = W u + b,  u = Σ_m π_m h_m,  π = softmax_m(f(h_m)) of every sample,
///               f one MLP d → 64 → 32 → 1 for all (ReLU)
///
/// `cmml_mlp` is the attention of Yang, Wang, Zhan, Xiong and Jiang, "Comprehensive Semi-Supervised Multi-Modal
/// Learning" (IJCAI 2019), in its public code (d = 128 there; widths by `scorer`); `cmml` is what codes of the BSS
/// authors' group call by that name. Both need features of one size. w of `static` is exempt from weight decay, which
/// would pull the weights to 1/K. π scales the gradients of the encoders: the fusion is a learning rate for each
/// modality of its own.
///
/// Deviation: the BSS paper does not say what its "Weight" is; `static` is our reading. A modality's weight may depend
/// on the others' features (all but `static`): slices sum to z all the same.
public final class WeightFusion: Fusion {
    public enum Variant: String, CaseIterable {
        case `static`, gated, cmml
        case attention = "cmml_mlp"
        /// Features are weighed, and one classifier reads their sum.
        var weighsFeatures: Bool { self == .cmml || self == .attention }
    }
    private let variant: Variant
    /// One a modality; one in all where features are weighed.
    private var classifiers: [Linear] = []
    private var weights: Parameter?
    private var gate: Linear?
    private var scorer: Sequential?

    /// `hidden`: widths of f's hidden layers.
    init(_ setting: FusionSetting, _ variant: Variant, hidden: [Int] = []) throws {
        self.variant = variant
        let sizes = setting.features
        super.init()
        if variant.weighsFeatures {
            guard Set(sizes).count == 1 else {
                throw BSSError(
                    "bss.fusion.weight",
                    "variant \"\(variant.rawValue)\" adds up weighed features and needs one size, got "
                        + "\(setting.listed(sizes))",
                    hint: "give the encoders features = …, or use variant = \"static\"", kind: .usage)
            }
            classifiers.append(add("classifier", try Linear(sizes[0], setting.classes)))
            if variant == .attention {
                scorer = add("scorer", Sequential(try Linear.classifier(sizes[0], hidden: hidden, classes: 1)))
            }
            return
        }
        for (name, size) in zip(setting.modalities, sizes) {
            classifiers.append(add("classifier." + name, try Linear(size, setting.classes)))
        }
        if variant == .static {
            weights = add("weights", try Parameter([sizes.count], .constant(0)))
        } else {
            gate = add("gate", try Linear(sizes.reduce(0, +), sizes.count))
        }
    }

    public override var undecayed: [Parameter] { weights.map { [$0] } ?? [] }

    public override func fuse(_ features: [Tensor], _ context: ForwardContext) throws -> FusionResult {
        let parts = try variant.weighsFeatures ? weighed(features, context) : summands(features, context)
        let sum = try parts.dropFirst().reduce(parts[0]) { try $0 + $1 }
        return FusionResult(variant.weighsFeatures ? try classifiers[0](sum, context) : sum)
    }

    public override func slices(_ features: [Tensor], _ context: ForwardContext) throws -> [Tensor]? {
        guard variant.weighsFeatures else { return try summands(features, context) }
        let share = try classifiers[0].bias?.value.multiplied(by: 1 / Double(features.count))
        return try weighed(features, context).map { try Tensor.linear($0, classifiers[0].weight.value, share) }
    }

    /// π_m z_m, [B, C] each.
    private func summands(_ features: [Tensor], _ context: ForwardContext) throws -> [Tensor] {
        let shares = try shares(features, context)
        return try features.indices.map { m in
            try classifiers[m](features[m], context).multiplied(by: shares.sliced(-1, from: m, to: m + 1))
        }
    }

    /// π: [K] for `static`, [B, K] for `gated`.
    private func shares(_ features: [Tensor], _ context: ForwardContext) throws -> Tensor {
        if let weights { return try weights.value.softmax(axis: 0) }
        guard let gate else {
            throw BSSError("bss.fusion.weight", "variant \"\(variant)\" has no weights of predictions")
        }
        return try gate(Tensor.concatenated(features, axis: 1), context).softmax(axis: 1)
    }

    /// The features as they are added up, [B, d] each.
    private func weighed(_ features: [Tensor], _ context: ForwardContext) throws -> [Tensor] {
        guard let scorer else { return try attended(features) }
        let scores = try features.map { try scorer($0, context) }
        let shares = try Tensor.concatenated(scores, axis: 1).softmax(axis: 1)
        return try features.indices.map { m in
            try features[m].multiplied(by: shares.sliced(1, from: m, to: m + 1))
        }
    }

    /// ρ_m ⊙ h_m, [B, d] each. a_m / Σ_j a_j is the softmax over modalities of ln a_m, which cannot become 0 / 0.
    private func attended(_ features: [Tensor]) throws -> [Tensor] {
        let shares = try Tensor.stacked(features.map { try $0.softmax(axis: 1, log: true) }, axis: 2).softmax(axis: 2)
        return try features.indices.map { m in
            try features[m].multiplied(by: shares.sliced(2, from: m, to: m + 1).squeezed(2))
        }
    }

    static let part: Part<FusionRecipe> = {
        let variant = Argument(
            "variant", default: "static",
            "\"static\": one weight a modality; \"gated\": weights of every sample; \"cmml\": attention over the "
                + "features' elements; \"cmml_mlp\": one MLP scores the features of each modality",
            check: .oneOf(Variant.allCases.map(\.rawValue)))
        let hidden = Argument(
            "scorer", default: [64, 32], "cmml_mlp: widths of the scoring MLP's hidden layers",
            check: Check("of positive widths") { $0.allSatisfy { (1...65536).contains($0) } })
        return Part(
            "weight", "A sum of one classifier per modality with learned weights.", [variant, hidden],
            source: "cmml_mlp: Yang et al., IJCAI 2019; others: the paper does not define its \"Weight\"",
            example: "bss.fusion.weight{ variant = \"gated\" }"
        ) { a in
            let chosen = Variant(rawValue: a[variant]) ?? .static
            guard chosen == .attention || a[hidden] == hidden.defaultValue else {
                throw BSSError(
                    a.operation, "option 'scorer' belongs to variant \"cmml_mlp\", not to \"\(a[variant])\"",
                    kind: .usage)
            }
            return FusionRecipe { try WeightFusion($0, chosen, hidden: a[hidden]) }
        }
    }()
}
