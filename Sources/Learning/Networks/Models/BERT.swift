import BSSBackend
import BSSCore
import BSSTensor

/// Sizes of a BERT; the defaults are BERT-base-uncased's.
public struct BERTSizes {
    public var vocabulary = 30522, hidden = 768, layers = 12, heads = 12, intermediate = 3072, positions = 512,
        types = 2
    /// Id of the padding token, whose embedding is not trained.
    public var padding = 0
    public var eps = 1e-12, dropout = 0.1, attentionDropout = 0.1
    public var activation = "gelu"
    public init() {}

    func check(_ operation: String) throws {
        guard [vocabulary, hidden, layers, heads, intermediate, positions, types].allSatisfy({ $0 >= 1 }) else {
            throw BSSError(operation, "every size must be at least 1", kind: .usage)
        }
        guard (0..<vocabulary).contains(padding) else {
            throw BSSError(operation, "padding token \(padding) is not in the vocabulary of \(vocabulary)", kind: .data)
        }
        guard hidden % heads == 0 else {
            throw BSSError(operation, "hidden = \(hidden) is no multiple of heads = \(heads)", kind: .usage)
        }
        guard Activation.names.contains(activation) else {
            throw BSSError(operation, "unknown activation \"\(activation)\"", kind: .data)
        }
    }
}

/// The transformer encoder of Devlin et al. (NAACL 2019), layer for layer as Hugging Face's BertModel, under its names.
///
///     h_0 = LN(word + position + type);  a = LN(h + W_o attention(h));  h' = LN(a + W_2 gelu(W_1 a))
///     pooled = tanh(W_p h_L[:, 0])
public final class BERTModel: Module {
    public let sizes: BERTSizes
    private let words: Embedding, positions: Embedding, types: Embedding, norm: LayerNorm
    private let layers: [BERTLayer]
    private let pooler: Linear?

    public init(_ sizes: BERTSizes, hasPooler: Bool) throws {
        let start = Initializer.normal(std: 0.02)
        self.sizes = sizes
        words = try Embedding(sizes.vocabulary, sizes.hidden, start, paddingIndex: sizes.padding)
        positions = try Embedding(sizes.positions, sizes.hidden, start)
        types = try Embedding(sizes.types, sizes.hidden, start)
        norm = try LayerNorm([sizes.hidden], eps: sizes.eps)
        layers = try (0..<sizes.layers).map { _ in try BERTLayer(sizes, start) }
        pooler = hasPooler ? try Linear(sizes.hidden, sizes.hidden, initializer: start) : nil
        super.init()
        _ = add("embeddings.word_embeddings", words)
        _ = add("embeddings.position_embeddings", positions)
        _ = add("embeddings.token_type_embeddings", types)
        _ = add("embeddings.LayerNorm", norm)
        for (i, layer) in layers.enumerated() { _ = add("encoder.layer.\(i)", layer) }
        if let pooler { _ = add("pooler.dense", pooler) }
    }

    /// - Returns: hidden states [B, L, E] after the embeddings and after every layer; the pooled first position [B, E],
    ///   with a pooler.
    public func forward(_ text: TokenBatch, _ context: ForwardContext) throws -> (hidden: [Tensor], pooled: Tensor?) {
        guard text.length <= sizes.positions else {
            throw BSSError(
                "bert", "a text of \(text.length) tokens, the network has \(sizes.positions) positions",
                hint: "tokenize with length = \(sizes.positions)")
        }
        let places = try Tensor.from(Array(0..<text.length))
        var x = try words(text.ids, context) + positions(places, context)
        x = try norm(x + types(text.types, context), context)
        x = try context.dropout(x, sizes.dropout)
        var hidden = [x]
        for layer in layers {
            x = try layer(x, keys: text.mask, context)
            hidden.append(x)
        }
        let pooled = try pooler.map { pooler in try pooler(x.sliced(1, from: 0, to: 1).squeezed(1), context).tanh() }
        return (hidden, pooled)
    }
}

private final class BERTLayer: Module {
    private let attention: SelfAttention, attentionNorm: LayerNorm
    private let wide: Linear, activation: Activation, narrow: Linear, norm: LayerNorm
    private let dropout: Double

    init(_ sizes: BERTSizes, _ start: Initializer) throws {
        attention = try SelfAttention(
            sizes.hidden, heads: sizes.heads, names: ("self.query", "self.key", "self.value", "output.dense"),
            dropout: sizes.attentionDropout, initializer: start)
        attentionNorm = try LayerNorm([sizes.hidden], eps: sizes.eps)
        wide = try Linear(sizes.hidden, sizes.intermediate, initializer: start)
        activation = Activation(sizes.activation)
        narrow = try Linear(sizes.intermediate, sizes.hidden, initializer: start)
        norm = try LayerNorm([sizes.hidden], eps: sizes.eps)
        dropout = sizes.dropout
        super.init()
        _ = add("attention", attention)
        _ = add("attention.output.LayerNorm", attentionNorm)
        _ = add("intermediate.dense", wide)
        _ = add("output.dense", narrow)
        _ = add("output.LayerNorm", norm)
    }

    func callAsFunction(_ x: Tensor, keys: Tensor?, _ context: ForwardContext) throws -> Tensor {
        let a = try attentionNorm(
            context.dropout(attention(x, keys: keys, isCausal: false, context), dropout) + x, context)
        let y = try narrow(activation(wide(a, context), context), context)
        return try norm(context.dropout(y, dropout) + a, context)
    }
}
