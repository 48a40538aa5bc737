import BSSCore
import BSSTensor

/// z = Σ_m (W_m h_m + b_m): one linear classifier a modality, summed. Parameters: C Σ d_m + K C.
///
/// Deviation: OGM-GE's public code halves b_m at validation; the whole bias is used everywhere here.
public final class SumFusion: Fusion {
    private var classifiers: [Linear] = []

    init(_ setting: FusionSetting) throws {
        super.init()
        for (index, size) in setting.features.enumerated() {
            classifiers.append(add(String(index), try Linear(size, setting.classes)))
        }
    }

    public override func fuse(_ features: [Tensor], _ context: ForwardContext) throws -> FusionResult {
        let parts = try summands(features, context)
        return FusionResult(try parts.dropFirst().reduce(parts[0]) { try $0 + $1 })
    }

    /// The summands themselves, each with its whole bias.
    public override func slices(_ features: [Tensor], _ context: ForwardContext) throws -> [Tensor]? {
        try summands(features, context)
    }

    public override func classifier(of modality: Int) -> [Parameter] {
        classifiers[modality].parameters().map(\.parameter)
    }

    private func summands(_ features: [Tensor], _ context: ForwardContext) throws -> [Tensor] {
        try zip(classifiers, features).map { try $0($1, context) }
    }

    static let part = Part<FusionRecipe>("sum", "Sums one linear classifier per modality.", example: "bss.fusion.sum{}")
    { _ in
        FusionRecipe { try SumFusion($0) }
    }
}
