import BSSCore
import BSSTensor

/// A tower of CLIP as an encoder of a modality: its projected features, or those before the projection.
public final class CLIPEncoder: Encoder {
    private enum Tower {
        case image(CLIPVision)
        case text(CLIPText)
    }
    private let tower: Tower
    private let isProjected: Bool, isNormalised: Bool
    private let sizes: CLIPSizes

    private init(_ tower: Tower, _ sizes: CLIPSizes, isProjected: Bool, isNormalised: Bool) {
        self.tower = tower
        self.isProjected = isProjected
        self.isNormalised = isNormalised
        self.sizes = sizes
        super.init(featureCount: isProjected ? sizes.features : sizes.hidden)
        switch tower {
        case .image(let network): _ = add("clip", network)
        case .text(let network): _ = add("clip", network)
        }
    }

    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        let pooled: Tensor
        let projected: Tensor
        switch tower {
        case .image(let network): (_, pooled, projected) = try network.forward(x, context)
        case .text(let network):
            (_, pooled, projected) = try network.forward(TokenBatch(x, operation: "clip_text"), context)
        }
        let features = isProjected ? projected : pooled
        return isNormalised ? try features.divided(by: features.norm([1], keepsAxes: true)) : features
    }

    public override var standalone: Table? {
        let usual = CLIPSizes()
        guard sizes.eps == usual.eps, sizes.dropout == usual.dropout else { return nil }
        let shared: [(String, Value)] = [
            ("hidden", .int(sizes.hidden)), ("layers", .int(sizes.layers)), ("heads", .int(sizes.heads)),
            ("intermediate", .int(sizes.intermediate)), ("features", .int(sizes.features)),
            ("activation", .string(sizes.activation)),
        ]
        switch tower {
        case .image: return Table(fields: shared + [("patch", .int(sizes.patch))])
        case .text:
            return Table(
                fields: shared + [
                    ("vocabulary", .int(sizes.vocabulary)), ("positions", .int(sizes.positions)),
                    ("end_token", .int(sizes.end)),
                ])
        }
    }

    override func load(from file: WeightFile, strict: Bool) throws -> LoadReport {
        switch tower {
        case .image(let network): return try network.load(file, .clip("vision"), strict: strict)
        case .text(let network): return try network.load(file, .clip("text"), strict: strict)
        }
    }

    // MARK: Declarations

    private static func size(_ name: String, _ help: String) -> Argument<Int?> {
        Argument(
            name, default: nil, help + "; by default the pretrained network's, else ViT-B/32's",
            check: Check("from 1 to 1048576") { (1...1_048_576).contains($0 ?? 1) })
    }
    private static let hidden = size("hidden", "width"), layers = size("layers", "transformer layers")
    private static let heads = Argument<Int?>(
        "heads", default: nil,
        "attention heads; by default the pretrained network's config.json has them, else hidden / 64",
        check: Check("from 1 to 1048576") { (1...1_048_576).contains($0 ?? 1) })
    private static let activation = Argument<String?>(
        "activation", default: nil, "by default the pretrained network's config.json has it, else quick_gelu",
        check: Check("one of \(Activation.names.joined(separator: ", "))") { $0.map(Activation.names.contains) ?? true }
    )
    private static let intermediate = size(
        "intermediate", "width between the two layers of a block (4 · hidden without a pretrained network)")
    private static let features = size("features", "size of the projection")
    private static let patch = size("patch", "side of a patch, in pixels")
    private static let vocabulary = size("vocabulary", "tokens in the vocabulary"),
        positions = size("positions", "longest text, in tokens")
    private static let end = Argument<Int?>(
        "end_token", default: nil,
        "id of the end token, where a text's features are read; by default the pretrained network's, else the last "
            + "of the vocabulary",
        check: Check("at least 0") { $0 ?? 0 >= 0 })
    private static let projected = Argument(
        "projected", default: true, "features after the projection, else the pooled ones before it")
    private static let normalised = Argument("normalise", default: false, "features of length 1")

    private static func sizes(
        _ a: Arguments, _ tower: String, _ file: WeightFile?, _ fallback: CLIPSizes, _ operation: String
    ) throws -> CLIPSizes {
        let given = CLIPSizes.Given(heads: a[heads], activation: a[activation])
        var sizes = try file.map { try CLIPSizes(of: $0, tower: tower, fallback, given) } ?? fallback
        sizes.hidden = a[hidden] ?? sizes.hidden
        sizes.layers = a[layers] ?? sizes.layers
        if file == nil {
            sizes.heads = a[heads] ?? max(1, sizes.hidden / 64)
            sizes.activation = a[activation] ?? sizes.activation
        }
        sizes.intermediate = a[intermediate] ?? (file == nil ? 4 * sizes.hidden : sizes.intermediate)
        sizes.features = a[features] ?? sizes.features
        return sizes
    }

    static let imagePart = Part<EncoderRecipe>(
        "clip_image", "CLIP's vision transformer for square images [C, H, H]; ViT-B/32 unless sizes are given.",
        [patch, layers, hidden, heads, intermediate, features, projected, normalised, activation]
            + Pretrained.arguments,
        source: "Radford et al., ICML 2021",
        example: "bss.encoder.clip_image{ patch = 8, layers = 2, hidden = 64, heads = 2, features = 32 }"
    ) { a in
        let pretrained = Pretrained(a)
        let operation = "bss.encoder.clip_image"
        return EncoderRecipe { modality, shape in
            guard shape.count == 3, shape[1] == shape[2] else {
                throw BSSError(
                    operation,
                    "modality '\(modality)' has samples of shape \(shape), the network needs square images [C, H, H]",
                    kind: .usage)
            }
            let file = try pretrained?.open(operation)
            var sizes = try sizes(a, "vision", file, CLIPSizes(), operation)
            sizes.patch = a[patch] ?? sizes.patch
            if file == nil { (sizes.channels, sizes.image) = (shape[0], shape[1]) }
            guard sizes.image == shape[1], sizes.channels == shape[0] else {
                throw BSSError(
                    operation,
                    "modality '\(modality)' has images of shape \(shape), the pretrained network takes "
                        + "[\(sizes.channels), \(sizes.image), \(sizes.image)]",
                    kind: .usage)
            }
            try sizes.check(operation)
            return CLIPEncoder(
                .image(try CLIPVision(sizes)), sizes, isProjected: a[projected], isNormalised: a[normalised]
            ).starting(from: pretrained, file: file)
        }
    }

    static let textPart = Part<EncoderRecipe>(
        "clip_text",
        "CLIP's text transformer for texts [3, L] of token ids, mask and types; ViT-B/32's unless sizes are given.",
        [layers, hidden, heads, intermediate, features, vocabulary, positions, end, projected, normalised, activation]
            + Pretrained.arguments, source: "Radford et al., ICML 2021",
        example: "bss.encoder.clip_text{ layers = 2, hidden = 64, heads = 2, features = 32, vocabulary = 1000 }"
    ) { a in
        let pretrained = Pretrained(a)
        let operation = "bss.encoder.clip_text"
        return EncoderRecipe { modality, shape in
            try TokenBatch.checkSample(shape, operation, modality)
            let file = try pretrained?.open(operation)
            var sizes = try sizes(a, "text", file, .text, operation)
            sizes.vocabulary = a[vocabulary] ?? sizes.vocabulary
            sizes.positions = a[positions] ?? (file == nil ? max(sizes.positions, shape[1]) : sizes.positions)
            sizes.end = a[end] ?? (file == nil ? sizes.vocabulary - 1 : sizes.end)
            try sizes.check(operation)
            guard shape[1] <= sizes.positions else {
                throw BSSError(
                    operation,
                    "modality '\(modality)' has texts of \(shape[1]) tokens, the network \(sizes.positions) positions",
                    kind: .usage)
            }
            return CLIPEncoder(
                .text(try CLIPText(sizes)), sizes, isProjected: a[projected], isNormalised: a[normalised]
            ).starting(from: pretrained, file: file)
        }
    }
}

extension CLIPSizes {
    /// What a script says of a network whose file does not.
    public struct Given {
        var heads: Int?
        var activation: String?
        public init(heads: Int? = nil, activation: String? = nil) {
            self.heads = heads
            self.activation = activation
        }
    }

    /// From the shapes of a checkpoint, and `config.json` for what shapes do not say. `tower`: "vision" or "text".
    ///
    /// A `config.json` leaves out what is the default of its class: 12 heads of the vision tower, 8 of the text tower,
    /// quick_gelu. OpenAI's own files have neither: their code takes width / 64 heads and quick_gelu.
    /// - Throws: another network; heads or activation that nothing says, or that contradict `config.json`.
    public init(of file: WeightFile, tower: String, _ fallback: CLIPSizes, _ given: Given = Given()) throws {
        self = fallback
        let operation = "bss.encoder.clip_\(tower == "vision" ? "image" : "text")"
        try file.expect("CLIP", kinds: ["clip", "clip_\(tower)_model"], classes: "CLIP", operation: operation)
        let shapes = try file.shapes(
            .clip(tower),
            anchor: tower == "vision"
                ? "vision_model.embeddings.class_embedding" : "text_model.embeddings.token_embedding.weight")
        func shape(_ name: String, _ rank: Int) throws -> [Int] {
            guard let found = shapes[name], found.count == rank else {
                throw BSSError("clip", "\(file.path) holds no CLIP \(tower) tower: \(name) is missing", kind: .data)
            }
            return found
        }
        // A config.json of something else beside the file says nothing.
        let whole = file.configuration.flatMap { $0["model_type"] ?? $0["hidden_size"] == nil ? nil : $0 }
        let options = file.configuration?["\(tower)_config"]?.table ?? whole
        intermediate = try shape("\(tower)_model.encoder.layers.0.mlp.fc1.weight", 2)[0]
        layers = WeightFile.layers(shapes, "\(tower)_model.encoder.layers.")
        if tower == "vision" {
            let patches = try shape("vision_model.embeddings.patch_embedding.weight", 4)
            let places = try shape("vision_model.embeddings.position_embedding.weight", 2)[0]
            (hidden, channels, patch) = (patches[0], patches[1], patches[2])
            image =
                options?["image_size"]?.int ?? patch
                * Int(saturating: Double(max(places - 1, 1)).squareRoot().rounded())
            features = shapes["visual_projection.weight"]?.first ?? features
        } else {
            let table = try shape("text_model.embeddings.token_embedding.weight", 2)
            (vocabulary, hidden) = (table[0], table[1])
            positions = try shape("text_model.embeddings.position_embedding.weight", 2)[0]
            features = shapes["text_projection.weight"]?.first ?? features
            end = options?["eos_token_id"]?.int ?? vocabulary - 1
        }
        func known<T: Equatable>(_ name: String, _ own: T?, _ said: T?, _ standard: T) throws -> T {
            if let said = said ?? (options == nil ? nil : standard) {
                guard own == nil || own == said else {
                    throw BSSError(
                        operation, "\(name) = \(own ?? said), but config.json of \(file.path) says \(said)",
                        kind: .usage)
                }
                return said
            }
            if let own { return own }
            throw file.missing(name, operation: operation)
        }
        let derived = file.isOpenAI && options == nil
        heads = try known(
            "heads", given.heads, options?["num_attention_heads"]?.int ?? (derived ? max(1, hidden / 64) : nil),
            tower == "vision" ? 12 : 8)
        activation = try known(
            "activation", given.activation, options?["hidden_act"]?.string ?? (derived ? "quick_gelu" : nil),
            "quick_gelu")
        eps = options?["layer_norm_eps"]?.double ?? eps
        dropout = options?["attention_dropout"]?.double ?? dropout
    }
}
