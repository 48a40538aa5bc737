import BSSCore

/// A block of characters with colours.
struct TextGrid {
    struct Cell {
        /// Empty behind a wide character.
        var text = " "
        /// Series number + 1; 0 for the default colour.
        var ink: Int = 0
        /// Number of a 256-colour shade behind the character.
        var paper: Int?
        var paperInk: Int?
    }

    let columns: Int
    private(set) var rows: [[Cell]]

    init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = Array(repeating: Array(repeating: Cell(), count: columns), count: rows)
    }

    subscript(row: Int, column: Int) -> Cell {
        get { rows[row][column] }
        set { if rows.indices.contains(row), (0..<columns).contains(column) { rows[row][column] = newValue } }
    }

    /// Writes `text` from `column` on; what does not fit is cut.
    mutating func put(_ text: String, _ row: Int, _ column: Int, ink: Int = 0) {
        guard rows.indices.contains(row) else { return }
        var at = column
        for character in text {
            let width = Text.columns(character)
            if width == 0 { continue }
            guard at >= 0, at + width <= columns else {
                at += width
                continue
            }
            rows[row][at] = Cell(text: String(character), ink: ink)
            if width == 2 { rows[row][at + 1] = Cell(text: "", ink: ink) }
            at += width
        }
    }

    /// The lines, without blanks at their ends.
    func lines(_ display: Display) -> [String] { rows.map { TextGrid.line($0, display) } }

    private static func line(_ cells: [Cell], _ display: Display) -> String {
        let end = (cells.lastIndex { $0.text != " " || ($0.paper != nil && display.colours > 0) } ?? -1) + 1
        guard display.colours > 0 else { return cells[..<end].map(\.text).joined() }
        var out = ""
        var style = ""
        for cell in cells[..<end] {
            let wanted = code(cell, display)
            if wanted != style {
                out += (style.isEmpty ? "" : "\u{1B}[0m") + wanted
                style = wanted
            }
            out += cell.text
        }
        return out + (style.isEmpty ? "" : "\u{1B}[0m")
    }

    private static let basic = [34, 31, 32, 35, 33, 36, 39, 93]
    /// The nearest of 256 to `Figure.palette`; the black of paper is the terminal's own text colour.
    private static let full = ["38;5;32", "38;5;166", "38;5;36", "38;5;175", "38;5;214", "38;5;74", "39", "38;5;227"]

    private static func code(_ cell: Cell, _ display: Display) -> String {
        if let paper = cell.paper { return "\u{1B}[48;5;\(paper)" + (cell.paperInk.map { ";38;5;\($0)" } ?? "") + "m" }
        guard cell.ink > 0 else { return "" }
        let k = (cell.ink - 1) % 8
        return "\u{1B}[" + (display.colours >= 256 ? full[k] : String(basic[k])) + "m"
    }
}

/// Points and lines on a grid of dots: 2 × 4 dots a character with Braille, one with ASCII.
struct DotCanvas {
    let columns: Int
    let rows: Int
    private let dotsX: Int
    private let dotsY: Int
    private let isUnicode: Bool
    var width: Int { columns * dotsX }
    var height: Int { rows * dotsY }
    private var bits: [UInt8]
    private var owner: [Int]

    init(columns: Int, rows: Int, isUnicode: Bool) {
        self.columns = columns
        self.rows = rows
        self.isUnicode = isUnicode
        (dotsX, dotsY) = isUnicode ? (2, 4) : (1, 1)
        bits = Array(repeating: 0, count: columns * rows)
        owner = Array(repeating: -1, count: columns * rows)
    }

    /// The dot of a place; off the canvas for places outside 0 … 1.
    func dot(_ place: Figure.Place) -> (x: Int, y: Int) {
        func limited(_ value: Double) -> Int { Int(saturating: min(max(value.rounded(), -1e6), 1e6)) }
        return (limited(place.x * Double(width - 1)), limited((1 - place.y) * Double(height - 1)))
    }

    func cell(_ place: Figure.Place) -> (row: Int, column: Int)? {
        let (x, y) = dot(place)
        return (0..<width).contains(x) && (0..<height).contains(y) ? (y / dotsY, x / dotsX) : nil
    }

    mutating func set(_ x: Int, _ y: Int, series: Int) {
        guard x >= 0, y >= 0, x < width, y < height else { return }
        let cell = y / dotsY * columns + x / dotsX
        // Braille numbers its dots down the columns, with the fourth row added later.
        bits[cell] |= isUnicode ? [0x01, 0x02, 0x04, 0x40, 0x08, 0x10, 0x20, 0x80][x % 2 * 4 + y % 4] : 1
        owner[cell] = series
    }

    mutating func path(_ places: [Figure.Place], series: Int) {
        if places.count == 1 {
            let (x, y) = dot(places[0])
            set(x, y, series: series)
        }
        for (a, b) in zip(places, places.dropFirst()) {
            guard let (a, b) = DotCanvas.clipped(a, b) else { continue }
            line(dot(a), dot(b), series: series)
        }
    }

    /// Bresenham's line.
    private mutating func line(_ a: (x: Int, y: Int), _ b: (x: Int, y: Int), series: Int) {
        let dx = abs(b.x - a.x)
        let dy = -abs(b.y - a.y)
        let sx = a.x < b.x ? 1 : -1
        let sy = a.y < b.y ? 1 : -1
        var (x, y) = a
        var error = dx + dy
        while true {
            set(x, y, series: series)
            if x == b.x && y == b.y { return }
            let twice = 2 * error
            if twice >= dy {
                error += dy
                x += sx
            }
            if twice <= dx {
                error += dx
                y += sy
            }
        }
    }

    /// The part of a segment inside the unit square (Liang and Barsky 1984), or nil.
    static func clipped(_ a: Figure.Place, _ b: Figure.Place) -> (Figure.Place, Figure.Place)? {
        let dx = b.x - a.x
        let dy = b.y - a.y
        var from = 0.0
        var to = 1.0
        for (p, q) in [(-dx, a.x), (dx, 1 - a.x), (-dy, a.y), (dy, 1 - a.y)] {
            if p == 0 { if q < 0 { return nil } else { continue } }
            let t = q / p
            if p < 0 { from = max(from, t) } else { to = min(to, t) }
            if from > to { return nil }
        }
        return (Figure.Place(x: a.x + from * dx, y: a.y + from * dy), Figure.Place(x: a.x + to * dx, y: a.y + to * dy))
    }

    /// A thin pattern between two curves.
    mutating func shade(_ low: [Figure.Place], _ high: [Figure.Place], series: Int) {
        guard low.count == high.count else { return }
        func height(_ curve: [Figure.Place], at x: Double, _ k: Int) -> Double {
            let a = curve[k]
            let b = curve[k + 1]
            return b.x == a.x ? a.y : a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x)
        }
        let step = isUnicode ? 2 : 1
        for k in 0..<max(0, low.count - 1) {
            for x in stride(from: 0, to: width, by: step) {
                let at = Double(x) / Double(max(width - 1, 1))
                guard at >= low[k].x, at <= low[k + 1].x else { continue }
                let top = dot(Figure.Place(x: at, y: height(high, at: at, k))).y
                let bottom = dot(Figure.Place(x: at, y: height(low, at: at, k))).y
                guard max(top, 0) <= min(bottom, self.height - 1) else { continue }
                for y in max(top, 0)...min(bottom, self.height - 1) where !isUnicode || y % 4 == (x / 2 % 2) * 2 {
                    set(x, y, series: series)
                }
            }
        }
    }

    /// Copies the drawing into a grid, its top left corner at `row`, `column`.
    func draw(on grid: inout TextGrid, row: Int, column: Int, mark: (Int) -> Character) {
        for r in 0..<rows {
            for c in 0..<columns where bits[r * columns + c] != 0 {
                let cell = r * columns + c
                // Braille patterns: U+2800 and eight bits.
                let dots = isUnicode ? Unicode.Scalar(0x2800 + UInt32(bits[cell])).map(Character.init) : nil
                let text = String(dots ?? mark(owner[cell]))
                grid[row + r, column + c] = TextGrid.Cell(text: text, ink: owner[cell] + 1)
            }
        }
    }
}
