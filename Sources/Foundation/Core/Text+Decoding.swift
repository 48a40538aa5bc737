extension Text {
    /// UTF-8 as text; what is none stands as `\xff`, so that two different byte strings stay two texts.
    @inlinable public static func decoded(_ bytes: some Collection<UInt8>) -> String {
        if bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
        return String(validating: bytes, as: UTF8.self) ?? escaped(Array(bytes))
    }

    @usableFromInline static func escaped(_ bytes: [UInt8]) -> String {
        var out = ""
        var parser = Unicode.UTF8.ForwardParser()
        var rest = bytes.makeIterator()
        var at = 0
        while true {
            switch parser.parseScalar(from: &rest) {
            case .valid(let encoded):
                out.unicodeScalars.append(Unicode.UTF8.decode(encoded))
                at += encoded.count
            case .error(let length):
                for byte in bytes[at..<at + length] { out += format("\\x%02x", UInt32(byte)) }
                at += length
            case .emptyInput: return out
            }
        }
    }

    /// A whole file as text: the same without a byte order mark.
    public static func decoded(file bytes: [UInt8]) -> String {
        decoded(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...])
    }

    /// A text of the scripting language for readers: bytes that are no UTF-8, which come as U+10FE80 … U+10FEFF, stand
    /// as `\xff`.
    public static func shown(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isByte) else { return text }
        return text.unicodeScalars.reduce(into: "") { out, scalar in
            if isByte(scalar) {
                out += format("\\x%02x", scalar.value & 0xFF)
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
    }

    private static func isByte(_ scalar: UnicodeScalar) -> Bool { (0x10FE80...0x10FEFF).contains(scalar.value) }

    /// The number that the whole text is, in decimal notation, or `nan`, `inf`, `infinity`, with a sign or without.
    ///
    /// One guard for all parsers: the standard library's would also take a number before a NUL, and hexadecimal ones.
    public static func double(_ text: String) -> Double? {
        var isDecimal = true
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"),
                UInt8(ascii: "E"):
                break
            default: isDecimal = false
            }
        }
        guard isDecimal || ["nan", "inf", "infinity"].contains(text.lowercased().drop { "+-".contains($0) }) else {
            return nil
        }
        return Double(text)
    }
}
