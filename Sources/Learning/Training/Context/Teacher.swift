import BSSCodecs
import BSSCore
import BSSData
import BSSNetworks
import BSSTensor

/// Lends a model the parameters of a file: checkpoints, and what `model:save` writes.
struct Teacher {
    let model: MultimodalModel
    let source: any SampleSource

    /// Runs `body` with another model's parameters, on samples with that model's standardisation, then puts ours back.
    /// - Throws: kind `.usage`: a model of other classes.
    func lending<R>(_ path: String, _ body: (Evaluator) throws -> R) throws -> R {
        let saved = Dictionary(
            uniqueKeysWithValues: try model.stateTensors().map { ($0.name, try $0.tensor.duplicate()) })
        let metadata = try load(path, beside: saved)
        let result = Result {
            let card = try metadata[ModelCard.key].flatMap { try JSON.parse($0, source: path).table }
            return try body(Evaluator(model, try samples(card.map { try ModelCard($0, source: path) }, path)))
        }
        try model.restore(saved, source: "memory")
        return try result.get()
    }

    private func samples(_ card: ModelCard?, _ path: String) throws -> any SampleSource {
        guard let card, let source = source as? DatasetSource else { return source }
        try card.requireClasses(source.dataset.classNames, of: "the model in \(path)", "bss.train")
        return try CardSource.adapting(source, to: card, "bss.train")
    }

    /// What a method has added here, a teacher without it need not have.
    /// - Returns: the file's metadata.
    private func load(_ path: String, beside saved: [String: Tensor]) throws -> [String: String] {
        var (tensors, metadata) = try TensorFile.read(path)
        guard metadata["format"] != "pt" else {
            // As model:save writes it, in the layout of other programs.
            try model.load(WeightFile.open(path), KeyMap(isOwn: { $0.hasPrefix("method.") }))
            return metadata
        }
        let prefix = tensors.keys.contains { $0.hasPrefix("model.") } ? "model." : ""
        for (name, tensor) in saved where name.hasPrefix("method.") && tensors[prefix + name] == nil {
            tensors[prefix + name] = tensor
        }
        try model.restore(tensors, prefix: prefix, source: path)
        return metadata
    }
}
