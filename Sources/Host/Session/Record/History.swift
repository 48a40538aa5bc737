import BSSCore
import BSSLua
import Glibc

/// What was typed, across sessions: JSON lines, one `write` each, no lock, no database.
///
/// A history that cannot be written is one warning, never a failure. Only its owner may read it.
package struct History {
    package struct Entry {
        let code: String
        /// lua, help, command or shell.
        let mode: String
        let isError: Bool
        let milliseconds: Double
    }

    let path: String?
    let session: String
    private var warned = false
    private var isOff: Bool

    /// Entries read at start, and the size above which the oldest half of a file is dropped.
    private static let readBytes = 1 << 20, keptBytes = 8 << 20

    /// - Parameter path: nil: nothing is kept.
    package init(path: String?, session: String) {
        self.path = path
        self.session = session
        isOff = path == nil
    }

    /// `BSS_HISTORY`, or `.bss/history.jsonl` if the working folder has `.bss`, or one for all projects.
    package static func defaultPath(environment: (String) -> String?) -> String? {
        if let path = environment("BSS_HISTORY") { return path.isEmpty ? nil : path }
        if Files.isFolder(".bss") { return ".bss/history.jsonl" }
        return stateFolder(environment: environment).map { $0 + "/history.jsonl" }
    }

    /// What an input that begins with `sign` is.
    static func mode(of sign: Character) -> String {
        switch sign {
        case "?": "help"
        case "%": "command"
        case "!": "shell"
        default: "lua"
        }
    }

    /// `BSS_HOME`, else the XDG state folder.
    package static func stateFolder(environment: (String) -> String?) -> String? {
        if let home = environment("BSS_HOME") { return home }
        if let state = environment("XDG_STATE_HOME"), !state.isEmpty { return state + "/bss-lua" }
        return environment("HOME").map { $0 + "/.local/state/bss-lua" }
    }

    /// The latest entries, oldest first.
    package func load(limit: Int = 2000) -> [String] {
        // Before the first session there is no file; one that cannot be read is no reason not to start.
        guard let path, let bytes = try? Files.read(path) else { return [] }
        Files.makePrivate(path)
        let tail = bytes.suffix(History.readBytes)
        var lines = tail.split(separator: 0x0A)
        if tail.count < bytes.count { lines = Array(lines.dropFirst()) }  // cut in the middle
        let texts = lines.suffix(limit).compactMap { line -> String? in
            if let code = History.plainCode(line) { return code }
            // A damaged line is passed over.
            return (try? JSON.parse(String(decoding: line, as: UTF8.self)))?.table?["code"]?.string
        }
        if bytes.count > History.keptBytes {
            // A history that cannot be shortened is still a history.
            try? Files.write(
                Array(bytes.suffix(History.keptBytes / 2).drop { $0 != 0x0A }.dropFirst()), to: path, mode: 0o600)
        }
        return texts
    }

    /// The code of a line that we wrote, without a whole parse: thousands are read before the first prompt.
    /// nil: not such a line, or one with escapes other than the usual.
    private static func plainCode(_ line: ArraySlice<UInt8>) -> String? {
        let key = Array("\"code\":\"".utf8)
        guard var at = line.indices.first(where: { line[$0] == key[0] && line[$0...].starts(with: key) }) else {
            return nil
        }
        at += key.count
        var code: [UInt8] = []
        while at < line.endIndex {
            switch line[at] {
            case UInt8(ascii: "\""): return String(decoding: code, as: UTF8.self)
            case UInt8(ascii: "\\"):
                at += 1
                guard at < line.endIndex else { return nil }
                switch line[at] {
                case UInt8(ascii: "n"): code.append(0x0A)
                case UInt8(ascii: "t"): code.append(0x09)
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): code.append(line[at])
                default: return nil
                }
            case let byte: code.append(byte)
            }
            at += 1
        }
        return nil
    }

    mutating func append(_ entry: Entry, time: Int) {
        guard !isOff, let path else { return }
        let line = JSON.text(
            .fields([
                ("time", .int(time)), ("session", .string(session)), ("mode", .string(entry.mode)),
                ("code", .string(entry.code)),
                ("status", .string(entry.isError ? "error" : "ok")),
                ("ms", .number((entry.milliseconds * 10).rounded() / 10)),
            ]))
        do {
            if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
                try Files.makeFolder(String(path[..<slash]))
            }
            try Files.append(line: line, to: path, mode: 0o600)
        } catch {
            isOff = true
            if !warned { Terminal.error("bss-lua: history is not kept: \(error)\n") }
            warned = true
        }
    }
}
