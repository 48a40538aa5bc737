import BSSBackend
import BSSCodecs
import BSSCore
import BSSData
import BSSNetworks
import BSSTensor

/// A model as one safetensors file: weights under their names, its description (`ModelCard`) in the metadata.
public enum ModelFile {
    public struct Content {
        public let recipe: ModelRecipe
        public let card: ModelCard
        public let network: MultimodalModel
    }

    /// - Throws: kind `.output`.
    public static func save(
        _ network: MultimodalModel, _ recipe: ModelRecipe, _ card: ModelCard, to path: String, as dtype: DType? = nil
    ) throws {
        let table = card.table(configuration: recipe.standalone(network))
        try network.save(to: path, as: dtype, metadata: [(ModelCard.key, JSON.text(.table(table)))])
    }

    /// The weights of a file, and the description of their model; nil: weights alone.
    /// - Throws: kind `.data`: damaged, or no file of weights.
    private static func open(_ path: String) throws -> (weights: WeightFile, description: Table?) {
        let file = try WeightFile.open(path)
        if file.metadata[TensorFile.checksumKey] != nil { _ = try TensorFile.read(path) }
        return (file, try file.metadata[ModelCard.key].map { try description($0, path) })
    }

    private static func description(_ text: String, _ path: String) throws -> Table {
        guard let table = try JSON.parse(text, source: "the description in \(path)").table else {
            throw BSSError("bss.model.load", "\(path): the description of its model is no object", kind: .data)
        }
        return table
    }

    /// The model of a file that `save` wrote: nothing else is needed.
    public static func load(_ path: String) throws -> Content {
        let (file, description) = try open(path)
        guard let table = description else {
            throw BSSError(
                "bss.model.load", "\(path) holds weights alone, as earlier builds and other programs write them",
                hint: "bss.model{ … }:build(data):load(\"\(path)\") takes them, where the model is the same",
                kind: .data)
        }
        let card = try ModelCard(table, source: path)
        let recipe = try ModelRecipe(table["model"]?.table ?? Table(), source: path)
        let network = try recipe.build(
            sampleShapes: card.modalities.map { ($0.name, $0.shape) }, classes: card.classNames.count, seed: 0)
        try network.load(file)
        return Content(recipe: recipe, card: card, network: network)
    }

    /// Loads the weights of a file into a network of a known form.
    /// - Throws: kind `.data`: what of the file does not fit, and in what its model differs.
    public static func load(
        _ path: String, into network: MultimodalModel, _ recipe: ModelRecipe, _ card: ModelCard?
    ) throws {
        let (file, theirs) = try open(path)
        if theirs == nil {
            LoadingReport.note?("\(path) holds weights alone: architecture and standardisation stay this model's own")
        }
        do { try network.load(file) } catch var error as BSSError where error.kind == .data {
            guard let theirs, let card else { throw error }
            let own = card.table(configuration: recipe.standalone(network))
            let differences = ModelCard.differences(theirs, own)
            guard !differences.isEmpty else { throw error }
            error.operation = "model:load"
            error.message = "\(path) holds another model:\n  " + differences.joined(separator: "\n  ")
            error.hint = "bss.model.load(\"\(path)\") makes the model that it holds"
            throw error
        }
    }
}

extension ModelRecipe {
    /// The configuration that makes the network again without the files it started from.
    func standalone(_ network: MultimodalModel) -> Table {
        var table = configuration
        var encoders = table["encoders"]?.table ?? Table()
        for (name, encoder) in zip(network.modalities, network.encoders) {
            guard var options = encoders[name]?.table, options["pretrained"]?.string != nil,
                let sizes = encoder.standalone
            else { continue }
            for key in ["pretrained", "prefix", "strict"] { options[key] = nil }
            for (key, value) in sizes.fields { options[key] = value }
            encoders[name] = .table(options)
        }
        table["encoders"] = .table(encoders)
        return table
    }

    /// From a configuration that `standalone` gave.
    init(_ table: Table, source: String) throws {
        guard let encoders = table["encoders"]?.table, !encoders.isEmpty, let fusion = table["fusion"],
            let weights = table["init"]?.string.flatMap(InitialWeights.init(rawValue:)),
            let sharesHead = table["head_sharing"]?.bool
        else {
            throw BSSError("bss.model.load", "\(source): the configuration of its model is incomplete", kind: .data)
        }
        do {
            self.init(
                encoders: try encoders.fields.map { ($0.key, try Configured<EncoderRecipe>(value: $0.value)) },
                fusion: try Configured<FusionRecipe>(value: fusion), initialWeights: weights, sharesHead: sharesHead)
        } catch let mismatch as Mismatch {
            throw BSSError(
                "bss.model.load", "\(source): an encoder or the fusion cannot be read: \(mismatch.detail ?? "")",
                kind: .data)
        }
    }
}
