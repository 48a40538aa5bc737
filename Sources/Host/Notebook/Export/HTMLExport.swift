import BSSCore
import BSSLua
import BSSSession

/// One HTML page without anything from elsewhere: contents, text, coloured code, numbered cells, outputs, figures.
public enum HTMLExport {
    public static func text(_ file: NotebookFile, title: String) -> String {
        HTML.page(title: title, body: contents(of: file) + body(of: file))
    }

    /// The cells.
    public static func body(of file: NotebookFile) -> String {
        var blocks: [String] = []
        var number = 0
        for cell in file.cells {
            switch cell.kind {
            case .markdown: blocks.append("<section class=\"text\">\n\(Markdown.html(cell.source))</section>")
            case .raw:
                if !cell.source.isEmpty { blocks.append("<pre class=\"raw\">\(HTML.escaped(cell.source))</pre>") }
            case .code:
                if cell.source.isEmpty, cell.outputs.isEmpty { continue }
                number += 1
                blocks.append("<section class=\"cell\" id=\"cell-\(number)\">")
                blocks.append("<a class=\"number\" href=\"#cell-\(number)\">[\(number)]</a>")
                blocks.append("<pre class=\"code\"><code>\(coloured(cell.source))</code></pre>")
                blocks += cell.outputs.map(output)
                blocks.append("</section>")
            }
        }
        return blocks.joined(separator: "\n")
    }

    /// A list of the headings below the first level, if there are several.
    private static func contents(of file: NotebookFile) -> String {
        let headings = file.cells.filter { $0.kind == .markdown }.flatMap { Markdown.headings($0.source) }
            .filter { $0.level > 1 }
        guard headings.count > 2 else { return "" }
        let rows = headings.map { heading in
            let indent = heading.level > 2 ? " style=\"margin-left: \(heading.level - 2)rem\"" : ""
            return "<li\(indent)><a href=\"#\(heading.anchor)\">\(Markdown.inline(heading.text))</a></li>"
        }
        return "<nav class=\"contents\" aria-label=\"Contents\"><ul>\n\(rows.joined(separator: "\n"))\n</ul></nav>\n"
    }

    private static func output(_ output: CellOutput) -> String {
        if let svg = output.svg {
            // As an image: a stranger's drawing may hold scripts, and those of images never run.
            let data = Text.base64(Array(svg.utf8))
            let alternative = HTML.escaped(output.alternative)
            return "<figure><img src=\"data:image/svg+xml;base64,\(data)\" alt=\"\(alternative)\"></figure>"
        }
        let kind = output.kind == .error ? "error" : output.kind == .value ? "value" : "stream"
        return "<pre class=\"\(kind)\">\(HTML.escaped(output.text))</pre>"
    }

    /// The code with keywords, strings, numbers and comments marked.
    public static func coloured(_ code: String) -> String {
        let bytes = Array(code.utf8)
        var out = ""
        var done = 0
        func text(_ range: Range<Int>) -> String { HTML.escaped(String(decoding: bytes[range], as: UTF8.self)) }
        /// What stands before a marked token: blanks, comments, names and signs.
        func plain(upTo end: Int) {
            out += text(done..<end)
            done = end
        }
        func marked(_ mark: String, _ range: Range<Int>) {
            plain(upTo: range.lowerBound)
            out += "<span class=\"\(mark)\">\(text(range))</span>"
            done = range.upperBound
        }
        var last = 0
        for token in LuaLexer(code).tokens {
            if let comment = bytes[last..<token.start].firstIndex(of: UInt8(ascii: "-")) {
                marked("c", comment..<token.start)
            }
            let mark = token.kind == .keyword ? "k" : token.kind == .string ? "s" : token.kind == .number ? "n" : nil
            if let mark { marked(mark, token.start..<token.end) }
            last = token.end
        }
        if last < bytes.count, let comment = bytes[last...].firstIndex(of: UInt8(ascii: "-")) {
            marked("c", comment..<bytes.count)
        }
        plain(upTo: bytes.count)
        return out
    }
}
