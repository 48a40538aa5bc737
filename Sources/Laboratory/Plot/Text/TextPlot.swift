import BSSCore

extension Figure {
    /// The drawing as text: the same figure and display give the same characters.
    ///
    /// - Parameter rows: Lines of the drawing area; of bars and boxes there are as many as the data needs.
    /// - Throws: what `check` throws.
    public func text(on display: Display, rows: Int? = nil) throws -> String {
        try check()
        var plot = TextPlot(self, display, rows: rows)
        return plot.render()
    }
}

/// A figure on its way to lines of text.
struct TextPlot {
    let figure: Figure
    let display: Display
    let width: Int
    let rows: Int
    private(set) var lines: [String] = []
    /// Notes of the drawing itself, after the figure's own.
    var notes: [String]

    init(_ figure: Figure, _ display: Display, rows: Int?) {
        self.figure = figure
        self.display = display
        width = max(display.columns, 24)
        self.rows = max(3, rows ?? min(15, max(6, display.rows - 8)))
        notes = figure.notes
    }

    mutating func render() -> String {
        if !figure.title.isEmpty { append(centred(shortened(plain(figure.title), to: width))) }
        switch figure.kind {
        case .line, .scatter: curves()
        case .histogram: histogram()
        case .bar: bars()
        case .box: boxes()
        case .heatmap: heatmap()
        case .forest: forest()
        }
        for note in notes { for line in wrapped(plain(note)) { append(line) } }
        return lines.joined(separator: "\n")
    }

    // MARK: Words

    /// Text for this display: one line, without control characters, in ASCII where nothing else is shown.
    func plain(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
                out += " "
            } else if display.isUnicode || scalar.isASCII {
                out.unicodeScalars.append(scalar)
            } else {
                out +=
                    [
                        "±": "+-", "–": "-", "—": "-", "…": "..", "×": "x", "≤": "<=", "≥": ">=", "−": "-", "“": "\"",
                        "”": "\"", "’": "'", "→": "->",
                    ][scalar] ?? "?"
            }
        }
        return out
    }

    func shortened(_ text: String, to limit: Int) -> String {
        Text.cut(text, to: limit, mark: display.isUnicode ? "…" : "~")
    }

    func padded(_ text: String, to columns: Int, right: Bool = false) -> String {
        let blank = String(repeating: " ", count: max(0, columns - Text.columns(text)))
        return right ? blank + text : text + blank
    }

    private func centred(_ text: String) -> String {
        String(repeating: " ", count: max(0, (width - Text.columns(text)) / 2)) + text
    }

    private func wrapped(_ text: String) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, Text.columns(line) + 1 + Text.columns(String(word)) > width {
                lines.append(line)
                line = "  "
            }
            line += (line.isEmpty || line == "  " ? "" : " ") + shortened(String(word), to: width - 2)
        }
        return line.isEmpty ? lines : lines + [line]
    }

    mutating func append(_ line: String) { lines.append(line) }
    mutating func append(_ grid: TextGrid) { lines += grid.lines(display) }

    // MARK: Series

    private static let marks: [Character] = ["●", "○", "■", "□", "▲", "△", "◆", "◇"]
    private static let plainMarks: [Character] = ["*", "o", "+", "x", "#", "@", "%", "&"]
    private static let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

    /// The sign of a series: eight shapes, letters if there are more series than shapes.
    func mark(_ series: Int) -> Character {
        if figure.series.count > 8 { return TextPlot.letters[max(series, 0) % TextPlot.letters.count] }
        return (display.isUnicode ? TextPlot.marks : TextPlot.plainMarks)[max(series, 0) % 8]
    }

    /// A single series is a plain line or area, without signs.
    private func legendMark(_ series: Int) -> Character {
        guard figure.series.count == 1, display.isUnicode else { return mark(series) }
        return figure.kind == .line ? "─" : figure.kind == .histogram ? "█" : mark(series)
    }

    /// Sign and name of every series, as many in a line as fit.
    mutating func legend(indent: Int) {
        guard figure.hasLegend else { return }
        let entries = figure.series.enumerated().map { k, one in
            (text: "\(legendMark(k)) " + shortened(plain(one.name), to: max(8, (width - indent) / 2)), series: k)
        }
        var grid = TextGrid(columns: width, rows: 1)
        var column = indent
        for entry in entries {
            let size = Text.columns(entry.text)
            if column > indent, column + size > width {
                append(grid)
                (grid, column) = (TextGrid(columns: width, rows: 1), indent)
            }
            grid.put(entry.text, 0, column, ink: entry.series + 1)
            column += size + 3
        }
        append(grid)
    }
}
