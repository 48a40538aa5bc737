import BSSCore
import BSSLua

/// A result as it is written beside a cell and compared later: one line of JSON.
///
/// By its `kind` the line has these fields:
/// - `nil`, `boolean`, `integer`, `number`, `string`: `value`; numbers with all digits, floats with `.` or `e`,
///   `"nan"`, `"inf"`, `"-inf"`
/// - `table`: `value`, an array, or `{"list":…, "fields":…}`; long ones only `count`, `sha256` and `statistics` of
///   their numbers
/// - `tensor` and other objects: `value`, what the object says of itself (dtype, shape, values or their digest) or its
///   text
/// - `function`: none
/// - `opaque`: `text`, what has no plain form (cycles, coroutines), as it is shown
/// - `error`: `message`
/// - `text`: none; the lines above it are what the cell wrote
public enum TypedValue {
    /// Of the line in Jupyter's messages and files.
    package static let mimeType = "application/vnd.bss-lua.value+json"
    /// Tables with more entries than this are written as a digest.
    static let entryLimit = 400

    /// The JSON line of a result.
    /// - Throws: cancelled, soon after Ctrl-C.
    public static func json(_ held: LuaValue, in state: LuaState) throws -> String {
        guard let value = try? state.value(of: held) else {  // a cycle, a coroutine, a namespace: no plain form
            if state.namespace(of: held) != nil { return line("opaque", [("type", .string("namespace"))]) }
            return line("opaque", [("text", .string(StableText.masked(Printer().text(held, in: state))))])
        }
        return try json(value)
    }

    public static func json(_ value: Value) throws -> String {
        switch value {
        case .null: return line("nil", [])
        case .bool: return line("boolean", [("value", value)])
        case .int: return line("integer", [("value", value)])
        case .number: return line("number", [("value", value)])
        case .string: return line("string", [("value", value)])
        case .function: return line("function", [])
        case .object(let object): return line(object.objectType.name, [("value", try form(object))])
        case .table(let table):
            var count = 0
            var hash = SHA256()
            var numbers: [Double] = []
            try survey(value, &count, &hash, &numbers)
            if count <= entryLimit { return line("table", [("value", try form(of: table))]) }
            return line(
                "table",
                [
                    ("count", .int(count)), ("sha256", .string(hash.finish())),
                    ("statistics", .table(try ResultDigest.statistics(numbers))),
                ])
        }
    }

    package static func error(_ message: String) -> String { line("error", [("message", .string(message))]) }

    /// The `kind` of a line; nil if it is none.
    static func kind(_ json: String) -> String? { (try? JSON.parse(json))?.table?["kind"]?.string }

    // MARK: Form

    private static func form(_ object: any HostObject) throws -> Value {
        do { if let data = try object.resultData() { return data } } catch let error as BSSError {
            // An object whose data cannot be had is recorded by its text, as one without data is.
            if error.kind == .cancelled { throw error }
        }
        return .string(StableText.masked(object.summary))
    }

    /// Inside tables values stand as themselves; what JSON cannot say is an object with a kind.
    private static func form(of value: Value) throws -> Value {
        switch value {
        case .table(let table): return try form(of: table)
        case .object(let object):
            return .fields([("kind", .string(object.objectType.name)), ("value", try form(object))])
        case .function: return .fields([("kind", .string("function"))])
        default: return value
        }
    }

    private static func form(of table: Table) throws -> Value {
        let items = try table.items.map { try form(of: $0) }
        if table.keys.isEmpty { return .list(items) }
        let fields = try table.fields.map { ($0.key, try form(of: $0.value)) }
        return .fields([("list", .list(items)), ("fields", .fields(fields))])
    }

    /// Number of entries, a digest of everything, and the numbers in order.
    private static func survey(
        _ value: Value, _ count: inout Int, _ hash: inout SHA256, _ numbers: inout [Double]
    ) throws {
        try Cancellation.check("result")
        guard case .table(let table) = value else {
            count += 1
            if let number = value.double { numbers.append(number) }
            hash.update(text(try form(of: value)) + "\n")
            return
        }
        hash.update("{\n")
        for item in table.items { try survey(item, &count, &hash, &numbers) }
        for (key, item) in table.fields {
            hash.update(key + "=\n")
            try survey(item, &count, &hash, &numbers)
        }
        hash.update("}\n")
    }

    // MARK: JSON with the difference between 1 and 1.0

    private static func line(_ kind: String, _ fields: [(String, Value)]) -> String {
        text(.fields([("kind", .string(kind))] + fields))
    }

    package static func text(_ value: Value) -> String {
        switch value {
        case .number(let d):
            let plain = Text.number(d)
            return d.isFinite ? (plain.utf8.contains { $0 == 46 || $0 == 101 } ? plain : plain + ".0") : "\"\(plain)\""
        case .table(let t) where t.keys.isEmpty: return "[" + t.items.map(text).joined(separator: ",") + "]"
        case .table(let t):
            return "{" + t.fields.map { JSON.text(.string($0.key)) + ":" + text($0.value) }.joined(separator: ",") + "}"
        default: return JSON.text(value)
        }
    }
}
