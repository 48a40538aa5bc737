import BSSCore
import BSSTensor

/// What a text encoder gives the classifier.
enum BERTPooling: String, CaseIterable {
    /// tanh(W h[CLS] + b), as released for Twitter2015.
    case pooler
    /// h[CLS] of the last layer, as released for Sarcasm.
    case cls
    /// Mean of the last layer over tokens.
    case mean
}

/// BERT over a text modality [3, L], pooled to one vector, with an optional projection.
public final class BERTEncoder: Encoder {
    public let model: BERTModel
    private let pooling: BERTPooling
    private let projection: Linear?

    init(_ sizes: BERTSizes, pooling: BERTPooling, features: Int?) throws {
        model = try BERTModel(sizes, hasPooler: pooling == .pooler)
        self.pooling = pooling
        projection = try features.map { try Linear(sizes.hidden, $0) }
        super.init(featureCount: features ?? sizes.hidden)
        _ = add("bert", model)
        if let projection { _ = add("fc", projection) }
    }

    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        let text = try TokenBatch(x, operation: "bert")
        let (hidden, pooled) = try model.forward(text, context)
        let last = hidden[hidden.count - 1]
        let feature: Tensor
        switch pooling {
        case .pooler: feature = pooled ?? last
        case .cls: feature = try last.sliced(1, from: 0, to: 1).squeezed(1)
        case .mean: feature = try last.averaged(where: text.mask)
        }
        return try projection?(feature, context) ?? feature
    }

    public override var standalone: Table? {
        let (own, usual) = (model.sizes, BERTSizes())
        guard own.types == usual.types, own.padding == usual.padding, own.eps == usual.eps,
            own.activation == usual.activation, own.dropout == own.attentionDropout
        else { return nil }
        return Table(fields: [
            ("vocabulary", .int(own.vocabulary)), ("hidden", .int(own.hidden)), ("layers", .int(own.layers)),
            ("heads", .int(own.heads)), ("intermediate", .int(own.intermediate)), ("positions", .int(own.positions)),
            ("dropout", .number(own.dropout)),
        ])
    }

    override func load(from file: WeightFile, strict: Bool) throws -> LoadReport {
        var map = KeyMap.bert
        if pooling != .pooler {
            let isForeign = map.isForeign
            map.isForeign = { isForeign($0) || $0.hasPrefix("pooler.") }
        }
        return try model.load(file, map, strict: strict)
    }

    static let part: Part<EncoderRecipe> = {
        func size(_ name: String, _ help: String) -> Argument<Int?> {
            Argument(
                name, default: nil, help + "; by default the pretrained network's, else BERT-base's",
                check: Check("from 1 to 1048576") { (1...1_048_576).contains($0 ?? 1) })
        }
        let vocabulary = size("vocabulary", "tokens in the vocabulary")
        let hidden = size("hidden", "width")
        let layers = size("layers", "transformer layers")
        let heads = Argument<Int?>(
            "heads", default: nil,
            "attention heads; by default the pretrained network's config.json has them, else hidden / 64",
            check: Check("from 1 to 1048576") { (1...1_048_576).contains($0 ?? 1) })
        let intermediate = size(
            "intermediate", "width between the two layers of a block (4 · hidden without a pretrained network)")
        let positions = size("positions", "longest text, in tokens")
        let dropout = Argument<Double?>(
            "dropout", default: nil, "rate after embeddings and blocks and in attention; by default 0.1",
            check: Check("from 0 to 1") { (0...1).contains($0 ?? 0) })
        let pooling = Argument(
            "pooling", default: "pooler",
            "\"pooler\": tanh layer on [CLS] (as released for Twitter2015); \"cls\": [CLS] of the last layer "
                + "(Sarcasm); \"mean\" over tokens",
            check: .oneOf(BERTPooling.allCases.map(\.rawValue)))
        let features = Argument<Int?>(
            "features", default: nil, "a linear projection to this many features (2048 as released for Twitter2015)",
            check: Check("from 1 to 1048576") { (1...1_048_576).contains($0 ?? 1) })
        return Part(
            "bert", "BERT for texts [3, L] of token ids, mask and types.",
            [layers, hidden, heads, intermediate, vocabulary, positions, dropout, pooling, features]
                + Pretrained.arguments,
            source: "Devlin, Chang, Lee, Toutanova, NAACL 2019",
            example: "bss.encoder.bert{ layers = 2, hidden = 128, heads = 2, vocabulary = 1000 }"
        ) { a in
            let pretrained = Pretrained(a)
            return EncoderRecipe { modality, shape in
                try TokenBatch.checkSample(shape, "bss.encoder.bert", modality)
                let file = try pretrained?.open("bss.encoder.bert")
                var sizes = try file.map { try BERTSizes(of: $0, heads: a[heads]) } ?? BERTSizes()
                sizes.vocabulary = a[vocabulary] ?? sizes.vocabulary
                sizes.hidden = a[hidden] ?? sizes.hidden
                sizes.layers = a[layers] ?? sizes.layers
                if file == nil { sizes.heads = a[heads] ?? max(1, sizes.hidden / 64) }
                sizes.intermediate = a[intermediate] ?? (file == nil ? 4 * sizes.hidden : sizes.intermediate)
                sizes.positions = a[positions] ?? sizes.positions
                sizes.dropout = a[dropout] ?? sizes.dropout
                sizes.attentionDropout = a[dropout] ?? sizes.attentionDropout
                try sizes.check("bss.encoder.bert")
                guard shape[1] <= sizes.positions else {
                    throw BSSError(
                        "bss.encoder.bert",
                        "modality '\(modality)' has texts of \(shape[1]) tokens, the network \(sizes.positions) "
                            + "positions",
                        kind: .usage)
                }
                let encoder = try BERTEncoder(
                    sizes, pooling: BERTPooling(rawValue: a[pooling]) ?? .pooler, features: a[features])
                return encoder.starting(from: pretrained, file: file)
            }
        }
    }()
}

extension BERTSizes {
    /// From the shapes of a checkpoint, and `config.json` for what shapes do not say. `given`: heads, where there is no
    /// `config.json`.
    /// - Throws: another network; heads that nothing says, or that contradict `config.json`.
    public init(of file: WeightFile, heads given: Int? = nil) throws {
        self.init()
        let operation = "bss.encoder.bert"
        try file.expect("BERT", kinds: ["bert"], classes: "Bert", operation: operation)
        let shapes = try file.shapes(.bert, anchor: "embeddings.word_embeddings.weight")
        guard let words = shapes["embeddings.word_embeddings.weight"], words.count == 2,
            let places = shapes["embeddings.position_embeddings.weight"], places.count == 2,
            let kinds = shapes["embeddings.token_type_embeddings.weight"], kinds.count == 2,
            let wide = shapes["encoder.layer.0.intermediate.dense.weight"], wide.count == 2
        else {
            throw BSSError(
                "bert", "\(file.path) holds no BERT: its embeddings or its first layer are missing", kind: .data)
        }
        (vocabulary, hidden, positions, types, intermediate) = (words[0], words[1], places[0], kinds[0], wide[0])
        layers = WeightFile.layers(shapes, "encoder.layer.")
        let options = file.configuration
        if let found = options?["position_embedding_type"]?.string, found != "absolute" {
            throw BSSError(operation, "\(file.path) has \(found) positions; BERT's are absolute", kind: .data)
        }
        if options?["is_decoder"]?.bool == true {
            throw BSSError(
                operation, "\(file.path) is a decoder (causal attention), which BERT here is not", kind: .data)
        }
        // One type of tokens: a mark of RoBERTa and its kin, whose positions count from 2.
        guard types > 1 || options?["model_type"] != nil else {
            throw file.missing("that it is BERT: it has one token type, as RoBERTa has", operation: operation)
        }
        let said = options?["num_attention_heads"]?.int
        guard said == nil || given == nil || said == given else {
            throw BSSError(
                operation, "heads = \(given ?? 0), but config.json of \(file.path) says \(said ?? 0)", kind: .usage)
        }
        guard let known = said ?? given else { throw file.missing("heads", operation: operation) }
        heads = known
        padding = options?["pad_token_id"]?.int ?? padding
        eps = options?["layer_norm_eps"]?.double ?? eps
        dropout = options?["hidden_dropout_prob"]?.double ?? dropout
        attentionDropout = options?["attention_probs_dropout_prob"]?.double ?? attentionDropout
        activation = options?["hidden_act"]?.string ?? activation
    }
}
