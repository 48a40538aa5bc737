/// A value as it crosses between Lua, JSON, the command line and the declarations of parts.
public enum Value {
    case null
    case bool(Bool)
    case int(Int)
    case number(Double)
    case string(String)
    case table(Table)
    /// A host object: tensor, dataset, model, part, run …
    case object(any HostObject)
    /// A Lua function, callable from Swift (protected; its errors are thrown).
    case function(any Callable)

    /// What it is, in the words of an error message: `"number 3.5"`, `"string \"adam\""`, `"nil"`.
    public var described: String {
        switch self {
        case .null: return "nil"
        case .bool(let b): return "boolean \(b)"
        case .int(let i): return "integer \(i)"
        case .number(let d): return "number \(Text.number(d))"
        case .string(let s): return "string \"\(Text.shown(s.count > 60 ? String(s.prefix(60)) + "…" : s))\""
        case .table(let t): return t.isList ? "list of \(t.items.count)" : "table"
        case .object(let o): return o.objectType.name
        case .function: return "function"
        }
    }

    public var isNull: Bool { if case .null = self { return true } else { return false } }
    public var string: String? { if case .string(let s) = self { return s } else { return nil } }
    public var table: Table? { if case .table(let t) = self { return t } else { return nil } }
    public var bool: Bool? { if case .bool(let b) = self { return b } else { return nil } }

    /// The number, whether integer or float.
    public var double: Double? {
        switch self {
        case .int(let i): return Double(i)
        case .number(let d): return d
        default: return nil
        }
    }

    /// The integer; a float with an integral value counts (`3.0` → 3).
    public var int: Int? {
        switch self {
        case .int(let i): return i
        case .number(let d): return Int(exactly: d)
        default: return nil
        }
    }

    public static func list(_ items: [Value]) -> Value { .table(Table(items: items)) }
    public static func list(_ items: [Double]) -> Value { .table(Table(items: items.map(Value.number))) }
    public static func list(_ items: [String]) -> Value { .table(Table(items: items.map(Value.string))) }
    public static func fields(_ pairs: [(String, Value)]) -> Value { .table(Table(fields: pairs)) }
}

/// A Lua table or JSON object/array as plain data: a list part (1…n) and named fields in insertion order.
public struct Table {
    public var items: [Value]
    public private(set) var keys: [String]
    /// What it is, if a script that reads another name than its fields is told so; it would be nil without a word.
    public var closedAs: String?
    private var values: [String: Value]

    public init(items: [Value] = [], fields: [(String, Value)] = []) {
        self.items = items
        keys = []
        values = [:]
        for (key, value) in fields { self[key] = value }
    }

    public var isList: Bool { keys.isEmpty && !items.isEmpty }
    public var isEmpty: Bool { keys.isEmpty && items.isEmpty }
    public var fields: [(key: String, value: Value)] {
        keys.compactMap { key in values[key].map { (key, $0) } }
    }

    /// Setting `nil` removes the key; a new key goes to the end.
    public subscript(key: String) -> Value? {
        get { values[key] }
        set {
            if let newValue {
                if values.updateValue(newValue, forKey: key) == nil { keys.append(key) }
            } else if values.removeValue(forKey: key) != nil {
                keys.removeAll { $0 == key }
            }
        }
    }

    /// The value at a dotted path (`"result.last.test"`); numbers index the list part from 1.
    public func value(atPath path: String) -> Value? {
        var current: Value = .table(self)
        for step in path.split(separator: ".") {
            guard case .table(let table) = current else { return nil }
            if let next = table[String(step)] {
                current = next
            } else if let index = Int(step), table.items.indices.contains(index - 1) {
                current = table.items[index - 1]
            } else {
                return nil
            }
        }
        return current
    }
}

/// A function of the scripting language, kept alive by whoever holds it.
public protocol Callable: AnyObject {
    /// - Throws: the error raised inside, with its traceback.
    func call(_ arguments: [Value]) throws -> [Value]
    /// `file:line` where it was defined, for manifests and messages.
    var definition: String { get }
}
