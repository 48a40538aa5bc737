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
    /// The derivative is the same wherever it is taken.
    public var derivativeReadsNothing: Bool {
        switch self {
        case .neg, .addScalar, .mulScalar, .sign, .floor, .ceil, .round: return true
        default: return false
        }
    }
    /// Whether integers stay integers under these parameters: a fraction makes them floats.
    public func keepsIntegers(_ p0: Double, _ p1: Double) -> Bool {
        switch self {
        case .addScalar, .mulScalar: return p0 == p0.rounded()
        case .clamp: return p0 == p0.rounded() && p1 == p1.rounded()
        default: return true
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

    /// What it is defined on.
    public var takes: DTypes {
        switch self {
        case .any, .all: return .bool
        case .sumSquares, .sumAbs: return .floats
        default: return .any
        }
    }

    /// The dtype of its result: positions are i64, sums and products of bools count.
    public func result(of dtype: DType) -> DType {
        switch self {
        case .argmax, .argmin: return .int64
        case .sum, .prod: return dtype == .bool ? .int64 : dtype
        default: return dtype
        }
    }
}
public enum Epilogue: UInt32, Sendable { case none, relu }
