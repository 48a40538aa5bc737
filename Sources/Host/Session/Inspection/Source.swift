import BSSCore
import BSSLua

/// The text of a Lua function from where it was defined: a cell or a file.
enum Source {
    /// - Parameter whole: with the body; otherwise the comment above and the first line.
    static func text(_ definition: String, whole: Bool, cells: [String: String]) -> String? {
        guard let colon = definition.lastIndex(of: ":"), let line = Int(definition[definition.index(after: colon)...])
        else { return nil }
        let name = String(definition[..<colon])
        // A file that is gone or cannot be read has no source to show.
        guard let text = cells[name] ?? (try? Files.readText(name)) else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.indices.contains(line - 1) else { return nil }
        var first = line - 1
        while first > 0, lines[first - 1].trimmed.hasPrefix("--") { first -= 1 }
        let last = whole ? end(lines, from: line - 1) : line - 1
        return "-- \(definition)\n" + lines[first...last].joined(separator: "\n")
    }

    /// The line on which the function that starts at `start` ends, by counting blocks.
    private static func end(_ lines: [String], from start: Int) -> Int {
        var depth = 0
        for i in start..<lines.count {
            for token in LuaLexer(lines[i]).tokens where token.kind == .keyword {
                switch token.text {
                case "function", "if", "do", "repeat": depth += 1
                case "end", "until":
                    depth -= 1
                    if depth == 0 { return i }
                default: break
                }
            }
        }
        return lines.count - 1
    }
}
