/// A token of Lua 5.4 with its place in the text (offsets in UTF-8 bytes, lines from 1).
package struct LuaToken: Equatable {
    package enum Kind: Equatable { case name, keyword, number, string, symbol, end }
    package var kind: Kind
    package var text: String
    package var start: Int
    package var end: Int
    package var line: Int
}

/// Tokens of Lua 5.4 and the stretches that several lines of one string or comment cover.
///
/// Source: Lua 5.4 reference manual, section 3.1. Never fails: what is no Lua becomes single symbols, and
/// `isFinished` tells whether a string or comment ran into the end of the text.
package struct LuaLexer {
    package private(set) var tokens: [LuaToken] = []
    /// Byte ranges of long strings and long comments.
    package private(set) var longStretches: [Range<Int>] = []
    package private(set) var isFinished = true

    private let bytes: [UInt8]
    private var at = 0
    private var line = 1

    package static let keywords: Set<String> = [
        "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil",
        "not", "or", "repeat",
        "return", "then", "true", "until", "while",
    ]
    private static let longSymbols = ["...", "<<", ">>", "//", "==", "~=", "<=", ">=", "::", ".."].map {
        Array($0.utf8)
    }

    package init(_ text: String) {
        bytes = Array(text.utf8)
        if bytes.starts(with: "#!".utf8) { skipLine() }  // `#x` alone is an expression
        while scan() {}
        tokens.append(LuaToken(kind: .end, text: "", start: bytes.count, end: bytes.count, line: line))
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || (65...90).contains(byte & 0xDF) || byte == 95
    }
    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
    private func byte(_ offset: Int = 0) -> UInt8 { at + offset < bytes.count ? bytes[at + offset] : 0 }
    private mutating func skipLine() { while at < bytes.count, bytes[at] != 10 { at += 1 } }

    /// One token or blank; false at the end.
    private mutating func scan() -> Bool {
        guard at < bytes.count else { return false }
        let first = bytes[at]
        let start = at
        let startLine = line
        func token(_ kind: LuaToken.Kind) -> LuaToken {
            LuaToken(
                kind: kind, text: String(decoding: bytes[start..<at], as: UTF8.self), start: start, end: at,
                line: startLine)
        }
        switch first {
        case 10:
            line += 1
            at += 1
        case 9, 11, 12, 13, 32: at += 1
        case UInt8(ascii: "-") where byte(1) == UInt8(ascii: "-"):
            at += 2
            if !skipLongBracket() { skipLine() } else { longStretches.append(start..<at) }
        case UInt8(ascii: "["):
            if skipLongBracket() {
                longStretches.append(start..<at)
                tokens.append(token(.string))
            } else {
                at += 1
                tokens.append(token(.symbol))
            }
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            skipString(first)
            if at - start > 0, line != startLine { longStretches.append(start..<at) }
            tokens.append(token(.string))
        case _ where LuaLexer.isDigit(first) || (first == UInt8(ascii: ".") && LuaLexer.isDigit(byte(1))):
            skipNumber()
            tokens.append(token(.number))
        case _ where LuaLexer.isNameByte(first):
            while at < bytes.count, LuaLexer.isNameByte(bytes[at]) { at += 1 }
            var found = token(.name)
            if LuaLexer.keywords.contains(found.text) { found.kind = .keyword }
            tokens.append(found)
        default:
            let long = LuaLexer.longSymbols.first {
                $0.count <= bytes.count - at && Array(bytes[at..<at + $0.count]) == $0
            }
            at += long?.count ?? 1
            tokens.append(token(.symbol))
        }
        return true
    }

    /// `[[ … ]]`, `[==[ … ]==]`; false (and nothing consumed) if none starts here.
    private mutating func skipLongBracket() -> Bool {
        guard byte() == UInt8(ascii: "[") else { return false }
        var level = 0
        while byte(1 + level) == UInt8(ascii: "=") { level += 1 }
        guard byte(1 + level) == UInt8(ascii: "[") else { return false }
        at += level + 2
        while at < bytes.count {
            if bytes[at] == 10 { line += 1 }
            if bytes[at] == UInt8(ascii: "]") {
                var equals = 0
                while byte(1 + equals) == UInt8(ascii: "=") { equals += 1 }
                if equals == level, byte(1 + equals) == UInt8(ascii: "]") {
                    at += level + 2
                    return true
                }
            }
            at += 1
        }
        isFinished = false
        return true
    }

    private mutating func skipString(_ quote: UInt8) {
        at += 1
        while at < bytes.count, bytes[at] != quote {
            if bytes[at] == 10 {  // an unfinished short string ends with its line
                isFinished = false
                return
            }
            if bytes[at] == UInt8(ascii: "\\") {
                at += 1
                if byte() == UInt8(ascii: "z") {
                    at += 1
                    while at < bytes.count, [9, 10, 11, 12, 13, 32].contains(bytes[at]) {
                        if bytes[at] == 10 { line += 1 }
                        at += 1
                    }
                    continue
                }
                if byte() == 10 { line += 1 }
            }
            at += 1
        }
        if at >= bytes.count { isFinished = false }
        at = min(at + 1, bytes.count)
    }

    private mutating func skipNumber() {
        let isHex = byte() == 48 && byte(1) | 0x20 == UInt8(ascii: "x")
        if isHex { at += 2 }
        let exponent = UInt8(ascii: isHex ? "p" : "e")
        while at < bytes.count {
            if bytes[at] | 0x20 == exponent, byte(1) == UInt8(ascii: "+") || byte(1) == UInt8(ascii: "-") {
                at += 2
            } else if LuaLexer.isNameByte(bytes[at]) || bytes[at] == UInt8(ascii: ".") {
                at += 1
            } else {
                return
            }
        }
    }
}
