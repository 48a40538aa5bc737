/// A Swift type that an argument of a part, function or method can have.
public protocol ArgumentType {
    /// "number", "list of integers", "pace function" …
    static var expected: String { get }
    /// The same in the words of lua-language-server: `number`, `integer[]`, `bss.Pace|string|table` …
    static var luaType: String { get }
    /// - Throws: `Mismatch` when the value is of another type.
    init(value: Value) throws
    /// The plain form, for manifests: `init(value: plain)` gives the same part again where that is possible.
    var plain: Value { get }
    /// Texts worth offering where such a value is expected, for completion; looked up when asked.
    static var choices: [String] { get }
    /// Whether every integer in it is one that sizes, counts and epochs may have: sums and products of two of them
    /// never overflow. Arguments that take any integer say so with `Check.anyInteger`.
    var isBounded: Bool { get }
}

extension ArgumentType {
    public var isBounded: Bool { true }
    public static var choices: [String] { [] }
    public static var luaType: String { "any" }
}

/// The value has another type than expected, or a part of it has (`detail` says which).
public struct Mismatch: Error {
    public var detail: String?
    public init(_ detail: String? = nil) { self.detail = detail }
}

/// A condition on an argument, with its words.
public struct Check<T>: @unchecked Sendable {
    public let words: String
    /// The texts that hold, if they can be listed.
    public let choices: [String]
    public let holds: (T) -> Bool
    /// Integers may be of any size: seeds.
    fileprivate let takesAnyInteger: Bool

    public init(
        _ words: String, choices: [String] = [], anyInteger: Bool = false, _ holds: @escaping (T) -> Bool
    ) {
        self.words = words
        self.choices = choices
        takesAnyInteger = anyInteger
        self.holds = holds
    }

    /// Any integer: a seed, not a size.
    public static var anyInteger: Check { Check("", anyInteger: true) { _ in true } }
}

extension Check {
    /// The same where nil is a value.
    public static func optional<W>(_ check: Check<W>) -> Check where T == W? {
        Check(check.words, choices: check.choices, anyInteger: check.takesAnyInteger) { $0.map(check.holds) ?? true }
    }
}

extension Check where T == Double {
    public static func range(_ r: ClosedRange<Double>) -> Check {
        Check("from \(Text.number(r.lowerBound)) to \(Text.number(r.upperBound))") { r.contains($0) }
    }
    public static func above(_ low: Double) -> Check {
        Check("greater than \(Text.number(low))") { $0 > low && $0.isFinite }
    }
    public static func atLeast(_ low: Double) -> Check {
        Check("at least \(Text.number(low))") { $0 >= low && $0.isFinite }
    }
    /// (low, high]
    public static func above(_ low: Double, upTo high: Double) -> Check {
        Check("greater than \(Text.number(low)), at most \(Text.number(high))") { $0 > low && $0 <= high }
    }
    public static var finite: Check { Check("finite") { $0.isFinite } }
}

extension Check where T == Int {
    public static func atLeast(_ low: Int) -> Check { Check("at least \(low)") { $0 >= low } }
    public static func range(_ r: ClosedRange<Int>) -> Check {
        Check("from \(r.lowerBound) to \(r.upperBound)") { r.contains($0) }
    }
}

extension Check where T == String {
    public static func oneOf(_ choices: [String]) -> Check {
        Check("one of " + choices.map { "\"\($0)\"" }.joined(separator: ", "), choices: choices) {
            choices.contains($0)
        }
    }
}

/// One declared argument: its name, help, type, default and check are written here and nowhere else.
///
/// Hold it in a `let` and read the decoded value with `arguments[thatLet]`. Sendable: a declaration is made once and
/// never changes, and only the thread that calls it decodes with it.
public struct Argument<T: ArgumentType>: @unchecked Sendable {
    public let name: String
    /// Other names that callers may use for it.
    public let aliases: [String]
    public let help: String
    public let defaultValue: T?
    public let check: Check<T>?
    /// Of a function: how it is called.
    public let signature: Signature?

    /// A required argument.
    public init(
        _ name: String, aliases: [String] = [], _ help: String, check: Check<T>? = nil, called: Signature? = nil
    ) {
        self.name = name
        self.aliases = aliases
        self.help = help
        self.check = check
        signature = called
        defaultValue = nil
    }

    public init(
        _ name: String, aliases: [String] = [], default value: T, _ help: String, check: Check<T>? = nil,
        called: Signature? = nil
    ) {
        self.name = name
        self.aliases = aliases
        self.help = help
        self.check = check
        signature = called
        defaultValue = value
    }
}

/// An `Argument` whose type is forgotten; what help, completion and decoding need.
public protocol AnyArgument: Sendable {
    var name: String { get }
    var aliases: [String] { get }
    var help: String { get }
    var isRequired: Bool { get }
    var defaultPlain: Value { get }
    var expected: String { get }
    /// Its type in annotations; texts that can be listed are listed.
    var luaType: String { get }
    var signature: Signature? { get }
    /// True if a bare list in the call belongs to this argument as a whole.
    var takesList: Bool { get }
    /// Texts worth offering for it.
    var choices: [String] { get }
    func decode(_ value: Value?, operation: String) throws -> any ArgumentType
}

extension Argument: AnyArgument {
    public var isRequired: Bool { defaultValue == nil }
    public var defaultPlain: Value { defaultValue?.plain ?? .null }
    public var expected: String {
        check.flatMap { $0.words.isEmpty ? nil : "\(T.expected) \($0.words)" } ?? T.expected
    }
    public var luaType: String {
        if let signature { return signature.luaType }
        let texts = (check?.choices ?? []).map { "\"\($0)\"" }.joined(separator: "|")
        let isOptional = T.self is any OptionalArgument.Type
        return texts.isEmpty ? T.luaType : T.luaType == "string" || isOptional ? texts : T.luaType
    }
    public var takesList: Bool { T.self is any ListArgument.Type }
    public var choices: [String] { check.map(\.choices).flatMap { $0.isEmpty ? nil : $0 } ?? T.choices }

    public func decode(_ value: Value?, operation: String) throws -> any ArgumentType {
        guard let value, !value.isNull || T.self is any OptionalArgument.Type else {
            guard let defaultValue else {
                throw BSSError(operation, "option '\(name)' is missing: \(expected) (\(help))", kind: .usage)
            }
            return defaultValue
        }
        let decoded: T
        do {
            decoded = try T(value: value)
        } catch let mismatch as Mismatch {
            let detail = mismatch.detail.map { ": \($0)" } ?? ""
            throw BSSError(
                operation, "option '\(name)' expects \(expected), got \(value.described)\(detail)", kind: .usage)
        }
        if let check, !check.holds(decoded) {
            let near = value.string.flatMap { Text.nearest(to: $0, in: check.choices) }
            throw BSSError(
                operation, "option '\(name)' expects \(expected), got \(value.described)",
                hint: near.map { "did you mean '\($0)'?" }, kind: .usage)
        }
        if !decoded.isBounded, !(check?.takesAnyInteger ?? false) {
            let bound = "no integer beyond \(Int.largestArgument)"
            throw BSSError(
                operation, "option '\(name)' expects \(expected), \(bound), got \(value.described)", kind: .usage)
        }
        return decoded
    }
}

/// Marker: the argument swallows a list as one value.
public protocol ListArgument {}
/// Marker: nil is a legal value.
public protocol OptionalArgument {}

// MARK: Argument types

extension Bool: ArgumentType {
    public static var expected: String { "boolean" }
    public static var luaType: String { "boolean" }
    public init(value: Value) throws {
        guard case .bool(let b) = value else { throw Mismatch() }
        self = b
    }
    public var plain: Value { .bool(self) }
}

extension Int: ArgumentType {
    /// 2³¹ - 1
    public static let largestArgument = Int(Int32.max)
    public var isBounded: Bool { magnitude <= Int.largestArgument.magnitude }
    public static var expected: String { "integer" }
    public static var luaType: String { "integer" }
    public init(value: Value) throws {
        guard let i = value.int else { throw Mismatch() }
        self = i
    }
    public var plain: Value { .int(self) }
}

extension Double: ArgumentType {
    public static var expected: String { "number" }
    public static var luaType: String { "number" }
    public init(value: Value) throws {
        guard let d = value.double else { throw Mismatch() }
        self = d
    }
    public var plain: Value { .number(self) }
}

extension String: ArgumentType {
    public static var expected: String { "string" }
    public static var luaType: String { "string" }
    public init(value: Value) throws {
        guard case .string(let s) = value else { throw Mismatch() }
        self = s
    }
    public var plain: Value { .string(self) }
}

extension Value: ArgumentType {
    public static var expected: String { "value" }
    public init(value: Value) throws { self = value }
    public var plain: Value { self }
}

extension Table: ArgumentType, ListArgument {
    public static var expected: String { "table" }
    public static var luaType: String { "table" }
    public init(value: Value) throws {
        guard case .table(let t) = value else { throw Mismatch() }
        self = t
    }
    public var plain: Value { .table(self) }
}

/// A Lua function handed to a part.
public struct Callback: ArgumentType {
    public static let expected = "function"
    public static var luaType: String { "function" }
    public let function: any Callable
    public init(value: Value) throws {
        guard case .function(let f) = value else { throw Mismatch() }
        function = f
    }
    /// Kept as it is: records name where the code stands (`function@file:line`), identities hash what it does.
    public var plain: Value { .function(function) }
}

extension Optional: ArgumentType, OptionalArgument where Wrapped: ArgumentType {
    public static var expected: String { "\(Wrapped.expected) or nil" }
    public static var luaType: String { Wrapped.luaType }
    public static var choices: [String] { Wrapped.choices }
    public init(value: Value) throws { self = value.isNull ? nil : try Wrapped(value: value) }
    public var isBounded: Bool { self?.isBounded ?? true }
    public var plain: Value { self?.plain ?? .null }
}

extension Array: ArgumentType, ListArgument where Element: ArgumentType {
    public static var expected: String {
        let one = Element.expected
        return one.hasPrefix("one of ") ? "list of " + one.dropFirst("one of ".count) : "list of \(one)s"
    }
    public static var luaType: String {
        Element.luaType.contains("|") ? "(\(Element.luaType))[]" : "\(Element.luaType)[]"
    }
    public static var choices: [String] { Element.choices }
    public init(value: Value) throws {
        guard case .table(let t) = value, t.keys.isEmpty else { throw Mismatch() }
        self = try t.items.enumerated().map { index, item in
            do { return try Element(value: item) } catch let mismatch as Mismatch {
                throw Mismatch("entry \(index + 1) is \(item.described)\(mismatch.detail.map { ", \($0)" } ?? "")")
            }
        }
    }
    public var plain: Value { .list(map(\.plain)) }
    public var isBounded: Bool { allSatisfy(\.isBounded) }
}
