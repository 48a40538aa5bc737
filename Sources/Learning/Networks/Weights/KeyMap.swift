import BSSCodecs
import BSSCore

/// From the keys of a weight file to our parameter names, which are those of the field's reference implementations.
public struct KeyMap {
    /// Prefixes that wrappers put before the keys; the first that every key of the network carries is taken off.
    public var prefixes: [String]
    /// Our name for a key without its prefix; the key itself where nothing differs.
    public var renamed: (String) -> String
    /// Keys of the file that belong to other parts (heads, buffers): neither loaded nor reported as unexpected.
    public var isForeign: (String) -> Bool
    /// Parameters of ours that such a file does not have (projections of the BSS authors): not reported as missing.
    public var isOwn: (String) -> Bool

    public init(
        prefixes: [String] = [], renamed: @escaping (String) -> String = { $0 },
        isForeign: @escaping (String) -> Bool = { _ in false },
        isOwn: @escaping (String) -> Bool = { _ in false }
    ) {
        self.isOwn = isOwn
        self.prefixes = prefixes
        self.renamed = renamed
        self.isForeign = isForeign
    }

    /// Keys as they are.
    public static let same = KeyMap()

    /// torchvision's ResNets; the ImageNet classifier is ours only where features are its outputs.
    public static func torchvision(hasClassifier: Bool) -> KeyMap {
        KeyMap(isForeign: { !hasClassifier && $0.hasPrefix("fc.") }, isOwn: { $0.hasPrefix("fix.") })
    }

    /// I3D as published for PyTorch (`rgb_imagenet.pt`, `flow_imagenet.pt`): the Kinetics logits are not ours.
    public static let i3d = KeyMap(isForeign: { $0.hasPrefix("logits.") })

    /// Hugging Face BERT, also with heads and under the names of older checkpoints (`gamma`, `beta`).
    public static let bert = KeyMap(
        prefixes: ["bert."],
        renamed: { key in
            for (old, new) in [(".gamma", ".weight"), (".beta", ".bias")] where key.hasSuffix(old) {
                return key.dropLast(old.count) + new
            }
            return key
        },
        isForeign: { key in
            key.hasSuffix("position_ids") || key.hasSuffix("token_type_ids")
                || ["cls.", "classifier.", "qa_outputs."].contains { key.hasPrefix($0) }
        })

    /// Hugging Face CLIP; `tower` is the half that is wanted ("vision" or "text"), nil for both.
    public static func clip(_ tower: String?) -> KeyMap {
        KeyMap(isForeign: { key in
            if key.hasSuffix("position_ids") { return true }
            switch tower {
            case "vision": return key.hasPrefix("text_") || key == "logit_scale"
            case "text": return key.hasPrefix("vision_") || key.hasPrefix("visual_") || key == "logit_scale"
            default: return false
            }
        })
    }

    /// The file's keys as ours. DataParallel's `module.` always goes; a counter of batches says nothing.
    func names(_ keys: [String]) -> [(key: String, name: String?)] {
        keys.map { key in
            var rest = key
            for prefix in ["module."] + prefixes where rest.hasPrefix(prefix) {
                rest = String(rest.dropFirst(prefix.count))
            }
            return (key, rest.hasSuffix("num_batches_tracked") || isForeign(rest) ? nil : renamed(rest))
        }
    }
}
