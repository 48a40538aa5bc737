import BSSBackend
import BSSCodecs
import BSSCore
import BSSTensor
import Glibc
import Testing
import _BSSTestSupport

@testable import BSSNetworks

/// What people save beside tensors, tensors in unusual clothes, and parts of a checkpoint.
@Suite(.oneAtATime) struct PickledObjectTests {
    // MARK: A little pickler

    private func text(_ s: String) -> [UInt8] { [0x8c, UInt8(s.utf8.count)] + Array(s.utf8) }
    private func name(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }
    private func number(_ n: Int) -> [UInt8] { [0x8a, 8] + withUnsafeBytes(of: Int64(n).littleEndian) { Array($0) } }
    private func tuple(_ items: [UInt8]...) -> [UInt8] { Array("(".utf8) + items.joined() + Array("t".utf8) }
    private func call(_ module: String, _ function: String, _ arguments: [UInt8]...) -> [UInt8] {
        name(module, function) + Array("(".utf8) + arguments.joined() + Array("tR".utf8)
    }
    private func dictionary(_ entries: [(String, [UInt8])]) -> [UInt8] {
        Array("}(".utf8) + entries.flatMap { text($0.0) + $0.1 } + Array("u".utf8)
    }
    private func storage(_ type: String, _ key: String, _ count: Int) -> [UInt8] {
        tuple(text("storage"), name("torch", type + "Storage"), text(key), text("cpu"), number(count)) + Array("Q".utf8)
    }
    private var nothing: [UInt8] { call("collections", "OrderedDict") }
    /// Two floats, 1 and 2.
    private var tensorArguments: [UInt8] {
        tuple(storage("Float", "0", 2), number(0), tuple(number(2)), tuple(number(1)), [0x89], nothing)
    }
    private var tensor: [UInt8] { name("torch._utils", "_rebuild_tensor_v2") + tensorArguments + Array("R".utf8) }

    private func file(_ value: [UInt8], _ more: [(name: String, bytes: [UInt8])] = []) throws -> TorchFile {
        let numbers = [Float(1), 2].flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
        }
        let entries = [
            (name: "a/data.pkl", bytes: [0x80, 2] + value + Array(".".utf8)), (name: "a/data/0", bytes: numbers),
        ]
        return try TorchFile(bytes: ZipArchive.bytes(entries + more), source: "x.pt")
    }

    @Test func otherObjectsAreSkippedByName() throws {
        let objects: [(String, [UInt8], String)] = [
            (
                "args", call("argparse", "Namespace") + dictionary([("lr", tensor)]) + Array("b".utf8),
                "argparse.Namespace"
            ),
            (
                "loss",
                call(
                    "numpy.core.multiarray", "scalar", call("numpy", "dtype", text("f8"), [0x89, 0x88]),
                    text("12345678")),
                "numpy.core.multiarray.scalar"
            ),
            ("dtype", name("torch", "float32"), "torch.float32"),
            ("device", call("torch", "device", text("cuda")), "torch.device"),
            ("set", call("__builtin__", "set", Array("](".utf8) + number(1) + Array("e".utf8)), "__builtin__.set"),
            ("new_set", [0x8f] + Array("(".utf8) + number(1) + [0x90], "a set"),
            ("frozen", Array("(".utf8) + number(1) + [0x91], "a frozenset"),
            (
                "dict",
                call("collections", "defaultdict", name("__builtin__", "list")) + text("k") + number(1)
                    + Array("s".utf8), "collections.defaultdict"
            ),
            ("old", Array("(".utf8) + text("x") + Array("imy.module\nThing\n".utf8), "my.module.Thing"),
            ("new", name("my", "New") + Array(")".utf8) + [0x81] + dictionary([]) + Array("b".utf8), "my.New"),
            (
                "complex",
                call(
                    "torch._utils", "_rebuild_tensor_v2", storage("ComplexFloat", "1", 1), number(0), tuple(), tuple(),
                    [0x89], nothing), "torch.ComplexFloatStorage"
            ),
        ]
        let read = try file(dictionary(objects.map { ($0.0, $0.1) } + [("model", dictionary([("w", tensor)]))]))
        #expect(try read.tensors.map(\.name) == ["model.w"] && read.tensors[0].tensor.floats() == [1, 2])
        for (key, _, kind) in objects {
            #expect(read.skipped.contains { $0.name == key && $0.kind == kind }, "\(key): \(read.skipped)")
        }
        #expect(read.skipped.count == objects.count)
        // A size is a list of numbers.
        #expect(
            try file(dictionary([("w", tensor), ("size", call("torch", "Size", tuple(number(3))))])).skipped.isEmpty)
    }

    @Test func commandsEndTheReading() throws {
        for (module, function) in [
            ("os", "system"), ("builtins", "eval"), ("subprocess", "Popen"), ("__builtin__", "getattr"),
        ] {
            #expect(throws: BSSError.self) {
                try file(dictionary([("w", tensor), ("x", call(module, function, text("y")))]))
            }
        }
    }

    @Test func aWholeModelIsRefusedByName() throws {
        let model =
            name("models.resnet", "ResNet") + Array(")".utf8) + [0x81] + dictionary([("w", tensor)]) + Array("b".utf8)
        do {
            _ = try file(model)
            Issue.record("read")
        } catch {
            #expect(
                "\(error)".contains("models.resnet.ResNet") && "\(error)".contains("save the state_dict"), "\(error)")
        }
    }

    @Test func tensorsInUnusualClothes() throws {
        let buffer = call(
            "torch._tensor", "_rebuild_from_type_v2", name("torch._utils", "_rebuild_tensor_v2"),
            name("torch.nn.parameter", "Buffer"), tensorArguments, dictionary([("persistent", [0x88])]))
        let parameter = call("torch._utils", "_rebuild_parameter_with_state", tensor, [0x88], nothing, dictionary([]))
        // Number types of later versions are named, over storages of bytes.
        let small = call(
            "torch._utils", "_rebuild_tensor_v3", storage("Untyped", "1", 4), number(1), tuple(number(3)),
            tuple(number(1)), [0x89],
            nothing, name("torch", "float8_e4m3fn"))
        let read = try file(
            dictionary([("b", buffer), ("p", parameter), ("f", small)]),
            [(name: "a/data/1", bytes: [0, 0x38, 0xB8, 0x7E])])
        let values = try Dictionary(uniqueKeysWithValues: read.tensors.map { ($0.name, try $0.tensor.floats()) })
        #expect(values["b"] == [1, 2] && values["p"] == [1, 2] && values["f"] == [1, -1, 448])
    }

    /// Micikevicius et al., arXiv 2209.05433, table 1.
    @Test func floatsOfEightBits() throws {
        func read(_ type: String, _ bytes: [UInt8]) throws -> [Float] {
            let header = Array(
                "{\"w\":{\"dtype\":\"\(type)\",\"shape\":[\(bytes.count)],\"data_offsets\":[0,\(bytes.count)]}}".utf8)
            let size = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
            return try Safetensors(bytes: size + header + bytes, source: "x").tensors[0].tensor.floats()
        }
        #expect(
            try read("F8_E4M3", [0x00, 0x80, 0x01, 0x07, 0x08, 0x38, 0x7E, 0xFE]) == [
                0, -0, 0x1p-9, 7 * 0x1p-9, 0x1p-6, 1, 448, -448,
            ])
        #expect(try read("F8_E4M3", [0x7F, 0xFF]).allSatisfy(\.isNaN))
        #expect(
            try read("F8_E5M2", [0x01, 0x03, 0x04, 0x3C, 0x7B, 0x7C, 0xFC]) == [
                0x1p-16, 3 * 0x1p-16, 0x1p-14, 1, 57344, .infinity, -.infinity,
            ])
        #expect(try read("F8_E5M2", [0x7D]).allSatisfy(\.isNaN))
    }

    // MARK: Parts of a checkpoint

    private func saved(_ tensors: [(String, Tensor)], _ body: (String) throws -> Void) throws {
        let path = "/tmp/bss-prefix-\(getpid()).safetensors"
        defer { Files.remove(path) }
        try TensorFile.write(tensors.map { (name: $0.0, tensor: $0.1) }, to: path)
        try body(path)
    }

    @Test func prefixesChooseAPart() throws {
        func layer(_ value: Float) throws -> [(String, Tensor)] {
            [("0.weight", try Tensor.full([2, 3], Double(value))), ("0.bias", try Tensor.full([2], Double(value)))]
        }
        var all: [(String, Tensor)] = []
        for (prefix, value) in [("module.encoder_q.", 1), ("module.encoder_k.", 2), ("audio_net.", 3)]
            as [(String, Float)]
        {
            all += try layer(value).map { (prefix + $0.0, $0.1) }
        }
        try saved(all) { path in
            for (prefix, value) in [("encoder_q.", 1), ("module.encoder_k", 2), ("audio_net.", 3), ("encoder_k.", 2)]
                as [(String, Float)]
            {
                let net = Sequential([try Linear(3, 2)])
                let report = try net.load(WeightFile.open(path, prefix: prefix))
                #expect(report.isComplete && report.foreign.count == 4, "\(prefix): \(report.summary)")
                #expect(try net.parameters()[1].parameter.value.values(Float.self) == [value, value], "\(prefix)")
            }
            for (prefix, wanted) in [("encoder_x.", "module.encoder_q"), (nil, "choose with prefix")]
                as [(String?, String)]
            {
                do {
                    try Sequential([try Linear(3, 2)]).load(WeightFile.open(path, prefix: prefix))
                    Issue.record("loaded \(prefix ?? "")")
                } catch { #expect("\(error)".contains(wanted), "\(error)") }
            }
        }
    }

    // MARK: Text networks

    /// A folder with BERT's weights, two layers of width 128, and a configuration.
    private func bert(_ configuration: String?, types: Int = 2, _ prefix: String = "") throws -> WeightFile {
        var sizes = BERTSizes()
        (sizes.vocabulary, sizes.hidden, sizes.layers, sizes.heads, sizes.intermediate) = (30, 128, 1, 4, 16)
        (sizes.positions, sizes.types) = (16, types)
        let path = "/tmp/bss-bert-\(getpid())"
        try Files.makeFolder(path)
        defer {
            for file in ["model.safetensors", "config.json"] { Files.remove("\(path)/\(file)") }
            rmdir(path)
        }
        try BERTModel(sizes, hasPooler: true).save(to: "\(path)/model.safetensors")
        if let configuration { try Files.write(configuration, to: "\(path)/config.json") }
        return try WeightFile.open(path)
    }

    @Test func whatFilesDoNotSayIsAskedFor() throws {
        #expect(try BERTSizes(of: bert("{\"model_type\": \"bert\", \"num_attention_heads\": 8}")).heads == 8)
        #expect(try BERTSizes(of: bert(nil), heads: 8).heads == 8)
        for (configuration, types, heads, wanted) in [
            (nil, 2, nil, "does not say heads"),
            ("{\"model_type\": \"roberta\", \"num_attention_heads\": 4}", 1, nil, "of model_type \"roberta\""),
            ("{\"model_type\": \"electra\", \"num_attention_heads\": 4}", 2, nil, "of model_type \"electra\""),
            ("{\"architectures\": [\"RobertaModel\"], \"num_attention_heads\": 4}", 1, nil, "a RobertaModel"),
            ("{\"model_type\": \"bert\"}", 2, nil, "does not say heads"),
            ("{\"model_type\": \"bert\", \"num_attention_heads\": 4}", 2, 8, "config.json of"),
            ("{\"model_type\": \"bert\", \"num_attention_heads\": 4, \"is_decoder\": true}", 2, nil, "is a decoder"),
            (
                "{\"model_type\": \"bert\", \"num_attention_heads\": 4, \"position_embedding_type\": \"relative_key\"}",
                2, nil, "relative_key"
            ),
            (nil, 1, 4, "one token type"),
        ] as [(String?, Int, Int?, String)] {
            do {
                _ = try BERTSizes(of: bert(configuration, types: types), heads: heads)
                Issue.record("read: \(wanted)")
            } catch { #expect("\(error)".contains(wanted), "\(error)") }
        }
    }

    @Test func towersWithoutConfiguration() throws {
        guard FixtureFolder.isPresent else { return FixtureFolder.reportAbsence("CLIP without config.json") }
        let folder = "/tmp/bss-clip-\(getpid())"
        let path = "\(folder)/weights.safetensors"
        try Files.makeFolder(folder)
        defer {
            for name in ["weights.safetensors", "config.json"] { Files.remove("\(folder)/\(name)") }
            rmdir(folder)
        }
        // A configuration of something else is none.
        try Files.write("{\"learning_rate\": 0.1}", to: "\(folder)/config.json")
        try Files.write(Files.read(FixtureFolder.location + "/hf/clip_tiny/model.safetensors"), to: path)
        let file = try WeightFile.open(path)
        #expect(throws: BSSError.self) { try CLIPSizes(of: file, tower: "vision", CLIPSizes()) }
        #expect(throws: BSSError.self) { try CLIPSizes(of: file, tower: "text", .text, .init(heads: 2)) }
        #expect(try CLIPSizes(of: file, tower: "text", .text, .init(heads: 2, activation: "gelu")).activation == "gelu")
    }
}
