import BSSCodecs

/// OpenAI's own names for CLIP with a vision transformer (a saved `state_dict` of the `clip` package), as Hugging
/// Face's: joined projections become three, projections are turned.
enum OpenAICLIP {
    static func isNamed(_ tensors: [(name: String, tensor: StoredTensor)]) -> Bool {
        tensors.contains { $0.name.hasSuffix("transformer.resblocks.0.attn.in_proj_weight") }
    }

    /// The same tensors under Hugging Face's names; as they are, if they are not OpenAI's.
    static func renamed(_ tensors: [(name: String, tensor: StoredTensor)]) -> [(name: String, tensor: StoredTensor)] {
        guard isNamed(tensors) else { return tensors }
        return tensors.flatMap { entry -> [(name: String, tensor: StoredTensor)] in
            let isVision = entry.name.hasPrefix("visual.")
            let rest = isVision ? String(entry.name.dropFirst("visual.".count)) : entry.name
            let tower = isVision ? "vision_model." : "text_model."
            if let block = rest.dropping("transformer.resblocks.") {
                return layer(block, tower + "encoder.layers.", entry.tensor)
            }
            switch rest {
            case "class_embedding": return [(tower + "embeddings.class_embedding", entry.tensor)]
            case "conv1.weight": return [(tower + "embeddings.patch_embedding.weight", entry.tensor)]
            case "positional_embedding": return [(tower + "embeddings.position_embedding.weight", entry.tensor)]
            case "token_embedding.weight": return [(tower + "embeddings.token_embedding.weight", entry.tensor)]
            case "proj" where entry.tensor.shape.count == 2:
                return [("visual_projection.weight", entry.tensor.transposed())]
            case "text_projection" where entry.tensor.shape.count == 2:
                return [("text_projection.weight", entry.tensor.transposed())]
            case "input_resolution", "context_length", "vocab_size": return []
            default: break
            }
            for (old, new) in [
                ("ln_pre.", "pre_layrnorm."), ("ln_post.", "post_layernorm."), ("ln_final.", "final_layer_norm."),
            ] {
                if let part = rest.dropping(old) { return [(tower + new + part, entry.tensor)] }
            }
            return [entry]
        }
    }

    /// `0.attn.in_proj_weight` and its like.
    private static func layer(
        _ block: String, _ prefix: String, _ tensor: StoredTensor
    ) -> [(name: String, tensor: StoredTensor)] {
        let number = block.prefix { $0 != "." }
        let name = String(block.dropFirst(number.count + 1))
        let root = "\(prefix)\(number)."
        if let kind = name.dropping("attn.in_proj_"), let parts = tensor.thirds() {
            return zip(["q", "k", "v"], parts).map { ("\(root)self_attn.\($0)_proj.\(kind)", $1) }
        }
        for (old, new) in [
            ("ln_1.", "layer_norm1."), ("ln_2.", "layer_norm2."), ("attn.out_proj.", "self_attn.out_proj."),
            ("mlp.c_fc.", "mlp.fc1."), ("mlp.c_proj.", "mlp.fc2."),
        ] {
            if let part = name.dropping(old) { return [(root + new + part, tensor)] }
        }
        return [(root + name, tensor)]
    }
}

extension String {
    fileprivate func dropping(_ prefix: String) -> String? { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil }
}
