/// An argument that is one of a few words: `enum Mode: String, Choice { case exact, linear }`.
public protocol Choice: ArgumentType, CaseIterable, RawRepresentable where RawValue == String {}

extension Choice {
    public static var choices: [String] { allCases.map(\.rawValue) }
    public static var expected: String { "string one of " + choices.map { "\"\($0)\"" }.joined(separator: ", ") }

    public init(value: Value) throws {
        guard let word = value.string, let found = Self(rawValue: word) else { throw Mismatch() }
        self = found
    }
    public var plain: Value { .string(rawValue) }
}
