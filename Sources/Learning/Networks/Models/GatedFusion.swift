import BSSCore
import BSSTensor

/// One modality's features pass a gate that the others open, the target t.
///
///     g = σ(W_g c + b_g),  c = the others' features concatenated;  u = g ⊙ h_t;  z = W_o u + b_o
///     project = d:  g = σ(W_g c + b_g) ∈ (0, 1)^d,  u = g ⊙ (W_t h_t + b_t)
///
/// With two modalities and the default target the first opens the gate of the second, σ(W x) ⊙ y. Parameters: (d_c + 1)
/// d_t + (d_t + 1) C, with `project` (d_c + d_t + 2) d + (d + 1) C. Kiela, Grave, Joulin and Mikolov, "Efficient
/// Large-Scale Multi-Modal Classification" (AAAI 2018); `project = 512` is the gated fusion of the public OGM-GE code.
///
/// Deviation: those have two modalities; more of them open the gate together. Not a sum over modalities: no slices.
public final class GatedFusion: Fusion {
    private let target: Int
    private let gate: Linear, projection: Linear?, classifier: Linear

    /// `target`: a modality's name, or nil for the last. `width`: of the projections; nil = none.
    init(_ setting: FusionSetting, target name: String?, width: Int?) throws {
        let (sizes, names) = (setting.features, setting.modalities)
        guard sizes.count > 1 else {
            throw BSSError(
                "bss.fusion.gated",
                "one modality opens the gate of another: it needs two modalities or more, got "
                    + "\(names.joined(separator: ", "))",
                hint: "use fusion = \"concat\" for one modality", kind: .usage)
        }
        if let name, !names.contains(name) {
            let near = Text.nearest(to: name, in: names).map { "did you mean '\($0)'? " } ?? ""
            throw BSSError(
                "bss.fusion.gated", "target '\(name)' is no modality of the model",
                hint: near + "it has: \(names.joined(separator: ", "))", kind: .usage)
        }
        target = name.flatMap(names.firstIndex) ?? names.count - 1
        let size = sizes[target]
        gate = try Linear(sizes.reduce(0, +) - size, width ?? size)
        projection = try width.map { try Linear(size, $0) }
        classifier = try Linear(width ?? size, setting.classes)
        super.init()
        _ = add("gate", gate)
        if let projection { _ = add("projection", projection) }
        _ = add("classifier", classifier)
    }

    public override func fuse(_ features: [Tensor], _ context: ForwardContext) throws -> FusionResult {
        let others = features.indices.filter { $0 != target }.map { features[$0] }
        let opening = try gate(Tensor.concatenated(others, axis: 1), context).sigmoid()
        let passed = try opening * (projection.map { try $0(features[target], context) } ?? features[target])
        return FusionResult(try classifier(passed, context))
    }

    static let part: Part<FusionRecipe> = {
        let target = Argument<String?>(
            "target", default: nil,
            "modality whose features pass the gate that the others open; by default the last")
        let width = Argument<Int?>(
            "project", default: nil,
            "width of linear projections before the gate, as in the OGM-GE code (512 there); by default none",
            check: Check("from 1 to 65536") { $0.map { (1...65536).contains($0) } ?? true })
        return Part(
            "gated", "Passes one modality's features through a sigmoid gate that the others open.", [target, width],
            source: "Kiela et al., AAAI 2018; Peng et al., CVPR 2022 (its code)",
            example: "bss.fusion.gated{ target = \"audio\" }"
        ) { a in FusionRecipe { try GatedFusion($0, target: a[target], width: a[width]) } }
    }()
}
