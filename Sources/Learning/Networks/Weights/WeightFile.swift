import BSSCodecs
import BSSCore

/// Weights as people have them: a safetensors file, a file of `torch.save`, or a Hugging Face folder, whole or in
/// shards.
public struct WeightFile {
    public let path: String
    public let tensors: [(name: String, tensor: StoredTensor)]
    /// `config.json` beside the weights, where there is one.
    public let configuration: Table?
    /// Keys of tensors that do not lie under the prefix that was asked for, and objects that are no tensors.
    public private(set) var others: [String] = []
    /// What a safetensors file says beside its tensors.
    public private(set) var metadata: [String: String] = [:]
    /// Whether the keys were OpenAI's own names for CLIP, whose code derives what it does not store.
    public let isOpenAI: Bool

    init(path: String, tensors: [(name: String, tensor: StoredTensor)], configuration: Table?) {
        self.path = path
        self.configuration = configuration
        self.tensors = OpenAICLIP.renamed(tensors)
        isOpenAI = OpenAICLIP.isNamed(tensors)
    }

    /// - Parameter prefix: what the keys of the network begin with (`encoder_q.`); DataParallel's `module.` may stand
    ///   before it.
    /// - Throws: kind `.data`: nothing there, damaged, with contents that are refused, or without the prefix.
    public static func open(_ path: String, prefix: String? = nil) throws -> WeightFile {
        let folder = Files.isFolder(path) ? path : nil
        let content = try folder.map(content(of:)) ?? read(path)
        let (tensors, others) = try prefix.map { try part(content.tensors, under: $0, path) } ?? (content.tensors, [])
        var file = WeightFile(
            path: path, tensors: tensors,
            configuration: try folder.map(configuration(in:)) ?? configuration(beside: path))
        file.others = others + content.skipped
        file.metadata = content.metadata
        return file
    }

    /// The tensors whose keys begin with `prefix`, under the rest of their keys, and the keys of the others.
    private static func part(
        _ tensors: [(name: String, tensor: StoredTensor)], under prefix: String, _ path: String
    ) throws -> (tensors: [(name: String, tensor: StoredTensor)], others: [String]) {
        let prefix = prefix.isEmpty || prefix.hasSuffix(".") ? prefix : prefix + "."
        var kept: [(name: String, tensor: StoredTensor)] = []
        var others: [String] = []
        for (name, tensor) in tensors {
            var rest = name[...]
            while !rest.hasPrefix(prefix), rest.hasPrefix("module.") { rest = rest.dropFirst("module.".count) }
            if rest.hasPrefix(prefix) {
                kept.append((String(rest.dropFirst(prefix.count)), tensor))
            } else {
                others.append(name)
            }
        }
        guard !kept.isEmpty else {
            let heads = Set(tensors.map { $0.name.split(separator: ".").dropLast(1).prefix(2).joined(separator: ".") })
            throw BSSError(
                "pretrained", "\(path): no key begins with \"\(prefix)\"",
                hint: "its keys begin with \(heads.sorted().prefix(12).joined(separator: ", "))", kind: .data)
        }
        return (kept, others)
    }

    /// What was found in files.
    private struct Content {
        var tensors: [(name: String, tensor: StoredTensor)]
        var skipped: [String] = []
        var metadata: [String: String] = [:]
    }

    private static func content(of path: String) throws -> Content {
        for name in ["model.safetensors", "pytorch_model.bin"] {
            if Files.exists("\(path)/\(name)") { return try read("\(path)/\(name)") }
            let index = "\(path)/\(name).index.json"
            if Files.exists(index) { return try shards(index, in: path) }
        }
        let others = try Files.list(path).filter { name in
            [".safetensors", ".pt", ".pth", ".bin"].contains { name.hasSuffix($0) }
        }
        guard others.count == 1 else {
            throw BSSError(
                "pretrained",
                "\(path) holds "
                    + "\(others.isEmpty ? "no weights" : "several weight files: \(others.joined(separator: ", "))")",
                hint: others.isEmpty ? "expected model.safetensors or pytorch_model.bin" : "name one of them",
                kind: .data)
        }
        return try read("\(path)/\(others[0])")
    }

    /// The keys as our names, nil for those of other parts. `anchor` is a name that must be among them: where it stands
    /// deeper (`encoder.text.bert.…` of a whole model), only what lies beside it is meant.
    /// - Throws: where it stands below several.
    func entries(_ map: KeyMap, anchor: String?) throws -> [(key: String, name: String?, tensor: StoredTensor)] {
        var keys = map.names(tensors.map(\.name))
        if let anchor, !keys.contains(where: { $0.name == anchor }) {
            let roots = Set(
                keys.map(\.key).filter { $0.hasSuffix("." + anchor) }.map { String($0.dropLast(anchor.count)) })
            guard roots.count <= 1 else {
                let names = roots.sorted()
                throw BSSError(
                    "pretrained", "\(path) holds several such networks: below \(names.joined(separator: ", "))",
                    hint: "choose with prefix = \"\(names[0])\"", kind: .data)
            }
            if let root = roots.first {
                keys = zip(
                    keys, map.names(keys.map { $0.key.hasPrefix(root) ? String($0.key.dropFirst(root.count)) : "" })
                ).map { ($0.key, $0.key.hasPrefix(root) ? $1.name : nil) }
            }
        }
        return zip(keys, tensors).map { ($0.key, $0.name, $1.tensor) }
    }

    /// Shapes by our names.
    func shapes(_ map: KeyMap, anchor: String) throws -> [String: [Int]] {
        Dictionary(try entries(map, anchor: anchor).compactMap { entry in entry.name.map { ($0, entry.tensor.shape) } })
        {
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
    private static func shards(_ index: String, in folder: String) throws -> Content {
        guard let map = try JSON.parse(try Files.readDataText(index), source: index).table?["weight_map"]?.table else {
            throw BSSError("pretrained", "\(index) has no weight_map", kind: .data)
        }
        let files = Set(map.fields.compactMap(\.value.string)).sorted()
        guard !files.contains(where: { $0.contains("/") }) else {
            throw BSSError("pretrained", "\(index) names files outside its folder", kind: .data)
        }
        return try files.reduce(into: Content(tensors: [])) { all, file in
            let part = try read("\(folder)/\(file)")
            all.tensors += part.tensors
            all.skipped += part.skipped
        }
    }

    private static func read(_ path: String) throws -> Content {
        let bytes = try Files.readData(path)
        let isTorch = bytes.first == 0x80 || bytes.starts(with: [0x50, 0x4B])
        if isTorch, !isSafetensors(bytes) {
            let file = try TorchFile(bytes: bytes, source: path)
            return Content(tensors: stateDictionary(file), skipped: file.skipped.map { "\($0.name): \($0.kind)" })
        }
        let file = try Safetensors(bytes: bytes, source: path)
        if let format = file.metadata["format"], format.hasPrefix("bss-lua checkpoint") {
            throw BSSError(
                "pretrained", "\(path) is the state of a training", hint: "run.model:save(\"FILE\") writes weights",
                kind: .data)
        }
        return Content(tensors: file.tensors, metadata: file.metadata)
    }

    /// A header size that begins with 0x80 is rare but legal: the JSON behind it tells.
    private static func isSafetensors(_ bytes: [UInt8]) -> Bool {
        bytes.count > 9 && bytes[8] == UInt8(ascii: "{") && bytes[6] == 0 && bytes[7] == 0
    }

    /// The weights of a training checkpoint, under the keys that people give them; all tensors if there is none of
    /// these.
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
        return Files.exists(path) ? try JSON.parse(try Files.readDataText(path), source: path).table : nil
    }
}
