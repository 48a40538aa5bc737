/// Lua text cut into tokens: enough to see names, strings and block depth, never to judge syntax.
struct LuaToken: Equatable {
    enum Kind { case name, keyword, number, string, symbol, comment }
    let kind: Kind
    let text: String
    /// Offset of the first byte.
    let start: Int
    var end: Int { start + text.utf8.count }
}

enum LuaLexer {
    static let keywords: Set<String> = [
        "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil", "not", "or",
        "repeat", "return", "then", "true", "until", "while",
    ]

    /// - Parameter comments: whether comments are kept.
    static func tokens(_ text: String, comments: Bool = false) -> [LuaToken] {
        let bytes = Array(text.utf8)
        var tokens: [LuaToken] = []
        var at = 0
        while at < bytes.count {
            let start = at
            let kind = next(bytes, &at)
            guard let kind, comments || kind != .comment else { continue }
            let word = String(decoding: bytes[start..<at], as: UTF8.self)
            tokens.append(LuaToken(kind: kind == .name && keywords.contains(word) ? .keyword : kind, text: word, start: start))
        }
        return tokens
    }

    private static func isNameByte(_ c: UInt8) -> Bool { c == 95 || (65...90).contains(c) || (97...122).contains(c) || (48...57).contains(c) }

    /// Moves behind the next token; nil for blanks.
    private static func next(_ b: [UInt8], _ at: inout Int) -> LuaToken.Kind? {
        let c = b[at]
        func peek(_ offset: Int) -> UInt8 { at + offset < b.count ? b[at + offset] : 0 }
        switch c {
        case 32, 9, 10, 13:
            at += 1
            return nil
        case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-"):
            at += 2
            if at < b.count, b[at] == UInt8(ascii: "["), long(b, &at) { return .comment }
            while at < b.count, b[at] != 10 { at += 1 }
            return .comment
        case UInt8(ascii: "["):
            if long(b, &at) { return .string }
            at += 1
            return .symbol
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            at += 1
            while at < b.count, b[at] != c, b[at] != 10 { at += b[at] == 92 ? 2 : 1 }
            at = min(b.count, at + 1)
            return .string
        case 48...57, UInt8(ascii: ".") where (48...57).contains(peek(1)):
            while at < b.count, isNameByte(b[at]) || b[at] == 46 || ((b[at] == 43 || b[at] == 45) && [69, 101, 80, 112].contains(b[at - 1])) { at += 1 }
            return .number
        case _ where isNameByte(c):
            while at < b.count, isNameByte(b[at]) { at += 1 }
            return .name
        default:
            let pairs = ["==", "~=", "<=", ">=", "//", "::", "<<", ">>", ".."]
            let two = String(decoding: b[at..<min(at + 2, b.count)], as: UTF8.self)
            at += pairs.contains(two) ? 2 : 1
            if two == "..", at < b.count, b[at] == 46 { at += 1 }
            return .symbol
        }
    }

    /// Moves behind `[[…]]`, `[=[…]=]` if one starts here; an unfinished one reaches to the end.
    private static func long(_ b: [UInt8], _ at: inout Int) -> Bool {
        var level = 0
        while at + 1 + level < b.count, b[at + 1 + level] == UInt8(ascii: "=") { level += 1 }
        guard at + 1 + level < b.count, b[at + 1 + level] == UInt8(ascii: "[") else { return false }
        var i = at + 2 + level
        while i < b.count {
            if b[i] == UInt8(ascii: "]"), i + level + 1 < b.count, b[i + level + 1] == UInt8(ascii: "]"),
                b[(i + 1)..<(i + 1 + level)].allSatisfy({ $0 == UInt8(ascii: "=") })
            {
                at = i + level + 2
                return true
            }
            i += 1
        }
        at = b.count
        return true
    }

    /// At the prompt a top-level `local` would be gone with its cell: it becomes a variable of the session.
    ///
    /// `local x = 1` → `      x = 1` (columns stay, so messages point at the right place); `local x <const>` and
    /// locals inside blocks stay local.
    static func sessionLocals(_ text: String) -> String {
        var bytes = Array(text.utf8)
        let tokens = tokens(text)
        var depth = 0
        for (i, token) in tokens.enumerated() {
            switch token.text {
            case "function", "if", "do", "repeat", "(", "{", "[": if token.kind != .string { depth += 1 }
            case "end", "until", ")", "}", "]": if token.kind != .string { depth -= 1 }
            case "local" where token.kind == .keyword && depth == 0:
                let statement = statementNames(tokens, from: i + 1)
                guard statement.isPlain else { continue }
                for at in token.start..<token.end { bytes[at] = 32 }
                // `local a, b` alone declares: as an assignment it needs values.
                if !statement.isFunction, !statement.hasValues, let last = tokens.indices.contains(statement.last) ? tokens[statement.last] : nil {
                    let insert = Array(" = nil".utf8)
                    return sessionLocals(String(decoding: bytes[..<last.end] + insert + bytes[last.end...], as: UTF8.self))
                }
            default: break
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func statementNames(_ tokens: [LuaToken], from start: Int) -> (isPlain: Bool, isFunction: Bool, hasValues: Bool, last: Int) {
        var at = start
        if at < tokens.count, tokens[at].text == "function" { return (true, true, true, at) }
        while at < tokens.count, tokens[at].kind == .name {
            if at + 1 < tokens.count, tokens[at + 1].text == "<" { return (false, false, false, at) }
            guard at + 1 < tokens.count, tokens[at + 1].text == "," else { break }
            at += 2
        }
        return (at < tokens.count && tokens[at].kind == .name, false, at + 1 < tokens.count && tokens[at + 1].text == "=", at)
    }

    /// Names that a cell reads and global names that it may set, for `%save`.
    static func uses(_ text: String) -> (reads: Set<String>, writes: Set<String>) {
        let tokens = tokens(text)
        var reads: Set<String> = [], writes: Set<String> = []
        for (i, token) in tokens.enumerated() where token.kind == .name {
            let before = i > 0 ? tokens[i - 1].text : "", after = i + 1 < tokens.count ? tokens[i + 1].text : ""
            if before == "." || before == ":" { continue }
            reads.insert(token.text)
            // Assigned, listed for assignment, defined, or changed through a field or method.
            if after == "=" || after == "," || before == "function" || ((after == "." || after == ":" || after == "[") && startsStatement(tokens, i)) { writes.insert(token.text) }
            if before == "," { writes.insert(token.text) }
        }
        return (reads, writes)
    }

    private static func startsStatement(_ tokens: [LuaToken], _ i: Int) -> Bool {
        guard i > 0 else { return true }
        let before = tokens[i - 1]
        return [";", "do", "then", "else", "end", ")", "}"].contains(before.text) || before.kind == .string || before.kind == .number
    }
}
