import BSSCore
import BSSLua
import BSSNotebook

/// The session on disk: a notebook that grows by a cell at a time, runs unchanged, and that `bss-lua nb check` can check.
struct LogFile {
    let path: String
    private let heading: String
    private var isOff = false
    /// The file is made with the first cell: a session without cells leaves none, and no prompt waits for a disk.
    private var hasBegun = false
    /// What was appended, to be written anew when the first cell uses `_2` or `_3`: only then the log keeps those.
    private var entries: [Entry] = []
    private var keepsOlder = false

    private enum Entry {
        case cell(Cell)
        case command(String)
    }

    init(path: String, heading: String) {
        self.path = path
        self.heading = heading
    }

    private mutating func begin() throws {
        hasBegun = true
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try Files.makeFolder(String(path[..<slash]))
        }
        Files.remove(path)
        try Files.append(line: String(heading.dropLast()), to: path)
    }

    mutating func append(_ cell: Cell) {
        entries.append(.cell(cell.released))
        if !keepsOlder, SessionLog.usesOlderResults(cell.executed) {
            keepsOlder = true
            let whole = heading + entries.map(text).joined()
            attempt { try Files.write(whole, to: $0) }
        } else {
            append(text(entries[entries.count - 1]))
        }
    }

    /// Commands are text: they act on the session, not on its values.
    mutating func append(command: String) {
        entries.append(.command(command))
        append(text(entries[entries.count - 1]))
    }

    private func text(_ entry: Entry) -> String {
        switch entry {
        case .cell(let cell):
            return SessionLog.cell(cell.executed, cell.outcome, outputs: cell.outputs, keepsOlder: keepsOlder)?.logText
                ?? ""
        case .command(let command): return NotebookFile.Cell(.raw, header: " [raw] command", source: command).logText
        }
    }

    private mutating func append(_ text: String) {
        if !text.isEmpty {
            attempt { try Files.append(line: text.hasSuffix("\n") ? String(text.dropLast()) : text, to: $0) }
        }
    }

    private mutating func attempt(_ body: (String) throws -> Void) {
        guard !isOff else { return }
        do {
            if !hasBegun { try begin() }
            try body(path)
        } catch {
            isOff = true
            Terminal.error("bss-lua: the session is not logged: \(error)\n")
        }
    }
}
