import BSSBackend
import BSSCore

// How tensors, axes, positions and dtypes arrive from scripts: 1-based axes and positions become 0-based here and
// nowhere else.

/// An axis, 1-based, or negative from the end.
public struct Axis: ArgumentType {
    public static let expected = "axis (1 is the first, -1 the last)"
    public static let luaType = "integer"
    /// 0-based or negative, as ops take it.
    public let index: Int
    public init(value: Value) throws {
        guard let axis = value.int, axis != 0 else { throw Mismatch(value.int == 0 ? "axes start at 1" : nil) }
        index = axis > 0 ? axis - 1 : axis
    }
    private init(index: Int) { self.index = index }
    static let first = Axis(index: 0), last = Axis(index: -1)
    public var plain: Value { .int(index >= 0 ? index + 1 : index) }
}

/// One axis or a list of axes.
public struct Axes: ArgumentType {
    public static let expected = "axis or list of axes (1 is the first, -1 the last)"
    public static let luaType = "integer|integer[]"
    public let indices: [Int]
    public init(value: Value) throws {
        if case .table = value {
            indices = try [Axis](value: value).map(\.index)
        } else {
            indices = [try Axis(value: value).index]
        }
    }
    public var plain: Value { .list(indices.map { .int($0 >= 0 ? $0 + 1 : $0) }) }
}

/// "f32", "f64", "i64", "bool", "f16", "bf16"
public struct DTypeName: ArgumentType {
    public static let expected = "dtype (\"f32\", \"f64\", \"i64\", \"bool\", \"f16\" or \"bf16\")"
    public static let luaType = DType.allCases.map { "\"\($0.name)\"" }.joined(separator: "|")
    public let dtype: DType
    public init(_ dtype: DType) { self.dtype = dtype }
    public init(value: Value) throws {
        guard let found = DType.allCases.first(where: { $0.name == value.string }) else { throw Mismatch() }
        dtype = found
    }
    public var plain: Value { .string(dtype.name) }
}

/// A number of a script: whether it was written as an integer decides the dtype it takes beside a tensor.
public struct Scalar: ArgumentType {
    public static let expected = "number"
    public static let luaType = "number"
    public let value: Value
    public init(_ value: Double) { self.value = .number(value) }
    public init(value: Value) throws {
        guard value.double != nil else { throw Mismatch() }
        self.value = value
    }
    public var plain: Value { value }
    public var double: Double { value.double ?? .nan }
    var isInteger: Bool { if case .int = value { return true } else { return false } }
    /// A whole number, written as an integer or not.
    var integer: Int? { if case .int(let whole) = value { return whole } else { return Int(exactly: double) } }
}

/// A tensor, a number, or nested lists of numbers. Numbers are kept as they were written; beside a tensor they take its
/// dtype.
public struct TensorArgument: ArgumentType {
    public static let expected = "tensor or number"
    public static let luaType = "\(LuaType.name("tensor"))|number|table"

    /// What numbers of a script are, from the narrowest: each kind goes into a dtype of its own kind or a wider one.
    enum Kind: Int { case flag, integer, real }

    /// The tensor, or the numbers without loss: bool, i64 or f64.
    public let exact: Tensor
    /// `nil`: a tensor.
    let kind: Kind?
    /// True for numbers and lists of them.
    public var isNumber: Bool { kind != nil }

    init(_ tensor: Tensor) { (exact, kind) = (tensor, nil) }

    public init(value: Value) throws {
        switch value {
        case .object(let object):
            guard let tensor = object as? Tensor else { throw Mismatch() }
            (exact, kind) = (tensor, nil)
        case .int, .number, .table:
            let numbers = try NestedNumbers(value)
            (exact, kind) = (try numbers.tensor(), numbers.kind)
        default: throw Mismatch()
        }
    }

    public var plain: Value { .string("tensor\(exact.shape)") }

    /// The tensor; numbers as f32.
    public var tensor: Tensor {
        get throws { isNumber ? try exact.converted(to: .float32) : exact }
    }

    /// Beside a tensor of `dtype`, by PyTorch's rule: the tensor's dtype (for halves what they compute in) unless the
    /// number's kind is wider, then i64 or f32.
    func dtype(beside dtype: DType) -> DType {
        guard let kind else { return exact.dtype }
        let own: Kind = dtype.isReal ? .real : dtype == .int64 ? .integer : .flag
        return kind.rawValue <= own.rawValue ? dtype.computing : kind == .real ? .float32 : .int64
    }

    /// This operand beside another.
    func matching(_ partner: TensorArgument) throws -> Tensor {
        partner.isNumber ? try tensor : try matching(partner.exact)
    }
    func matching(_ partner: Tensor) throws -> Tensor {
        isNumber ? try exact.converted(to: dtype(beside: partner.dtype)) : exact
    }

    /// Whole numbers as i64: positions, labels. Nothing is rounded.
    /// - Throws: naming the first entry that is no integer.
    public func integers(_ operation: String, _ what: String) throws -> Tensor {
        guard exact.dtype.isReal else { return try exact.converted(to: .int64) }
        let whole = try exact.detached.converted(to: .int64)
        let back = try whole.converted(to: .float64)
        let isSame = try Tensor.compare(.equal, back, exact.detached)
        guard try isSame.unary(.logicalNot).sum().item() > 0 else { return whole }
        let bad = try exact.values(Double.self).first { Int(exactly: $0) == nil } ?? .nan
        throw BSSError(operation, "\(what) are whole numbers, got \(Text.number(bad))", kind: .usage)
    }
}

/// Nested lists of equal lengths, or one number.
struct NestedNumbers {
    private(set) var sizes: [Int] = []
    private var integers: [Int] = []
    /// Used from the first number that is no integer on.
    private var reals: [Double] = []
    private(set) var kind = TensorArgument.Kind.flag

    /// - Throws: `Mismatch` naming what is no number, or lists of different lengths.
    init(_ value: Value) throws {
        var probe = value
        while case .table(let table) = probe {
            guard table.keys.isEmpty else { throw Mismatch("it has the field '\(table.keys[0])'") }
            guard sizes.count < Shape.maximumRank else { throw Mismatch("more than \(Shape.maximumRank) levels") }
            sizes.append(table.items.count)
            guard let first = table.items.first else { break }
            probe = first
        }
        try collect(value, 0)
        if integers.isEmpty && reals.isEmpty { kind = .real }
    }

    private mutating func collect(_ value: Value, _ depth: Int) throws {
        switch value {
        case .table(let table):
            guard depth < sizes.count, table.items.count == sizes[depth], table.keys.isEmpty else {
                throw Mismatch("lists of different lengths at level \(depth + 1)")
            }
            for item in table.items { try collect(item, depth + 1) }
        case .int(let number) where depth == sizes.count: add(number, .integer)
        case .bool(let flag) where depth == sizes.count: add(flag ? 1 : 0, .flag)
        case .number(let number) where depth == sizes.count:
            if kind != .real { reals = integers.map(Double.init) }
            kind = .real
            reals.append(number)
        default: throw Mismatch("an entry is \(value.described)")
        }
    }

    private mutating func add(_ number: Int, _ own: TensorArgument.Kind) {
        if kind == .real {
            reals.append(Double(number))
        } else {
            integers.append(number)
            if own == .integer { kind = .integer }
        }
    }

    /// Without loss: bool, i64 or f64.
    func tensor() throws -> Tensor {
        let shape = try Shape(sizes, operation: "tensor")
        switch kind {
        case .flag: return try Tensor.from(integers.map { $0 != 0 }, shape)
        case .integer: return try Tensor.from(integers, shape)
        case .real: return try Tensor.from(reals, shape)
        }
    }

    /// As `dtype`; fractions are cut off for i64.
    /// - Throws: a number that i64 cannot hold: NaN, infinite or beyond 2⁶³.
    func tensor(as dtype: DType, _ operation: String) throws -> Tensor {
        if dtype == .int64, let bad = reals.first(where: { Int(exactly: $0.rounded(.towardZero)) == nil }) {
            throw BSSError(operation, "i64 cannot hold \(Text.number(bad))", kind: .usage)
        }
        return try tensor().converted(to: dtype)
    }
}
