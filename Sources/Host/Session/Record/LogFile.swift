import BSSCore
import BSSLua

/// The session on disk: a notebook that grows by a cell at a time, runs unchanged, and that `bss-lua nb check` can
/// check. Only its owner may read it. A log ends at `largest` bytes, and of logs beside it in the default folder the
/// newest stay.
package struct LogFile {
    package let path: String
    private let heading: String
    private var isOff = false
    /// The file is made with the first cell: a session without cells leaves none, and no prompt waits for a disk.
    private var hasBegun = false
    /// What was appended, to be written anew when the first cell uses `_2`, `_3` or `Out`: only then the log keeps
    /// those.
    private var entries: [Entry] = []
    private var keeps = SessionLog.Kept.last

    /// The log is in the folder of all sessions: old ones make room.
    private let makesRoom: Bool
    private static let largest = 64 << 20, keptLogs = 200, keptBytes = 256 << 20

    private enum Entry {
        case cell(Cell)
        case command(String)
    }

    package init(path: String, heading: String, makesRoom: Bool = false) {
        self.makesRoom = makesRoom
        self.path = path
        self.heading = heading
    }

    private mutating func begin() throws {
        hasBegun = true
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try Files.makeFolder(String(path[..<slash]))
        }
        if makesRoom { removeOldLogs() }
        Files.remove(path)
        try Files.append(line: String(heading.dropLast()), to: path, mode: 0o600)
    }

    /// The names begin with the time of the session, so that the oldest come first.
    private func removeOldLogs() {
        // Where no names can be read there is nothing to remove; the new log tells if it cannot be written.
        guard let slash = path.lastIndex(of: "/"), let names = try? Files.list(String(path[..<slash])) else { return }
        var bytes = 0
        for (position, name) in names.filter({ $0.hasSuffix(".lua") }).reversed().enumerated() {
            let log = "\(path[..<slash])/\(name)"
            bytes += Files.size(log) ?? 0
            if position >= LogFile.keptLogs - 1 || bytes > LogFile.keptBytes { Files.remove(log) }
        }
    }

    mutating func append(_ cell: Cell) {
        entries.append(.cell(cell.released))
        let wanted = SessionLog.Kept(cell.executed)
        if wanted > keeps {
            keeps = wanted
            let whole = heading + (keeps == .all ? SessionLog.table.logText : "") + entries.map(text).joined()
            attempt { try Files.write(whole, to: $0, mode: 0o600) }
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
            let made = SessionLog.cell(
                cell.executed, cell.outcome, outputs: cell.outputs, keeps: keeps, number: cell.number)
            return made?.logText ?? ""
        case .command(let command): return NotebookFile.Cell(.raw, header: " [raw] command", source: command).logText
        }
    }

    private mutating func append(_ text: String) {
        if !text.isEmpty {
            let line = text.hasSuffix("\n") ? String(text.dropLast()) : text
            attempt { try Files.append(line: line, to: $0, mode: 0o600) }
        }
    }

    private mutating func attempt(_ body: (String) throws -> Void) {
        guard !isOff else { return }
        do {
            if !hasBegun { try begin() }
            guard Files.size(path) ?? 0 < LogFile.largest else {
                throw BSSError("log", "\(path) has reached \(LogFile.largest >> 20) MiB", kind: .output)
            }
            try body(path)
        } catch {
            isOff = true
            Terminal.error("bss-lua: the session is not logged: \(error)\n")
        }
    }
}
