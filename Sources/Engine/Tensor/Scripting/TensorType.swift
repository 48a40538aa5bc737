import BSSBackend
import BSSCore

extension Tensor: HostObject {
    public var objectType: ObjectType { Tensor.scriptType }
    public var byteCount: Int { elementCount * dtype.byteSize }

    /// What scripts see of a tensor. Elementwise methods derive from `UnaryOp`; the rest are rows of TensorMethods.
    public static let scriptType = ObjectType(
        "tensor",
        help:
            "An n-dimensional array. Arithmetic broadcasts; axes and positions are 1-based; "
            + "values never change in place, except by :assign.",
        methods: TensorMethods.elementwise + TensorMethods.arithmetic + TensorMethods.reductions + TensorMethods.shaping
            + TensorMethods.indexing
            + TensorMethods.reading,
        operators: [
            "__add": { try operate(.add, $0) }, "__sub": { try operate(.sub, $0) }, "__mul": { try operate(.mul, $0) },
            "__div": { try operate(.div, $0) }, "__pow": { try operate(.pow, $0) },
            "__mod": { try operate(.remainder, $0) }, "__idiv": { try operate(.floorDivide, $0) },
            "__unm": { .object(try TensorArgument(value: $0[0]).tensor.negated()) },
            "__eq": { .bool(try areEqual($0[0], $0[1])) },
            "__len": { values in
                let tensor = try TensorArgument(value: values[0]).tensor
                return .int(tensor.rank == 0 ? 0 : tensor.shape[0])
            },
        ])

    /// Of one shape and dtype, and every value equal (NaN is not equal to itself, -0 is to 0). Other objects are not.
    private static func areEqual(_ a: Value, _ b: Value) throws -> Bool {
        guard case .object(let x) = a, case .object(let y) = b, let x = x as? Tensor, let y = y as? Tensor,
            x.shape == y.shape, x.dtype == y.dtype
        else { return false }
        switch x.dtype {
        case .int64: return try x.values(Int.self) == y.values(Int.self)
        case .bool: return try x.values(Bool.self) == y.values(Bool.self)
        case .float32: return try x.values(Float.self) == y.values(Float.self)
        default: return try x.values(Double.self) == y.values(Double.self)
        }
    }

    private static func operate(_ op: BinaryOp, _ values: [Value]) throws -> Value {
        func operand(_ index: Int) throws -> TensorArgument {
            do { return try TensorArgument(value: values[index]) } catch is Mismatch {
                throw BSSError(
                    "\(op)", "cannot combine \(values[0].described) and \(values[1].described)",
                    hint: "operands are tensors or numbers")
            }
        }
        return .object(try TensorMethods.binary(op, operand(0), operand(1)))
    }

    /// `t[i]`: the i-th sub-tensor (1-based, negative from the end); an element of a vector comes as a number.
    public func element(_ index: Int) throws -> Value? {
        guard rank > 0 else { throw BSSError("index", "a scalar tensor has no positions", hint: "use :item()") }
        let size = shape[0]
        let position = index > 0 ? index - 1 : index + size
        guard index != 0, position >= 0, position < size else { return nil }
        let part = try element(at: position)
        if part.rank > 0 || part.requiresGradient { return .object(part) }
        if dtype == .int64 { return .int(try part.values(Int.self)[0]) }
        let number = try part.item()
        return dtype == .bool ? .bool(number != 0) : .number(number)
    }

    /// Type, shape, a corner of the values and one line of statistics; reads no more than it shows, except for the
    /// statistics.
    public var summary: String {
        let head = "tensor \(dtype.name) \(shape) on \(backend.device)"
        // What cannot be read is not shown: a summary never fails.
        guard elementCount > 0, let corner = try? Tensor.corner(self, indent: "") else { return head }
        if rank == 0 { return "\(head): \(corner)" }
        return "\(head)\n\(corner)" + (elementCount > 1 && dtype.isReal ? "\n\(statistics)" : "")
    }

    /// `mean 0.01, std 1.0, min -2.9, max 3.1` and counts of NaN and infinities, if any.
    private var statistics: String {
        // As above.
        guard let s = try? finiteStatistics() else { return "" }
        var line = Text.format("mean %.4g, std %.4g, min %.4g, max %.4g", s.mean, s.deviation, s.low, s.high)
        if s.nan > 0 { line += ", nan \(s.nan)" }
        if s.infinite > 0 { line += ", inf \(s.infinite)" }
        return line
    }

    /// Over the finite elements, and how many are not; in double precision. NaN where there is nothing to say.
    func finiteStatistics() throws -> (
        mean: Double, deviation: Double, low: Double, high: Double, nan: Int, infinite: Int
    ) {
        let values = try Autograd.withoutRecording { try self.values(Double.self) }
        var count = 0
        var nan = 0
        var sum = 0.0
        var low = Double.infinity
        var high = -Double.infinity
        for value in values {
            guard value.isFinite else {
                if value.isNaN { nan += 1 }
                continue
            }
            count += 1
            sum += value
            low = Swift.min(low, value)
            high = Swift.max(high, value)
        }
        guard count > 0 else { return (.nan, .nan, .nan, .nan, nan, values.count - nan) }
        let mean = sum / Double(count)
        let squares = values.reduce(0) { $1.isFinite ? $0 + ($1 - mean) * ($1 - mean) : $0 }
        return (
            mean, (squares / Double(Swift.max(count - 1, 1))).squareRoot(), low, high, nan, values.count - count - nan
        )
    }

    private static func corner(_ tensor: Tensor, indent: String) throws -> String {
        try Autograd.withoutRecording {
            guard tensor.rank > 0 else { return try cell(tensor) }
            let n = tensor.shape[0]
            let shown = n <= 8 ? Array(0..<n) : Array(0..<4) + [-1] + Array((n - 3)..<n)
            if tensor.rank == 1 {
                let cells = try shown.map { $0 < 0 ? "…" : try cell(tensor.element(at: $0)) }
                return indent + "[" + cells.joined(separator: "  ") + "]"
            }
            return try shown.map {
                $0 < 0
                    ? indent + " …" : try corner(tensor.element(at: $0), indent: indent + (tensor.rank > 2 ? " " : ""))
            }
            .joined(separator: tensor.rank > 2 ? "\n\n" : "\n")
        }
    }

    private static func cell(_ element: Tensor) throws -> String {
        switch element.dtype {
        case .bool: return try element.item() == 0 ? "false" : "true"
        case .int64: return Text.padded(String(try element.values(Int.self)[0]), to: 4, right: true)
        default:
            let number = try element.item()
            return Text.padded(number.isNaN ? "nan" : Text.format("%.4g", number), to: 9, right: true)
        }
    }
}
