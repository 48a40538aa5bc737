import BSSCore
import Glibc

/// A message of the Jupyter protocol.
///
/// Source: "Messaging in Jupyter", version 5.4: identities, `<IDS|MSG>`, signature, header, parent header, metadata,
/// content.
struct Message {
    /// Whom a ROUTER socket answers; the topic on PUB.
    var identities: [[UInt8]]
    let type: String
    /// The header as it came: what answers carry as their parent.
    let header: [UInt8]
    let parent: [UInt8]
    let content: Table

    static let delimiter = Array("<IDS|MSG>".utf8)
    static let version = "5.4"
    static let empty = Array("{}".utf8)

    /// - Parameter key: nil: a signature that does not fit, or parts that are no message: nil.
    init?(parts: [[UInt8]], key: [UInt8]) {
        guard let mark = parts.firstIndex(of: Message.delimiter), parts.count >= mark + 6 else { return nil }
        let body = Array(parts[(mark + 2)..<(mark + 6)])
        guard Signature.sign(body, key: key) == String(decoding: parts[mark + 1], as: UTF8.self) || key.isEmpty,
            // What is no JSON is no message.
            let fields = try? JSON.parse(bytes: body[0], source: "header").table,
            let type = fields["msg_type"]?.string,
            // Without a content it is none either.
            let content = try? JSON.parse(bytes: body[3], source: "content").table
        else { return nil }
        identities = Array(parts[..<mark])
        (self.type, header, parent, self.content) = (type, body[0], body[1], content)
    }

    /// A message of ours.
    init(_ type: String, _ content: Table, to identities: [[UInt8]] = [], parent: [UInt8], session: String) {
        self.identities = identities
        self.type = type
        self.parent = parent
        self.content = content
        header = Message.json(
            Table(fields: [
                ("msg_id", .string(Message.identifier())), ("session", .string(session)),
                ("username", .string("kernel")), ("date", .string(Message.date())), ("msg_type", .string(type)),
                ("version", .string(Message.version)),
            ]))
    }

    func parts(key: [UInt8]) -> [[UInt8]] {
        let body = [header, parent.isEmpty ? Message.empty : parent, Message.empty, Message.json(content)]
        return identities + [Message.delimiter, Array(Signature.sign(body, key: key).utf8)] + body
    }

    /// JSON has objects and lists; a table without entries is an object here unless `list` says otherwise.
    static func json(_ table: Table) -> [UInt8] { Array(text(.table(table)).utf8) }

    /// An empty list has no form of its own among Lua's tables.
    static var emptyList: Value { .string("\u{0}[]") }

    private static func text(_ value: Value) -> String {
        switch value {
        case .table(let table) where !table.items.isEmpty:
            return "[" + table.items.map(text).joined(separator: ",") + "]"
        case .table(let table):
            return "{" + table.fields.map { JSON.text(.string($0.key)) + ":" + text($0.value) }.joined(separator: ",")
                + "}"
        case .string("\u{0}[]"): return "[]"
        default: return JSON.text(value)
        }
    }

    /// 32 digits that no other message has.
    static func identifier() -> String {
        (0..<2).map { _ in Text.format("%016lx", UInt.random(in: .min ... .max)) }.joined()
    }

    /// UTC, to the microsecond.
    private static func date() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        var text = [CChar](repeating: 0, count: 32)
        strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
        return String(cString: text) + "." + String(1_000_000 + now.tv_nsec / 1000).dropFirst() + "Z"
    }
}
