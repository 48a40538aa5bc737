/// The root of random streams: any integer, where other integers of calls are sizes and bounded.
public struct Seed: ArgumentType, ExpressibleByIntegerLiteral {
    public let value: Int
    public init(_ value: Int) { self.value = value }
    public init(integerLiteral value: Int) { self.value = value }

    public static let expected = Int.expected
    public init(value: Value) throws { self.value = try Int(value: value) }
    public var plain: Value { .int(value) }
    /// As random streams take it.
    public var root: UInt64 { UInt64(bitPattern: Int64(value)) }
}
