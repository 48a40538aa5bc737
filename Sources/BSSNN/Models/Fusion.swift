import BSSCore
import BSSTensor

/// What a fusion makes of the features.
public struct FusionResult {
    /// z [B, C]; softmax(z) is the prediction.
    public let logits: Tensor
    /// What the fusion's own loss needs beside the logits (the views' evidence of `etmc`).
    public let views: [Tensor]
    public init(_ logits: Tensor, views: [Tensor] = []) {
        self.logits = logits
        self.views = views
    }
}

/// From the modalities' features [B, d_m] to fused logits [B, C] (Eq. 2).
open class Fusion: Module {
    /// `features` in the model's modality order.
    open func fuse(_ features: [Tensor], _ context: ForwardContext) throws -> FusionResult {
        throw BSSError("fusion", "\(type(of: self)) has no forward pass")
    }

    /// z_m with Σ_m z_m = z, where the fusion is additive in the modalities; nil where it is not.
    open func slices(_ features: [Tensor], _ context: ForwardContext) throws -> [Tensor]? { nil }

    /// True if `loss` is not the cross-entropy of the logits.
    open var hasOwnLoss: Bool { false }

    /// The fused term of the training loss per sample, [B]; `epoch` counts from 0.
    open func loss(_ output: MultimodalOutput, _ labels: Tensor, epoch: Int) throws -> Tensor {
        try Tensor.crossEntropy(output.fused, labels, reduction: .none)
    }

    /// Called once when the model is built: a fusion that works inside the encoders takes hold of them here.
    /// - Throws: encoders that it cannot work with.
    open func attach(_ encoders: [Encoder], modalities: [String]) throws {}

    /// All encoders at once, where the fusion works inside them; nil: each encoder runs alone. `contexts`: one a modality (a
    /// stopped encoder runs in evaluation mode).
    open func encode(_ inputs: [Tensor], _ encoders: [Encoder], _ contexts: [ForwardContext]) throws -> [Tensor]? { nil }

    /// True if `encode` runs the encoders together.
    open var isLockStep: Bool { false }

    /// A scalar that is added to the training loss; nil = none.
    open func penalty() throws -> Tensor? { nil }

    /// Parameters that weight decay must leave alone.
    open var undecayed: [Parameter] { [] }
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
    /// The only layer, if there is only one.
    private let classifier: Linear?

    init(_ features: [Int], _ classes: Int, hidden: [Int]) throws {
        var size = features.reduce(0, +)
        var modules: [Module] = []
        for width in hidden {
            modules.append(try Linear(size, width, epilogue: .relu))
            size = width
        }
        let last = try Linear(size, classes)
        classifier = modules.isEmpty ? last : nil
        modules.append(last)
        layers = Sequential(modules)
        super.init()
        _ = add("layers", layers)
    }

    public override func fuse(_ features: [Tensor], _ context: ForwardContext) throws -> FusionResult {
        FusionResult(try layers(Tensor.concatenated(features, axis: 1), context))
    }

    /// z_m = W_m h_m + b / K, W_m the rows of modality m; with hidden layers the fusion is not additive.
    public override func slices(_ features: [Tensor], _ context: ForwardContext) throws -> [Tensor]? {
        guard let classifier, let bias = classifier.bias else { return nil }
        let share = try bias.value.multiplied(by: 1 / Double(features.count))
        var start = 0
        return try features.map { feature in
            defer { start += feature.shape[1] }
            return try Tensor.linear(feature, classifier.weight.value.sliced(0, from: start, to: start + feature.shape[1]), share)
        }
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

    public override func fuse(_ features: [Tensor], _ context: ForwardContext) throws -> FusionResult {
        let parts = try summands(features, context)
        return FusionResult(try parts.dropFirst().reduce(parts[0]) { try $0 + $1 })
    }

    /// The summands themselves, each with its whole bias.
    public override func slices(_ features: [Tensor], _ context: ForwardContext) throws -> [Tensor]? { try summands(features, context) }

    private func summands(_ features: [Tensor], _ context: ForwardContext) throws -> [Tensor] {
        try zip(classifiers, features).map { try $0($1, context) }
    }

    static let part = Part<FusionRecipe>("sum", "Sums one linear classifier per modality.", example: "bss.fusion.sum{}") { _ in
        FusionRecipe { try SumFusion($0, $1) }
    }
}
