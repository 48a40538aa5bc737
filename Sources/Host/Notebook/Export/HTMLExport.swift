import BSSLua
import BSSCore
import BSSSession

/// One HTML page without anything from elsewhere: text, coloured code, outputs, figures.
public enum HTMLExport {
    public static func text(_ file: NotebookFile, title: String) -> String {
        var body: [String] = []
        var number = 0
        for cell in file.cells {
            switch cell.kind {
            case .markdown: body.append("<section class=\"text\">\n\(MarkdownToHTML.text(cell.source))</section>")
            case .raw: if !cell.source.isEmpty { body.append("<pre class=\"raw\">\(escaped(cell.source))</pre>") }
            case .code:
                if cell.source.isEmpty, cell.outputs.isEmpty { continue }
                number += 1
                body.append(
                    "<section class=\"cell\" id=\"cell-\(number)\">\n<pre class=\"code\"><code>\(coloured(cell.source))</code></pre>"
                )
                body += cell.outputs.map(output)
                body.append("</section>")
            }
        }
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src * data:; style-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(escaped(title))</title>
            <style>
            \(style)
            </style>
            </head>
            <body>
            \(body.joined(separator: "\n"))
            </body>
            </html>

            """
    }

    private static func output(_ output: CellOutput) -> String {
        if let svg = output.svg {
            // As an image: a stranger's drawing may hold scripts, and those of images never run.
            let data = MarkdownExport.base64(Array(svg.utf8))
            return "<figure><img src=\"data:image/svg+xml;base64,\(data)\" alt=\"\(escaped(output.text))\"></figure>"
        }
        let kind = output.kind == .error ? "error" : output.kind == .value ? "value" : "stream"
        return "<pre class=\"\(kind)\">\(escaped(output.text))</pre>"
    }

    private static let style = """
        body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; }
        pre { overflow-x: auto; padding: .6rem .8rem; margin: .4rem 0; font: 13px/1.45 ui-monospace, Menlo, Consolas, monospace; }
        pre.code { background: #f4f5f7; border-left: 3px solid #0072b2; }
        pre.value, pre.stream { border-left: 3px solid #ddd; }
        pre.error { border-left: 3px solid #d55e00; color: #a03000; }
        figure { margin: .6rem 0; } figure img { max-width: 100%; height: auto; }
        table { border-collapse: collapse; } td, th { border: 1px solid #ccc; padding: .2rem .6rem; }
        .k { color: #8250df; } .s { color: #0a6640; } .n { color: #0550ae; } .c { color: #6a737d; }
        """

    /// The code with keywords, strings, numbers and comments marked.
    static func coloured(_ code: String) -> String {
        let bytes = Array(code.utf8)
        var out = ""
        var done = 0
        func text(_ range: Range<Int>) -> String { escaped(String(decoding: bytes[range], as: UTF8.self)) }
        func gap(_ end: Int) {  // between tokens there are blanks and comments
            guard done < end else { return }
            let piece = text(done..<end)
            out += bytes[done..<end].contains(UInt8(ascii: "-")) ? "<span class=\"c\">\(piece)</span>" : piece
            done = end
        }
        for token in LuaLexer(code).tokens {
            gap(token.start)
            let mark = token.kind == .keyword ? "k" : token.kind == .string ? "s" : token.kind == .number ? "n" : nil
            out +=
                mark.map { "<span class=\"\($0)\">\(text(token.start..<token.end))</span>" }
                ?? text(token.start..<token.end)
            done = token.end
        }
        gap(bytes.count)
        return out
    }

    static func escaped(_ text: String) -> String {
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }
}

/// The part of Markdown that notes use: headings, paragraphs, lists, fenced code, tables, quotes, rules, emphasis,
/// code, links, images.
///
/// Source: CommonMark 0.31 (and the table extension of GitHub), in outline. Deviation: no nesting of lists, no raw
/// HTML.
enum MarkdownToHTML {
    static func text(_ source: String) -> String {
        var lines = source.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)[...]
        var out = ""
        var paragraph: [String] = []
        func flush() {
            if !paragraph.isEmpty { out += "<p>\(inline(paragraph.joined(separator: "\n")))</p>\n" }
            paragraph = []
        }
        while let line = lines.popFirst() {
            let bare = String(line.drop { $0 == " " })
            if bare.hasPrefix("```") {
                flush()
                let fence = String(bare.prefix { $0 == "`" })
                var code: [String] = []
                while let next = lines.popFirst(), !next.drop(while: { $0 == " " }).hasPrefix(fence) {
                    code.append(next)
                }
                out += "<pre class=\"code\"><code>\(HTMLExport.escaped(code.joined(separator: "\n")))</code></pre>\n"
            } else if bare.isEmpty {
                flush()
            } else if let level = heading(bare) {
                flush()
                out += "<h\(level)>\(inline(String(bare.dropFirst(level + 1))))</h\(level)>\n"
            } else if bare.count >= 3, Set(bare).isSubset(of: ["-"]) || Set(bare).isSubset(of: ["*"]) {
                flush()
                out += "<hr>\n"
            } else if let item = listItem(bare) {
                flush()
                var items = [item.text]
                while let next = lines.first {
                    let inner = String(next.drop { $0 == " " })
                    if let more = listItem(inner), more.isOrdered == item.isOrdered {
                        items.append(more.text)
                    } else if !inner.isEmpty, next.hasPrefix("  ") {
                        items[items.count - 1] += "\n" + inner
                    } else {
                        break
                    }
                    lines.removeFirst()
                }
                let tag = item.isOrdered ? "ol" : "ul"
                out += "<\(tag)>\n" + items.map { "<li>\(inline($0))</li>\n" }.joined() + "</\(tag)>\n"
            } else if bare.hasPrefix(">") {
                flush()
                var quoted = [String(bare.dropFirst())]
                while let next = lines.first, next.hasPrefix(">") {
                    quoted.append(String(next.dropFirst()))
                    lines.removeFirst()
                }
                out +=
                    "<blockquote>\n\(text(quoted.map { String($0.drop { $0 == " " }) }.joined(separator: "\n")))</blockquote>\n"
            } else if bare.hasPrefix("|"), let rule = lines.first, isRule(rule) {
                flush()
                lines.removeFirst()
                var rows = [bare]
                while let next = lines.first, next.drop(while: { $0 == " " }).hasPrefix("|") {
                    rows.append(String(next.drop { $0 == " " }))
                    lines.removeFirst()
                }
                out += "<table>\n" + rows.enumerated().map { row($1, $0 == 0 ? "th" : "td") }.joined() + "</table>\n"
            } else {
                paragraph.append(line)
            }
        }
        flush()
        return out
    }

    private static func heading(_ line: String) -> Int? {
        let level = line.prefix { $0 == "#" }.count
        return (1...6).contains(level) && line.dropFirst(level).first == " " ? level : nil
    }

    private static func listItem(_ line: String) -> (text: String, isOrdered: Bool)? {
        for sign in ["- ", "* ", "+ "] where line.hasPrefix(sign) { return (String(line.dropFirst(2)), false) }
        let digits = line.prefix { $0.isNumber }
        guard !digits.isEmpty, digits.count < 10, line.dropFirst(digits.count).hasPrefix(". ") else { return nil }
        return (String(line.dropFirst(digits.count + 2)), true)
    }

    private static func isRule(_ line: String) -> Bool {
        line.contains("-") && Set(line).isSubset(of: ["|", "-", ":", " "])
    }

    private static func row(_ line: String, _ tag: String) -> String {
        var cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst()
        if cells.last?.allSatisfy({ $0 == " " }) ?? false { cells = cells.dropLast() }
        return "<tr>" + cells.map { "<\(tag)>\(inline(String($0)))</\(tag)>" }.joined() + "</tr>\n"
    }

    /// Code, strong, emphasis, images and links, outermost first.
    static func inline(_ text: String) -> String {
        var out = ""
        var rest = Substring(text)
        func between(_ mark: String) -> Substring? {
            guard rest.hasPrefix(mark) else { return nil }
            let inner = rest.dropFirst(mark.count)
            guard let first = inner.first, first != " ", let end = inner.range(of: mark),
                end.lowerBound > inner.startIndex,
                inner[inner.index(before: end.lowerBound)] != " "
            else { return nil }
            rest = inner[end.upperBound...]
            return inner[..<end.lowerBound]
        }
        while let character = rest.first {
            if let code = between("`") {
                out += "<code>\(HTMLExport.escaped(String(code)))</code>"
            } else if let strong = between("**") {
                out += "<strong>\(inline(String(strong)))</strong>"
            } else if let emphasis = between("*") {
                out += "<em>\(inline(String(emphasis)))</em>"
            } else if character == "[" || rest.hasPrefix("!["), let (label, target, after) = link(rest) {
                let safe = HTMLExport.escaped(target)
                out +=
                    character == "!"
                    ? "<img src=\"\(safe)\" alt=\"\(HTMLExport.escaped(label))\">"
                    : "<a href=\"\(safe)\">\(inline(label))</a>"
                rest = after
            } else {
                out += HTMLExport.escaped(String(character))
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
        guard let close = start.range(of: "]("), let end = start[close.upperBound...].firstIndex(of: ")") else {
            return nil
        }
        let target = String(start[close.upperBound..<end])
        guard isSafe(target) else { return nil }
        return (String(start[..<close.lowerBound]), target, start[start.index(after: end)...])
    }
}

extension Substring {
    /// The first place of `needle`; Foundation has this, the standard library has not.
    fileprivate func range(of needle: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}
