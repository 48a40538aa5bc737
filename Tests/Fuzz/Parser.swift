import BSSCodecs
import BSSCore
import BSSData
import BSSSession
import BSSText
import _BSSTestSupport

/// A reader of bytes that others made.
struct Parser {
    let name: String
    /// Small good files; made here, or a few hundred bytes of real ones.
    let corpus: () throws -> [[UInt8]]
    /// Reads everything that the bytes hold. Errors of ours are fine.
    let parse: ([UInt8]) throws -> Void
    /// Every other input goes through this: checksums made right, contents packed, so that changes come past the first
    /// checks.
    var wrapped: ([UInt8]) throws -> [UInt8] = { $0 }

    static let all: [Parser] = [
        npy, npz, gzip, csv, lines, json, sound, png, jpeg, avi, safetensors, torch, torchStream, tokenizer, vocabulary,
        notebook,
        cells, annotations,
    ]

    private static func use(_ array: NpyArray) {
        _ = array.floats
        _ = array.integers
        _ = array.described
    }

    private static let arrays: [[UInt8]] = [
        Npy.bytes(NpyArray([Float(1), 2, 3, 4, 5, 6], shape: [2, 3])), Npy.bytes(NpyArray([1, -2, 3])),
        Npy.bytes(NpyArray(["a", "träin", ""])), Npy.bytes(NpyArray([true, false])),
        npyFile("|S3", "(2,)", Array("abcdef".utf8)), npyFile(">f8", "(1,)", [0x3F, 0xF0, 0, 0, 0, 0, 0, 0]),
        npyFile("|u1", "(2, 3)", [1, 2, 3, 4, 5, 6], isFortran: true), npyFile("<U0", "(3,)", []),
    ]

    private static func npyFile(_ descr: String, _ shape: String, _ data: [UInt8], isFortran: Bool = false) -> [UInt8] {
        let header = "{'descr': '\(descr)', 'fortran_order': \(isFortran ? "True" : "False"), 'shape': \(shape), }\n"
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + data
    }

    static let npy = Parser(name: "npy", corpus: { arrays }) { use(try Npy.parse($0, source: "x.npy")) }

    static let npz = Parser(
        name: "npz",
        corpus: {
            let entries = arrays.prefix(3).enumerated().map { (name: "a\($0).npy", bytes: $1) }
            return try [ZipArchive.bytes(entries), ZipArchive.bytes(entries, deflated: true)] + arrays
        },
        parse: { bytes in
            let archive = try Npz(bytes: bytes, source: "x.npz")
            for name in archive.names { use(try archive.array(name)) }
        }, wrapped: { try ZipArchive.bytes([(name: "a.npy", bytes: $0)], deflated: true) })

    static let gzip = Parser(
        name: "gzip", corpus: { [Pieces.gzip(Array("hello, hello\n".utf8)), Pieces.gzip([])] },
        parse: { _ = try Gzip.unpacked($0, source: "x.gz") })

    static let csv = Parser(
        name: "csv",
        corpus: {
            [
                "a,b,label\n1,2.5,x\n\"3\",\"q\"\"q\",y\n", "a\tb\r\n1\t2\r\n", "a,b\r1,2\r",
                "\u{FEFF}a,b\n,\n\n\"x\ny\",2\n",
            ].map { Array($0.utf8) } + [
                [0xFF, 0xFE] + "a,b\n1,é\n".utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
            ]
        },
        parse: { bytes in
            _ = try CSVTable.rows(text: bytes, source: "x.csv")
            let table = try CSVTable(text: bytes, source: "x.csv")
            for column in table.columns.prefix(100) {
                _ = try table.strings(column)
                _ = try? table.doubles(column)
                _ = try? table.integers(column)
            }
        })

    static let lines = Parser(
        name: "lines",
        corpus: { [Array("a\r\nb\nc\n".utf8), Array("a\rb".utf8), [0xFF, 0xFE, 0x61, 0, 0x0A, 0, 0x62, 0]] },
        parse: { _ = TextLines.split($0) })

    static let json = Parser(
        name: "json",
        corpus: {
            [
                "{\"a\": [1, -2.5e3, true, null], \"b\": {\"c\": \"\\u00e9\\ud83d\\ude42\\n\"}}",
                "[[[[]]], {}, \"\", 0.1]",
                "\u{FEFF}\"x\"",
            ].map { Array($0.utf8) }
        },
        parse: { _ = JSON.text(try JSON.parse(bytes: $0, source: "x.json"), indent: 2) })

    static let sound = Parser(
        name: "sound",
        corpus: {
            let wave = MediaBytes.tone(440, rate: 8000, seconds: 0.01)
            var law = wave
            law[20] = 7
            law[34] = 8
            law[32] = 1
            return try [wave, law, Pieces.flac(), Pieces.ogg()]
        },
        parse: { bytes in
            let sound = try Sound(bytes: bytes, source: "x.wav")
            _ = sound.mono
            if sound.sampleRate != 8000, sound.frames > 0 {
                _ = try Resampler(from: sound.sampleRate, to: 8000).resample(Array(sound.mono.prefix(4096)))
            }
        })

    static let png = Parser(
        name: "png", corpus: { Pieces.pngs },
        parse: { bytes in
            for alpha in [RasterImage.Alpha.dropped, .onWhite] {
                _ = try RasterImage.decode(bytes, source: "x.png", alpha: alpha)
            }
        }, wrapped: Pieces.withChecksums)

    private static let square = MediaBytes.jpeg(width: 16, height: 16) { x, y in (x * 90, y * 90, 128) }

    static let jpeg = Parser(name: "jpeg", corpus: { try [square] + Pieces.jpegs() }) {
        _ = try RasterImage.decode($0, source: "x.jpg").grey
    }

    static let avi = Parser(name: "avi", corpus: { [MediaBytes.avi([square, [], square])] }) { bytes in
        for frame in try AVI(bytes: bytes, source: "x.avi").frames {
            _ = try RasterImage.decode(Array(frame), source: "a frame")
        }
    }

    static let safetensors = Parser(name: "safetensors", corpus: { Pieces.safetensors }) { bytes in
        for (_, tensor) in try Safetensors(bytes: bytes, source: "x.safetensors").tensors { use(try tensor.array()) }
    }

    private static func readTorch(_ bytes: [UInt8]) throws {
        for (_, tensor) in try TorchFile(bytes: bytes, source: "x.pt").tensors where tensor.count < 1 << 20 {
            use(try tensor.array())
        }
    }

    static let torch = Parser(
        name: "torch", corpus: { try [Pieces.zipped(Pieces.pickle), Pieces.pickle] }, parse: readTorch,
        wrapped: Pieces.zipped)
    static let torchStream = Parser(name: "torch-stream", corpus: { [Pieces.torchStream] }, parse: readTorch)

    static let tokenizer = Parser(name: "tokenizer", corpus: { Pieces.tokenizers.map { Array($0.utf8) } }) { bytes in
        try load("tokenizer.json", bytes)
    }
    static let vocabulary = Parser(
        name: "vocabulary", corpus: { [Array("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\n".utf8)] }
    ) { try load("vocab.txt", $0) }

    private static let folder = Scratch.folder("tokenizer")
    private static func load(_ name: String, _ bytes: [UInt8]) throws {
        let path = "\(folder)/\(name)"
        Scratch.write(bytes, to: path)
        let tokenizer = try Tokenizer.load(path)
        for text in ["a cat's [MASK]  \u{301}é", String(repeating: "ab", count: 200)] {
            _ = try tokenizer.decode(try tokenizer.encode(text, pair: "b", length: 16).ids)
        }
    }

    static let notebook = Parser(
        name: "notebook",
        corpus: {
            [
                "-- %% [markdown]\n-- # Title\n-- %%\nx = 6 * 7\n_ = x\n--> 42\n"
                    + "--= {\"kind\":\"integer\",\"value\":42}\n",
                "x = [[\n-- %%\n]]\n-- %% tags=[a,b]\r\nprint(1)\r\n--> 1\r\n", "\u{FEFF}--%%\n--[==[ x ]==]\n",
            ].map { Array($0.utf8) }
        },
        parse: { bytes in
            let file = NotebookFile.parse(Text.decoded(file: bytes))
            _ = file.codeCells
            _ = file.cells.map(\.tags)
            _ = file.text()
        })

    static let cells = Parser(
        name: "cells",
        corpus: {
            [
                "local a <const>, b = 1, f{x = 2}\nfunction m.n:o(...) return ... end\n"
                    + "for i = 1, 3 do t[i] = -i ^ 2 .. 's' end",
                "if a then goto x elseif not b then ::x:: else repeat c = #d until e end\n"
                    + "while true do break end\nx.y.z = function() end",
                "return (a or b) and {1, [2] = 3; 'x'}, 0x1p4, [==[long]==] -- end",
            ].map { Array($0.utf8) }
        },
        parse: { _ = CellParser.names(in: Text.decoded($0)) })

    /// Lists of the paper's collections. The first byte says which list is changed.
    static let annotations = Parser(
        name: "annotations",
        corpus: { try Annotations.lists.enumerated().map { [UInt8($0)] + (try Files.read($1.path)) } },
        parse: { bytes in
            guard let first = bytes.first else { return }
            try Annotations.lists[Int(first) % Annotations.lists.count].check(Array(bytes.dropFirst()))
        })
}
