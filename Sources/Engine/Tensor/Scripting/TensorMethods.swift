import BSSBackend
import BSSCore

/// Methods of tensors in scripts: one row each, the body is the Swift op.
enum TensorMethods {
    static func tensor(_ a: Arguments) throws -> Tensor { try a.receiver(as: Tensor.self) }
    static func result(_ tensor: Tensor) -> [Value] { [.object(tensor)] }

    /// One method a row of the table of ops, its parameters as options.
    static let elementwise: [Function] = UnaryOp.allCases.filter { !$0.isInternal }.map { op in
        let parameters = op.parameters.map {
            Argument($0.name, default: $0.standard, $0.help, check: $0.isPositive ? .above(0) : nil)
        }
        return Function(
            op.name, "y = \(op.formula), element by element.", parameters, returns: "tensor",
            example: "bss.tensor({1, 2}):\(op.name)()"
        ) { a in
            let values = parameters.map { a[$0] } + [0, 0]
            return result(try tensor(a).unary(op, values[0], values[1]))
        }
    }

    private static let other = Argument<TensorArgument>("other", "the second operand")

    private static func binary(_ op: BinaryOp) -> Function {
        Function(
            op.name, "y = \(op.formula), broadcast.", [other], returns: "tensor",
            example: "bss.tensor{1, 2}:\(op.name)(2)", style: .positional
        ) { a in
            result(try binary(op, TensorArgument(tensor(a)), a[other]))
        }
    }

    private static func comparison(_ op: CompareOp) -> Function {
        Function(
            op.name, "x \(op.formula) other, element by element.", [other], returns: "bool tensor",
            example: "bss.tensor{1, 2}:\(op.name)(2)", style: .positional
        ) { a in
            result(try compare(op, tensor(a), a[other]))
        }
    }

    /// Two operands, one of them perhaps a number, which takes the dtype of the other.
    static func binary(_ op: BinaryOp, _ a: TensorArgument, _ b: TensorArgument) throws -> Tensor {
        let (x, y) = (try a.matching(b), try b.matching(a))
        if op == .remainder || op == .floorDivide, !x.dtype.isReal, !y.dtype.isReal,
            try y.converted(to: .int64).values(Int.self).contains(0)
        {
            throw BSSError(op.name, "an integer is divided by zero", hint: "as numbers, :to(\"f32\"), it is nan or inf")
        }
        if op == .pow, b.isNumber, !x.dtype.isReal, y.dtype == .int64,
            try y.values(Int.self).contains(where: { $0 < 0 })
        {
            throw BSSError(
                "pow", "an integer to a negative integer power is no integer",
                hint: "convert with :to(\"f32\"), or write the exponent as -1.0")
        }
        return try Tensor.binary(op, x, y)
    }

    /// As numbers, not rounded to the tensor's dtype where that holds integers.
    private static func compare(_ op: CompareOp, _ x: Tensor, _ other: TensorArgument) throws -> Tensor {
        guard other.kind == .real, other.exact.rank == 0, !x.dtype.isReal else {
            return try Tensor.compare(op, x, other.matching(x))
        }
        // An integer is below 2.5 if it is at most 2; no integer is 2.5.
        let number = try other.exact.item()
        let whole = number.rounded(.down)
        guard let limit = Int(exactly: whole) else {
            let holds: Bool
            switch op {
            case .equal: holds = false
            case .notEqual: holds = true
            case .less, .lessEqual: holds = number > 0
            case .greater, .greaterEqual: holds = number < 0
            }
            return try Tensor.full(x.shape, holds ? 1 : 0, .bool, on: x.backend)
        }
        let bound = try Tensor.from([limit], Shape())
        if whole == number { return try Tensor.compare(op, x, bound) }
        switch op {
        case .equal: return try Tensor.full(x.shape, 0, .bool, on: x.backend)
        case .notEqual: return try Tensor.full(x.shape, 1, .bool, on: x.backend)
        case .less, .lessEqual: return try Tensor.compare(.lessEqual, x, bound)
        case .greater, .greaterEqual: return try Tensor.compare(.greater, x, bound)
        }
    }

    static let arithmetic: [Function] =
        BinaryOp.allCases.map(binary) + CompareOp.allCases.map(comparison) + [clamp, softmax, logSoftmax, matmul]

    private static let clamp: Function = {
        let low = Argument<Scalar?>("min", default: nil, "lower limit")
        let high = Argument<Scalar?>("max", default: nil, "upper limit")
        return Function(
            "clamp", "Limits every element to [min, max].", [low, high], returns: "tensor",
            example: "bss.tensor{-2, 0.5, 2}:clamp{ min = 0, max = 1 }"
        ) { a in
            let x = try tensor(a)
            if x.dtype.isReal {
                return result(try x.clamped(a[low]?.double ?? -.infinity, a[high]?.double ?? .infinity))
            }
            var y = TensorArgument(x)
            if let low = a[low] { y = TensorArgument(try binary(.maximum, y, TensorArgument(value: low.value))) }
            if let high = a[high] { y = TensorArgument(try binary(.minimum, y, TensorArgument(value: high.value))) }
            return result(y.exact)
        }
    }()

    private static let axis = Argument("axis", default: Axis.last, "axis to work along")
    private static let softmax = Function(
        "softmax", "exp(x) / Σ exp(x) along an axis.", [axis], returns: "tensor",
        example: "bss.tensor({{1, 2}}):softmax{ axis = 2 }"
    ) { a in
        result(try tensor(a).softmax(axis: a[axis].index))
    }
    private static let logSoftmax = Function(
        "log_softmax", "x - ln Σ exp(x) along an axis.", [axis], returns: "tensor",
        example: "bss.tensor({{1, 2}}):log_softmax()"
    ) { a in
        result(try tensor(a).softmax(axis: a[axis].index, log: true))
    }
    private static let matmul = Function(
        "matmul", "Matrix product; leading axes broadcast.", [other], returns: "tensor",
        example: "bss.ones{2, 3}:matmul(bss.ones{3, 4})", style: .positional
    ) { a in
        result(try tensor(a).matmul(a[other].tensor))
    }

    // MARK: Reductions

    private static let axes = Argument<Axes?>("axis", default: nil, "axis or axes to reduce; all if left out")
    private static let keep = Argument("keep", default: false, "keep reduced axes with size 1")

    private static func reduction(
        _ name: String, _ summary: String, _ body: @escaping (Tensor, [Int]?, Bool) throws -> Tensor
    ) -> Function {
        Function(name, summary, [axes, keep], returns: "tensor", example: "bss.ones{2, 3}:\(name){ axis = 1 }") { a in
            result(try body(tensor(a), a[axes]?.indices, a[keep]))
        }
    }

    static let reductions: [Function] = [
        reduction("sum", "Sum over axes.") { try $0.sum($1, keepsAxes: $2) },
        reduction("mean", "Mean over axes.") { try $0.mean($1, keepsAxes: $2) },
        reduction("prod", "Product over axes.") { try $0.product($1, keepsAxes: $2) },
        reduction("max", "Largest element over axes.") { try $0.extremum(.max, $1, keepsAxes: $2) },
        reduction("min", "Smallest element over axes.") { try $0.extremum(.min, $1, keepsAxes: $2) },
        reduction("logsumexp", "ln Σ exp(x) over axes.") { try $0.logSumExp($1, keepsAxes: $2) },
        spread("var", "Variance over axes.") { try $0.variance($1, correction: $2, keepsAxes: $3) },
        spread("std", "Standard deviation over axes.") { try $0.standardDeviation($1, correction: $2, keepsAxes: $3) },
        norm, position("argmax", "Position (from 1) of the largest element; the first of equals.", .argmax),
        position("argmin", "Position (from 1) of the smallest element; the first of equals.", .argmin),
    ]

    private static func spread(
        _ name: String, _ summary: String, _ body: @escaping (Tensor, [Int]?, Double, Bool) throws -> Tensor
    ) -> Function {
        let correction = Argument("correction", default: 1.0, "subtracted from n in the divisor")
        return Function(
            name, summary, [axes, correction, keep], returns: "tensor", example: "bss.tensor{1, 2, 4}:\(name)()"
        ) { a in result(try body(tensor(a), a[axes]?.indices, a[correction], a[keep])) }
    }

    private static let norm: Function = {
        let p = Argument("p", default: 2.0, "order of the norm; math.huge for the largest magnitude")
        return Function(
            "norm", "(Σ |x|ᵖ)^(1/p) over axes.", [axes, p, keep], returns: "tensor", example: "bss.tensor{3, 4}:norm()"
        ) { a in result(try tensor(a).norm(p: a[p], a[axes]?.indices, keepsAxes: a[keep])) }
    }()

    private static func position(_ name: String, _ summary: String, _ op: ReduceOp) -> Function {
        let axis = Argument<Axis?>("axis", default: nil, "axis to search; all elements if left out")
        return Function(name, summary, [axis, keep], returns: "i64 tensor", example: "bss.tensor{1, 3, 2}:\(name)()") {
            a in
            result(try tensor(a).argExtremum(op, a[axis]?.index, keepsAxis: a[keep]).unary(.addScalar, 1))
        }
    }
}
