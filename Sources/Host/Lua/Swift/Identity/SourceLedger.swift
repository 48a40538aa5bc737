import BSSCore
import CBSSLua

/// Every text that a state has run or loaded: the script, modules, `-e` and what came from standard input. Two texts
/// are the same source if their tokens are: comments and layout do not count.
public struct SourceLedger {
    public struct Entry {
        public let name: String
        /// As it was opened; for text of the command line its name.
        public let path: String
        /// Of the bytes, and of the tokens.
        public let sha256, tokens: String
        /// As it was run, whatever has become of the file.
        public let bytes: [UInt8]
    }

    public private(set) var entries: [Entry] = []

    /// A text that is known under this name already adds nothing; another one of the same name is numbered.
    public mutating func add(_ bytes: [UInt8], name: String) {
        let base = name.split(separator: "/").last.map(String.init) ?? name
        let sha256 = bytes.withUnsafeBytes { raw in
            var hash = SHA256()
            hash.update(raw)
            return hash.finish()
        }
        let same = entries.filter { $0.name == base || $0.name.hasPrefix(base + " (") }
        guard !same.contains(where: { $0.sha256 == sha256 }) else { return }
        entries.append(
            Entry(
                name: same.isEmpty ? base : "\(base) (\(same.count + 1))", path: name, sha256: sha256,
                tokens: SourceLedger.tokenHash(bytes), bytes: bytes))
    }

    /// - Throws: kind `.data`: a file that cannot be read cannot be told from another.
    public mutating func addFile(_ path: String) throws { add(try Files.read(path), name: path) }

    package static func tokenHash(_ bytes: [UInt8]) -> String {
        guard !bytes.starts(with: [0x1B]) else { return SHA256.hex(bytes.map(String.init).joined(separator: " ")) }
        var hash = SHA256()
        for token in LuaLexer(String(decoding: bytes, as: UTF8.self)).tokens where token.kind != .end {
            hash.update("\(token.text.utf8.count):\(token.text)\n")
        }
        return hash.finish()
    }

    /// Names and hashes of the tokens; names and hashes of the bytes.
    public var identity: Table { Table(fields: entries.map { ($0.name, .string($0.tokens)) }) }
    public var digests: Table { Table(fields: entries.map { ($0.name, .string($0.sha256)) }) }
}

extension LuaState {
    /// From now on files that `require`, `dofile` and `loadfile` load stand in `sources`.
    func noteSources() {
        push(
            ClosureEntry(self) { state, L in
                let path = state.string(at: 1, on: L)
                if Files.exists(path) { try state.sources.addFile(path) }
                state.reads.names.insert(path)
                return 0
            }, on: main)
        bss_lua_note_sources(main)
        push(
            ClosureEntry(self) { state, L in
                let name = state.string(at: 2, on: L)
                if state.string(at: 1, on: L) == "getenv" {
                    state.reads.names.insert("$" + name)
                } else if state.string(at: 3, on: L).hasPrefix("r") {
                    state.reads.names.insert(name)
                }
                return 0
            }, on: main)
        bss_lua_note_reads(main)
    }
}
