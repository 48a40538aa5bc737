import BSSBackend
import BSSCore
import BSSTensor

/// A stack of LSTM layers over a sequence [T, F], or over the tokens of a text [3, L], pooled to one vector.
///
/// Parameters carry PyTorch's names: `weight_ih_l0` [4H, I], `weight_hh_l0` [4H, H], `bias_ih_l0`, `bias_hh_l0`,
/// `…_reverse`.
public final class LSTMEncoder: Encoder {
    private let cells: LSTMLayers
    private let embedding: Embedding?
    private let pooling: String

    init(
        inputs: Int, hidden: Int, layers: Int, isBidirectional: Bool, dropout: Double, vocabulary: Int?, pooling: String
    ) throws {
        embedding = try vocabulary.map { try Embedding($0, inputs) }
        cells = try LSTMLayers(
            inputs: inputs, hidden: hidden, layers: layers, isBidirectional: isBidirectional, dropout: dropout)
        self.pooling = pooling
        super.init(featureCount: hidden * (isBidirectional ? 2 : 1))
        if let embedding { _ = add("embedding", embedding) }
        _ = add("lstm", cells)
    }

    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        var sequence = x
        var mask: Tensor?
        var lengths: [Int]?
        if let embedding {
            let text = try TokenBatch(x, operation: "lstm")
            sequence = try embedding(text.ids, context)
            mask = text.mask
            lengths = try text.mask?.sum([1]).values(Float.self).map { max(1, Int($0)) }
        }
        let (output, hidden) = try cells.forward(sequence, lengths: lengths, context)
        // Last states: forward at the end of each sequence, backward at its beginning.
        return pooling == "mean" ? try output.averaged(where: mask) : hidden
    }

    static let part: Part<EncoderRecipe> = {
        let hidden = Argument("hidden", default: 128, "width of a layer", check: .range(1...65536))
        let layers = Argument("layers", default: 1, "layers", check: .range(1...256))
        let bidirectional = Argument("bidirectional", default: false, "also read from the end; doubles the features")
        let dropout = Argument("dropout", default: 0.0, "rate between layers", check: .range(0...1))
        let pooling = Argument(
            "pooling", default: "last", "\"last\": the last state; \"mean\" of all outputs",
            check: .oneOf(["last", "mean"]))
        let vocabulary = Argument<Int?>(
            "vocabulary", default: nil, "tokens in the vocabulary, for texts [3, L]",
            check: Check("from 1 to 16777216") { (1...16_777_216).contains($0 ?? 1) })
        let embedding = Argument(
            "embedding", default: 128, "width of the token embeddings, for texts", check: .range(1...65536))
        return Part(
            "lstm", "LSTM layers for sequences [T, F], or for texts [3, L] of token ids, mask and types.",
            [hidden, layers, bidirectional, dropout, pooling, vocabulary, embedding] + Pretrained.arguments,
            source: "Hochreiter, Schmidhuber, Neural Computation 1997",
            example: "bss.encoder.lstm{ hidden = 32, vocabulary = 100, embedding = 16 }"
        ) { a in
            let pretrained = Pretrained(a)
            return EncoderRecipe { modality, shape in
                if a[vocabulary] != nil { try TokenBatch.checkSample(shape, "bss.encoder.lstm", modality) }
                guard shape.count == 2, shape[0] >= 1, shape[1] >= 1 else {
                    throw BSSError(
                        "bss.encoder.lstm",
                        "modality '\(modality)' has samples of shape \(shape), an lstm needs sequences [T, F] (or "
                            + "texts [3, L], with vocabulary)",
                        kind: .usage)
                }
                return try LSTMEncoder(
                    inputs: a[vocabulary] == nil ? shape[1] : a[embedding], hidden: a[hidden], layers: a[layers],
                    isBidirectional: a[bidirectional], dropout: a[dropout],
                    vocabulary: a[vocabulary], pooling: a[pooling]
                ).starting(from: pretrained)
            }
        }
    }()
}

/// LSTM layers with PyTorch's parameter names and starting values U(±1/√H).
public final class LSTMLayers: Module {
    private var weights: [(input: Parameter, hidden: Parameter, inputBias: Parameter, hiddenBias: Parameter)] = []
    private let isBidirectional: Bool, dropout: Double

    public init(inputs: Int, hidden: Int, layers: Int, isBidirectional: Bool, dropout: Double) throws {
        self.isBidirectional = isBidirectional
        self.dropout = dropout
        super.init()
        let directions = isBidirectional ? 2 : 1
        for layer in 0..<layers {
            for direction in 0..<directions {
                let suffix = "_l\(layer)" + (direction == 1 ? "_reverse" : "")
                func parameter(_ name: String, _ shape: Shape) throws -> Parameter {
                    add(name + suffix, try Parameter(shape, .uniformFanIn(hidden)))
                }
                weights.append(
                    (
                        try parameter("weight_ih", [4 * hidden, layer == 0 ? inputs : hidden * directions]),
                        try parameter("weight_hh", [4 * hidden, hidden]),
                        try parameter("bias_ih", [4 * hidden]), try parameter("bias_hh", [4 * hidden])
                    ))
            }
        }
    }

    /// x [B, T, I] → outputs [B, T, directions · H] and the last layer's last states [B, directions · H].
    public func forward(
        _ x: Tensor, lengths: [Int]?, _ context: ForwardContext
    ) throws -> (output: Tensor, hidden: Tensor) {
        let sets = weights.map {
            RecurrentWeights(
                input: $0.input.value, hidden: $0.hidden.value, inputBias: $0.inputBias.value,
                hiddenBias: $0.hiddenBias.value)
        }
        let rate = dropout
        let (output, states, _) = try x.recurrent(.lstm, sets, isBidirectional: isBidirectional, lengths: lengths) {
            try context.dropout($0, rate)
        }
        let count = states.shape[0]
        let directions = isBidirectional ? 2 : 1
        let last = try (count - directions..<count).map { try states.element(at: $0) }
        return (output, try Tensor.concatenated(last, axis: 1))
    }
}
