import BSSCore
import BSSTensor

/// From the modalities' features [B, d_m] to fused logits [B, C] (Eq. 2).
open class Fusion: Module {
    /// `features` in the model's modality order.
    open func fuse(_ features: [Tensor], _ context: ForwardContext) throws -> Tensor {
        throw BSSError("fusion", "\(type(of: self)) has no forward pass")
    }
}

/// A configured fusion: `bss.fusion.concat{}`.
public struct FusionRecipe: Family {
    public static let familyName = "fusion"
    public static let noun = "fusion"
    public static let help = "How the modalities' features become fused logits (Eq. 2)."
    public static let parts: [Part<FusionRecipe>] = [ConcatFusion.part, SumFusion.part]

    public let make: (_ featureCounts: [Int], _ classes: Int) throws -> Fusion
    public init(make: @escaping ([Int], Int) throws -> Fusion) { self.make = make }
}

/// z = W [h_1; …; h_K] + b, with optional ReLU layers in between.
public final class ConcatFusion: Fusion {
    private let layers: Sequential

    init(_ features: [Int], _ classes: Int, hidden: [Int]) throws {
        var size = features.reduce(0, +)
        var modules: [Module] = []
        for width in hidden {
            modules.append(try Linear(size, width, epilogue: .relu))
            size = width
        }
        modules.append(try Linear(size, classes))
        layers = Sequential(modules)
        super.init()
        _ = add("layers", layers)
    }

    public override func fuse(_ features: [Tensor], _ context: ForwardContext) throws -> Tensor {
        try layers(Tensor.concatenated(features, axis: 1), context)
    }

    static let part: Part<FusionRecipe> = {
        let hidden = Argument("hidden", default: [Int](), "widths of ReLU layers before the classifier", check: Check("of positive widths") { $0.allSatisfy { $0 > 0 } })
        return Part(
            "concat", "Concatenates the features and classifies them with one linear layer.", [hidden], source: "the BSS paper's fusion; Eq. 2",
            example: "bss.fusion.concat{}"
        ) { a in FusionRecipe { try ConcatFusion($0, $1, hidden: a[hidden]) } }
    }()
}

/// z = Σ_m (W_m h_m + b_m): one linear classifier a modality, summed.
public final class SumFusion: Fusion {
    private var classifiers: [Linear] = []

    init(_ features: [Int], _ classes: Int) throws {
        super.init()
        for (index, size) in features.enumerated() { classifiers.append(add(String(index), try Linear(size, classes))) }
    }

    public override func fuse(_ features: [Tensor], _ context: ForwardContext) throws -> Tensor {
        var sum = try classifiers[0](features[0], context)
        for (classifier, feature) in zip(classifiers, features).dropFirst() { sum = try sum + classifier(feature, context) }
        return sum
    }

    static let part = Part<FusionRecipe>("sum", "Sums one linear classifier per modality.", example: "bss.fusion.sum{}") { _ in
        FusionRecipe { try SumFusion($0, $1) }
    }
}
