import BSSCodecs
import BSSCore

/// Weights as people have them: a safetensors file, a file of `torch.save`, or a Hugging Face folder, whole or in shards.
public struct WeightFile {
    public let path: String
    public let tensors: [(name: String, tensor: StoredTensor)]
    /// `config.json` beside the weights, where there is one.
    public let configuration: Table?

    /// - Throws: kind `.data`: nothing there, damaged, or with contents that are refused.
    public static func open(_ path: String) throws -> WeightFile {
        guard Files.isFolder(path) else {
            return WeightFile(path: path, tensors: try read(path), configuration: try configuration(beside: path))
        }
        let configuration = try configuration(in: path)
        for name in ["model.safetensors", "pytorch_model.bin"] {
            if Files.exists("\(path)/\(name)") {
                return WeightFile(path: path, tensors: try read("\(path)/\(name)"), configuration: configuration)
            }
            let index = "\(path)/\(name).index.json"
            if Files.exists(index) {
                return WeightFile(path: path, tensors: try shards(index, in: path), configuration: configuration)
            }
        }
        let others = try Files.list(path).filter { name in
            [".safetensors", ".pt", ".pth", ".bin"].contains { name.hasSuffix($0) }
        }
        guard others.count == 1 else {
            throw BSSError(
                "pretrained",
                "\(path) holds \(others.isEmpty ? "no weights" : "several weight files: \(others.joined(separator: ", "))")",
                hint: others.isEmpty ? "expected model.safetensors or pytorch_model.bin" : "name one of them",
                kind: .data)
        }
        return WeightFile(path: path, tensors: try read("\(path)/\(others[0])"), configuration: configuration)
    }

    /// The keys as our names, nil for those of other parts. `anchor` is a name that must be among them: where it stands deeper
    /// (`encoder.text.bert.…` of a whole model), only what lies beside it is meant.
    func entries(_ map: KeyMap, anchor: String?) -> [(key: String, name: String?, tensor: StoredTensor)] {
        var keys = map.names(tensors.map(\.name))
        if let anchor, !keys.contains(where: { $0.name == anchor }) {
            let roots = Set(
                keys.map(\.key).filter { $0.hasSuffix("." + anchor) }.map { String($0.dropLast(anchor.count)) })
            if roots.count == 1, let root = roots.first {
                keys = zip(
                    keys, map.names(keys.map { $0.key.hasPrefix(root) ? String($0.key.dropFirst(root.count)) : "" })
                ).map { ($0.key, $0.key.hasPrefix(root) ? $1.name : nil) }
            }
        }
        return zip(keys, tensors).map { ($0.key, $0.name, $1.tensor) }
    }

    /// Shapes by our names.
    func shapes(_ map: KeyMap, anchor: String) -> [String: [Int]] {
        Dictionary(entries(map, anchor: anchor).compactMap { entry in entry.name.map { ($0, entry.tensor.shape) } }) {
            _, last in last
        }
    }

    /// How many layers `prefix` counts: one more than the largest number behind it.
    static func layers(_ shapes: [String: [Int]], _ prefix: String) -> Int {
        min(
            shapes.count,
            1
                + (shapes.keys.compactMap {
                    $0.hasPrefix(prefix) ? Int($0.dropFirst(prefix.count).prefix { $0 != "." }) : nil
                }.max() ?? -1))
    }

    /// `{"weight_map": {tensor: file, …}}`
    private static func shards(_ index: String, in folder: String) throws -> [(name: String, tensor: StoredTensor)] {
        guard let map = try JSON.parse(try Files.readText(index), source: index).table?["weight_map"]?.table else {
            throw BSSError("pretrained", "\(index) has no weight_map", kind: .data)
        }
        let files = Set(map.fields.compactMap(\.value.string)).sorted()
        guard !files.contains(where: { $0.contains("/") }) else {
            throw BSSError("pretrained", "\(index) names files outside its folder", kind: .data)
        }
        return try files.flatMap { try read("\(folder)/\($0)") }
    }

    private static func read(_ path: String) throws -> [(name: String, tensor: StoredTensor)] {
        let bytes = try Files.read(path)
        let isTorch = bytes.first == 0x80 || bytes.starts(with: [0x50, 0x4B])
        if isTorch, !isSafetensors(bytes) {
            return OpenAICLIP.renamed(stateDictionary(try TorchFile(bytes: bytes, source: path)))
        }
        let file = try Safetensors(bytes: bytes, source: path)
        if let format = file.metadata["format"], format.hasPrefix("bss-lua checkpoint") {
            throw BSSError(
                "pretrained", "\(path) is the state of a training", hint: "run.model:save(\"FILE\") writes weights",
                kind: .data)
        }
        return OpenAICLIP.renamed(file.tensors)
    }

    /// A header size that begins with 0x80 is rare but legal: the JSON behind it tells.
    private static func isSafetensors(_ bytes: [UInt8]) -> Bool {
        bytes.count > 9 && bytes[8] == UInt8(ascii: "{") && bytes[6] == 0 && bytes[7] == 0
    }

    /// The weights of a training checkpoint, under the keys that people give them; all tensors if there is none of these.
    private static func stateDictionary(_ file: TorchFile) -> [(name: String, tensor: StoredTensor)] {
        for key in ["state_dict", "model_state_dict", "model", "net"] {
            let inner = file.tensors.filter { $0.name.hasPrefix(key + ".") }
            if file.contents[key] != nil, !inner.isEmpty {
                return inner.map { (String($0.name.dropFirst(key.count + 1)), $0.tensor) }
            }
        }
        return file.tensors
    }

    private static func configuration(beside path: String) throws -> Table? {
        let steps = path.split(separator: "/", omittingEmptySubsequences: false)
        return try configuration(in: steps.count > 1 ? steps.dropLast().joined(separator: "/") : ".")
    }

    private static func configuration(in folder: String) throws -> Table? {
        let path = "\(folder)/config.json"
        return Files.exists(path) ? try JSON.parse(try Files.readText(path), source: path).table : nil
    }
}
