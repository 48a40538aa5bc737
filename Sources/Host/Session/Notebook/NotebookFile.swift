import BSSCore
import BSSLua

/// A notebook in the percent format: a Lua file that any `lua` runs, cut into cells by comment lines.
///
/// ```lua
/// -- %% [markdown]
/// -- # Balance scores
/// -- %%
/// x = 6 * 7
/// _ = x
/// --> 42
/// --= {"kind":"integer","value":42}
/// ```
/// Outputs are comments: `--> ` what a reader sees, `--= ` the same as a typed value for `nb check`, `--~ ` a drawing
/// (SVG). Marker lines inside long strings and comments are code.
///
/// Source: the percent format of jupytext (Wouts) and Spyder; the output comments are ours.
public struct NotebookFile: Equatable {
    public enum Kind: String { case code, markdown, raw }

    public struct Cell: Equatable {
        public var kind: Kind
        /// What follows `-- %%` on the marker line, the cell type included; `nil`: code before the first marker.
        public var header: String?
        /// Code as it runs; for text cells the text without comment signs.
        public var source: String { didSet { verbatim = nil } }
        public var outputs: [CellOutput] = [] { didSet { verbatim = nil } }
        /// The lines below the marker as they were read, until something changes.
        fileprivate var verbatim: [String]?
        /// The number of the first line of the source in its file, from 1.
        public internal(set) var line = 1
        /// What errors call it where it is no lines of a file: `book.ipynb, cell 3`.
        public var place: String?
        /// What Jupyter's format says of it beside all this.
        public var origin: Origin?

        public struct Origin {
            public let id: String?
            public let metadata: Table
            public let attachments: Value?

            public init(id: String?, metadata: Table, attachments: Value?) {
                (self.id, self.metadata, self.attachments) = (id, metadata, attachments)
            }
        }

        public init(_ kind: Kind = .code, header: String? = nil, source: String, outputs: [CellOutput] = []) {
            self.kind = kind
            self.header = header ?? (kind == .code ? "" : " [\(kind.rawValue)]")
            self.source = source
            self.outputs = outputs
        }

        /// Words in `tags=[…]` of the marker line.
        public var tags: [String] {
            guard let header, let open = Bytes.find("tags=[", in: header) else { return [] }
            let rest = header.utf8.dropFirst(open + 6).prefix { $0 != UInt8(ascii: "]") }
            return String(decoding: rest, as: UTF8.self).split(separator: ",").map {
                $0.filter { $0 != "\"" && $0 != " " && $0 != "'" }
            }
        }

        public static func == (a: Cell, b: Cell) -> Bool {
            a.kind == b.kind && a.header == b.header && a.source == b.source && a.outputs == b.outputs
        }
    }

    public var cells: [Cell]
    /// Of a notebook in Jupyter's format.
    public var metadata: Table?
    /// `"\r\n"` if the file uses it.
    private var lineEnd = "\n"

    public init(cells: [Cell] = []) { self.cells = cells }

    public static func == (a: NotebookFile, b: NotebookFile) -> Bool {
        a.cells == b.cells && a.lineEnd == b.lineEnd
    }

    /// Code cells with something in them, by position in `cells`.
    public var codeCells: [Int] {
        cells.indices.filter { cells[$0].kind == .code && !CellParser.names(in: cells[$0].source).isEmpty }
    }

    // MARK: Reading

    public init(reading path: String) throws { self = NotebookFile.parse(try Files.readText(path)) }

    /// Every text is a notebook: one without markers is a single cell.
    public static func parse(_ text: String) -> NotebookFile {
        let lines = text.utf8.split(separator: 10, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        let isInside = linesInsideLongStretches(text)
        var file = NotebookFile()
        if lines.count > 1, lines.dropLast().allSatisfy({ $0.utf8.last == 13 }) { file.lineEnd = "\r\n" }
        var header: String?
        var start = 0
        func close(_ end: Int) {
            if header == nil, end == start { return }
            file.cells.append(cell(header, Array(lines[start..<end]), firstLine: start, isInside))
        }
        for (i, line) in lines.enumerated() where !isInside[i] {
            guard let rest = marker(line) else { continue }
            close(i)
            header = file.lineEnd == "\n" ? rest : withoutReturn(rest)
            start = i + 1
        }
        close(lines.count)
        return file
    }

    /// Stands at the head of `header` for a marker without the blank, so that it is written as it was.
    fileprivate static let tight = "\u{0}"

    /// What follows `-- %%`, or nil.
    private static func marker(_ line: String) -> String? {
        for sign in ["-- %%", "--%%"] where line.utf8.starts(with: sign.utf8) {
            let rest = line.utf8.dropFirst(sign.utf8.count)
            if let next = rest.first, ![32, 9, 13].contains(next) { return nil }
            return (sign == "--%%" ? tight : "") + String(decoding: rest, as: UTF8.self)
        }
        return nil
    }

    /// For every line: whether it starts within a string or comment of several lines.
    private static func linesInsideLongStretches(_ text: String) -> [Bool] {
        let bytes = Array(text.utf8)
        var stretches = LuaLexer(text).longStretches[...]
        var inside: [Bool] = [false]
        for (i, byte) in bytes.enumerated() where byte == 10 {
            while let first = stretches.first, first.upperBound <= i + 1 { stretches.removeFirst() }
            inside.append(stretches.first.map { $0.lowerBound < i + 1 } ?? false)
        }
        return inside
    }

    private static func cell(_ header: String?, _ lines: [String], firstLine: Int, _ isInside: [Bool]) -> Cell {
        let words = header ?? ""
        let kind: Kind =
            Bytes.find("[markdown]", in: words) != nil || Bytes.find("[md]", in: words) != nil
            ? .markdown : Bytes.find("[raw]", in: words) != nil ? .raw : .code
        var cell = Cell(kind, source: "")
        cell.header = header
        let plain = lines.map(withoutReturn)
        if kind == .code {
            var code: [String] = []
            var outputs = OutputReader()
            for (i, line) in plain.enumerated() where isInside[firstLine + i] || !outputs.take(line) {
                code.append(line)
            }
            while let last = code.last, last.allSatisfy({ $0 == " " || $0 == "\t" }) { code.removeLast() }
            cell.source = code.joined(separator: "\n")
            cell.outputs = outputs.finish()
        } else {
            cell.source = text(of: plain)
        }
        cell.line = firstLine + 1
        cell.verbatim = lines
        return cell
    }

    /// Text of comment lines: `-- ` or `--` taken off, or the inside of one long comment.
    private static func text(of lines: [String]) -> String {
        var lines = lines
        while let last = lines.last, last.isEmpty { lines.removeLast() }
        if let first = lines.first, let last = lines.last, first.hasPrefix("--[["), last.hasSuffix("]]") {
            let whole = lines.joined(separator: "\n")
            return trimmedNewlines(String(whole.dropFirst(4).dropLast(2)))
        }
        return lines.map {
            $0.hasPrefix("-- ") ? String($0.dropFirst(3)) : $0.hasPrefix("--") ? String($0.dropFirst(2)) : $0
        }.joined(separator: "\n")
    }

    private static func withoutReturn(_ line: String) -> String {
        line.utf8.last == 13 ? String(decoding: line.utf8.dropLast(), as: UTF8.self) : line
    }

    private static func trimmedNewlines(_ text: String) -> String {
        String(text.drop { $0 == "\n" }.reversed().drop { $0 == "\n" }.reversed())
    }

    // MARK: Writing

    /// The file's text; what `parse` gave and nobody changed comes out byte for byte.
    public func text() -> String {
        var lines: [String] = []
        let end = lineEnd == "\r\n" ? "\r" : ""
        for (i, cell) in cells.enumerated() {
            if let marker = cell.marker { lines.append(marker + end) }
            if let verbatim = cell.verbatim {
                lines += verbatim
            } else {
                lines += cell.rendered().map { $0 + end }
                lines.append(i == cells.count - 1 ? "" : end)
            }
        }
        return lines.joined(separator: "\n")
    }

    /// The text as a chunk of Lua: a last expression of a cell becomes `_ = …`, and so do calls where some cell reads
    /// `_`; nil: there is nothing to change.
    package static func withAssignedResults(_ bytes: [UInt8]) -> [UInt8]? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard Bytes.find("%%", in: text) != nil else { return nil }
        var file = parse(text)
        let names = file.cells.map { $0.kind == .code ? CellParser.names(in: $0.source) : CellNames() }
        let forms: [CellResult.Form] =
            names.contains { $0.reads.contains("_") } ? [.expressions, .call] : [.expressions]
        var found = false
        for i in file.cells.indices {
            guard let result = names[i].result, forms.contains(result.form), let verbatim = file.cells[i].verbatim
            else { continue }
            // Lines keep their numbers: outputs are comments, and stay.
            let source = result.assigned(in: file.cells[i].source)
            let lines = source.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            file.cells[i].verbatim = lines + verbatim.dropFirst(lines.count)
            found = true
        }
        return found ? Array(file.text().utf8) : nil
    }

    public func write(to path: String) throws { try Files.write(text(), to: path) }
}

extension NotebookFile.Cell {
    fileprivate var marker: String? {
        header.map { $0.hasPrefix(NotebookFile.tight) ? "--%%" + $0.dropFirst() : "-- %%" + $0 }
    }

    /// The lines below the marker, without the blank line that ends a cell.
    fileprivate func rendered() -> [String] {
        var lines =
            source.isEmpty ? [] : source.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if kind != .code { return lines.map { $0.isEmpty ? "--" : "-- " + $0 } }
        lines += outputs.flatMap(\.lines)
        return lines
    }

    /// A cell's text as it stands in a file, marker included: what a session log appends.
    public var logText: String { ([marker ?? "-- %%"] + rendered() + ["", ""]).joined(separator: "\n") }
}
