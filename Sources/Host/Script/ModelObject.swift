import BSSBackend
import BSSCore
import BSSData
import BSSNetworks
import BSSTensor
import BSSTraining

/// `bss.model{…}` in scripts: a recipe, and the network once data has given it its sizes.
final class ModelObject: ConfiguredObject {
    let recipe: ModelRecipe
    let network: MultimodalModel?
    /// What it needs to be used on new data; nil: it has no weights yet.
    let card: ModelCard?
    /// Who makes models in this process: engine, script.
    nonisolated(unsafe) static var maker: () -> Table = { Table() }
    /// How `:forward` runs; `:train()` sets the other phase, whose dropout masks continue one stream.
    private(set) var context = ForwardContext(.evaluation)

    init(_ recipe: ModelRecipe, network: MultimodalModel? = nil, card: ModelCard? = nil) {
        self.recipe = recipe
        self.network = network
        self.card = card
    }

    /// - Throws: a model without weights; `missing` as `ModelPredictor` has it.
    func predictor(_ operation: String, missing: [String]) throws -> ModelPredictor {
        guard let network, let card else {
            throw BSSError(operation, "the model has no weights yet", hint: "use run.model, or model:build(data)")
        }
        return try ModelPredictor(network, card, missing: missing)
    }

    var configuration: Table { recipe.configuration }
    var objectType: ObjectType { ModelObject.type }
    var byteCount: Int { (network?.parameterCount ?? 0) * 4 }

    func identityData() throws -> Value {
        .fields([
            ("recipe", .table(configuration)),
            ("parameters", try network.map { .string(try $0.parametersHash()) } ?? .null),
        ])
    }

    var summary: String {
        let parts =
            recipe.encoders.map { "  \($0.modality): \(JSON.lua($0.recipe.plain))" } + [
                "  fusion: \(JSON.lua(recipe.fusion.plain))"
            ]
        guard let network else { return "model (sizes follow from the data)\n" + parts.joined(separator: "\n") }
        return ModelSummary.text(network, fusion: recipe.fusion.name)
    }

    /// A network for this data: a copy of the trained one, or a new one from `seed`.
    func instantiate(_ source: any SampleSource, seed: Int) throws -> MultimodalModel {
        let shapes = source.modalities.enumerated().map { (modality: $1, shape: source.sampleShape($0)) }
        let made = try recipe.build(
            sampleShapes: shapes, classes: source.classes, seed: UInt64(bitPattern: Int64(seed)))
        for (name, encoder) in zip(made.modalities, made.encoders) {
            if let report = encoder.loadReport, !report.isComplete {
                Progress.write("bss-lua: pretrained weights of '\(name)': \(report.summary)\n\(report.details)\n")
            }
        }
        if let network {
            try made.restore(
                Dictionary(uniqueKeysWithValues: network.stateTensors().map { ($0.name, $0.tensor) }),
                source: "the given model")
        }
        return made
    }

    /// Encoders by the kind of each modality: a cnn for images and spectrograms, an mlp for features.
    static func automatic(_ dataset: Dataset) throws -> ModelObject {
        let encoders = dataset.modalities.map { modality in
            (
                modality: modality.name,
                recipe: modality.shape.count == 3
                    ? Configured<EncoderRecipe>.named("cnn")
                    : .named("mlp", Table(fields: [("hidden", .list([.int(64)]))]))
            )
        }
        return ModelObject(
            ModelRecipe(encoders: encoders, fusion: .named("concat"), initialWeights: .pytorch, sharesHead: false))
    }

    // MARK: Declarations

    static func constructor(_ workbench: Workbench) -> Function {
        let fusion = Argument(
            "fusion", default: Configured<FusionRecipe>.named("concat"), "how features become fused logits")
        let start = Argument(
            "init", default: "pytorch", "initial weights: PyTorch's layer defaults, or those of the BSS authors' code",
            check: .oneOf(InitialWeights.allCases.map(\.rawValue)))
        let share = Argument(
            "head_sharing", default: false, "one linear head for all modalities (as released for Sarcasm)")
        return Function(
            "model",
            "A multimodal classifier: one encoder and one head a modality, and a fusion (Eqs. 1, 2). "
                + "Sizes follow from the data.",
            [fusion, start, share],
            returns: "model",
            example: "bss.model{ a = bss.encoder.mlp{ hidden = {64} }, b = bss.encoder.mlp{}, fusion = \"concat\" }",
            source: "Guan, Jiang, Yang, IJCAI 2025, section 3.1",
            rest: "an encoder for each modality, by its name in the data"
        ) { a in
            guard !a.rest.isEmpty else {
                throw BSSError(
                    "bss.model", "names no modality",
                    hint: "give an encoder by the modality's name: audio = bss.encoder.mlp{}", kind: .usage)
            }
            // Tables have no order: modalities go by name, so that a script's model is the same on every run.
            let encoders = try a.rest.sorted { $0.key < $1.key }.map { key, value in
                do { return (modality: key, recipe: try Configured<EncoderRecipe>(value: value)) } catch is Mismatch {
                    let near = Text.nearest(to: key, in: ["fusion", "init", "head_sharing"]).map {
                        "did you mean '\($0)'?"
                    }
                    throw BSSError(
                        "bss.model", "'\(key)' expects an encoder, got \(value.described)", hint: near, kind: .usage)
                }
            }
            return [
                .object(
                    ModelObject(
                        ModelRecipe(
                            encoders: encoders, fusion: a[fusion],
                            initialWeights: InitialWeights(rawValue: a[start]) ?? .pytorch,
                            sharesHead: a[share])))
            ]
        }
    }

    private static let inputs = Argument<Table>("inputs", "tensors [B, …] by modality")
    private static let data = Argument<Configured<Dataset>>("data", "the dataset whose shapes and classes it gets")
    private static let seed = Argument("seed", default: 1, "root of the stream `init`", check: .anyInteger)
    private static let path = Argument<String>("path", "file name")

    /// `bss.model.load(path)`
    static let loader = Function(
        "load", "The model of a file that model:save wrote: architecture, weights, standardisation and classes.",
        [path], returns: "model",
        example: "(function(model, path) model:save(path); return bss.model.load(path):hash() end)("
            + "bss.model{ strong = \"mlp\", weak = \"mlp\" }:build(bss.data.synthetic{ samples = 60 }), os.tmpname())",
        style: .positional
    ) { a in
        let content = try ModelFile.load(a[path])
        return [.object(ModelObject(content.recipe, network: content.network, card: content.card))]
    }

    private static let storage = Argument<DTypeName?>(
        "dtype", default: nil,
        "what its numbers are rounded to: \"f16\" and \"bf16\" halve the file; as they are if left out",
        check: Check("that is a real type") { $0?.dtype.isReal ?? true })
    private static let dropoutSeed = Argument(
        "seed", default: 1, "root of the stream `dropout`, which goes on from call to call", check: .anyInteger)

    private static func built(_ a: Arguments) throws -> MultimodalModel {
        guard let network = try a.receiver(as: ModelObject.self).network else {
            throw BSSError(a.operation, "the model has no weights yet", hint: "use run.model, or model:build(data)")
        }
        return network
    }

    /// What the examples call the methods of.
    private static let example =
        "bss.model{ strong = \"mlp\", weak = \"mlp\" }:build(bss.data.synthetic{ samples = 60 })"

    static let type = ObjectType(
        "model", help: "A multimodal classifier; run.model is the trained one.",
        methods: [
            Function(
                "build", "The model with initial weights for the shapes of a dataset.", [data, seed], returns: "model",
                example: "bss.model{ strong = \"mlp\", weak = \"mlp\" }:build(bss.data.synthetic{ samples = 100 })",
                style: .positional
            ) { a in
                let model = try a.receiver(as: ModelObject.self)
                let network = try model.instantiate(DatasetSource(a[data].product), seed: a[seed])
                var card = ModelCard(a[data].product)
                card.identity = maker()
                return [.object(ModelObject(model.recipe, network: network, card: card))]
            },
            Function(
                "forward",
                "Logits and features of a batch: { fused, total, unimodal = {…}, features = {…} }; differentiable. "
                    + "In evaluation mode (no dropout, running statistics) unless model:train() was called: "
                    + "it then changes nothing.",
                [inputs], returns: "table",
                example:
                    "(function(model) return model:forward{ strong = bss.randn{4, 100}, weak = bss.randn{4, 74} }"
                    + ".total end)(" + example + ")",
                style: .positional
            ) { a in
                let network = try built(a)
                try network.checkNames(a[inputs].keys, "forward")
                let tensors = try network.modalities.map { name in
                    guard let value = a[inputs][name] else {
                        throw BSSError(
                            "forward", "no input for modality '\(name)'",
                            hint: "modalities: \(network.modalities.joined(separator: ", "))")
                    }
                    do { return try TensorArgument(value: value).tensor } catch is Mismatch {
                        throw BSSError("forward", "'\(name)' expects a tensor, got \(value.described)")
                    }
                }
                let output = try network.forward(tensors, a.receiver(as: ModelObject.self).context)
                func named(_ list: [Tensor]) -> Value {
                    .fields(zip(network.modalities, list).map { ($0, .object($1)) })
                }
                let total = try output.unimodal.reduce(output.fused) { try $0 + $1 }
                return [
                    .fields([
                        ("fused", .object(output.fused)), ("total", .object(total)),
                        ("unimodal", named(output.unimodal)), ("features", named(output.features)),
                    ])
                ]
            },
            Function(
                "train",
                "Training mode for :forward: dropout, and statistics of the batch, which move the running ones. "
                    + "Returns the model.",
                [dropoutSeed], returns: "model",
                example: example + ":train()"
            ) { a in
                let model = try a.receiver(as: ModelObject.self)
                let seed = UInt64(bitPattern: Int64(a[dropoutSeed]))
                model.context = ForwardContext(.training, random: RandomStream(seed: seed, name: "dropout"))
                return [.object(model)]
            },
            Function(
                "eval", "Evaluation mode for :forward, as after :build, :load and a training. Returns the model.",
                returns: "model",
                example: example + ":eval()"
            ) { a in
                let model = try a.receiver(as: ModelObject.self)
                model.context = ForwardContext(.evaluation)
                return [.object(model)]
            },
            Function(
                "parameters", "Trainable tensors by name; pass them to bss.grad, change them with :assign.",
                returns: "table",
                example: "next(" + example + ":parameters())"
            ) { a in
                [.fields(try built(a).parameters().map { ($0.name, .object($0.parameter.value)) })]
            },
            Function(
                "parameter_count", "Number of trainable numbers.", returns: "integer",
                example: example + ":parameter_count()"
            ) { a in [.int(try built(a).parameterCount)] },
            Function(
                "hash", "SHA-256 of parameters and buffers.", returns: "string",
                example: example + ":hash()"
            ) { a in [.string(try built(a).parametersHash())] },
            Function(
                "save",
                "Writes the model as one safetensors file: weights (linear ones as [outputs, inputs], like other "
                    + "programs) and, in its metadata, architecture, standardisation, classes, modalities and who made "
                    + "it. bss.model.load(path) and scripts/interop/load_in_pytorch.py need nothing else.",
                [path, storage],
                example: example + ":save(os.tmpname())",
                style: .positional
            ) { a in
                let model = try a.receiver(as: ModelObject.self)
                let network = try built(a)
                if let card = model.card {
                    try ModelFile.save(network, model.recipe, card, to: a[path], as: a[storage]?.dtype)
                } else {
                    try network.save(to: a[path], as: a[storage]?.dtype)
                }
                return []
            },
            Function(
                "load",
                "Reads parameters and buffers from a file that save wrote, of this build or an earlier one, into this "
                    + "model. What of another model differs is said.", [path], returns: "model",
                example:
                    "(function(model, path) model:save(path); return model:load(path):hash() end)("
                    + example + ", os.tmpname())",
                style: .positional
            ) { a in
                let model = try a.receiver(as: ModelObject.self)
                try ModelFile.load(a[path], into: built(a), model.recipe, model.card)
                return [.object(model)]
            },
            PredictFunctions.ofModel,
        ],
        properties: [
            Property("modalities", "Names of the modalities, in order.") { (m: ModelObject) in
                .list(m.recipe.encoders.map(\.modality))
            },
            Property(
                "pretrained",
                "What became of every key, for encoders that start from a file: "
                    + "{ modality = { loaded, missing, unexpected, misshaped, ignored } }."
            ) { (m: ModelObject) in
                guard let network = m.network else { return .table(Table()) }
                return .fields(
                    zip(network.modalities, network.encoders).compactMap { name, encoder in
                        encoder.loadReport.map { (name, .table($0.table)) }
                    })
            },
            Property("configuration", "The options it was made with.") { (m: ModelObject) in .table(m.configuration) },
            Property(
                "description",
                "What a file of it says beside the weights: model, modalities, classes, inference, identity; nil "
                    + "without weights."
            ) { (m: ModelObject) in m.card.map { .table($0.table(configuration: m.configuration)) } ?? .null },
        ])
}

extension ModelObject: ArgumentType {
    static var expected: String { "model" }
    static var luaType: String { LuaType.name("model") }
    convenience init(value: Value) throws {
        guard case .object(let object) = value, let model = object as? ModelObject else { throw Mismatch() }
        self.init(model.recipe, network: model.network, card: model.card)
    }
    var plain: Value { .table(configuration) }
}
