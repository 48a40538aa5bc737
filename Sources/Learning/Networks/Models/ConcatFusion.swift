import BSSCore
import BSSTensor

/// z = W [h_1; …; h_K] + b, with optional ReLU layers in between. Parameters without them: C Σ d_m + C.
public final class ConcatFusion: Fusion {
    private let layers: Sequential
    /// The only layer, if there is only one.
    private let classifier: Linear?

    init(_ setting: FusionSetting, hidden: [Int] = []) throws {
        let modules = try Linear.classifier(setting.features.reduce(0, +), hidden: hidden, classes: setting.classes)
        classifier = hidden.isEmpty ? modules.last as? Linear : nil
        layers = Sequential(modules)
        super.init()
        _ = add("layers", layers)
    }

    public override func fuse(_ features: [Tensor], _ context: ForwardContext) throws -> FusionResult {
        FusionResult(try layers(Tensor.concatenated(features, axis: 1), context))
    }

    /// z_m = W_m h_m + b / K, W_m the rows of modality m; with hidden layers the fusion is not additive.
    public override func slices(_ features: [Tensor], _ context: ForwardContext) throws -> [Tensor]? {
        try classifier?.slices(features)
    }

    static let hiddenArgument = Argument(
        "hidden", default: [Int](), "widths of ReLU layers before the classifier",
        check: Check("of positive widths") { $0.allSatisfy { $0 > 0 } })

    static let part = Part<FusionRecipe>(
        "concat", "Concatenates the features and classifies them with one linear layer.", [hiddenArgument],
        source: "the BSS paper's fusion; Eq. 2",
        example: "bss.fusion.concat{}"
    ) { a in FusionRecipe { try ConcatFusion($0, hidden: a[hiddenArgument]) } }
}

extension Linear {
    /// ReLU layers of the given widths (with dropout after each), then the classifier.
    static func classifier(_ inputs: Int, hidden: [Int], classes: Int, dropout: Double = 0) throws -> [Module] {
        var size = inputs
        var modules: [Module] = []
        for width in hidden {
            modules.append(try Linear(size, width, epilogue: .relu))
            if dropout > 0 { modules.append(Dropout(rate: dropout)) }
            size = width
        }
        return modules + [try Linear(size, classes)]
    }

    /// W_m x_m + b / K for the blocks x_m of a concatenated input: their sum is the layer's output.
    func slices(_ blocks: [Tensor]) throws -> [Tensor] {
        let share = try bias?.value.multiplied(by: 1 / Double(blocks.count))
        var start = 0
        return try blocks.map { block in
            defer { start += block.shape[1] }
            return try Tensor.linear(block, weight.value.sliced(0, from: start, to: start + block.shape[1]), share)
        }
    }
}
