import BSSCore
import BSSLuaHost
import BSSNotebook

/// The session on disk: a notebook that grows by a cell at a time, runs unchanged, and that `bss-lua nb check` can check.
struct LogFile {
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

    mutating func append(_ cell: Cell) {
        if let kept = SessionLog.cell(cell.executed, cell.outcome, outputs: cell.outputs) { append(kept.logText) }
    }

    /// Commands are text: they act on the session, not on its values.
    mutating func append(command: String) { append(NotebookFile.Cell(.raw, header: " [raw] command", source: command).logText) }

    private mutating func append(_ text: String) {
        guard !isOff else { return }
        do { try Files.append(line: text.hasSuffix("\n") ? String(text.dropLast()) : text, to: path) } catch {
            isOff = true
            Terminal.error("bss-lua: the session is no longer logged: \(error)\n")
        }
    }
}
