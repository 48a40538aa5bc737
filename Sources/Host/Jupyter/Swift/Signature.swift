import BSSCore

/// HMAC-SHA256 of a message's parts, as lower-case hexadecimal.
///
/// Source: RFC 2104; FIPS 180-4.
enum Signature {
    private static let block = 64

    static func sign(_ parts: [[UInt8]], key: [UInt8]) -> String {
        guard !key.isEmpty else { return "" }  // an empty key: messages are not signed
        var padded = key.count > block ? bytes(ofHex: SHA256.hex(key)) : key
        padded += [UInt8](repeating: 0, count: block - padded.count)
        let inner = digest([padded.map { $0 ^ 0x36 }] + parts)
        return SHA256.hex(padded.map { $0 ^ 0x5C } + bytes(ofHex: inner))
    }

    private static func digest(_ parts: [[UInt8]]) -> String {
        var hash = SHA256()
        for part in parts { part.withUnsafeBytes { hash.update($0) } }
        return hash.finish()
    }

    private static func bytes(ofHex text: String) -> [UInt8] {
        let digits = text.utf8.map { $0 < 58 ? $0 - 48 : $0 - 87 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
