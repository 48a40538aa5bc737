import BSSCodecs
import BSSNetworks
import BSSTensor

/// Lends a model the parameters of a file: checkpoints, and what `model:save` writes.
struct Teacher {
    let model: MultimodalModel

    /// Runs `body` with another model's parameters, then puts ours back.
    func lending<R>(_ path: String, _ body: () throws -> R) throws -> R {
        let saved = Dictionary(
            uniqueKeysWithValues: try model.stateTensors().map { ($0.name, try $0.tensor.duplicate()) })
        try load(path, beside: saved)
        let result = Result { try body() }
        try model.restore(saved, source: "memory")
        return try result.get()
    }

    /// What a method has added here, a teacher without it need not have.
    private func load(_ path: String, beside saved: [String: Tensor]) throws {
        var (tensors, metadata) = try TensorFile.read(path)
        guard metadata["format"] != "pt" else {
            // As model:save writes it, in the layout of other programs.
            try model.load(WeightFile.open(path), KeyMap(isOwn: { $0.hasPrefix("method.") }))
            return
        }
        let prefix = tensors.keys.contains { $0.hasPrefix("model.") } ? "model." : ""
        for (name, tensor) in saved where name.hasPrefix("method.") && tensors[prefix + name] == nil {
            tensors[prefix + name] = tensor
        }
        try model.restore(tensors, prefix: prefix, source: path)
    }
}
