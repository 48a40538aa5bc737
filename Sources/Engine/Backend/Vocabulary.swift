import BSSCore
import CBSSKernels

// The elementary functions that every backend supplies: rows of bss_ops.h, which C makes its loops from.

public typealias UnaryOp = bss_unary_op
public typealias BinaryOp = bss_binary_op
public typealias CompareOp = bss_compare_op
public typealias LogicalOp = bss_logical_op
public typealias ReduceOp = bss_reduce_op

/// An op that is a row of a table in bss_ops.h.
public protocol ListedOp: CaseIterable, CustomStringConvertible, RawRepresentable where RawValue == UInt32 {
    static var rows: UnsafePointer<bss_op_facts> { get }
}

extension ListedOp {
    @inline(__always) var facts: UnsafePointer<bss_op_facts> { Self.rows + Int(rawValue) }
    /// The field's name, `"gelu_tanh"`: the method of tensors, and the row of a profile.
    public var name: String { String(cString: facts.pointee.name) }
    /// "x Φ(x)"
    public var formula: String { String(cString: facts.pointee.formula) }
    public var description: String { name }
    public static var allCases: [Self] {
        var all: [Self] = []
        while rows[all.count].name.pointee != 0, let next = Self(rawValue: UInt32(all.count)) { all.append(next) }
        return all
    }
}

extension bss_unary_op: @retroactive CaseIterable, @retroactive CustomStringConvertible, ListedOp {
    public static var rows: UnsafePointer<bss_op_facts> { bss_unary_facts }
}
extension bss_binary_op: @retroactive CaseIterable, @retroactive CustomStringConvertible, ListedOp {
    public static var rows: UnsafePointer<bss_op_facts> { bss_binary_facts }
}
extension bss_compare_op: @retroactive CaseIterable, @retroactive CustomStringConvertible, ListedOp {
    public static var rows: UnsafePointer<bss_op_facts> { bss_compare_facts }
}
extension bss_logical_op: @retroactive CaseIterable, @retroactive CustomStringConvertible, ListedOp {
    public static var rows: UnsafePointer<bss_op_facts> { bss_logical_facts }
}
extension bss_reduce_op: @retroactive CaseIterable, @retroactive CustomStringConvertible, ListedOp {
    public static var rows: UnsafePointer<bss_op_facts> { bss_reduce_facts }
}

/// y = f(x; p0, p1), element by element.
extension UnaryOp {
    public struct Parameter {
        public let name: String, help: String
        public let standard: Double
        /// It must be above 0.
        public let isPositive: Bool
    }

    private func has(_ trait: Int) -> Bool { facts.pointee.traits & UInt32(trait) != 0 }

    /// Names and standard values of p0 and p1, where a script may give them.
    public var parameters: [Parameter] {
        let (first, second) = facts.pointee.parameters
        return [first, second].compactMap { one in
            guard let name = one.name, let help = one.help else { return nil }
            return Parameter(
                name: String(cString: name), help: String(cString: help), standard: one.standard,
                isPositive: one.is_positive)
        }
    }
    /// What it is defined on.
    public var takes: DTypes {
        if self == .logicalNot { return .bool }
        return facts.pointee.takes_integers ? .numbers : .floats
    }
    public var yieldsBool: Bool { facts.pointee.is_test }
    /// The derivative reads y instead of x.
    public var derivativeReadsOutput: Bool { has(BSS_READS_RESULT) }
    /// The derivative is the same wherever it is taken.
    public var derivativeReadsNothing: Bool { has(BSS_READS_NOTHING) }
    /// Layers may name it.
    public var isActivation: Bool { has(BSS_ACTIVATION) }
    /// Scripts reach it in another way than by a method of its name.
    public var isInternal: Bool { has(BSS_INTERNAL) }
    /// Whether integers stay integers under these parameters: a fraction makes them floats.
    public func keepsIntegers(_ p0: Double, _ p1: Double) -> Bool { p0 == p0.rounded() && p1 == p1.rounded() }
}

extension ReduceOp {
    /// What it is defined on.
    public var takes: DTypes {
        switch self {
        case .any, .all: return .bool
        case .sumSquares, .sumAbs: return .floats
        default: return .computed
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
