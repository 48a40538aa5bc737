import BSSCore

/// Tokens and their ids. Tokens are compared byte by byte: two spellings of one accented letter are two tokens.
public struct Vocabulary {
    private var tokens: [[UInt8]] = []
    private var ids: [[UInt8]: Int] = [:]

    /// One token a line, ids by line from 0 (`vocab.txt`). An empty last line is no token.
    public init(lines bytes: [UInt8]) {
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { line -> [UInt8] in
            var line = Array(line)
            if line.last == 0x0D { line.removeLast() }
            return line
        }
        if lines.last?.isEmpty == true { lines.removeLast() }
        tokens = lines
        ids = Dictionary(lines.enumerated().map { ($1, $0) }) { _, last in last }
    }

    /// `{"token": id, …}` (`vocab.json`, `tokenizer.json`) and tokens added to it.
    /// - Throws: ids that are not 0 … n - 1.
    public init(_ table: Table, added: [(token: String, id: Int)] = [], source: String) throws {
        var entries: [(token: String, id: Int)] = []
        for (token, value) in table.fields {
            guard let id = value.int else {
                throw BSSError("tokenizer", "\(source): token \"\(token)\" has the id \(value.described)", kind: .data)
            }
            entries.append((token, id))
        }
        entries += added
        let count = entries.map(\.id).max().map { $0 < 1 << 24 ? $0 + 1 : -1 } ?? 0
        var found = [[UInt8]?](repeating: nil, count: max(0, count))
        for (token, id) in entries {
            guard found.indices.contains(id) else {
                throw BSSError("tokenizer", "\(source): token \"\(token)\" has the impossible id \(id)", kind: .data)
            }
            found[id] = Array(token.utf8)
            ids[Array(token.utf8)] = id
        }
        tokens = try found.enumerated().map { id, token in
            guard let token else {
                throw BSSError(
                    "tokenizer", "\(source): no token has the id \(id)",
                    hint: "a vocab.txt or vocab.json beside it is read instead, if there is one", kind: .data)
            }
            return token
        }
    }

    public var count: Int { tokens.count }
    public func contains(_ id: Int) -> Bool { tokens.indices.contains(id) }
    public func id(_ bytes: [UInt8]) -> Int? { ids[bytes] }
    public func id(_ token: String) -> Int? { ids[Array(token.utf8)] }
    /// Empty for an id that is not there.
    public func bytes(_ id: Int) -> [UInt8] { contains(id) ? tokens[id] : [] }
    public func text(_ id: Int) -> String { String(decoding: bytes(id), as: UTF8.self) }
}

/// Tokens such as `[MASK]` that a text may spell out: found before anything else, the longest first.
struct SpecialTokens {
    enum Piece {
        case text(String)
        case special(Int)
    }

    let ids: Set<Int>
    private let byFirst: [UInt8: [(bytes: [UInt8], id: Int)]]

    init(_ tokens: [(bytes: [UInt8], id: Int)]) {
        ids = Set(tokens.map(\.id))
        byFirst = Dictionary(grouping: tokens.filter { !$0.bytes.isEmpty }) { $0.bytes[0] }.mapValues {
            $0.sorted { $0.bytes.count > $1.bytes.count }
        }
    }

    func split(_ text: String) -> [Piece] {
        let bytes = Array(text.utf8)
        var pieces: [Piece] = []
        var from = 0
        var at = 0
        func flush(_ to: Int) {
            if from < to { pieces.append(.text(String(decoding: bytes[from..<to], as: UTF8.self))) }
        }
        while at < bytes.count {
            if let found = byFirst[bytes[at]]?.first(where: { bytes[at...].starts(with: $0.bytes) }) {
                flush(at)
                pieces.append(.special(found.id))
                at += found.bytes.count
                from = at
            } else {
                at += 1
            }
        }
        flush(bytes.count)
        return pieces
    }
}
