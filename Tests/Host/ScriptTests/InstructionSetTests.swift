import BSSCore
import Foundation
import Testing
import _BSSTestSupport

/// BSS_ISA governs every kernel, BSS_BLAS says who multiplies; what both leave open does not change a bit.
@Suite(.oneAtATime) struct InstructionSetTests {
    /// Dense layers with dropout, recurrent cells, convolutions, batch normalisation; forward, back and two optimizers.
    private static let script = """
        local function hash(fusion, encoder, optimizer, data)
          local model = { fusion = fusion }
          for _, name in ipairs(data.modalities) do model[name] = encoder end
          print(bss.train{ data = data, model = bss.model(model), epochs = 2, batch_size = 16, seed = 5,
            optimizer = optimizer, record = false }.parameters_hash)
        end
        local noise = bss.data.synthetic{ samples = 120, classes = 3, seed = 3 }
        hash("concat", bss.encoder.mlp{ hidden = { 24, 9 }, dropout = 0.2 }, "sgd", noise)
        hash("ml_lstm", bss.encoder.mlp{ hidden = { 16 } }, "adam", noise)
        local function npy(name, kind, shape, values)
          local header = ("{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }"):format(kind, shape)
          local file <close> = assert(io.open(name, "wb"))
          file:write("\\x93NUMPY\\1\\0", string.pack("<s2", header .. (" "):rep(117 - #header) .. "\\n"), values)
        end
        local pixels, labels = {}, {}
        for i = 1, 32 * 3 * 16 * 16 do pixels[i] = string.pack("<f", math.sin(i * i * 0.37)) end
        for i = 1, 32 do labels[i] = string.pack("<i8", i % 3) end
        npy("x.npy", "<f4", "32, 3, 16, 16", table.concat(pixels))
        npy("y.npy", "<i8", "32", table.concat(labels))
        hash("concat", bss.encoder.resnet18{ width = 8 }, "sgd",
          bss.data.npy{ root = ".", modalities = { image = "x.npy" }, label = "y.npy",
            split = { train = 1, val = 0, test = 0 } })
        """

    private func hashes(_ environment: [String: String], _ threads: String = "1") throws -> String {
        let program = try BuiltProgram()
        defer { program.remove() }
        try program.write("train.lua", Self.script)
        let run = try program.run(["--quiet", "--threads", threads, "train.lua"], environment: environment)
        #expect(run.code == 0, "\(environment): \(run.summary)")
        #expect(run.output.split(separator: "\n").count == 3, "\(run.summary)")
        return run.output
    }

    @Test("BSS_ISA=v3 BSS_BLAS=own gives the same bits twice, on any number of threads, and those that v4 gives")
    func exact() throws {
        let levels = try ["v3", "v4"].filter { try instructionSet(["BSS_ISA": $0]).code == 0 }
        guard levels.contains("v3") else {
            print("exactness across machines: 0 of 1 checks, this one has no AVX2")
            return
        }
        let reference = try hashes(["BSS_ISA": "v3", "BSS_BLAS": "own"])
        #expect(try hashes(["BSS_ISA": "v3", "BSS_BLAS": "own"], "2") == reference)
        if levels.contains("v4") { #expect(try hashes(["BSS_ISA": "v4", "BSS_BLAS": "own"]) == reference) }
        #expect(try hashes([:], "2") == reference)  // the default is no other choice
    }

    @Test("the program chooses kernels by BSS_ISA alone: no symbol whose code the loader picks by the CPU")
    func noIndirectFunctions() throws {
        let kinds = try Self.symbolKinds(of: BuiltProgram.path)
        #expect(kinds.count > 10_000 && !kinds.contains(10), "STT_GNU_IFUNC")
    }

    @Test(
        "what BSS_ISA and BSS_BLAS cannot have is refused with the words that can be had",
        arguments: [("BSS_ISA", "v5"), ("BSS_ISA", ""), ("BSS_BLAS", "mkl"), ("BSS_BLAS", "Own")])
    func wrong(_ name: String, _ value: String) throws {
        let run = try instructionSet([name: value])
        #expect(
            run.code == 1 && run.errors.contains(name) && run.errors.contains("auto|own|openblas"), "\(run.summary)")
    }

    @Test("base is a level of its own, and who multiplies stands in the record's instruction set")
    func names() throws {
        #expect(try instructionSet(["BSS_ISA": "base", "BSS_BLAS": "own"]).output == "base, own\n")
        let library = try instructionSet(["BSS_BLAS": "openblas"])
        #expect(library.output.contains("OpenBLAS") || library.errors.contains("is not there"), "\(library.summary)")
    }

    private func instructionSet(_ environment: [String: String]) throws -> BuiltProgram.Outcome {
        let program = try BuiltProgram()
        defer { program.remove() }
        return try program.run(["-e", "print(bss.engine().instruction_set)"], environment: environment)
    }

    /// The kind of every symbol of an ELF file (System V ABI, chapter 4): the low half of `st_info`.
    private static func symbolKinds(of path: String) throws -> [UInt8] {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        func number(_ at: Int, _ size: Int) -> Int { (0..<size).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) } }
        let table = number(40, 8)
        let size = number(58, 2)
        var kinds: [UInt8] = []
        for section in 0..<number(60, 2) where [2, 11].contains(number(table + section * size + 4, 4)) {
            let start = number(table + section * size + 24, 8)
            let end = start + number(table + section * size + 32, 8)
            kinds += stride(from: start, to: end, by: 24).map { bytes[$0 + 4] & 15 }
        }
        return kinds
    }
}
