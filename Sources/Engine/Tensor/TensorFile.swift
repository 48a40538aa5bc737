import BSSBackend
import BSSCore

/// Named tensors and a text in one file, in the safetensors layout that PyTorch users can open:
/// 8 bytes header size, a JSON header, then the raw little-endian data.
///
/// Source: Hugging Face safetensors, format description in its README.
public enum TensorFile {
    private static let names: [(DType, String)] = [
        (.float32, "F32"), (.float64, "F64"), (.int64, "I64"), (.bool, "BOOL"), (.float16, "F16"), (.bfloat16, "BF16"),
    ]

    /// Writes atomically; `metadata` is kept as text under its keys. A checksum over the whole file goes with it.
    public static func write(
        _ tensors: [(name: String, tensor: Tensor)], metadata: [(String, String)] = [], to path: String
    ) throws {
        var header = Table()
        header["__metadata__"] = .fields(metadata.map { ($0.0, .string($0.1)) } + [(checksumKey, .string(noChecksum))])
        var offset = 0
        var total = 0
        for (name, tensor) in tensors {
            let size = tensor.elementCount * tensor.dtype.byteSize
            header[name] = .fields([
                ("dtype", .string(names.first { $0.0 == tensor.dtype }?.1 ?? tensor.dtype.name)),
                ("shape", .list(tensor.shape.array.map(Value.int))),
                ("data_offsets", .list([.int(offset), .int(offset + size)])),
            ])
            offset += size
        }
        total = offset
        var text = Array(JSON.text(.table(header)).utf8)
        while text.count % 8 != 0 { text.append(0x20) }
        var bytes = [UInt8](repeating: 0, count: 8 + text.count + total)
        for i in 0..<8 { bytes[i] = UInt8(truncatingIfNeeded: text.count >> (8 * i)) }
        bytes.replaceSubrange(8..<(8 + text.count), with: text)
        var at = 8 + text.count
        for (_, tensor) in tensors {
            let size = tensor.elementCount * tensor.dtype.byteSize
            let source = try tensor.contiguous()
            try bytes.withUnsafeMutableBytes {
                try tensor.backend.download(
                    source.view, to: UnsafeMutableRawBufferPointer(rebasing: $0[at..<(at + size)]))
            }
            at += size
        }
        if let place = place(ofChecksum: noChecksum, in: bytes, upTo: 8 + text.count) {
            bytes.replaceSubrange(place, with: Array(checksum(bytes).utf8))
        }
        try Files.write(bytes, to: path)
    }

    // MARK: Checksum

    /// Sixteen hexadecimal digits in the metadata, over all bytes of the file with zeros in their place. Files without
    /// it are read too.
    public static let checksumKey = "checksum"
    private static let noChecksum = String(repeating: "0", count: 16)

    /// The bytes of the digits.
    private static func place(ofChecksum digits: String, in bytes: [UInt8], upTo end: Int) -> Range<Int>? {
        let wanted = Array("\"\(checksumKey)\":\"\(digits)\"".utf8)
        guard end >= wanted.count else { return nil }
        for at in 8...(end - wanted.count)
        where bytes[at] == wanted[0] && bytes[at..<(at + wanted.count)].elementsEqual(wanted) {
            return (at + wanted.count - 1 - digits.utf8.count)..<(at + wanted.count - 1)
        }
        return nil
    }

    /// h ← rotate((h xor word) · odd) over 64-bit words: every step is one-to-one, so that no change within one word is
    /// missed.
    private static func checksum(_ bytes: [UInt8]) -> String {
        var h: UInt64 = 0x9e37_79b9_7f4a_7c15 ^ UInt64(bytes.count)
        func mix(_ word: UInt64) {
            h = (h ^ word) &* 0xff51_afd7_ed55_8ccd
            h = h << 29 | h >> 35
        }
        bytes.withUnsafeBytes { raw in
            let words = raw.count / 8
            for i in 0..<words { mix(UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self))) }
            for byte in raw[(8 * words)...] { mix(UInt64(byte)) }
        }
        return Text.format("%016lx", UInt(h))
    }

    /// - Throws: kind `.data` for anything that is not a whole, consistent file.
    public static func read(_ path: String) throws -> (tensors: [String: Tensor], metadata: [String: String]) {
        var bytes = try Files.read(path)
        func damaged(_ reason: String) -> BSSError { BSSError("read", "\(path): \(reason)", kind: .data) }
        guard bytes.count >= 8 else { throw damaged("\(bytes.count) bytes are too few for a tensor file") }
        let size = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[$1]) << (8 * UInt64($1)) }
        guard size <= UInt64(bytes.count - 8) else {
            throw damaged("the header needs \(size) bytes, the file ends before: it is truncated or no tensor file")
        }
        let start = 8 + Int(size)
        guard case .table(let header) = try JSON.parse(String(decoding: bytes[8..<start], as: UTF8.self), source: path)
        else { throw damaged("the header is not an object") }
        var tensors: [String: Tensor] = [:]
        var metadata: [String: String] = [:]
        for (name, value) in header.fields {
            guard case .table(let entry) = value else { throw damaged("entry '\(name)' is not an object") }
            if name == "__metadata__" {
                for (key, text) in entry.fields { metadata[key] = text.string }
                continue
            }
            guard let dtype = names.first(where: { $0.1 == entry["dtype"]?.string })?.0,
                let items = entry["shape"]?.table?.items, case let shape = items.compactMap(\.int),
                shape.count == items.count,
                let offsets = entry["data_offsets"]?.table?.items.compactMap(\.int), offsets.count == 2
            else { throw damaged("entry '\(name)' has no known dtype, shape or offsets") }
            let sizes = try Shape(shape, operation: "read")
            guard offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] <= bytes.count - start,
                offsets[1] - offsets[0] == sizes.elementCount * dtype.byteSize
            else {
                throw damaged("tensor '\(name)' lies outside the file: it is truncated")
            }
            let out = try Tensor.allocate(sizes, dtype, on: Devices.current)
            try bytes.withUnsafeBytes {
                try out.backend.upload(
                    UnsafeRawBufferPointer(rebasing: $0[(start + offsets[0])..<(start + offsets[1])]), to: out)
            }
            tensors[name] = Tensor(out)
        }
        if let digits = metadata.removeValue(forKey: checksumKey) {
            guard let place = place(ofChecksum: digits, in: bytes, upTo: start) else {
                throw damaged("its checksum cannot be found")
            }
            bytes.replaceSubrange(place, with: Array(noChecksum.utf8))
            guard checksum(bytes) == digits else { throw damaged("its bytes do not fit its checksum: it is damaged") }
            metadata[checksumKey] = digits
        }
        return (tensors, metadata)
    }
}
