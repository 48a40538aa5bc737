import BSSCore

extension Markdown {
    /// Lines that are read as blocks from the top.
    struct Blocks {
        var lines: ArraySlice<String>
        private var out = ""
        private var paragraph: [String] = []
        private var paragraphs = 0

        init(lines: ArraySlice<String>) { self.lines = lines }

        mutating func html() -> String {
            while let line = lines.popFirst() {
                let bare = String(line.drop { $0 == " " })
                if bare.isEmpty {
                    flush()
                } else if bare.hasPrefix("```") {
                    code(fence: String(bare.prefix { $0 == "`" }))
                } else if let heading = Markdown.heading(bare) {
                    flush()
                    let tag = "h\(heading.level)"
                    out += "<\(tag) id=\"\(heading.anchor)\">\(Markdown.inline(heading.text))</\(tag)>\n"
                } else if bare.count >= 3, bare.allSatisfy({ $0 == "-" }) || bare.allSatisfy({ $0 == "*" }) {
                    flush()
                    out += "<hr>\n"
                } else if let item = Item(line) {
                    list(item)
                } else if bare.hasPrefix(">") {
                    quote(bare)
                } else if bare.hasPrefix("|"), let rule = lines.first, Blocks.isRule(rule) {
                    table(bare)
                } else {
                    paragraph.append(line)
                }
            }
            flush()
            return out
        }

        private mutating func flush() {
            guard !paragraph.isEmpty else { return }
            out += "<p>\(Markdown.inline(paragraph.joined(separator: "\n")))</p>\n"
            paragraph = []
            paragraphs += 1
        }

        private mutating func code(fence: String) {
            flush()
            var code: [String] = []
            while let next = lines.popFirst(), !next.drop(while: { $0 == " " }).hasPrefix(fence) { code.append(next) }
            out += "<pre class=\"code\"><code>\(HTML.escaped(code.joined(separator: "\n")))</code></pre>\n"
        }

        private mutating func quote(_ first: String) {
            flush()
            var quoted = [first.dropFirst()]
            while let next = lines.first, next.hasPrefix(">") {
                quoted.append(next.dropFirst())
                lines.removeFirst()
            }
            var inner = Blocks(lines: quoted.map { String($0.drop { $0 == " " }) }[...])
            out += "<blockquote>\n\(inner.html())</blockquote>\n"
        }

        // MARK: Lists

        /// A line that begins an entry: `- text`, `3. text`.
        private struct Item {
            let isOrdered: Bool
            /// Columns before its text; what belongs to the entry is indented as far.
            let indent: Int
            let text: String

            init?(_ line: String) {
                let blanks = line.prefix { $0 == " " }.count
                let bare = line.dropFirst(blanks)
                let digits = bare.prefix { $0.isASCII && $0.isNumber }
                if let sign = bare.first, "-*+".contains(sign), bare.dropFirst().first == " " {
                    (isOrdered, indent, text) = (false, blanks + 2, String(bare.dropFirst(2)))
                } else if !digits.isEmpty, digits.count < 10, bare.dropFirst(digits.count).hasPrefix(". ") {
                    let width = digits.count + 2
                    (isOrdered, indent, text) = (true, blanks + width, String(bare.dropFirst(width)))
                } else {
                    return nil
                }
            }
        }

        private mutating func list(_ first: Item) {
            flush()
            let tag = first.isOrdered ? "ol" : "ul"
            out += "<\(tag)>\n"
            var item: Item? = first
            while let current = item {
                item = nil
                var inside = [current.text]
                while let next = lines.first {
                    let blanks = next.prefix { $0 == " " }.count
                    if blanks == next.count, !followsInside(current.indent) { break }
                    if blanks != next.count, blanks < min(current.indent, 2) || Item(next) != nil,
                        blanks < current.indent
                    {
                        break
                    }
                    inside.append(String(next.dropFirst(min(blanks, current.indent))))
                    lines.removeFirst()
                }
                var inner = Blocks(lines: inside[...])
                out += "<li>\(inner.entry())</li>\n"
                if let next = lines.first, let more = Item(next), more.isOrdered == first.isOrdered {
                    item = more
                    lines.removeFirst()
                }
            }
            out += "</\(tag)>\n"
        }

        /// Whether something indented comes after the blank lines.
        private func followsInside(_ indent: Int) -> Bool {
            guard let next = lines.first(where: { !$0.allSatisfy { $0 == " " } }) else { return false }
            return next.prefix { $0 == " " }.count >= indent
        }

        /// The lines as an entry of a list: one that begins with its only paragraph needs no marks around it.
        private mutating func entry() -> String {
            let html = html()
            guard paragraphs == 1, html.hasPrefix("<p>"),
                let end = html.indices.first(where: { html[$0...].hasPrefix("</p>") })
            else { return html }
            let start = html.index(html.startIndex, offsetBy: 3)
            return String(html[start..<end]) + html[html.index(end, offsetBy: 4)...].drop { $0 == "\n" }
        }

        // MARK: Tables

        private static func isRule(_ line: String) -> Bool {
            line.contains("-") && line.allSatisfy { "|-: ".contains($0) }
        }

        private mutating func table(_ head: String) {
            flush()
            lines.removeFirst()
            var rows = [head]
            while let next = lines.first, next.drop(while: { $0 == " " }).hasPrefix("|") {
                rows.append(String(next.drop { $0 == " " }))
                lines.removeFirst()
            }
            let cells = rows.enumerated().map { Blocks.row($1, $0 == 0 ? "th" : "td") }
            out += "<table>\n\(cells.joined())</table>\n"
        }

        private static func row(_ line: String, _ tag: String) -> String {
            var cells: [String] = [""]
            var isCode = false
            for character in line.dropFirst() {
                if character == "`" { isCode.toggle() }
                if character == "|", !isCode { cells.append("") } else { cells[cells.count - 1].append(character) }
            }
            if cells.last?.allSatisfy({ $0 == " " }) ?? false { cells.removeLast() }
            let marked = cells.map { cell -> String in
                let text = String(cell.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
                return "<\(tag)>\(Markdown.inline(text))</\(tag)>"
            }
            return "<tr>\(marked.joined())</tr>\n"
        }
    }
}

extension Substring {
    fileprivate func contains(_ needle: String) -> Bool { indices.contains { self[$0...].hasPrefix(needle) } }
}
