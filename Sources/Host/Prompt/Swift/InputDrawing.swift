import BSSCore
import BSSLua
import Glibc

/// Draws an input over what was drawn of it before: in colours, with the bracket that belongs to the one at the cursor,
/// and behind it what an earlier input goes on with.
///
/// Readline reads the keys and edits; this is its redisplay function. Everything goes out in one write, rows are broken
/// here, and an input that is higher than the screen shows the part around the cursor.
struct InputDrawing {
    /// Earlier inputs, the latest last.
    var earlier: [String] = []
    /// Rows of the drawing above the cursor.
    private var above = 0

    private struct Cell {
        let text: Character
        let style: String
    }
    /// Rows of the screen, and where the cursor is in them.
    private struct Page {
        var rows: [[Cell]] = [[]]
        var used = 0
        var cursor = (row: 0, column: 0)
        let width: Int

        mutating func put(_ text: Character, _ style: String) {
            let size = Text.columns(text)
            if used + size > width { breakRow() }
            rows[rows.count - 1].append(Cell(text: text, style: style))
            used += size
        }
        mutating func breakRow() {
            rows.append([])
            used = 0
        }
        mutating func markCursor() {
            if used == width { breakRow() }
            cursor = (rows.count - 1, used)
        }
    }

    mutating func begin() { above = 0 }

    /// The rest of the latest input that begins with this one.
    func suggestion(_ text: String) -> String? {
        guard !text.isEmpty, !text.utf8.contains(0x0A) else { return nil }
        let found = earlier.last { $0.utf8.count > text.utf8.count && $0.hasPrefix(text) }
        return found.map { String(decoding: $0.utf8.dropFirst(text.utf8.count), as: UTF8.self) }
    }

    mutating func draw(_ prompt: String, _ text: String, cursor: Int, isSettled: Bool) {
        let display = Display.of(STDOUT_FILENO)
        var page = Page(width: max(20, display.columns))
        let label = InputDrawing.visible(prompt)
        for character in label { page.put(character, "1;32") }
        let margin = String(repeating: " ", count: max(0, page.used - 4)) + "..> "
        let styles = InputStyles(text, cursor: isSettled ? nil : cursor)
        var at = 0
        for character in text {
            if at == cursor { page.markCursor() }
            if character == "\n" {
                page.breakRow()
                for blank in margin { page.put(blank, "2") }
            } else {
                page.put(InputDrawing.shown(character), styles[at])
            }
            at += character.utf8.count
        }
        if at == cursor { page.markCursor() }
        if !isSettled, at == cursor, let rest = suggestion(text) {
            let line = rest.prefix { $0 != "\n" }
            for character in line + (line.count < rest.count ? "…" : "") {
                // One row of it is enough to see what it is.
                guard page.used + Text.columns(character) < page.width else { break }
                page.put(InputDrawing.shown(character), "90")
            }
        }
        write(page, rows: max(3, display.rows))
    }

    private mutating func write(_ page: Page, rows most: Int) {
        let count = min(page.rows.count, most - 1)
        let first = max(0, min(page.cursor.row - count / 2, page.rows.count - count))
        var out = "\u{1B}[?25l\r" + (above > 0 ? "\u{1B}[\(above)A" : "")
        for row in first..<first + count {
            out += InputDrawing.line(page.rows[row]) + "\u{1B}[K" + (row + 1 < first + count ? "\r\n" : "")
        }
        out += "\u{1B}[J\r"
        let below = first + count - 1 - page.cursor.row
        if below > 0 { out += "\u{1B}[\(below)A" }
        if page.cursor.column > 0 { out += "\u{1B}[\(page.cursor.column)C" }
        above = page.cursor.row - first
        fputs(out + "\u{1B}[?25h", stdout)
        fflush(stdout)
    }

    private static func line(_ cells: [Cell]) -> String {
        var out = ""
        var style = ""
        for cell in cells {
            if cell.style != style {
                out += (style.isEmpty ? "" : "\u{1B}[0m") + (cell.style.isEmpty ? "" : "\u{1B}[\(cell.style)m")
                style = cell.style
            }
            out.append(cell.text)
        }
        return out + (style.isEmpty ? "" : "\u{1B}[0m")
    }

    /// Tabs and control characters take one column.
    private static func shown(_ character: Character) -> Character {
        guard let value = character.unicodeScalars.first?.value else { return " " }
        return value == 9 ? " " : value < 32 || value == 127 ? "?" : character
    }

    /// A prompt without what takes no room: readline's marks and escape sequences.
    private static func visible(_ prompt: String) -> String {
        var out = ""
        var isHidden = false
        for scalar in prompt.unicodeScalars {
            switch scalar.value {
            case 1: isHidden = true
            case 2: isHidden = false
            default: if !isHidden { out.unicodeScalars.append(scalar) }
            }
        }
        return out
    }
}
