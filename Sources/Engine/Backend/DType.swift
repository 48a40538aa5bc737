/// Element types. `float32` is what models train in; `float64` checks derivatives; `int64` holds indices and labels.
/// `float16` (IEEE binary16) and `bfloat16` (the upper half of a float32) hold numbers in half the memory: they are
/// stored, moved and converted, and every operation on them computes in float32 and gives float32.
public enum DType: Int32, CaseIterable, Sendable {
    case float32 = 0
    case float64, int64, bool, float16, bfloat16

    public var byteSize: Int {
        switch self {
        case .float32: return 4
        case .float64, .int64: return 8
        case .bool: return 1
        case .float16, .bfloat16: return 2
        }
    }

    /// What kernels compute real numbers in.
    public var isFloat: Bool { self == .float32 || self == .float64 }
    /// Real numbers of 16 bits.
    public var isHalf: Bool { self == .float16 || self == .bfloat16 }
    /// What has gradients.
    public var isReal: Bool { isFloat || isHalf }
    /// What operations on this type compute in.
    public var computing: DType { isHalf ? .float32 : self }

    /// The Lua name: `"f32"`, `"f64"`, `"i64"`, `"bool"`, `"f16"`, `"bf16"`.
    public var name: String {
        switch self {
        case .float32: return "f32"
        case .float64: return "f64"
        case .int64: return "i64"
        case .bool: return "bool"
        case .float16: return "f16"
        case .bfloat16: return "bf16"
        }
    }

    /// The type that holds two types: the wider float (float32 for the two halves), else the real one, else i64 over
    /// bool.
    public static func promoted(_ a: DType, _ b: DType) -> DType {
        if a == b { return a }
        if a.isReal && b.isReal { return a == .float64 || b == .float64 ? .float64 : .float32 }
        if a.isReal { return a }
        if b.isReal { return b }
        return .int64
    }
}
