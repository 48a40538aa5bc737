import BSSCore

/// The part of Markdown that notes use, as HTML: headings, paragraphs, nested lists, fenced code, tables, quotes,
/// rules, emphasis, code, links, images, mathematics between dollars.
///
/// Source: CommonMark 0.31 and the tables of GitHub, in outline. Deviation: no raw HTML; foreign text is escaped.
public enum Markdown {
    public static func html(_ source: String) -> String {
        var blocks = Blocks(
            lines: source.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)[...])
        return blocks.html()
    }

    public struct Heading {
        public let level: Int
        public let text: String
        /// `balance-scores`
        public var anchor: String { Markdown.anchor(text) }
    }

    /// Headings outside code.
    public static func headings(_ source: String) -> [Heading] {
        var isCode = false
        return source.split(separator: "\n").compactMap { line in
            if line.hasPrefix("```") { isCode.toggle() }
            return isCode ? nil : heading(String(line))
        }
    }

    static func heading(_ line: String) -> Heading? {
        let level = line.prefix { $0 == "#" }.count
        guard (1...6).contains(level), line.dropFirst(level).first == " " else { return nil }
        return Heading(level: level, text: String(line.dropFirst(level + 1)))
    }

    public static func anchor(_ text: String) -> String {
        let words = text.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber })
        return words.joined(separator: "-")
    }

    // MARK: Within a line

    /// Code, mathematics, strong, emphasis, images and links, outermost first.
    public static func inline(_ text: String) -> String {
        var out = ""
        var rest = Substring(text)
        func between(_ mark: String) -> Substring? {
            guard rest.hasPrefix(mark) else { return nil }
            let inner = rest.dropFirst(mark.count)
            let maySpread = mark == "$$"
            guard let first = inner.first, maySpread || first != " ", let end = inner.place(of: mark),
                end.lowerBound > inner.startIndex,
                maySpread || inner[inner.index(before: end.lowerBound)] != " "
            else { return nil }
            rest = inner[end.upperBound...]
            return inner[..<end.lowerBound]
        }
        while let character = rest.first {
            let before = rest
            if let code = between("`") {
                out += "<code>\(HTML.escaped(String(code)))</code>"
            } else if let formula = between("$$") ?? between("$") {
                let isBlock = before.hasPrefix("$$")
                if let mathematics = MathML.text(String(formula), isBlock: isBlock) {
                    out += mathematics
                } else {  // as it was typed
                    out += HTML.escaped(String(before[..<rest.startIndex]))
                }
            } else if let strong = between("**") {
                out += "<strong>\(inline(String(strong)))</strong>"
            } else if let emphasis = between("*") {
                out += "<em>\(inline(String(emphasis)))</em>"
            } else if character == "[" || rest.hasPrefix("!["), let (label, target, after) = link(rest) {
                let safe = HTML.escaped(target)
                out +=
                    character == "!"
                    ? "<img src=\"\(safe)\" alt=\"\(HTML.escaped(label))\">"
                    : "<a href=\"\(safe)\">\(inline(label))</a>"
                rest = after
            } else {
                out += HTML.escaped(String(character))
                rest = rest.dropFirst()
            }
        }
        return out
    }

    /// Relative addresses, and those of schemes that run nothing.
    private static func isSafe(_ target: String) -> Bool {
        guard let colon = target.firstIndex(of: ":"), !target[..<colon].contains(where: { "/?#".contains($0) }) else {
            return true
        }
        let isPicture = ["png", "jpeg", "gif", "webp", "svg+xml"].contains {
            target.hasPrefix("data:image/\($0);base64,")
        }
        return isPicture || ["http", "https", "mailto"].contains(target[..<colon].lowercased())
    }

    private static func link(_ text: Substring) -> (label: String, target: String, after: Substring)? {
        let start = text.dropFirst(text.first == "!" ? 2 : 1)
        guard let close = start.place(of: "]("), let end = start[close.upperBound...].firstIndex(of: ")") else {
            return nil
        }
        let target = String(start[close.upperBound..<end])
        guard isSafe(target) else { return nil }
        return (String(start[..<close.lowerBound]), target, start[start.index(after: end)...])
    }
}

extension Substring {
    /// The first place of `needle`; Foundation has this, the standard library has not.
    fileprivate func place(of needle: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}
