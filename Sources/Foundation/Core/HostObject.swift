/// An object that scripts can hold: the host shows it as a userdata with methods, properties and operators.
public protocol HostObject: AnyObject {
    var objectType: ObjectType { get }
    /// Bytes kept alive outside the script's heap; reported to its garbage collector.
    var byteCount: Int { get }
    /// A property that is not declared (a modality's name, for example); `nil` if there is none.
    func member(_ name: String) -> Value?
    /// `object[i]`, 1-based; `nil` if the object has no positions.
    func element(_ index: Int) throws -> Value?
    /// Names that `member` answers, for completion.
    var memberNames: [String] { get }
    /// Texts worth offering for an option of the object's methods, for completion.
    func choices(of option: String) -> [String]
    /// One line or a few, as `print(object)` and the REPL show it.
    var summary: String { get }
    /// What is compared when a recorded result is checked again: plain data that two equal runs share; `nil`:
    /// `summary`.
    func resultData() throws -> Value?
    /// What tells this object from others that would make a run compute something else; for identities of runs.
    func identityData() throws -> Value
}

extension HostObject {
    public var byteCount: Int { 0 }
    public func member(_ name: String) -> Value? { nil }
    public func element(_ index: Int) throws -> Value? { nil }
    public var memberNames: [String] { [] }
    public func choices(of option: String) -> [String] { [] }
    public var summary: String { objectType.name }
    public func resultData() throws -> Value? { nil }
    public func identityData() throws -> Value {
        if let part = self as? any ConfiguredObject { return .table(part.configuration) }
        return try resultData() ?? .string(summary)
    }
}

/// What scripts can do with a kind of object; declared once, beside the Swift type. Sendable as every declaration is
/// (see `Argument`).
public final class ObjectType: @unchecked Sendable {
    public let name: String
    /// What callbacks usually call it: `ctx`, `e`. Help answers to these too.
    public let aliases: [String]
    public let help: String
    /// Called as `object:method(…)`; the object is `arguments.receiver`.
    public let methods: [Function]
    public let properties: [Property]
    /// `"__add"`, `"__len"`, `"__eq"`, `"__call"` …; operands as they came.
    public let operators: [String: ([Value]) throws -> Value]
    private let methodIndex: [String: Int]
    private let propertyIndex: [String: Int]

    public init(
        _ name: String, aliases: [String] = [], help: String, methods: [Function] = [], properties: [Property] = [],
        operators: [String: ([Value]) throws -> Value] = [:]
    ) {
        self.name = name
        self.aliases = aliases
        self.help = help
        self.methods = methods
        self.properties = properties
        self.operators = operators
        methodIndex = Dictionary(methods.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { a, _ in a })
        propertyIndex = Dictionary(properties.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { a, _ in a })
    }

    public func method(_ name: String) -> Function? { methodIndex[name].map { methods[$0] } }
    public func property(_ name: String) -> Property? { propertyIndex[name].map { properties[$0] } }
}

/// A read-only property of a host object.
public struct Property {
    public let name: String
    public let help: String
    /// In the words of lua-language-server.
    public let luaType: String
    public let get: (any HostObject) throws -> Value

    public init<O: HostObject>(
        _ name: String, _ help: String, type luaType: String = "any", _ get: @escaping (O) throws -> Value
    ) {
        self.name = name
        self.help = help
        self.luaType = luaType
        self.get = { object in
            guard let typed = object as? O else {
                throw BSSError(name, "expected \(O.self), got \(object.objectType.name)")
            }
            return try get(typed)
        }
    }
}

// MARK: Tables that callbacks receive

extension ObjectType {
    /// A plain table that callbacks receive or functions give, declared for help, completion and annotations.
    public static func table(
        _ name: String, aliases: [String] = [], help: String, fields: [(name: String, type: String, help: String)]
    ) -> ObjectType {
        ObjectType(
            name, aliases: aliases, help: help,
            properties: fields.map { Property(field: $0.name, type: $0.type, $0.help) })
    }
}

extension Property {
    fileprivate init(field name: String, type luaType: String, _ help: String) {
        self.name = name
        self.help = help
        self.luaType = luaType
        get = { _ in throw BSSError(name, "is a field of a table") }
    }
}

/// What a callback is called with, and what it gives back.
public struct Signature {
    public let parameters: [(name: String, type: String)]
    public let returns: String

    public init(_ parameters: [(name: String, type: String)], returns: String = "nil") {
        self.parameters = parameters
        self.returns = returns
    }

    /// `fun(e: bss.EpochRecord): boolean?`
    public var luaType: String {
        let list = parameters.map { "\($0.name): \($0.type)" }.joined(separator: ", ")
        return "fun(\(list))" + (returns == "nil" ? "" : ": \(returns)")
    }

    /// `function(e)`
    public var words: String { "function(\(parameters.map(\.name).joined(separator: ", ")))" }
}
