import BSSCore

/// A percent-format Lua file: `-- %%` starts a code cell, `-- %% [markdown]` a text cell, `--> ` lines are the
/// outputs of the cell above them. The file runs unchanged as a script.
public struct Notebook {
    public enum Kind { case code, markdown }

    public struct Section {
        public var kind: Kind
        /// The marker line as it stands, nil for what comes before the first.
        var marker: String?
        /// Code, or text without its comment marks.
        public var text: String
        /// Recorded outputs, without `--> `.
        public var output: [String] = []
        /// First line of the text in the file, from 1.
        public let line: Int

        /// Nothing to run: blanks and comments.
        public var isEmpty: Bool { kind == .code && LuaLexer.tokens(text).isEmpty }
    }

    public var sections: [Section] = []

    public init(_ text: String) {
        var section = Section(kind: .code, marker: nil, text: "", line: 1)
        var lines: [String] = []
        func close() {
            while let last = lines.last, last.trimmed.isEmpty { lines.removeLast() }
            while let first = lines.first, first.trimmed.isEmpty { lines.removeFirst() }
            section.text = lines.joined(separator: "\n")
            if section.marker != nil || !section.text.isEmpty { sections.append(section) }
            lines = []
        }
        for (i, line) in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).enumerated() {
            if line.hasPrefix("-- %%") {
                close()
                section = Section(kind: line.range(of: "[markdown]") != nil ? .markdown : .code, marker: line, text: "", line: i + 2)
            } else if section.kind == .code, line.hasPrefix("-->") {
                section.output.append(String(line.dropFirst(line.hasPrefix("--> ") ? 4 : 3)))
            } else if section.kind == .markdown {
                lines.append(line.hasPrefix("-- ") ? String(line.dropFirst(3)) : line == "--" ? "" : line)
            } else {
                lines.append(line)
            }
        }
        close()
    }

    /// The file again, with the outputs that the sections hold now.
    public var text: String {
        sections.map { section in
            var out = section.marker.map { $0 + "\n" } ?? ""
            if section.kind == .markdown {
                out += section.text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "--\n" : "-- \($0)\n" }.joined()
            } else {
                out += section.text + "\n" + section.output.map { $0.isEmpty ? "-->\n" : "--> \($0)\n" }.joined()
            }
            return out
        }.joined(separator: "\n")
    }
}
