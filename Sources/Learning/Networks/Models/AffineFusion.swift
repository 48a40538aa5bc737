import BSSCore
import BSSTensor

/// Feature-wise linear modulation: the other modalities scale and shift the features of one, the target t.
///
///     [γ; β] = W_f c + b_f ∈ R^{2 d_t},  c = the others' features concatenated;  u = γ ⊙ h_t + β;  z = W_o u + b_o
///
/// Parameters of one target: (d_c + 1) 2 d_t + (d_t + 1) C. Perez, Strub, de Vries, Dumoulin and Courville, "FiLM"
/// (AAAI 2018). With two modalities and the default target the first conditions the second, as in the public multimodal
/// codes.
///
/// Deviation: the paper and those codes have two modalities; more of them condition together, or every modality is the
/// target in turn and the logits are averaged (`target = "each"`). Not a sum over modalities: no slices.
public final class AffineFusion: Fusion {
    private let targets: [Int]
    private let isResidual: Bool
    private var modulations: [Linear] = [], classifiers: [Linear] = []

    /// `target`: a modality's name, "each", or nil for the last. `isResidual`: u = (1 + γ) ⊙ h_t + β.
    init(_ setting: FusionSetting, target: String?, isResidual: Bool) throws {
        let sizes = setting.features
        let names = setting.modalities
        guard sizes.count > 1 else {
            throw BSSError(
                "bss.fusion.affine",
                "one modality conditions another: it needs two modalities or more, got "
                    + "\(names.joined(separator: ", "))",
                hint: "use fusion = \"concat\" for one modality", kind: .usage)
        }
        if let target, let position = names.firstIndex(of: target) {
            targets = [position]
        } else if let target, target != "each" {
            let near = Text.nearest(to: target, in: names).map { "did you mean '\($0)'? " } ?? ""
            throw BSSError(
                "bss.fusion.affine", "target '\(target)' is no modality of the model",
                hint: near + "it has: \(names.joined(separator: ", "))", kind: .usage)
        } else {
            targets = target == nil ? [names.count - 1] : Array(names.indices)
        }
        self.isResidual = isResidual
        super.init()
        for t in targets {
            modulations.append(add("modulation." + names[t], try Linear(sizes.reduce(0, +) - sizes[t], 2 * sizes[t])))
            classifiers.append(add("classifier." + names[t], try Linear(sizes[t], setting.classes)))
        }
    }

    public override func fuse(_ features: [Tensor], _ context: ForwardContext) throws -> FusionResult {
        let logits = try targets.indices.map { index in
            let target = features[targets[index]]
            let others = features.indices.filter { $0 != targets[index] }.map { features[$0] }
            let parts = try modulations[index](Tensor.concatenated(others, axis: 1), context).chunks(2, axis: 1)
            let scaled = try parts[0] * target
            return try classifiers[index]((isResidual ? scaled + target : scaled) + parts[1], context)
        }
        guard logits.count > 1 else { return FusionResult(logits[0]) }
        return FusionResult(
            try logits.dropFirst().reduce(logits[0]) { try $0 + $1 }.multiplied(by: 1 / Double(logits.count)))
    }

    static let part: Part<FusionRecipe> = {
        let target = Argument<String?>(
            "target", default: nil,
            "modality whose features are scaled and shifted by the others; by default the last; \"each\": every one "
                + "in turn, logits averaged"
        )
        let residual = Argument("residual", default: false, "(1 + gamma) h + beta in place of gamma h + beta")
        return Part(
            "affine", "FiLM: one modality's features scaled and shifted by the others.", [target, residual],
            source: "Perez et al., \"FiLM\", AAAI 2018", example: "bss.fusion.affine{ target = \"audio\" }"
        ) { a in FusionRecipe { try AffineFusion($0, target: a[target], isResidual: a[residual]) } }
    }()
}
