import BSSCodecs
import BSSCore

/// Bytes of small good files.
enum Pieces {
    static func little<T: FixedWidthInteger>(_ values: T...) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    }
    private static func big(_ value: Int) -> [UInt8] { (0..<4).reversed().map { UInt8(value >> (8 * $0) & 255) } }

    static func gzip(_ data: [UInt8]) -> [UInt8] {
        [0x1F, 0x8B, 8, 8, 0, 0, 0, 0, 0, 3] + Array("name\0".utf8) + [1]
            + little(UInt16(data.count), ~UInt16(data.count)) + data
            + little(Checksum.crc32(data), UInt32(data.count))
    }

    // MARK: PNG

    static let pngs: [[UInt8]] = [
        png(2, 2, depth: 8, colour: 2, rows: [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]]),
        png(3, 1, depth: 1, colour: 0, rows: [[0b1010_0000]]),
        png(1, 1, depth: 16, colour: 6, rows: [[0, 1, 2, 3, 4, 5, 6, 7]]),
        png(2, 1, depth: 8, colour: 3, rows: [[0, 1]], [("PLTE", [9, 8, 7, 6, 5, 4]), ("tRNS", [0, 128])]),
        png(1, 1, depth: 8, colour: 4, interlaced: 1, rows: [[7, 8]]),
    ]

    private static func png(
        _ width: Int, _ height: Int, depth: UInt8, colour: UInt8, interlaced: UInt8 = 0, rows: [[UInt8]],
        _ chunks: [(String, [UInt8])] = []
    ) -> [UInt8] {
        func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
            let body = Array(name.utf8) + data
            return big(data.count) + body + big(Int(Checksum.crc32(body)))
        }
        let raw: [UInt8] = rows.flatMap { row -> [UInt8] in [0] + row }
        var (a, b) = (1, 0)
        for byte in raw { (a, b) = ((a + Int(byte)) % 65521, (b + a + Int(byte)) % 65521) }
        let data: [UInt8] = [0x78, 1, 1] + little(UInt16(raw.count), ~UInt16(raw.count)) + raw + big(b << 16 | a)
        let head: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        let parts =
            [("IHDR", big(width) + big(height) + [depth, colour, 0, 0, interlaced])] + chunks + [
                ("IDAT", data), ("IEND", []),
            ]
        return head + parts.flatMap { chunk($0.0, $0.1) }
    }

    /// The same chunks with checksums that are right.
    static func withChecksums(_ png: [UInt8]) -> [UInt8] {
        var png = png
        var at = 8
        while at + 12 <= png.count {
            let length = png[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= png.count - at - 12 else { break }
            let end = at + 8 + length
            png.replaceSubrange(end..<end + 4, with: big(Int(Checksum.crc32(Array(png[at + 4..<end])))))
            at = end + 4
        }
        return png
    }

    // MARK: Weights

    static let safetensors: [[UInt8]] = [
        "{\"__metadata__\":{\"format\":\"pt\"},\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
            + "\"b\":{\"dtype\":\"F8_E4M3\",\"shape\":[1,2],\"data_offsets\":[8,10]}}",
        "{\"e\":{\"dtype\":\"I64\",\"shape\":[0,3],\"data_offsets\":[0,0]}}", "{}",
    ].map { header in
        let text = Array(header.utf8)
        return little(UInt64(text.count)) + text + [UInt8](repeating: 1, count: header.contains("\"w\"") ? 10 : 0)
    }

    private static func text(_ s: String) -> [UInt8] { [0x8c, UInt8(s.utf8.count)] + Array(s.utf8) }
    private static func name(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }

    /// Protocol 2: a dictionary of a tensor, a number, a set and an object.
    static let pickle: [UInt8] = {
        var out: [UInt8] = [0x80, 2] + Array("}q\0(".utf8) + text("w") + name("torch._utils", "_rebuild_tensor_v2")
        out +=
            Array("((".utf8) + text("storage") + name("torch", "FloatStorage") + text("0") + text("cpu")
            + Array("K\u{4}tQK\0".utf8)
        out +=
            Array("K\u{2}K\u{2}".utf8) + [0x86] + Array("K\u{2}K\u{1}".utf8) + [0x86, 0x89]
            + name("collections", "OrderedDict")
        out +=
            Array(")RtR".utf8) + text("n") + Array("M".utf8) + [1, 2] + text("s") + [0x8f] + Array("(K\u{1}".utf8) + [
                0x90
            ]
        out +=
            text("o") + name("my", "Thing") + Array(")".utf8) + [0x81] + Array("}b".utf8) + text("f") + Array("G".utf8)
        return out + [0x3F, 0xF0, 0, 0, 0, 0, 0, 0] + Array("u.".utf8)
    }()

    static func zipped(_ pickle: [UInt8]) throws -> [UInt8] {
        try ZipArchive.bytes([
            (name: "a/data.pkl", bytes: pickle), (name: "a/data/0", bytes: [UInt8](repeating: 0x3F, count: 16)),
            (name: "a/byteorder", bytes: Array("little".utf8)),
        ])
    }

    /// The format before PyTorch 1.6.
    static let torchStream: [UInt8] = {
        let magic: [UInt8] =
            [0x80, 2, 0x8a, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19] + Array(".".utf8)
        let version: [UInt8] = [0x80, 2] + Array("M".utf8) + [0xE9, 3] + Array(".".utf8)
        let machine: [UInt8] = [0x80, 2] + Array("}.".utf8)
        let contents = pickle.split(separator: 0x51, maxSplits: 1).map(Array.init)
        // Storages of this format have a view as their last part: none.
        let value = Array(contents[0].dropLast()) + Array("NtQ".utf8) + contents[1]
        let keys: [UInt8] = [0x80, 2] + Array("]".utf8) + text("0") + Array("a.".utf8)
        return magic + version + machine + value + keys + little(UInt64(4)) + [UInt8](repeating: 0x3F, count: 16)
    }()

    static let tokenizers = [
        """
        {"added_tokens": [{"id": 2, "content": "[MASK]", "lstrip": true, "special": true, "normalized": false},
        {"id": 7, "content": "Cat", "normalized": true, "single_word": true}],
        "normalizer": {"type": "BertNormalizer", "lowercase": true},
        "model": {"type": "WordPiece",
        "vocab": {"[UNK]": 0, "[CLS]": 1, "[MASK]": 2, "[SEP]": 3, "[PAD]": 4, "a": 5, "##b": 6}}}
        """,
        """
        {"model": {"type": "BPE", "end_of_word_suffix": "</w>", "merges": ["a b</w>", ["c", "a"]],
        "vocab": {"<|startoftext|>": 0, "<|endoftext|>": 1, "a": 2, "b</w>": 3, "ab</w>": 4, "c": 5, "ca": 6}}}
        """,
    ]
}
