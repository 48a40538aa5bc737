import BSSCore

/// Lines of text files as people have them.
public enum TextLines {
    /// The lines with their numbers from 1, without line ends (LF, CRLF, or CR where no line ends otherwise); UTF-8 or
    /// UTF-16, with a byte order mark or without; other bytes stand as `\xff`.
    public static func split(_ bytes: [UInt8]) -> [(text: String, number: Int)] {
        let plain = UTF16Text.asUTF8(bytes) ?? bytes
        let body = plain.starts(with: [0xEF, 0xBB, 0xBF]) ? plain[3...] : plain[...]
        let end: UInt8 = body.contains(0x0A) ? 0x0A : 0x0D
        return body.split(separator: end, omittingEmptySubsequences: false).enumerated().map { index, line in
            (Text.decoded(line.last == 0x0D ? line.dropLast() : line), index + 1)
        }
    }
}
