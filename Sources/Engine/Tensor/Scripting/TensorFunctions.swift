import BSSBackend
import BSSCore

/// Functions on tensors at the top of the `bss` table.
public enum TensorFunctions {
    private static let values = Argument<Value>("values", "a number or nested lists of numbers")
    private static let dtype = Argument("dtype", default: DTypeName(.float32), "element type")
    private static let floatType = Argument(
        "dtype", default: DTypeName(.float32), "element type: \"f32\" or \"f64\"",
        check: Check("that numbers are drawn in (\"f32\" or \"f64\")") { $0.dtype.isFloat })
    private static let ownType = Argument<DTypeName?>(
        "dtype", default: nil, "element type; that of a given tensor, \"f32\" for numbers if left out")
    private static let sizes = Argument<[Int]>(
        "shape", "sizes of the axes", check: Check("of sizes of at least 0") { $0.allSatisfy { $0 >= 0 } })
    private static let fill = Argument<Scalar>("value", "value of every element")
    private static let seed = Argument<Int?>(
        "seed", default: nil, "seed of these numbers; by default they continue the stream `tensor` of the root seed",
        check: .anyInteger)
    private static let mean = Argument("mean", default: 0.0, "mean"),
        std = Argument("std", default: 1.0, "standard deviation", check: .atLeast(0))
    private static let low = Argument("low", default: 0.0, "lower limit"),
        high = Argument("high", default: 1.0, "upper limit (not reached)")
    private static let tensors = Argument<[TensorArgument]>("tensors", "the parts, in order")
    private static let axis = Argument("axis", default: Axis.first, "axis to join along")
    private static let condition = Argument<TensorArgument>("condition", "bool tensor")
    private static let a = Argument<TensorArgument>("a", "first operand"),
        b = Argument<TensorArgument>("b", "second operand")
    private static let order = Argument<Int>("size", "rows and columns", check: .range(0...1 << 15)),
        start = Argument<Scalar?>("start", default: nil, "first value; without a stop it is the stop, and 0 the first"),
        stop = Argument<Scalar?>("stop", default: nil, "end, which is not reached"),
        step = Argument("step", default: Scalar(1), "difference of neighbours")

    /// The stream that unseeded draws continue; the host sets its seed.
    public static var stream = RandomStream(seed: 1, name: "tensor")

    private static func draw(_ a: Arguments, _ body: (Shape, inout RandomStream) throws -> Tensor) throws -> [Value] {
        let shape = try Shape(a[sizes], operation: a.operation)
        if let seed = a[seed] {
            var own = RandomStream(seed: UInt64(bitPattern: Int64(seed)), name: "tensor")
            return [.object(try body(shape, &own))]
        }
        return [.object(try body(shape, &stream))]
    }

    public static let all: [Function] = creation + joining + losses

    static let creation: [Function] = [
        Function(
            "tensor", "A tensor of the given values.", [values, ownType], returns: "tensor",
            example: "bss.tensor{{1, 2}, {3, 4}}", style: .positional
        ) { args in
            if case .object(let object) = args[values], let tensor = object as? Tensor {
                return [.object(try args[ownType].map { try tensor.converted(to: $0.dtype) } ?? tensor)]
            }
            do {
                let numbers = try NestedNumbers(args[values])
                return [.object(try numbers.tensor(as: args[ownType]?.dtype ?? .float32, "bss.tensor"))]
            } catch let mismatch as Mismatch {
                throw BSSError(
                    "bss.tensor",
                    "expected a number or nested lists of numbers, got \(args[values].described)"
                        + (mismatch.detail.map { ": \($0)" } ?? ""), kind: .usage)
            }
        },
        Function("zeros", "All 0.", [sizes, dtype], returns: "tensor", example: "bss.zeros{2, 3}") { a in
            [.object(try Tensor.zeros(Shape(a[sizes], operation: "zeros"), a[dtype].dtype))]
        },
        Function("ones", "All 1.", [sizes, dtype], returns: "tensor", example: "bss.ones{2, 3}") { a in
            [.object(try Tensor.ones(Shape(a[sizes], operation: "ones"), a[dtype].dtype))]
        },
        Function(
            "full", "All one value.", [sizes, fill, dtype], returns: "tensor", example: "bss.full({2, 3}, 0.5)",
            style: .positional
        ) { a in
            let shape = try Shape(a[sizes], operation: "full")
            let value = try NestedNumbers(a[fill].value).tensor(as: a[dtype].dtype, "bss.full")
            return [.object(try value.expanded(shape).duplicate())]
        },
        Function(
            "randn", "Normal numbers.", [sizes, mean, std, floatType, seed], returns: "tensor",
            example: "bss.randn{2, 3}"
        ) { a in
            try draw(a) { try Tensor.normal($0, mean: a[mean], std: a[std], using: &$1, a[floatType].dtype) }
        },
        Function(
            "rand", "Uniform numbers in [low, high).", [sizes, low, high, floatType, seed], returns: "tensor",
            example: "bss.rand{2, 3}"
        ) { a in
            try draw(a) { try Tensor.uniform($0, low: a[low], high: a[high], using: &$1, a[floatType].dtype) }
        },
        Function(
            "arange", "start, start + step, … below stop (above it, where step is negative), as torch.arange has it.",
            [start, stop, step, dtype], returns: "tensor", example: "bss.arange(5)"
        ) { a in
            guard let last = a[stop] ?? a[start] else { throw BSSError("arange", "there is no stop", kind: .usage) }
            let first = a[stop] == nil ? Scalar(0) : a[start] ?? Scalar(0)
            return [.object(try progression(first, last, a[step]).converted(to: a[dtype].dtype))]
        },
        Function("eye", "The identity matrix.", [order, dtype], returns: "tensor", example: "bss.eye(3)") { a in
            let n = a[order]
            let matrix = try Tensor.zeros([n, n], a[dtype].dtype)
            var diagonal = matrix.view
            diagonal.shape = [n]
            diagonal.strides = [n + 1]
            if n > 0 { try matrix.backend.fill(diagonal, 1) }
            return [.object(matrix)]
        },
    ]

    /// Whole numbers are exact in every dtype that can hold them.
    private static func progression(_ first: Scalar, _ stop: Scalar, _ step: Scalar) throws -> Tensor {
        let (from, to, by) = (first.double, stop.double, step.double)
        guard from.isFinite, to.isFinite, by.isFinite, by != 0, (to - from) * by >= 0 else {
            throw BSSError(
                "arange",
                "steps of \(step.value.described) do not lead from \(first.value.described) to "
                    + stop.value.described, hint: "bss.arange(stop) or bss.arange(start, stop, step)", kind: .usage)
        }
        let steps = ((to - from) / by).rounded(.up)
        guard steps <= Double(1 << 30) else {
            throw BSSError("arange", "\(Text.format("%.0f", steps)) numbers, at most \(1 << 30)", kind: .usage)
        }
        try Memory.reserve(Int(steps), of: 24, "arange", "\(Int(steps)) numbers")
        if let low = first.integer, let high = stop.integer, let gap = step.integer {
            let (distance, isTooFar) = high.subtractingReportingOverflow(low)
            if !isTooFar {
                let count = distance / gap + (distance % gap == 0 ? 0 : 1)
                return try Tensor.from(try Memory.array(count, "arange") { low &+ $0 &* gap })
            }
        }
        return try Tensor.from(try Memory.array(Int(steps), "arange") { from + Double($0) * by })
    }

    static let joining: [Function] = [
        Function(
            "concat", "Tensors joined along an axis.", [tensors, axis], returns: "tensor",
            example: "bss.concat({bss.ones{2}, bss.zeros{3}}, 1)", style: .positional
        ) { a in
            [.object(try Tensor.concatenated(a[tensors].map { try $0.tensor }, axis: a[axis].index))]
        },
        Function(
            "stack", "Tensors joined along a new axis.", [tensors, axis], returns: "tensor",
            example: "bss.stack({bss.ones{2}, bss.zeros{2}}, 1)", style: .positional
        ) { a in
            [.object(try Tensor.stacked(a[tensors].map { try $0.tensor }, axis: a[axis].index))]
        },
        Function(
            "where", "a where the condition is true, else b.", [condition, a, b], returns: "tensor",
            example: "bss.where(bss.tensor({1, 0}, \"bool\"), bss.tensor{1, 2}, bss.zeros{2})", style: .positional
        ) { args in
            [
                .object(
                    try Tensor.select(
                        args[condition].tensor, args[a].matching(args[b]), args[b].matching(args[a])))
            ]
        },
        Function(
            "maximum", "The larger of two numbers, or of two tensors element by element.", [a, b],
            returns: "number or tensor", example: "bss.maximum(2, 3)",
            style: .positional, numeric: { $0 > $1 || $0 != $0 ? $0 : $1 }
        ) { args in
            [.object(try Tensor.binary(.maximum, args[a].matching(args[b]), args[b].matching(args[a])))]
        },
        Function(
            "minimum", "The smaller of two numbers, or of two tensors element by element.", [a, b],
            returns: "number or tensor", example: "bss.minimum(2, 3)",
            style: .positional, numeric: { $0 < $1 || $0 != $0 ? $0 : $1 }
        ) { args in
            [.object(try Tensor.binary(.minimum, args[a].matching(args[b]), args[b].matching(args[a])))]
        },
    ]

    // MARK: Losses

    private static let logits = Argument<TensorArgument>("logits", "[N, C]"),
        labels = Argument<TensorArgument>("labels", "class positions (from 1), [N]")
    private static let smoothing = Argument(
        "label_smoothing", default: 0.0, "share of the target spread over all classes", check: .range(0...1))
    private static let reduction = Argument(
        "reduction", default: "mean", "\"mean\", \"sum\" or \"none\"", check: .oneOf(["mean", "sum", "none"]))
    private static let target = Argument<TensorArgument>("target", "same shape as the input"),
        input = Argument<TensorArgument>("input", "predictions")
    private static let eps = Argument("eps", default: 1e-8, "smallest norm", check: .atLeast(0))

    static let losses: [Function] = [
        Function(
            "cross_entropy",
            "-log softmax(logits)[label]; labels are class positions from 1, "
                + "as logits:argmax{ axis = 2 } and split.classes give them.",
            [logits, labels, smoothing, reduction],
            returns: "tensor", example: "bss.cross_entropy(bss.randn{4, 3}, bss.tensor({1, 2, 3, 1}, \"i64\"))",
            style: .positional
        ) { a in
            [
                .object(
                    try Tensor.crossEntropy(
                        a[logits].tensor, a[labels].tensor.classColumns(of: a[logits].tensor),
                        labelSmoothing: a[smoothing],
                        reduction: Reduction(rawValue: a[reduction]) ?? .mean))
            ]
        },
        Function(
            "mse_loss", "(x - target)².", [input, target, reduction], returns: "tensor",
            example: "bss.mse_loss(bss.tensor{1, 2}, bss.tensor{1, 4})", style: .positional
        ) { a in
            [
                .object(
                    try Tensor.meanSquaredError(
                        a[input].tensor, a[target].tensor, reduction: Reduction(rawValue: a[reduction]) ?? .mean))
            ]
        },
        Function(
            "kl_div", "Σ q (log q - x), x = log-probabilities, q = target; \"mean\" divides by the batch.",
            [input, target], returns: "tensor",
            example: "bss.kl_div(bss.tensor{{1, 2}}:log_softmax(), bss.tensor{{0.5, 0.5}})", style: .positional
        ) { a in
            [.object(try Tensor.klDivergence(a[input].tensor, a[target].tensor))]
        },
        Function(
            "cosine_similarity", "Σ a b / (‖a‖ ‖b‖) along the last axis.", [a, b, eps], returns: "tensor",
            example: "bss.cosine_similarity(bss.tensor{{1, 0}}, bss.tensor{{1, 1}})", style: .positional
        ) { args in
            [.object(try Tensor.cosineSimilarity(args[a].tensor, args[b].tensor, axis: -1, eps: args[eps]))]
        },
    ]
}

extension Tensor {
    /// Class columns (from 0) of class positions (from 1) beside `logits` [C] or [N, C, …].
    /// - Throws: what is no whole number from 1 to C.
    fileprivate func classColumns(of logits: Tensor) throws -> Tensor {
        let classes = logits.rank == 0 ? 0 : logits.shape[logits.rank == 1 ? 0 : 1]
        let columns = try detached.values(Double.self).enumerated().map { index, label in
            guard label >= 1, label <= Double(classes), label == label.rounded() else {
                // As it was written: 0.7, not the double nearest to the float.
                let isShort = dtype == .float32 && label.isFinite && label != label.rounded()
                throw BSSError(
                    "bss.cross_entropy",
                    "label \(index + 1) is \(isShort ? "\(Float(label))" : Text.number(label)), "
                        + "expected a class position from 1 to \(classes)",
                    hint: "labels count from 1, as logits:argmax{ axis = 2 } and split.classes do")
            }
            return Int(label) - 1
        }
        return try Tensor.from(columns, shape, on: backend)
    }
}
