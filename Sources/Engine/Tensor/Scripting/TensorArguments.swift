import BSSBackend
import BSSCore

// How tensors, axes, positions and dtypes arrive from scripts: 1-based axes and positions become 0-based here and nowhere else.

/// An axis, 1-based, or negative from the end.
public struct Axis: ArgumentType {
    public static let expected = "axis (1 is the first, -1 the last)"
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

/// "f32", "f64", "i64", "bool"
public struct DTypeName: ArgumentType {
    public static let expected = "dtype (\"f32\", \"f64\", \"i64\" or \"bool\")"
    public let dtype: DType
    public init(_ dtype: DType) { self.dtype = dtype }
    public init(value: Value) throws {
        guard let found = DType.allCases.first(where: { $0.name == value.string }) else { throw Mismatch() }
        dtype = found
    }
    public var plain: Value { .string(dtype.name) }
}

/// A tensor, a number, or nested lists of numbers.
public struct TensorArgument: ArgumentType {
    public static let expected = "tensor or number"
    public let tensor: Tensor
    /// True for plain numbers: they take the other operand's dtype.
    public let isNumber: Bool

    public init(value: Value) throws {
        switch value {
        case .object(let object):
            guard let tensor = object as? Tensor else { throw Mismatch() }
            (self.tensor, isNumber) = (tensor, false)
        case .int, .number:
            (tensor, isNumber) = (try Tensor.scalar(value.double!), true)
        case .table:
            (tensor, isNumber) = (try TensorArgument.nested(value, .float32), false)
        default: throw Mismatch()
        }
    }

    public var plain: Value { .string("tensor\(tensor.shape)") }

    /// A scalar operand in the dtype of its partner.
    func matching(_ partner: Tensor) throws -> Tensor {
        isNumber && partner.dtype.isFloat ? try tensor.converted(to: partner.dtype) : tensor
    }

    /// Nested lists of equal lengths as a tensor.
    static func nested(_ value: Value, _ dtype: DType) throws -> Tensor {
        var sizes: [Int] = []
        var probe = value
        while case .table(let table) = probe {
            guard table.keys.isEmpty else { throw Mismatch("it has the field '\(table.keys[0])'") }
            sizes.append(table.items.count)
            guard let first = table.items.first else { break }
            probe = first
        }
        var numbers: [Double] = []
        func collect(_ value: Value, _ depth: Int) throws {
            if case .table(let table) = value {
                guard depth < sizes.count, table.items.count == sizes[depth] else {
                    throw Mismatch("lists of different lengths at level \(depth + 1)")
                }
                for item in table.items { try collect(item, depth + 1) }
            } else if depth == sizes.count, let number = value.double {
                numbers.append(number)
            } else if depth == sizes.count, let flag = value.bool {
                numbers.append(flag ? 1 : 0)
            } else {
                throw Mismatch("an entry is \(value.described)")
            }
        }
        try collect(value, 0)
        return try Tensor.from(numbers, Shape(sizes, operation: "tensor")).converted(to: dtype)
    }
}
