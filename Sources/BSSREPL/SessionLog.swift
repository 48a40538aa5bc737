import BSSCore
import BSSLuaHost

/// The session as a percent-format notebook: cells as they were typed, outputs as comments; runs unchanged.
///
/// Cells that failed are kept as comments, so that the file runs to its end.
struct SessionLog {
    let path: String
    private var isOff = false

    init(path: String, heading: String) {
        self.path = path
        do {
            if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try Files.makeFolder(String(path[..<slash])) }
            try Files.write(heading, to: path)
        } catch {
            isOff = true
            Terminal.error("bss-lua: the session is not logged: \(error)\n")
        }
    }

    mutating func append(_ text: String) {
        guard !isOff else { return }
        do { try Files.append(line: text, to: path) } catch {
            isOff = true
            Terminal.error("bss-lua: the session is no longer logged: \(error)\n")
        }
    }

    mutating func append(_ cell: Cell) { append(SessionLog.text(cell)) }
    mutating func append(command: String) { append("-- %% [command] \(command)\n") }

    static func text(_ cell: Cell) -> String {
        var out = "-- %% [\(cell.number)]\n"
        if let error = cell.error {
            out += prefixed(cell.code, "--! ") + prefixed(error.located, "--> error: ")
        } else {
            out += runnable(cell)
            out += cell.output.map { "--> \($0)\n" }.joined()
        }
        return out
    }

    /// A bare expression is no statement; show prints it as the prompt did.
    private static func runnable(_ cell: Cell) -> String {
        let body = Session.withoutSemicolons(cell.code), hides = cell.code.trimmed.hasSuffix(";")
        func shown(_ text: String) -> String { hides ? "_ = \(text)\n" : "bss.repl.show(\(text))\n" }
        switch cell.expression {
        case .none: return cell.code + "\n"
        case .whole: return shown(body)
        case .lastLine:
            let (head, last) = Session.split(body)!
            return head + "\n" + shown(last)
        }
    }

    private static func prefixed(_ text: String, _ prefix: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { "\(prefix)\($0)\n" }.joined()
    }
}
