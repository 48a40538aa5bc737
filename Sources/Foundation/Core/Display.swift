import Glibc

/// What text may look like where it goes: width, character set, colours.
public struct Display: Equatable {
    public enum ColourChoice: String, CaseIterable, Sendable { case auto, always, never }

    /// `--color`
    nonisolated(unsafe) public static var colourChoice = ColourChoice.auto

    public var columns: Int
    public var rows: Int
    /// Characters beyond ASCII may be used.
    public var isUnicode: Bool
    /// 0 (none), 8 (the basic ones) or 256.
    public var colours: Int
    public var isTerminal: Bool
    /// `COLUMNS` says how wide it is.
    public var isColumnsGiven = false

    public init(columns: Int = 80, rows: Int = 24, isUnicode: Bool = true, colours: Int = 0, isTerminal: Bool = false) {
        self.columns = columns
        self.rows = rows
        self.isUnicode = isUnicode
        self.colours = colours
        self.isTerminal = isTerminal
    }

    /// * columns: `COLUMNS`, else those of the terminal, else 80;
    /// * plain ASCII with `TERM=dumb`, with `NO_COLOR`, and where the locale is not UTF-8;
    /// * colours: `--color`, then `NO_COLOR`, then `CLICOLOR_FORCE`, then whether it is a terminal that has them.
    public init(environment: (String) -> String?, terminal: (columns: Int, rows: Int)?, choice: ColourChoice = .auto) {
        func set(_ name: String) -> String? { environment(name).flatMap { $0.isEmpty ? nil : $0 } }
        func count(_ name: String) -> Int? { set(name).flatMap { Int($0) }.flatMap { $0 > 0 ? min($0, 10_000) : nil } }
        isColumnsGiven = count("COLUMNS") != nil
        columns = count("COLUMNS") ?? terminal.flatMap { $0.columns > 0 ? $0.columns : nil } ?? 80
        rows = count("LINES") ?? terminal.flatMap { $0.rows > 0 ? $0.rows : nil } ?? 24
        isTerminal = terminal != nil
        let isDumb = environment("TERM") == "dumb"
        let refusesColour = set("NO_COLOR") != nil
        let locale = (set("LC_ALL") ?? set("LC_CTYPE") ?? set("LANG") ?? "").lowercased()
        isUnicode = !isDumb && !refusesColour && (locale.hasSuffix("utf-8") || locale.hasSuffix("utf8"))
        let depth = (set("TERM") ?? "").contains("256") || set("COLORTERM") != nil ? 256 : 8
        switch choice {
        case .always: colours = depth
        case .never: colours = 0
        case .auto:
            let isForced = set("CLICOLOR_FORCE").map { $0 != "0" } ?? false
            let hasColours = isTerminal && !isDumb && set("TERM") != nil
            colours = !refusesColour && (isForced || hasColours) ? depth : 0
        }
    }

    /// The display behind a file descriptor of this process.
    public static func of(_ file: Int32) -> Display {
        var size = winsize()
        let isTerminal = isatty(file) != 0
        if isTerminal, ioctl(file, UInt(TIOCGWINSZ), &size) != 0 { size = winsize() }
        return Display(
            environment: { getenv($0).map { String(cString: $0) } },
            terminal: isTerminal ? (columns: Int(size.ws_col), rows: Int(size.ws_row)) : nil, choice: colourChoice)
    }

    /// Standard output.
    public static var output: Display { of(STDOUT_FILENO) }

    public var withoutColours: Display {
        var plain = self
        plain.colours = 0
        return plain
    }
}

/// An object that is more than its `summary` on a display that can show it: colours, pictures.
public protocol Displayable: HostObject {
    func drawn(on display: Display) -> String
}

extension Text {
    /// Columns that a terminal gives the text: wide characters take two, combining marks none.
    public static func columns(_ text: String) -> Int {
        text.utf8.allSatisfy { $0 < 0x80 } ? text.utf8.count : text.reduce(0) { $0 + columns($1) }
    }

    public static func columns(_ character: Character) -> Int {
        var width = 0
        for scalar in character.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark, .format, .control: continue
            default: width = max(width, isWide(scalar.value) ? 2 : 1)
            }
        }
        return width
    }

    /// The beginning of a text that takes more columns than there are, and a mark.
    public static func cut(_ text: String, to limit: Int, mark: String = "…") -> String {
        guard columns(text) > limit else { return text }
        var out = ""
        var used = 0
        for character in text {
            let next = columns(character)
            if used + next > limit - 1 { break }
            out.append(character)
            used += next
        }
        return limit > 0 ? out + mark : ""
    }

    /// East Asian wide and full-width blocks, and pictographs.
    private static func isWide(_ value: UInt32) -> Bool {
        switch value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6,
            0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return true
        default: return false
        }
    }
}
