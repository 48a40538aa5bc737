import BSSCore
import BSSTensor

/// One classifier for what the modalities' features have in common: their mean, or the largest of each element.
///
///     mean: u = Σ_m h_m / K;   max: u[j] = max_m h_m[j];   z = W u + b, with optional ReLU layers in between
///
/// Needs features of one size. Parameters without hidden layers: d C + C. The fusions beside the concatenation that
/// DOMFN chooses from (Yang et al., ACM MM 2022). Equal largest elements share the gradient as `extremum` has it.
public final class PooledFusion: Fusion {
    public enum Pooling: String, CaseIterable { case mean, max }
    private let pooling: Pooling
    private let layers: Sequential
    /// The only layer, if there is only one.
    private let classifier: Linear?

    init(_ setting: FusionSetting, _ pooling: Pooling, hidden: [Int]) throws {
        let sizes = setting.features
        guard Set(sizes).count == 1, let size = sizes.first else {
            throw BSSError(
                "bss.fusion.\(pooling)",
                "takes the \(pooling) of features element by element and needs one size, got \(setting.listed(sizes))",
                hint: "give the encoders features = …, or use fusion = \"concat\"", kind: .usage)
        }
        self.pooling = pooling
        let modules = try Linear.classifier(size, hidden: hidden, classes: setting.classes)
        classifier = hidden.isEmpty ? modules.last as? Linear : nil
        layers = Sequential(modules)
        super.init()
        _ = add("layers", layers)
    }

    public override func fuse(_ features: [Tensor], _ context: ForwardContext) throws -> FusionResult {
        let pooled: Tensor
        switch pooling {
        case .mean:
            let sum = try features.dropFirst().reduce(features[0]) { try $0 + $1 }
            pooled = try sum.multiplied(by: 1 / Double(features.count))
        case .max: pooled = try Tensor.stacked(features, axis: 2).extremum(.max, [2])
        }
        return FusionResult(try layers(pooled, context))
    }

    /// Of the mean: z_m = W h_m / K + b / K. The largest element is no sum over modalities.
    public override func slices(_ features: [Tensor], _ context: ForwardContext) throws -> [Tensor]? {
        guard pooling == .mean, let classifier else { return nil }
        let part = 1 / Double(features.count)
        let share = try classifier.bias?.value.multiplied(by: part)
        return try features.map { try Tensor.linear($0.multiplied(by: part), classifier.weight.value, share) }
    }

    static let parts = Pooling.allCases.map { pooling in
        Part<FusionRecipe>(
            pooling.rawValue,
            "Classifies the \(pooling == .mean ? "mean" : "element-wise maximum") of the modalities' features.",
            [ConcatFusion.hiddenArgument],
            source: "Yang et al., ACM MM 2022 (DOMFN): fusion by mean and by max",
            example: "bss.fusion.\(pooling){ hidden = {64} }"
        ) { a in FusionRecipe { try PooledFusion($0, pooling, hidden: a[ConcatFusion.hiddenArgument]) } }
    }
}
