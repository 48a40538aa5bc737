import BSSCore

/// Tokens and their ids. Tokens are compared byte by byte: two spellings of one accented letter are two tokens.
public struct Vocabulary {
    private var tokens: [[UInt8]] = []
    private var ids: [[UInt8]: Int] = [:]

    /// One token a line, ids by line from 0 (`vocab.txt`). An empty last line is no token. `added` continues it.
    /// - Throws: added ids that leave a gap.
    public init(lines bytes: [UInt8], added: [AddedToken] = [], source: String = "vocab.txt") throws {
        var lines = Vocabulary.lines(bytes)
        for token in added.sorted(by: { $0.id < $1.id }) where token.id >= lines.count {
            guard token.id == lines.count else {
                throw BSSError("tokenizer", "\(source): no token has the id \(lines.count)", kind: .data)
            }
            lines.append(Array(token.content.utf8))
        }
        tokens = lines
        ids = Dictionary(lines.enumerated().map { ($1, $0) }) { _, last in last }
    }

    private static func lines(_ bytes: [UInt8]) -> [[UInt8]] {
        let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        var lines = body.split(separator: 0x0A, omittingEmptySubsequences: false).map { line -> [UInt8] in
            var line = Array(line)
            if line.last == 0x0D { line.removeLast() }
            return line
        }
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    /// `{"token": id, …}` (`vocab.json`, `tokenizer.json`) and tokens added to it.
    /// - Throws: ids that are not 0 … n - 1.
    public init(_ table: Table, added: [AddedToken] = [], source: String) throws {
        var entries: [(token: String, id: Int)] = []
        for (token, value) in table.fields {
            guard let id = value.int else {
                throw BSSError("tokenizer", "\(source): token \"\(token)\" has the id \(value.described)", kind: .data)
            }
            entries.append((token, id))
        }
        entries += added.map { ($0.content, $0.id) }
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
