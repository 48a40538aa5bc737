import BSSCore

/// A type of arguments whose values can be given as a word of the command line.
public protocol WordType: ArgumentType {
    /// What stands for a value in usage texts; nil: a switch, which takes none.
    static var placeholder: String? { get }
    /// The value that a word means; nil: it means none of this type.
    static func value(of word: String) -> Value?
}

extension Bool: WordType {
    public static var placeholder: String? { nil }
    public static func value(of word: String) -> Value? { ["true": .bool(true), "false": .bool(false)][word] }
}

extension Int: WordType {
    public static var placeholder: String? { "N" }
    public static func value(of word: String) -> Value? { Int(word).map(Value.int) }
}

extension Double: WordType {
    public static var placeholder: String? { "X" }
    public static func value(of word: String) -> Value? { Double(word).map(Value.number) }
}

extension String: WordType {
    public static var placeholder: String? { "TEXT" }
    public static func value(of word: String) -> Value? { .string(word) }
}

extension Optional: WordType where Wrapped: WordType {
    public static var placeholder: String? { Wrapped.placeholder }
    public static func value(of word: String) -> Value? { Wrapped.value(of: word) }
}

/// Several values stand in one word, between commas.
extension Array: WordType where Element: WordType {
    public static var placeholder: String? { Element.placeholder.map { "\($0),…" } }
    public static func value(of word: String) -> Value? {
        let values = word.split(separator: ",").map { Element.value(of: String($0)) }
        let known = values.compactMap { $0 }
        return known.count == values.count ? .list(known) : nil
    }
}

/// A type with a form as text, and no other.
public protocol TextualType: WordType {
    init?(text: String)
    var text: String { get }
}

extension TextualType {
    public init(value: Value) throws {
        guard case .string(let text) = value, let found = Self(text: text) else { throw Mismatch() }
        self = found
    }
    public var plain: Value { .string(text) }
    public static func value(of word: String) -> Value? { Self(text: word) == nil ? nil : .string(word) }
}

/// One of the cases of an enumeration, by name.
public struct OneOf<E: RawRepresentable & CaseIterable>: TextualType where E.RawValue == String {
    public let value: E
    public init(_ value: E) { self.value = value }
    public init?(text: String) {
        guard let value = E(rawValue: text) else { return nil }
        self.value = value
    }
    public var text: String { value.rawValue }
    public static var expected: String { "one of \(choices.joined(separator: ", "))" }
    public static var choices: [String] { E.allCases.map(\.rawValue) }
    public static var placeholder: String? { choices.joined(separator: "|") }
}

/// What a Lua integer holds from 0: records and scripts have it as one.
struct RootSeed: TextualType {
    let number: UInt64
    init?(text: String) {
        guard let number = UInt64(text), number <= UInt64(Int.max) else { return nil }
        self.number = number
    }
    var text: String { String(number) }
    static let expected = "integer from 0 to \(Int.max)"
    static let placeholder: String? = "N"
}

/// Of threads or processes, 1 … 1024.
struct ProcessorCount: TextualType {
    let number: Int
    init?(text: String) {
        guard let number = Int(text), (1...1024).contains(number) else { return nil }
        self.number = number
    }
    var text: String { String(number) }
    static let expected = "integer from 1 to 1024"
    static let placeholder: String? = "N"
}

/// `cpu`, `cuda` or `cuda:N`.
struct DeviceName: TextualType {
    let device: RunOptions.Device
    let text: String
    init?(text: String) {
        self.text = text
        if text == "cpu" {
            device = .cpu
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard ["cuda", "gpu"].contains(parts.first), parts.count <= 2 else { return nil }
        if parts.count == 1 {
            device = .cuda(nil)
            return
        }
        guard let index = Int(parts[1]), index >= 0 else { return nil }
        device = .cuda(index)
    }
    static let expected = "cpu, cuda or cuda:N"
    static let placeholder: String? = "D"
}

/// A folder's path.
struct FolderPath: TextualType {
    let text: String
    init?(text: String) {
        guard !text.isEmpty, !text.utf8.contains(0) else { return nil }
        self.text = text
    }
    static let expected = "folder"
    static let placeholder: String? = "DIR"
}

/// `key=value`
struct KeyValue: TextualType {
    let key, value: String
    init?(text: String) {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else { return nil }
        (key, value) = (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }
    var text: String { "\(key)=\(value)" }
    static let expected = "key=value"
    static let placeholder: String? = "K=V"
}

/// `512M`, `2G`
struct ByteSize: TextualType {
    let bytes: Int
    init?(text: String) {
        let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
        let unit = text.last.flatMap { units[$0] }
        guard let count = Int(unit == nil ? text : String(text.dropLast())), count > 0,
            case (let bytes, let overflow) = count.multipliedReportingOverflow(by: unit ?? 1), !overflow
        else { return nil }
        self.bytes = bytes
    }
    var text: String { String(bytes) }
    static let expected = "size such as 512M or 2G"
    static let placeholder: String? = "SIZE"
}
