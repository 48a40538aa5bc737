import BSSBackend
import BSSCodecs
import BSSCore
import BSSTensor
import Glibc
import Testing
import _BSSTestSupport

@testable import BSSNetworks

/// Weight files that lie: pickles that want to run something, claims of sizes that are not there, cut files, other
/// shapes.
@Suite(.oneAtATime) struct WeightFileTests {
    // MARK: Pickles

    /// What the reading says; fails the test if it reads.
    private func refusal(_ pickle: [UInt8], storages: [(String, [UInt8])] = [], zipped: Bool = true) -> String {
        do {
            let bytes =
                zipped
                ? try ZipArchive.bytes(
                    [(name: "archive/data.pkl", bytes: pickle)]
                        + storages.map { (name: "archive/data/\($0.0)", bytes: $0.1) }) : pickle
            let file = try TorchFile(bytes: bytes, source: "evil.pt")
            for (_, tensor) in file.tensors { _ = try tensor.array() }
            Issue.record("was read")
            return ""
        } catch { return "\(error)" }
    }

    private func text(_ s: String) -> [UInt8] { [0x8c, UInt8(s.utf8.count)] + Array(s.utf8) }
    private func name(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }
    private func size(_ n: Int) -> [UInt8] { [0x8a, 8] + withUnsafeBytes(of: Int64(n).littleEndian) { Array($0) } }

    @Test func nothingIsRun() {
        let marker = "/tmp/bss-pickle-\(getpid())"
        let commands: [[UInt8]] = [
            name("os", "system") + text("touch \(marker)") + [0x85] + Array("R.".utf8),
            name("posix", "system") + text("touch \(marker)") + [0x85] + Array("R.".utf8),
            text("builtins") + text("eval") + [0x93] + text("1") + [0x85] + Array("R.".utf8),
            Array("(S'touch \(marker)'\nios\nsystem\n.".utf8),
            name("torch.nn.modules.linear", "Linear") + Array(")".utf8) + [0x81] + Array(".".utf8),
            name("collections", "defaultdict") + Array(")R.".utf8),
            name("torch.storage", "_load_from_bytes") + text("x") + [0x85] + Array("R.".utf8),
        ]
        for (command, wanted) in zip(
            commands,
            [
                "os.system", "posix.system", "builtins.eval", "os.system", "torch.nn.modules.linear.Linear",
                "collections.defaultdict", "torch.storage._load_from_bytes",
            ])
        {
            for protocolled in [[0x80, 2], []] as [[UInt8]] {
                let said = refusal(protocolled + command)
                #expect(said.contains(wanted) && said.contains("refused"), "\(said)")
            }
        }
        #expect(access(marker, F_OK) != 0)
        // The older format begins with pickles of its own: the first name ends it too.
        #expect(refusal([0x80, 2] + commands[0], zipped: false).contains("os.system"))
    }

    @Test func everyTruncationIsAnError() throws {
        guard FixtureFolder.isPresent else { return FixtureFolder.reportAbsence("hf/torch truncations") }
        for name in ["hf/torch/state_dict_legacy.pth", "hf/torch/plain_dict.pt", "hf/torch/mixed.safetensors"] {
            let bytes = try Files.read(FixtureFolder.location + "/" + name)
            for count in Array(stride(from: 0, to: bytes.count, by: 37)) + [bytes.count - 1] {
                #expect(throws: BSSError.self, "\(name) cut at \(count)") {
                    let cut = Array(bytes.prefix(count))
                    if name.hasSuffix("safetensors") {
                        for (_, tensor) in try Safetensors(bytes: cut, source: name).tensors { _ = try tensor.array() }
                    } else {
                        for (_, tensor) in try TorchFile(bytes: cut, source: name).tensors { _ = try tensor.array() }
                    }
                }
            }
        }
    }

    /// Any byte of a pickle may be anything: an answer or an error, never a crash.
    @Test func damagedBytesNeverCrash() throws {
        guard FixtureFolder.isPresent else { return FixtureFolder.reportAbsence("hf/torch damage") }
        let archive = try ZipArchive(FixtureFolder.location + "/hf/torch/plain_dict.pt")
        let entries = try archive.names.map { (name: $0, bytes: try archive.read($0)) }
        var random = RandomStream(seed: 3, name: "damage")
        var read = 0
        for _ in 0..<3000 {
            let damaged = entries.map { entry -> (name: String, bytes: [UInt8]) in
                guard entry.name.hasSuffix("data.pkl") else { return entry }
                var bytes = entry.bytes
                for _ in 0..<(1 + Int(random.nextWord() % 3)) {
                    bytes[Int(random.nextWord() % UInt32(bytes.count))] = UInt8(truncatingIfNeeded: random.nextWord())
                }
                return (entry.name, bytes)
            }
            if let file = try? TorchFile(bytes: ZipArchive.bytes(damaged), source: "damaged.pt") {
                for (_, tensor) in file.tensors where tensor.count < 1 << 16 { _ = try? tensor.array() }
                read += 1
            }
        }
        #expect(read < 3000)
    }

    /// torch._utils._rebuild_tensor_v2(storage, offset, size, stride, …) with the given numbers, over a storage of 4
    /// floats.
    private func tensor(count: Int, offset: Int, size: [Int], stride: [Int]) -> [UInt8] {
        let storage =
            Array("(".utf8) + text("storage") + name("torch", "FloatStorage") + text("0") + text("cpu")
            + self.size(count) + Array("tQ".utf8)
        func tuple(_ values: [Int]) -> [UInt8] { Array("(".utf8) + values.flatMap { self.size($0) } + Array("t".utf8) }
        return [0x80, 2] + Array("}".utf8) + text("w") + name("torch._utils", "_rebuild_tensor_v2") + Array("(".utf8)
            + storage + self.size(offset) + tuple(size) + tuple(stride)
            + [0x89] + name("collections", "OrderedDict") + Array(")RtRs.".utf8)
    }

    @Test func impossibleSizes() throws {
        let data = [UInt8](repeating: 0, count: 16)
        let good = try TorchFile(
            bytes: ZipArchive.bytes([
                (name: "a/data.pkl", bytes: tensor(count: 4, offset: 0, size: [2, 2], stride: [2, 1])),
                (name: "a/data/0", bytes: data),
            ]), source: "good.pt")
        #expect(try good.tensors.map(\.name) == ["w"] && good.tensors[0].tensor.floats() == [0, 0, 0, 0])
        for (count, offset, size, stride) in [
            (4, 0, [1 << 62, 1 << 62], [1, 1]), (4, 0, [5], [1]), (4, 3, [2], [1]), (4, 0, [2, 2], [3, 1]),
            (4, .max, [1], [1]), (4, -1, [1], [1]), (4, 0, [-1], [1]),
            (4, 0, [2], [.max]), (4, 0, [2], [-1]), (1 << 60, 0, [1 << 30], [1]), (.max, 0, [2], [.max - 1]),
            (1 << 40, 0, [1 << 39], [1]), (4, 0, [1 << 38], [0]), (4, 0, [2], [1, 1]),
        ] as [(Int, Int, [Int], [Int])] {
            #expect(
                !refusal(tensor(count: count, offset: offset, size: size, stride: stride), storages: [("0", data)])
                    .isEmpty, "\(count) \(offset) \(size) \(stride)")
        }
        // A text, and a memo, that claim more than there is.
        #expect(refusal([0x80, 4, 0x8d] + [UInt8](repeating: 0xFF, count: 8)).contains("length"))
        #expect(refusal([0x80, 2] + Array("X".utf8) + [0xFF, 0xFF, 0xFF, 0x7F]).contains("truncated"))
        #expect(refusal([0x80, 2] + Array("j".utf8) + [0xFF, 0xFF, 0xFF, 0xFF] + Array(".".utf8)).contains("memo"))
    }

    @Test func containersThatHoldThemselves() {
        // l = []; l.append(l)
        #expect(refusal([0x80, 2] + Array("]q\0h\0a.".utf8)).contains("holds itself"))
        #expect(refusal([0x80, 2] + Array("}q\0".utf8) + text("k") + Array("h\0s.".utf8)).contains("holds itself"))
        // A list nested a million times, and one that doubles forty times.
        #expect(
            refusal(
                [0x80, 2] + [UInt8](repeating: UInt8(ascii: "]"), count: 1_000_000)
                    + [UInt8](repeating: UInt8(ascii: "a"), count: 999_999) + Array(".".utf8)
            ).contains("levels"))
        var doubling: [UInt8] = [0x80, 2] + Array("]".utf8)
        for _ in 0..<40 { doubling += Array("2".utf8) + [0x86] }
        #expect(refusal(doubling + Array(".".utf8)).contains("values"))
        #expect(
            refusal(
                [0x80, 2] + [UInt8](repeating: UInt8(ascii: ")"), count: 1) + [UInt8](repeating: 0x85, count: 500_000)
                    + Array("R.".utf8)) != "")
    }

    // MARK: Loading

    private func file(_ tensors: [(String, Tensor)]) throws -> WeightFile {
        let path = "/tmp/bss-weights-\(getpid()).safetensors"
        defer { Files.remove(path) }
        try TensorFile.write(tensors.map { (name: $0.0, tensor: $0.1) }, to: path)
        return WeightFile(path: "net.safetensors", tensors: try Safetensors(path).tensors, configuration: nil)
    }

    @Test func everyKeyIsReported() throws {
        let net = Sequential([try Linear(3, 2), try BatchNorm(2)])
        let full: [(String, Tensor)] = try [
            ("module.0.weight", Tensor.from([1, 2, 3, 4, 5, 6] as [Float], [2, 3])),
            ("module.0.bias", Tensor.from([7, 8] as [Float])), ("module.1.weight", Tensor.ones([2])),
            ("module.1.bias", Tensor.zeros([2])), ("module.1.running_mean", Tensor.zeros([2])),
            ("module.1.running_var", Tensor.full([2], 3)),
            ("module.1.num_batches_tracked", Tensor.zeros([], .int64)),
        ]
        let report = try net.load(file(full))
        #expect(report.isComplete && report.loaded.count == 6 && report.foreign == ["module.1.num_batches_tracked"])
        // PyTorch's [O, I] became our [I, O].
        #expect(try net.parameters()[0].parameter.value.values(Float.self) == [1, 4, 2, 5, 3, 6])
        #expect(try net.buffers()[1].buffer.value.values(Float.self) == [3, 3])

        let other: [(String, Tensor)] = try [
            ("0.weight", Tensor.zeros([3, 3])), ("0.bias", Tensor.full([2], 9)), ("2.weight", Tensor.zeros([1])),
            ("1.bias", Tensor.zeros([2])),
        ]
        do {
            try net.load(file(other))
            Issue.record("loaded")
        } catch {
            for line in [
                "missing: 1.weight", "missing: 1.running_mean", "missing: 1.running_var", "unexpected: 2.weight",
                "other shape: 0.weight: [3, 3] in the file, [2, 3] here", "strict = false",
            ] {
                #expect("\(error)".contains(line), "\(line)")
            }
        }
        // Nothing was written, …
        #expect(try net.parameters()[1].parameter.value.values(Float.self) == [7, 8])
        // … and without `strict` what fits is.
        let loose = try net.load(file(other), strict: false)
        #expect(
            loose.loaded == ["0.bias", "1.bias"] && loose.missing.count == 3 && loose.unexpected == ["2.weight"]
                && loose.misshaped.count == 1)
        #expect(try net.parameters()[1].parameter.value.values(Float.self) == [9, 9])
        #expect(throws: BSSError.self) { try net.load(file([("x", Tensor.zeros([1]))]), strict: false) }
    }

    /// The fixtures' CLIP under OpenAI's names: joined projections, turned projections.
    @Test func openAINames() throws {
        guard FixtureFolder.isPresent else { return FixtureFolder.reportAbsence("OpenAI's names") }
        let file = try WeightFile.open(FixtureFolder.location + "/hf/clip_tiny")
        let stored = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0.tensor) })
        func tensor(_ name: String) throws -> Tensor {
            try Tensor.from(#require(stored[name]).floats(), Shape(#require(stored[name]).shape))
        }
        var theirs: [(name: String, tensor: Tensor)] = []
        for (tower, model) in [("visual.", "vision_model."), ("", "text_model.")] {
            for i in 0..<2 {
                let block = "\(tower)transformer.resblocks.\(i)."
                let layer = "\(model)encoder.layers.\(i)."
                for kind in ["weight", "bias"] {
                    theirs.append(
                        (
                            block + "attn.in_proj_" + kind,
                            try Tensor.concatenated(
                                ["q", "k", "v"].map { try tensor("\(layer)self_attn.\($0)_proj.\(kind)") }, axis: 0)
                        ))
                    for (old, new) in [
                        ("ln_1", "layer_norm1"), ("ln_2", "layer_norm2"), ("attn.out_proj", "self_attn.out_proj"),
                        ("mlp.c_fc", "mlp.fc1"), ("mlp.c_proj", "mlp.fc2"),
                    ] {
                        theirs.append(("\(block)\(old).\(kind)", try tensor("\(layer)\(new).\(kind)")))
                    }
                }
            }
        }
        for kind in ["weight", "bias"] {
            for (old, new) in [
                ("visual.ln_pre", "vision_model.pre_layrnorm"), ("visual.ln_post", "vision_model.post_layernorm"),
                ("ln_final", "text_model.final_layer_norm"),
            ] {
                theirs.append(("\(old).\(kind)", try tensor("\(new).\(kind)")))
            }
        }
        for (old, new) in [
            ("visual.class_embedding", "vision_model.embeddings.class_embedding"),
            ("visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight"),
            ("visual.positional_embedding", "vision_model.embeddings.position_embedding.weight"),
            ("token_embedding.weight", "text_model.embeddings.token_embedding.weight"),
            ("positional_embedding", "text_model.embeddings.position_embedding.weight"), ("logit_scale", "logit_scale"),
        ] { theirs.append((old, try tensor(new))) }
        theirs.append(("visual.proj", try tensor("visual_projection.weight").transposed(0, 1)))
        theirs.append(("text_projection", try tensor("text_projection.weight").transposed(0, 1)))
        theirs.append(("context_length", try Tensor.zeros([])))
        let path = "/tmp/bss-openai-\(getpid()).safetensors"
        defer { Files.remove(path) }
        try TensorFile.write(theirs, to: path)
        let renamed = try WeightFile.open(path)
        #expect(Set(renamed.tensors.map(\.name)) == Set(stored.keys))
        for (name, tensor) in renamed.tensors {
            #expect(try tensor.shape == stored[name]?.shape && tensor.floats() == stored[name]?.floats(), "\(name)")
        }
        try CLIPVision(CLIPSizes(of: renamed, tower: "vision", CLIPSizes())).load(renamed, .clip("vision"))
        try CLIPText(CLIPSizes(of: renamed, tower: "text", .text)).load(renamed, .clip("text"))
    }

    @Test func damagedSafetensors() throws {
        func make(_ header: String, _ data: Int) -> [UInt8] {
            let text = Array(header.utf8)
            return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
                + [UInt8](repeating: 0, count: data)
        }
        let entry = { (type: String, shape: String, from: String, to: String) in
            "{\"w\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(from),\(to)]}}"
        }
        #expect(
            try Safetensors(bytes: make(entry("F32", "[2]", "0", "8"), 8), source: "ok").tensors[0].tensor.floats() == [
                0, 0,
            ])
        for (bytes, what) in [
            ([], "header"), ([UInt8](repeating: 0xFF, count: 8), "impossibly large"), (make("3", 0), "JSON object"),
            (make(entry("F32", "[2]", "0", "8"), 7), "truncated"),
            (make(entry("F32", "[3]", "0", "8"), 8), "beyond"), (make(entry("F4", "[8]", "0", "8"), 8), "F4"),
            (make(entry("F32", "[-2]", "0", "8"), 8), "shape"),
            (make(entry("F32", "[4611686018427387904,4611686018427387904]", "0", "8"), 8), "large"),
            (make(entry("F32", "[2]", "0", "9223372036854775807"), 8), "w"),
            (make(entry("F32", "[1]", "0", "8"), 8), "8 bytes"), (make(entry("F32", "[2]", "8", "0"), 8), "offsets"),
            (make("{\"w\":3}", 0), "not an object"),
        ] as [([UInt8], String)] {
            do {
                for (_, tensor) in try Safetensors(bytes: bytes, source: "bad").tensors { _ = try tensor.array() }
                Issue.record("read: \(what)")
            } catch { #expect("\(error)".contains(what), "\(error)") }
        }
    }
}
