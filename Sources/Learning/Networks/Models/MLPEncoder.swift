import BSSCore
import BSSTensor

/// Linear layers with activation: features = act(W_L … act(W_1 x)); an optional last projection has no activation.
public final class MLPEncoder: Encoder {
    private let layers: Sequential

    public init(
        inputs: Int, hidden: [Int], features: Int?, activation: String, normalisation: String, dropout: Double
    ) throws {
        var modules: [Module] = [Flatten()]
        var size = inputs
        for width in hidden {
            let isFused = activation == "relu" && normalisation == "none"
            modules.append(try Linear(size, width, epilogue: isFused ? .relu : .none))
            switch normalisation {
            case "batch": modules.append(try BatchNorm(width))
            case "layer": modules.append(try LayerNorm([width]))
            default: break
            }
            if !isFused { modules.append(Activation(activation)) }
            if dropout > 0 { modules.append(Dropout(rate: dropout)) }
            size = width
        }
        if let features {
            modules.append(try Linear(size, features))
            size = features
        }
        layers = Sequential(modules)
        super.init(featureCount: size)
        _ = add("layers", layers)
    }

    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try layers(x, context)
    }

    static let part: Part<EncoderRecipe> = {
        let hidden = Argument(
            "hidden", default: [128], "widths of the hidden layers",
            check: Check("of positive widths") { $0.allSatisfy { $0 > 0 } })
        let features = Argument<Int?>(
            "features", default: nil, "width of a last linear projection without activation",
            check: Check("at least 1") { $0 ?? 1 > 0 })
        let activation = Argument(
            "activation", default: "relu", "after every hidden layer", check: .oneOf(Activation.names))
        let norm = Argument(
            "norm", default: "none", "before every activation", check: .oneOf(["none", "batch", "layer"]))
        let dropout = Argument("dropout", default: 0.0, "rate after every activation", check: .range(0...1))
        return Part(
            "mlp", "A multilayer perceptron on the flattened input.", [hidden, features, activation, norm, dropout],
            example: "bss.encoder.mlp{ hidden = {128, 64}, dropout = 0.1 }"
        ) { a in
            EncoderRecipe { _, shape in
                try MLPEncoder(
                    inputs: shape.reduce(1, *), hidden: a[hidden], features: a[features], activation: a[activation],
                    normalisation: a[norm],
                    dropout: a[dropout])
            }
        }
    }()
}
