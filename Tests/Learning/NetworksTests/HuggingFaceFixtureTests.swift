import BSSBackend
import BSSCodecs
import BSSCore
import BSSNetworks
import BSSTensor
import BSSText
import Testing
import _BSSTestSupport

/// The `hf` group of the reference numbers: tokenizers, checkpoints, and the networks that they hold.
@Suite(.oneAtATime) struct HuggingFaceFixtureTests {
    @Test func hf() throws {
        let failures = try FixtureGroup.run("hf") { item in
            switch item.op {
            case "bert_tokenizer", "clip_tokenizer": return try TokenizerCase(item).results()
            case "bert":
                return try BERTCase(item, file: WeightFile.open(item.path(item.string("checkpoint")))).results()
            case "bert_checkpoint_names": return try olderNames(item)
            case "clip": return try CLIPCase(item).results()
            case "torch_checkpoint": return try torchFile(item)
            case "safetensors": return try safetensors(item)
            default: throw BSSError(item.id, "unknown operation '\(item.op)'")
            }
        }
        for failure in failures { Issue.record("\(failure)") }
    }

    /// The same network from a safetensors file and from a pickle, under the names of older checkpoints.
    private func olderNames(_ item: FixtureCase) throws -> [String: NpyArray] {
        let folder = try item.string("checkpoint")
        let wanted = try item.string("case")
        guard let reference = try FixtureFolder.open().cases(group: item.group).first(where: { $0.id == wanted }) else {
            throw BSSError(item.id, "no case \(wanted)")
        }
        var first: [Float] = []
        for name in ["model.safetensors", "pytorch_model.bin"] {
            let file = try WeightFile.open(item.path("\(folder)/\(name)"))
            let network = try BERTCase(reference, file: file)
            for (name, got) in try network.results() where reference.has(name) {
                if let mismatch = try reference.mismatch(name, got) {
                    throw BSSError(item.id, "\(file.path): \(mismatch)")
                }
            }
            let row = try network.model.parameters().first { $0.name == "embeddings.word_embeddings.weight" }!.parameter
                .value.element(at: 0).values(Float.self)
            if !first.isEmpty, row != first { throw BSSError(item.id, "the two files differ") }
            first = row
        }
        return ["word_embeddings_first_row": NpyArray(first)]
    }

    private func torchFile(_ item: FixtureCase) throws -> [String: NpyArray] {
        let file = try TorchFile(item.path(item.string("file")))
        let keys = item.attrs["keys"]?.table?.items.compactMap(\.string) ?? []
        guard file.tensors.map(\.name) == keys else { throw BSSError(item.id, "keys \(file.tensors.map(\.name))") }
        for (key, value) in item.attrs["scalars"]?.table?.fields ?? [] {
            guard let got = file.contents[key], got.plain == JSON.text(value) else {
                throw BSSError(
                    item.id, "\(key) is \(file.contents[key]?.plain ?? "absent"), expected \(JSON.text(value))")
            }
        }
        if let shape = item.attrs["shape"]?.table?.items, file.contents["shape"]?.plain != JSON.text(.list(shape)) {
            throw BSSError(item.id, "shape is \(file.contents["shape"]?.plain ?? "absent")")
        }
        return try Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, try $0.tensor.array()) })
    }

    private func safetensors(_ item: FixtureCase) throws -> [String: NpyArray] {
        var results: [String: NpyArray] = [:]
        let file = try Safetensors(item.path(item.string("file")))
        let types = item.attrs["dtypes"]?.table ?? Table()
        guard Set(file.tensors.map(\.name)) == Set(types.keys) else {
            throw BSSError(item.id, "tensors \(file.tensors.map(\.name))")
        }
        for (name, tensor) in file.tensors {
            guard types[name]?.string == tensor.type.rawValue else {
                throw BSSError(item.id, "\(name) is \(tensor.type), expected \(types[name]?.described ?? "")")
            }
            results[name] = try tensor.array()
            if tensor.type == .float16 || tensor.type == .bfloat16 {
                results[name + ".bits"] = NpyArray(try tensor.bits().map { Int($0) }, shape: tensor.shape)
            }
        }
        return results
    }
}

extension TorchValue {
    /// As the index writes it.
    fileprivate var plain: String {
        switch self {
        case .none: return "null"
        case .bool(let b): return JSON.text(.bool(b))
        case .int(let i): return JSON.text(.int(i))
        case .number(let d): return JSON.text(.number(d))
        case .string(let s): return JSON.text(.string(s))
        case .list(let items): return "[" + items.map(\.plain).joined(separator: ",") + "]"
        default: return "?"
        }
    }
}

/// Gradients of Σ output · g_output, by the names of files and in their layout.
private struct Derivatives {
    let parameters: [(name: String, parameter: Parameter)]
    let gradients: Gradients

    init(
        _ item: FixtureCase, _ outputs: [(name: String, value: Tensor)],
        _ parameters: [(name: String, parameter: Parameter)]
    ) throws {
        self.parameters = parameters
        let terms = try outputs.filter { item.has("g_" + $0.name) }.map {
            try $0.value.multiplied(by: given(item, "g_" + $0.name)).sum()
        }
        guard terms.count == item.arrays(role: "upstream_grad").count, let first = terms.first else {
            throw BSSError(item.id, "an upstream gradient belongs to no output")
        }
        gradients = try terms.dropFirst().reduce(first) { try $0 + $1 }.backward()
    }

    private func gradient(_ name: String, _ item: FixtureCase) throws -> Tensor {
        guard let parameter = parameters.first(where: { $0.name == name })?.parameter else {
            throw BSSError(item.id, "no parameter '\(name)'")
        }
        let g = try gradients[parameter.value] ?? Tensor.zeros(parameter.value.shape)
        return parameter.isTransposedInFiles ? try g.transposed(0, 1) : g
    }

    /// Every `d_…` array and the norms in the order of `attrs.parameters`, whose shapes must be ours.
    func results(_ item: FixtureCase) throws -> [String: NpyArray] {
        var results: [String: NpyArray] = [:]
        for wanted in item.arrays where wanted.role.hasPrefix("grad_of_") {
            results[wanted.name] = array(try gradient(String(wanted.role.dropFirst(8)), item))
        }
        let listed = item.attrs["parameters"]?.table?.items.compactMap(\.table) ?? []
        guard Set(listed.compactMap { $0.items.first?.string }) == Set(parameters.map(\.name)) else {
            throw BSSError(item.id, "our parameters are \(parameters.map(\.name))")
        }
        results["grad_norm"] = NpyArray(
            try listed.map { entry in
                let g = try gradient(entry.items[0].string ?? "", item)
                guard entry.items.count == 2, g.shape.array == entry.items[1].table?.items.compactMap(\.int) else {
                    throw BSSError(item.id, "\(entry.items[0].described) has shape \(g.shape)")
                }
                return Float(try g.values(Double.self).reduce(0) { $0 + $1 * $1 }.squareRoot())
            })
        return results
    }
}

private func array(_ tensor: Tensor) -> NpyArray {
    NpyArray((try? tensor.values(Float.self)) ?? [], shape: tensor.shape.array)
}

private func given(_ item: FixtureCase, _ name: String) throws -> Tensor {
    let found = try item.array(name)
    if let integers = found.integers, found.isInteger { return try Tensor.from(integers, Shape(found.shape)) }
    return try Tensor.from(item.floats(name), Shape(found.shape))
}

private func tokens(_ item: FixtureCase) throws -> TokenBatch {
    try TokenBatch(
        ids: given(item, "input_ids"),
        mask: item.has("attention_mask") ? given(item, "attention_mask").converted(to: .float32) : nil,
        types: item.has("token_type_ids") ? given(item, "token_type_ids") : nil)
}

private struct BERTCase {
    let item: FixtureCase
    let model: BERTModel

    init(_ item: FixtureCase, file: WeightFile) throws {
        self.item = item
        model = try BERTModel(BERTSizes(of: file), hasPooler: true)
        let report = try model.load(file, .bert)
        guard report.loaded.count == model.parameters().count else { throw BSSError(item.id, report.summary) }
        if let texts = item.attrs["texts"]?.table?.items.compactMap(\.string), Files.exists(file.path + "/vocab.txt") {
            let rows = try Tokenizer.load(file.path).encode(texts, length: item.array("input_ids").shape[1])
            guard rows.flatMap(\.ids) == (try item.integers("input_ids")),
                rows.flatMap(\.mask) == (try item.integers("attention_mask"))
            else {
                throw BSSError(item.id, "the texts give other ids: \(rows.map(\.ids))")
            }
        }
    }

    func results() throws -> [String: NpyArray] {
        let (hidden, pooled) = try model.forward(tokens(item), ForwardContext(.evaluation))
        guard let pooled else { throw BSSError(item.id, "no pooler") }
        let outputs = [("last_hidden_state", hidden[hidden.count - 1]), ("pooler_output", pooled)]
        var results = try Derivatives(item, outputs, model.parameters()).results(item)
        for (name, value) in outputs + hidden.enumerated().map({ ("hidden_\($0.offset)", $0.element) }) {
            results[name] = array(value)
        }
        return results
    }
}

private struct CLIPCase {
    let item: FixtureCase
    let vision: CLIPVision, text: CLIPText, scale: Parameter

    init(_ item: FixtureCase) throws {
        self.item = item
        let file = try WeightFile.open(item.path(item.string("checkpoint")))
        vision = try CLIPVision(CLIPSizes(of: file, tower: "vision", CLIPSizes()))
        text = try CLIPText(CLIPSizes(of: file, tower: "text", .text))
        scale = try Parameter([], .constant(0))
        try vision.load(file, .clip("vision"))
        try text.load(file, .clip("text"))
        guard let entry = file.tensors.first(where: { $0.name == "logit_scale" }) else {
            throw BSSError(item.id, "no logit_scale")
        }
        try scale.assign(Tensor.from(entry.tensor.floats(), []))
    }

    func results() throws -> [String: NpyArray] {
        let context = ForwardContext(.evaluation)
        let (visionLast, _, image) = try vision.forward(given(item, "pixel_values"), context)
        let (textLast, _, words) = try text.forward(tokens(item), context)
        let imageUnit = try image / image.norm([1], keepsAxes: true)
        let textUnit = try words / words.norm([1], keepsAxes: true)
        let perImage = try imageUnit.matmul(textUnit.transposed(0, 1)) * scale.value.exp()
        let outputs = try [
            ("image_embeds", imageUnit), ("text_embeds", textUnit), ("logits_per_image", perImage),
            ("logits_per_text", perImage.transposed(0, 1)),
        ]
        var results = try Derivatives(item, outputs, [("logit_scale", scale)] + vision.parameters() + text.parameters())
            .results(item)
        let hidden = [
            ("vision_last", visionLast), ("vision_pooled", image), ("text_last", textLast), ("text_pooled", words),
        ].map { ("hidden_" + $0.0, $0.1) }
        for (name, value) in outputs + hidden { results[name] = array(value) }
        return results
    }
}

/// A vocabulary, texts and their ids: alone, cut and padded to several lengths, padded to the longest, and in pairs.
private struct TokenizerCase {
    let item: FixtureCase
    let tokenizer: Tokenizer
    let texts: [String]
    let cases: [Table]

    init(_ item: FixtureCase) throws {
        self.item = item
        let path = item.path(item.id + ".json")
        guard let content = try JSON.parse(try Files.readText(path), source: path).table,
            let vocabulary = content["vocab"]?.string,
            let cases = content["cases"]?.table?.items
        else { throw BSSError(item.id, "\(path) has no vocabulary or cases") }
        self.cases = cases.compactMap(\.table)
        texts = try self.cases.map { try $0["text"]?.string ?? { throw BSSError(item.id, "a case without text") }() }
        let folder = item.id.split(separator: "/").dropLast().joined(separator: "/")
        let file = item.path("\(folder)/\(vocabulary)")
        // A folder for the one kind, a file for the other: both ways in.
        tokenizer = try Tokenizer.load(
            item.op == "clip_tokenizer"
                ? file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") : file,
            lowercases: content["lower_case"]?.bool)
        guard tokenizer.vocabulary.count == (try item.int("vocab_size")) else {
            throw BSSError(item.id, "the vocabulary has \(tokenizer.vocabulary.count) tokens")
        }
    }

    func results() throws -> [String: NpyArray] {
        var results: [String: NpyArray] = [:]
        let natural = try texts.map { try tokenizer.encode($0) }
        for (row, expected) in zip(natural, cases) {
            let tokens = expected["tokens"]?.table?.items.compactMap(\.string)
            let got = row.ids.map(tokenizer.vocabulary.text)
            if let tokens,
                !zip(tokens, got).allSatisfy({ Array($0.utf8) == Array($1.utf8) }) || tokens.count != got.count
            {
                throw BSSError(item.id, "text \(expected["text"]?.described ?? ""): tokens \(got), expected \(tokens)")
            }
            guard row.mask == row.ids.map({ _ in 1 }), row.types == row.ids.map({ _ in 0 }) else {
                throw BSSError(item.id, "a text alone has mask 1 and type 0")
            }
        }
        results["ids_flat"] = NpyArray(natural.flatMap(\.ids))
        results["ids_offsets"] = NpyArray(natural.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.ids.count) })
        for wanted in item.arrays where wanted.isResult {
            let limit = wanted.name.range(of: "_max").flatMap { Int(wanted.name[$0...].dropFirst(4)) }
            let rows: [EncodedText]
            switch wanted.name {
            case "ids_flat", "ids_offsets": continue
            case let name where name.hasPrefix("pair_"):
                let order = try item.integers("longest_rows")
                rows = try order.indices.map {
                    try tokenizer.encode(texts[order[$0]], pair: texts[order[order.count - 1 - $0]], length: limit)
                }
            case let name where name.hasSuffix("_longest"):
                rows = try tokenizer.encode(try item.integers("longest_rows").map { texts[$0] })
            default: rows = try tokenizer.encode(texts, length: limit)
            }
            let part: (EncodedText) -> [Int] =
                wanted.name.contains("mask") ? \.mask : wanted.name.contains("type") ? \.types : \.ids
            results[wanted.name] = NpyArray(
                rows.flatMap(part), shape: [rows.count, rows.first.map { part($0).count } ?? 0])
        }
        return results
    }
}

extension String {
    /// Where `part` begins.
    fileprivate func range(of part: String) -> String.Index? {
        indices.first { self[$0...].hasPrefix(part) }
    }
}
