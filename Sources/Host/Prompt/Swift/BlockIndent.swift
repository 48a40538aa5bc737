import BSSLua

/// Where lines of a block belong: two blanks for every block that is open, counted from the line that opened it.
struct BlockIndent {
    /// Blanks before a line that follows.
    let next: Int
    /// Blanks that the current line has too many: it ends a block and stands as deep as what is in it.
    let excess: Int

    private static let openers: Set<String> = ["function", "do", "then", "else", "repeat", "(", "{", "["]
    private static let closers: Set<String> = ["end", "until", "else", "elseif", ")", "}", "]"]

    /// - Parameter point: byte of the cursor.
    init(_ text: String, at point: Int) {
        let head = String(decoding: text.utf8.prefix(point), as: UTF8.self)
        let lines = head.split(separator: "\n", omittingEmptySubsequences: false)
        let depths = lines.map { $0.prefix { $0 == " " }.count }
        let last = lines.count  // lines of tokens count from 1
        /// Lines on which the open blocks began.
        var open: [Int] = []
        var own = depths[last - 1]
        var isFirst = true
        for token in LuaLexer(head).tokens where token.kind == .symbol || token.kind == .keyword {
            if BlockIndent.closers.contains(token.text) {
                let begun = open.popLast()
                let leads = token.line == last && isFirst
                if leads, let begun, begun < last { own = min(own, depths[begun - 1]) }
            }
            if token.line == last { isFirst = false }
            if BlockIndent.openers.contains(token.text) { open.append(token.line) }
        }
        // What is not a symbol or a keyword leads the line, too.
        if let first = LuaLexer(String(lines[last - 1])).tokens.first, !BlockIndent.closers.contains(first.text) {
            own = depths[last - 1]
        }
        excess = depths[last - 1] - own
        next = own + (open.last == last ? 2 : 0)
    }
}
