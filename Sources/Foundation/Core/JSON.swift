/// JSON as run records need it: fields in order, shortest round-trip numbers, NaN and infinities kept.
///
/// Deviation from RFC 8259: non-finite numbers are written as the strings `"nan"`, `"inf"`, `"-inf"` so that no
/// result is lost; objects, functions and callbacks are written by name.
public enum JSON {
    public static func text(_ value: Value, indent: Int? = nil) -> String {
        var out = ""
        write(value, &out, indent: indent, depth: 0)
        return out
    }

    private static func write(_ value: Value, _ out: inout String, indent: Int?, depth: Int) {
        switch value {
        case .null: out += "null"
        case .bool(let b): out += b ? "true" : "false"
        case .int(let i): out += String(i)
        case .number(let d): out += d.isFinite ? Text.number(d) : "\"\(Text.number(d))\""
        case .string(let s): quote(s, &out)
        case .object(let o): quote(o.objectType.name, &out)
        case .function(let f): quote("function@\(f.definition)", &out)
        case .table(let t):
            let isArray = t.keys.isEmpty
            let entries = t.items.count + t.keys.count
            // Lists of scalars stay on one line.
            let inner = indent.flatMap { step in t.keys.isEmpty && !t.items.contains { $0.table != nil } ? nil : step }
            func newline(_ depth: Int) { if let inner { out += "\n" + String(repeating: " ", count: inner * depth) } }
            out += isArray ? "[" : "{"
            var first = true
            func separate() {
                if !first { out += indent != nil && inner == nil ? ", " : "," }
                first = false
                newline(depth + 1)
            }
            for (index, item) in t.items.enumerated() {
                separate()
                if !isArray {
                    quote(String(index + 1), &out)
                    out += ":"
                }
                write(item, &out, indent: indent, depth: depth + 1)
            }
            for (key, item) in t.fields {
                separate()
                quote(key, &out)
                out += indent == nil ? ":" : ": "
                write(item, &out, indent: indent, depth: depth + 1)
            }
            if entries > 0 { newline(depth) }
            out += isArray ? "]" : "}"
        }
    }

    private static func quote(_ text: String, _ out: inout String) {
        out += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            case "\r": out += "\\r"
            case let s where s.value < 0x20: out += Text.format("\\u%04x", s.value)
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }

    /// The value as a Lua constructor, for help texts and summaries.
    public static func lua(_ value: Value) -> String {
        switch value {
        case .null: return "nil"
        case .table(let t):
            return "{" + (t.items.map(lua) + t.fields.map { "\($0.key) = \(lua($0.value))" }).joined(separator: ", ")
                + "}"
        case .number(let d) where !d.isFinite: return d.isNaN ? "0/0" : d < 0 ? "-math.huge" : "math.huge"
        default: return text(value)
        }
    }

    /// - Throws: `BSSError` with the byte position of the first mistake.
    public static func parse(_ text: String, source: String = "JSON") throws -> Value {
        try parse(bytes: Array(text.utf8), source: source)
    }

    /// A byte order mark at the start is skipped. A key that comes twice counts as it comes last, unless
    /// `refusesRepeatedKeys`.
    public static func parse(bytes: [UInt8], source: String, refusesRepeatedKeys: Bool = false) throws -> Value {
        var parser = JSONParser(bytes: bytes, source: source, refusesRepeatedKeys: refusesRepeatedKeys)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { parser.at = 3 }
        return try parser.document()
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    let source: String
    let refusesRepeatedKeys: Bool
    var at = 0

    mutating func document() throws -> Value {
        let value = try self.value(depth: 0)
        skipBlank()
        if at < bytes.count { throw mistake("end of text") }
        return value
    }

    private func mistake(_ wanted: String) -> BSSError {
        let got = at < bytes.count ? "'\(Character(UnicodeScalar(bytes[at])))'" : "the end"
        return BSSError(source, "expected \(wanted) at byte \(at + 1), got \(got)", kind: .data)
    }

    private mutating func skipBlank() {
        while at < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[at]) { at += 1 }
    }
    private mutating func take(_ byte: Character) -> Bool {
        skipBlank()
        guard at < bytes.count, bytes[at] == byte.asciiValue else { return false }
        at += 1
        return true
    }

    private mutating func value(depth: Int) throws -> Value {
        if depth > 200 { throw BSSError(source, "nested deeper than 200 levels", kind: .data) }
        skipBlank()
        guard at < bytes.count else { throw mistake("a value") }
        switch bytes[at] {
        case UInt8(ascii: "{"):
            at += 1
            var table = Table()
            if take("}") { return .table(table) }
            repeat {
                skipBlank()
                let key = try string()
                guard take(":") else { throw mistake("':'") }
                if refusesRepeatedKeys, table[key] != nil {
                    throw BSSError(source, "the key \"\(key)\" comes twice", kind: .data)
                }
                table[key] = try value(depth: depth + 1)
            } while take(",")
            guard take("}") else { throw mistake("',' or '}'") }
            return .table(table)
        case UInt8(ascii: "["):
            at += 1
            var items: [Value] = []
            if take("]") { return .table(Table()) }
            repeat { items.append(try value(depth: depth + 1)) } while take(",")
            guard take("]") else { throw mistake("',' or ']'") }
            return .list(items)
        case UInt8(ascii: "\""): return .string(try string())
        default: return try scalar()
        }
    }

    private mutating func scalar() throws -> Value {
        let start = at
        while at < bytes.count, "+-.0123456789eEabcdefghijklmnopqrstuvwxyz".utf8.contains(bytes[at]) { at += 1 }
        let word = String(decoding: bytes[start..<at], as: UTF8.self)
        switch word {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "null": return .null
        default:
            if word == "-0" { return .number(-0.0) }
            if let i = Int(word) { return .int(i) }
            if let d = Text.double(word), word.first?.isLetter == false { return .number(d) }
            at = start
            throw mistake("a value")
        }
    }

    private mutating func string() throws -> String {
        guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { throw mistake("a string") }
        at += 1
        var out: [UInt8] = []
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "\"") { return Text.decoded(out) }
            guard byte == UInt8(ascii: "\\") else {
                out.append(byte)
                continue
            }
            guard at < bytes.count else { break }
            let escape = bytes[at]
            at += 1
            switch escape {
            case UInt8(ascii: "n"): out.append(0x0A)
            case UInt8(ascii: "t"): out.append(0x09)
            case UInt8(ascii: "r"): out.append(0x0D)
            case UInt8(ascii: "b"): out.append(0x08)
            case UInt8(ascii: "f"): out.append(0x0C)
            case UInt8(ascii: "u"): out += Array(String(try unicode()).utf8)
            default: out.append(escape)
            }
        }
        throw mistake("'\"'")
    }

    private mutating func unicode() throws -> Character {
        func unit() throws -> UInt32 {
            guard at + 4 <= bytes.count, let v = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
            else { throw mistake("4 hex digits") }
            at += 4
            return v
        }
        var code = try unit()
        if (0xD800..<0xDC00).contains(code), at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"),
            bytes[at + 1] == UInt8(ascii: "u")
        {
            at += 2
            let low = try unit()
            code = 0x10000 &+ ((code - 0xD800) << 10) &+ (low &- 0xDC00)  // a wrong low half is no scalar
        }
        return Character(UnicodeScalar(code) ?? "\u{FFFD}")
    }
}
