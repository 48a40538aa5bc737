// The elementary functions every backend supplies. Orders equal the enums of CBSSKernels/bss_elementwise.h and
// bss_reduce.h (a test compares them).

/// y = f(x; p0, p1), element by element.
public enum UnaryOp: UInt32, CaseIterable, Sendable {
    case neg, abs, square, sign, clamp, addScalar, mulScalar, powScalar
    case exp, expm1, log, log1p, sqrt, rsqrt, reciprocal
    case tanh, sigmoid, relu, leakyRelu, elu, gelu, geluTanh, quickGelu, silu, logSigmoid, softplus
    case erf, sin, cos, digamma, trigamma, lgamma
    case floor, ceil, round
    case isNaN, isInf, isFinite, logicalNot

    public var yieldsBool: Bool {
        switch self {
        case .isNaN, .isInf, .isFinite, .logicalNot: return true
        default: return false
        }
    }
    /// The derivative reads y instead of x.
    public var derivativeReadsOutput: Bool {
        switch self {
        case .exp, .expm1, .sqrt, .rsqrt, .reciprocal, .tanh, .sigmoid: return true
        default: return false
        }
    }
    /// Also defined on i64.
    public var allowsIntegers: Bool {
        switch self {
        case .neg, .abs, .square, .sign, .clamp, .addScalar, .mulScalar: return true
        default: return false
        }
    }
}

public enum BinaryOp: UInt32, CaseIterable, Sendable { case add, sub, mul, div, maximum, minimum, pow }
public enum CompareOp: UInt32, CaseIterable, Sendable { case equal, notEqual, less, lessEqual, greater, greaterEqual }
public enum LogicalOp: UInt32, CaseIterable, Sendable { case and, or, xor }
public enum ReduceOp: UInt32, CaseIterable, Sendable {
    case sum, prod, max, min, argmax, argmin, any, all, sumSquares, sumAbs
}
public enum Epilogue: UInt32, Sendable { case none, relu }
