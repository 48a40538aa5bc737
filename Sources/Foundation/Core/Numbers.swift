/// A host object that holds numbers in a row-major block; tensors conform, so they may stand where lists may.
public protocol MatrixConvertible: HostObject {
    /// Sizes per axis and the values in row-major order.
    func numbers() throws -> (shape: [Int], values: [Double])
}

/// Numbers in one axis, from a Lua list or a tensor: losses, scores, one value per sample.
public struct Vector: ArgumentType, ListArgument {
    public var values: [Double]
    public init(_ values: [Double]) { self.values = values }

    public static let expected = "list of numbers"
    public static let luaType = "number[]|\(LuaType.name("tensor"))"

    public init(value: Value) throws {
        switch value {
        case .table(let table) where table.keys.isEmpty:
            values = try table.items.enumerated().map { index, item in
                guard let number = item.double else { throw Mismatch("entry \(index + 1) is \(item.described)") }
                return number
            }
        case .object(let object):
            guard let convertible = object as? any MatrixConvertible else { throw Mismatch() }
            let (shape, numbers) = try convertible.numbers()
            guard shape.filter({ $0 != 1 }).count <= 1 else { throw Mismatch("its shape is \(shape)") }
            values = numbers
        default: throw Mismatch()
        }
    }

    public var plain: Value { .list(values) }
}

/// Numbers in rows and columns, row-major: logits or features, one row per sample.
public struct Matrix: ArgumentType, ListArgument {
    public let rows: Int
    public let columns: Int
    /// `values[row * columns + column]`
    public let values: [Double]

    public init(rows: Int, columns: Int, values: [Double]) {
        precondition(values.count == rows * columns)
        self.rows = rows
        self.columns = columns
        self.values = values
    }

    public init(rows: Int, columns: Int, values: [Float]) {
        self.init(rows: rows, columns: columns, values: values.map(Double.init))
    }

    public static let expected = "matrix (list of rows)"
    public static let luaType = "number[][]|\(LuaType.name("tensor"))"

    public init(value: Value) throws {
        switch value {
        case .table(let table) where table.keys.isEmpty:
            var values: [Double] = []
            var columns = 0
            for (index, item) in table.items.enumerated() {
                guard let row = try? Vector(value: item) else {  // the row's error would not say which row
                    throw Mismatch("row \(index + 1) is \(item.described), not a list of numbers")
                }
                if index == 0 { columns = row.values.count }
                guard row.values.count == columns else {
                    throw Mismatch("row \(index + 1) has \(row.values.count) numbers, row 1 has \(columns)")
                }
                values += row.values
            }
            self.init(rows: table.items.count, columns: columns, values: values)
        case .object(let object):
            guard let convertible = object as? any MatrixConvertible else { throw Mismatch() }
            let (shape, values) = try convertible.numbers()
            guard shape.count == 2 else { throw Mismatch("its shape is \(shape)") }
            self.init(rows: shape[0], columns: shape[1], values: values)
        default: throw Mismatch()
        }
    }

    public var plain: Value {
        .list((0..<rows).map { row in .list(Array(values[row * columns..<(row + 1) * columns])) })
    }
}

/// One matrix per modality, in the order in which they came.
public struct MatrixPerModality: ArgumentType {
    public var modalities: [String]
    public var matrices: [Matrix]

    public init(modalities: [String], matrices: [Matrix]) {
        self.modalities = modalities
        self.matrices = matrices
    }

    public static let expected = "table of matrices by modality"
    public static let luaType = "table<string, \(Matrix.luaType)>"

    public init(value: Value) throws {
        guard case .table(let table) = value, table.items.isEmpty, !table.keys.isEmpty else { throw Mismatch() }
        modalities = table.keys
        matrices = try table.fields.map { key, item in
            do { return try Matrix(value: item) } catch let mismatch as Mismatch {
                throw Mismatch("\(key): \(mismatch.detail ?? "expected a \(Matrix.expected), got \(item.described)")")
            }
        }
    }

    public var plain: Value { .fields(zip(modalities, matrices).map { ($0, $1.plain) }) }
}
