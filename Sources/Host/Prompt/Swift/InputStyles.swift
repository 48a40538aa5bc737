import BSSLua

/// How each byte of an input is drawn, as the parameter of a terminal's SGR sequence.
struct InputStyles {
    private var styles: [String]

    private static let keyword = "35", string = "32", number = "36", comment = "90", call = "34", command = "33"
    private static let bracket = "1;4", wrong = "31"

    /// - Parameter cursor: byte of the cursor, whose bracket is marked with its partner.
    init(_ text: String, cursor: Int?) {
        let bytes = Array(text.utf8)
        if let sign = bytes.first, "%?!".utf8.contains(sign) {
            styles = [String](repeating: InputStyles.command, count: bytes.count)
            return
        }
        styles = [String](repeating: "", count: bytes.count)
        let tokens = LuaLexer(text).tokens
        var end = 0
        for (k, token) in tokens.enumerated() {
            // Between tokens stand blanks and comments.
            let gap = end..<max(end, min(token.start, bytes.count))
            if let dash = bytes[gap].firstIndex(of: UInt8(ascii: "-")) {
                paint(dash..<gap.upperBound, InputStyles.comment)
            }
            end = token.end
            paint(token.start..<token.end, style(token, tokens.indices.contains(k + 1) ? tokens[k + 1] : nil))
        }
        markBrackets(tokens, cursor)
    }

    subscript(byte: Int) -> String { styles[byte] }

    private mutating func paint(_ range: Range<Int>, _ style: String) {
        for byte in range.clamped(to: 0..<styles.count) { styles[byte] = style }
    }

    private func style(_ token: LuaToken, _ next: LuaToken?) -> String {
        switch token.kind {
        case .keyword: return InputStyles.keyword
        case .string: return InputStyles.string
        case .number: return InputStyles.number
        case .name:
            return next.map { ["(", "{"].contains($0.text) || $0.kind == .string } ?? false ? InputStyles.call : ""
        default: return ""
        }
    }

    /// Brackets without a partner that opens them are wrong; those at the cursor are marked in pairs.
    private mutating func markBrackets(_ tokens: [LuaToken], _ cursor: Int?) {
        let pairs = [")": "(", "]": "[", "}": "{"]
        var open: [LuaToken] = []
        for token in tokens where token.kind == .symbol {
            if pairs.values.contains(token.text) { open.append(token) }
            guard let opener = pairs[token.text] else { continue }
            guard let partner = open.last, partner.text == opener else {
                paint(token.start..<token.end, InputStyles.wrong)
                continue
            }
            open.removeLast()
            guard let cursor, [token.start, token.end, partner.start, partner.end].contains(cursor) else { continue }
            paint(token.start..<token.end, InputStyles.bracket)
            paint(partner.start..<partner.end, InputStyles.bracket)
        }
    }
}
