/// Makes the output of a stranger safe to show: control codes, which a terminal would obey, become visible (`^[`), and
/// so do bytes that are no UTF-8 (`\xff`) and marks that turn the direction of writing (`\u{202e}`).
///
/// Pieces may end within a character; `end` gives what is left.
struct OutputFilter {
    /// The bytes of a character that has not come to its end.
    private var held: [UInt8] = []
    /// A carriage return that may belong to an end of a line.
    private var holdsReturn = false

    mutating func pass(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        for byte in bytes { take(byte, &out) }
        return out
    }

    mutating func end() -> [UInt8] {
        var out: [UInt8] = []
        giveUp(&out)
        if holdsReturn { out += Array("^M".utf8) }
        holdsReturn = false
        return out
    }

    private mutating func take(_ byte: UInt8, _ out: inout [UInt8]) {
        if holdsReturn {
            holdsReturn = false
            if byte != UInt8(ascii: "\n") { out += Array("^M".utf8) }
        }
        if !held.isEmpty {
            guard byte & 0xC0 == 0x80 else {
                giveUp(&out)
                return take(byte, &out)
            }
            held.append(byte)
            if held.count == OutputFilter.length(held[0]) { finish(&out) }
            return
        }
        switch byte {
        case 0x0D: holdsReturn = true
        case 0x09, 0x0A, 0x20...0x7E: out.append(byte)
        case 0x7F: out += Array("^?".utf8)
        case ..<0x20: out += [UInt8(ascii: "^"), byte + 0x40]
        default: if OutputFilter.length(byte) > 1 { held = [byte] } else { OutputFilter.show(byte, &out) }
        }
    }

    /// A whole character, if it is one.
    private mutating func finish(_ out: inout [UInt8]) {
        let bytes = held
        held = []
        let text = String(decoding: bytes, as: UTF8.self)
        guard Array(text.utf8) == bytes, let scalar = text.unicodeScalars.first else {
            for byte in bytes { OutputFilter.show(byte, &out) }
            return
        }
        switch scalar.value {
        case 0x80...0x9F, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0x061C:
            out += Array("\\u{\(String(scalar.value, radix: 16))}".utf8)
        default: out += bytes
        }
    }

    private mutating func giveUp(_ out: inout [UInt8]) {
        for byte in held { OutputFilter.show(byte, &out) }
        held = []
    }

    private static func show(_ byte: UInt8, _ out: inout [UInt8]) {
        out += Array("\\x\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8)
    }

    /// Bytes of the character that begins so; 1: none begins so.
    private static func length(_ byte: UInt8) -> Int {
        switch byte {
        case 0xC2...0xDF: return 2
        case 0xE0...0xEF: return 3
        case 0xF0...0xF4: return 4
        default: return 1
        }
    }
}
