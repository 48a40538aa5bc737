import BSSBackend
import BSSCore
import BSSTensor

/// Sizes of one tower of CLIP; the defaults are ViT-B/32's image tower.
public struct CLIPSizes {
    public var hidden = 768, layers = 12, heads = 12, intermediate = 3072, features = 512
    public var eps = 1e-5, dropout = 0.0
    public var activation = "quick_gelu"
    /// Image tower.
    public var image = 224, patch = 32, channels = 3
    /// Text tower.
    public var vocabulary = 49408, positions = 77, end = 49407

    public init() {}

    public static var text: CLIPSizes {
        var sizes = CLIPSizes()
        (sizes.hidden, sizes.heads, sizes.intermediate) = (512, 8, 2048)
        return sizes
    }

    func check(_ operation: String) throws {
        guard
            [hidden, layers, heads, intermediate, features, image, patch, channels, vocabulary, positions].allSatisfy({
                $0 >= 1
            })
        else {
            throw BSSError(operation, "every size must be at least 1", kind: .usage)
        }
        guard hidden % heads == 0 else {
            throw BSSError(operation, "hidden = \(hidden) is no multiple of heads = \(heads)", kind: .usage)
        }
        guard patch <= image else {
            throw BSSError(operation, "patch = \(patch) is larger than the image, \(image)", kind: .usage)
        }
        guard Activation.names.contains(activation) else {
            throw BSSError(operation, "unknown activation \"\(activation)\"", kind: .data)
        }
    }
}

/// h' = h + attention(LN(h));  h'' = h' + W_2 act(W_1 LN(h'))
private final class CLIPLayer: Module {
    private let norm1: LayerNorm, attention: SelfAttention, norm2: LayerNorm, wide: Linear, activation: Activation,
        narrow: Linear

    init(_ sizes: CLIPSizes, _ start: Initializer) throws {
        attention = try SelfAttention(
            sizes.hidden, heads: sizes.heads, names: ("q_proj", "k_proj", "v_proj", "out_proj"), dropout: sizes.dropout,
            initializer: start)
        norm1 = try LayerNorm([sizes.hidden], eps: sizes.eps)
        norm2 = try LayerNorm([sizes.hidden], eps: sizes.eps)
        wide = try Linear(sizes.hidden, sizes.intermediate, initializer: start)
        activation = Activation(sizes.activation)
        narrow = try Linear(sizes.intermediate, sizes.hidden, initializer: start)
        super.init()
        _ = add("self_attn", attention)
        _ = add("layer_norm1", norm1)
        _ = add("mlp.fc1", wide)
        _ = add("mlp.fc2", narrow)
        _ = add("layer_norm2", norm2)
    }

    func callAsFunction(_ x: Tensor, keys: Tensor?, isCausal: Bool, _ context: ForwardContext) throws -> Tensor {
        let h = try x + attention(norm1(x, context), keys: keys, isCausal: isCausal, context)
        return try h + narrow(activation(wide(norm2(h, context), context), context), context)
    }
}

/// The vision transformer of CLIP (Radford et al., ICML 2021; Dosovitskiy et al., ICLR 2021), as Hugging Face has it,
/// under its names.
///
/// Patches and a class token, position embeddings, layer norm, layers; the class token's final norm, projected without
/// bias.
public final class CLIPVision: Module {
    public let sizes: CLIPSizes
    private let classToken: Parameter, patches: Conv2d, positions: Embedding, before: LayerNorm, layers: [Module],
        after: LayerNorm, projection: Linear

    public init(_ sizes: CLIPSizes) throws {
        let start = Initializer.normal(std: 0.02)
        let side = sizes.image / sizes.patch
        self.sizes = sizes
        classToken = try Parameter([sizes.hidden], start)
        patches = try Conv2d(sizes.channels, sizes.hidden, kernel: sizes.patch, stride: sizes.patch, bias: false)
        positions = try Embedding(side * side + 1, sizes.hidden, start)
        before = try LayerNorm([sizes.hidden], eps: sizes.eps)
        layers = try (0..<sizes.layers).map { _ in try CLIPLayer(sizes, start) }
        after = try LayerNorm([sizes.hidden], eps: sizes.eps)
        projection = try Linear(sizes.hidden, sizes.features, bias: false, initializer: start)
        super.init()
        _ = add("vision_model.embeddings.class_embedding", classToken)
        _ = add("vision_model.embeddings.patch_embedding", patches)
        _ = add("vision_model.embeddings.position_embedding", positions)
        _ = add("vision_model.pre_layrnorm", before)
        for (i, layer) in layers.enumerated() { _ = add("vision_model.encoder.layers.\(i)", layer) }
        _ = add("vision_model.post_layernorm", after)
        _ = add("visual_projection", projection)
    }

    /// images [B, C, H, W] → last hidden states [B, 1 + patches, E], the class token's features [B, E] and their
    /// projection [B, F].
    public func forward(
        _ images: Tensor, _ context: ForwardContext
    ) throws -> (hidden: Tensor, pooled: Tensor, projected: Tensor) {
        guard images.rank == 4, images.shape[2] == sizes.image, images.shape[3] == sizes.image else {
            throw BSSError(
                "clip_image",
                "images of shape \(images.shape), the network takes [B, \(sizes.channels), \(sizes.image), "
                    + "\(sizes.image)]"
            )
        }
        let batch = images.shape[0]
        let maps = try patches(images, context)  // [B, E, side, side]
        let tokens = try maps.reshaped([batch, sizes.hidden, maps.shape[2] * maps.shape[3]]).transposed(1, 2)
        let head = try classToken.value.reshaped([1, 1, sizes.hidden]).expanded([batch, 1, sizes.hidden])
        var x = try Tensor.concatenated([head, tokens], axis: 1)
        x = try before(x + positions(Tensor.from(Array(0..<x.shape[1])), context), context)
        for case let layer as CLIPLayer in layers { x = try layer(x, keys: nil, isCausal: false, context) }
        let pooled = try after(x.sliced(1, from: 0, to: 1).squeezed(1), context)
        return (x, pooled, try projection(pooled, context))
    }
}

/// The text transformer of CLIP: causal attention; the final norm at the end token, projected without bias.
public final class CLIPText: Module {
    public let sizes: CLIPSizes
    private let words: Embedding, positions: Embedding, layers: [Module], after: LayerNorm, projection: Linear

    public init(_ sizes: CLIPSizes) throws {
        let start = Initializer.normal(std: 0.02)
        self.sizes = sizes
        words = try Embedding(sizes.vocabulary, sizes.hidden, start)
        positions = try Embedding(sizes.positions, sizes.hidden, start)
        layers = try (0..<sizes.layers).map { _ in try CLIPLayer(sizes, start) }
        after = try LayerNorm([sizes.hidden], eps: sizes.eps)
        projection = try Linear(sizes.hidden, sizes.features, bias: false, initializer: start)
        super.init()
        _ = add("text_model.embeddings.token_embedding", words)
        _ = add("text_model.embeddings.position_embedding", positions)
        for (i, layer) in layers.enumerated() { _ = add("text_model.encoder.layers.\(i)", layer) }
        _ = add("text_model.final_layer_norm", after)
        _ = add("text_projection", projection)
    }

    /// Normed hidden states [B, L, E], those of each text's end token [B, E] and their projection [B, F].
    public func forward(
        _ text: TokenBatch, _ context: ForwardContext
    ) throws -> (hidden: Tensor, pooled: Tensor, projected: Tensor) {
        guard text.length <= sizes.positions else {
            throw BSSError(
                "clip_text", "a text of \(text.length) tokens, the network has \(sizes.positions) positions",
                hint: "tokenize with length = \(sizes.positions)")
        }
        var x = try words(text.ids, context) + positions(Tensor.from(Array(0..<text.length)), context)
        for case let layer as CLIPLayer in layers { x = try layer(x, keys: text.mask, isCausal: true, context) }
        let hidden = try after(x, context)
        let rows = try ends(text).enumerated().map { $0.offset * text.length + $0.element }
        let pooled = try hidden.reshaped([text.batch * text.length, sizes.hidden]).indexSelect(0, Tensor.from(rows))
        return (hidden, pooled, try projection(pooled, context))
    }

    /// The first end token of each text. Configurations from before its id was right say 2: then the first of the
    /// largest ids.
    private func ends(_ text: TokenBatch) throws -> [Int] {
        let ids = try text.ids.values(Int.self)
        let length = text.length
        return (0..<text.batch).map { b in
            let row = ids[b * length..<(b + 1) * length]
            let wanted = sizes.end == 2 ? row.max() : sizes.end
            return row.firstIndex { $0 == wanted }.map { $0 - b * length } ?? 0
        }
    }
}
