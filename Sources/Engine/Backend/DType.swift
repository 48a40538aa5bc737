/// Element types. `float32` is what models train in; `float64` checks derivatives; `int64` holds indices and labels.
public enum DType: Int32, CaseIterable, Sendable {
    case float32 = 0
    case float64, int64, bool

    public var byteSize: Int {
        switch self {
        case .float32: return 4
        case .float64, .int64: return 8
        case .bool: return 1
        }
    }

    public var isFloat: Bool { self == .float32 || self == .float64 }

    /// The Lua name: `"f32"`, `"f64"`, `"i64"`, `"bool"`.
    public var name: String {
        switch self {
        case .float32: return "f32"
        case .float64: return "f64"
        case .int64: return "i64"
        case .bool: return "bool"
        }
    }

    /// The type of a binary operation on two types: the wider float, else the float, else i64 over bool.
    public static func promoted(_ a: DType, _ b: DType) -> DType {
        if a == b { return a }
        if a.isFloat && b.isFloat { return .float64 }
        if a.isFloat { return a }
        if b.isFloat { return b }
        return .int64
    }
}
