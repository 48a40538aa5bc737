import BSSCore
import CBSSCodecs

/// Gzip files of one member (RFC 1952).
public enum Gzip {
    /// - Throws: kind `.data`: foreign, truncated or damaged.
    public static func unpacked(_ bytes: [UInt8], source: String) throws -> [UInt8] {
        let file = Bytes(all: bytes, source: source, format: "gzip")
        guard bytes.count >= 18, bytes[0] == 0x1F, bytes[1] == 0x8B, bytes[2] == 8 else {
            throw file.damage("not a gzip file, or truncated")
        }
        let flags = bytes[3]
        var at = 10
        if flags & 4 != 0 { at += 2 + (try file.u16(at, "extra field")) }
        // File name and comment end with a zero byte.
        for bit: UInt8 in [8, 16] where flags & bit != 0 {
            while at < bytes.count, bytes[at] != 0 { at += 1 }
            at += 1
        }
        if flags & 2 != 0 { at += 2 }
        try file.need(8, at: at, "the compressed data")
        let size = try file.u32(bytes.count - 4, "size")
        try DecodingBudget(fileBytes: bytes.count).claim(size, by: "unpacked, it", in: file)
        let out = try file.inflated(at: at, bytes.count - 8 - at, to: size, "the compressed data")
        guard Int(Checksum.crc32(out)) == (try file.u32(bytes.count - 8, "checksum")) else {
            throw file.damage("checksum (CRC-32) differs, the file is damaged")
        }
        return out
    }
}
