import BSSCore
import CBSSCodecs

/// A file's bytes with bounds-checked little-endian reads; a read beyond the end is one clear error.
struct Bytes {
    let all: [UInt8]
    /// What messages call the bytes: a path, or `archive.npz/entry.npy`.
    let source: String
    /// The format that is being read, as messages name it: `"npy"`, `"wav"`.
    let format: String

    var count: Int { all.count }

    func damage(_ reason: String) -> BSSError { BSSError("read \(format)", "\(source): \(reason)", kind: .data) }

    /// - Throws: when `at ..< at + count` does not lie inside the file; `what` says what should have been there.
    func need(_ count: Int, at: Int, _ what: String) throws {
        guard at >= 0, count >= 0, at <= all.count, count <= all.count - at else {
            throw damage("truncated: \(what) needs \(count) bytes at byte \(at), the file has \(all.count)")
        }
    }

    func integer<T: FixedWidthInteger>(_ type: T.Type = T.self, at: Int, _ what: String) throws -> T {
        try need(MemoryLayout<T>.size, at: at, what)
        return all.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: T.self)) }
    }
    func u16(_ at: Int, _ what: String) throws -> Int { Int(try integer(UInt16.self, at: at, what)) }
    func u32(_ at: Int, _ what: String) throws -> Int { Int(try integer(UInt32.self, at: at, what)) }
    /// Sizes and positions; one beyond `Int.max` is damage.
    func u64(_ at: Int, _ what: String) throws -> Int {
        guard let value = Int(exactly: try integer(UInt64.self, at: at, what)) else {
            throw damage("\(what) is impossibly large")
        }
        return value
    }
    /// A raw deflate stream of `count` bytes at `at`, which is to give `size` bytes.
    func inflated(at: Int, _ count: Int, to size: Int, _ what: String) throws -> [UInt8] {
        try need(count, at: at, what)
        // Deflate expands at most 1032 times: a larger claim is damage, not a reason to allocate.
        guard size / 1032 <= count + 1 else { throw damage("\(what) claims \(size) bytes from \(count)") }
        var status = 0
        let out = [UInt8](unsafeUninitializedCapacity: max(1, size)) { to, filled in
            status = all.withUnsafeBufferPointer { from in
                guard let base = from.baseAddress, let target = to.baseAddress else { return -1 }
                return Int(bss_inflate(base + at, count, target, size, DecodingBudget.isCancelled))
            }
            filled = max(0, status)
        }
        if status == -2 { throw BSSError.cancelled("read \(format)") }
        guard status == size else { throw damage("\(what): the compressed data is damaged or truncated") }
        return out
    }
    func ascii(_ at: Int, _ count: Int, _ what: String) throws -> String {
        try need(count, at: at, what)
        return Text.decoded(all[at..<at + count])
    }
}

extension Array where Element == UInt8 {
    mutating func append<T: FixedWidthInteger>(littleEndian value: T) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}

/// Checksums of byte arrays.
public enum Checksum {
    public static func crc32(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBufferPointer { bss_crc32(0, $0.baseAddress, $0.count) }
    }

    /// SHA-256 in lower-case hexadecimal.
    public static func sha256(_ bytes: [UInt8]) -> String {
        var state = bss_sha256()
        var digest = [UInt8](repeating: 0, count: 32)
        bss_sha256_begin(&state)
        bytes.withUnsafeBufferPointer { bss_sha256_add(&state, $0.baseAddress, $0.count) }
        bss_sha256_end(&state, &digest)
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
