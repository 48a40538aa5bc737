import BSSBackend
import BSSCore
import BSSTensor

/// Elementwise functions, arithmetic, reductions, losses, shapes and products of the `ops` group.
enum ElementwiseOpCases {
    static let unary: [String: UnaryOp] = [
        "relu": .relu, "gelu": .gelu, "gelu_tanh": .geluTanh, "quick_gelu": .quickGelu, "tanh": .tanh,
        "sigmoid": .sigmoid, "silu": .silu,
        "logsigmoid": .logSigmoid, "exp": .exp, "log": .log, "log1p": .log1p, "expm1": .expm1, "sqrt": .sqrt,
        "rsqrt": .rsqrt,
        "reciprocal": .reciprocal, "abs": .abs, "neg": .neg, "square": .square, "erf": .erf, "sin": .sin, "cos": .cos,
        "digamma": .digamma,
        "lgamma": .lgamma,
    ]
    static let binary: [String: BinaryOp] = [
        "add": .add, "sub": .sub, "mul": .mul, "div": .div, "maximum": .maximum, "minimum": .minimum, "pow": .pow,
    ]

    static func outputs(_ c: OpCase) throws -> [String: Tensor]? {
        if let op = unary[c.item.op] { return ["y": try c("x").unary(op)] }
        if let op = binary[c.item.op] { return ["y": try Tensor.binary(op, c("a"), c("b"))] }
        return try scalar(c) ?? reduction(c) ?? loss(c) ?? shape(c)
    }

    private static func scalar(_ c: OpCase) throws -> [String: Tensor]? {
        let item = c.item
        switch item.op {
        case "softplus": return ["y": try c("x").unary(.softplus, item.double("beta"), item.double("threshold"))]
        case "leaky_relu": return ["y": try c("x").unary(.leakyRelu, item.double("negative_slope"))]
        case "elu": return ["y": try c("x").unary(.elu, item.double("alpha"))]
        case "clamp":
            return [
                "y": try c("x").clamped(item.double("min", default: -.infinity), item.double("max", default: .infinity))
            ]
        case "pow_scalar": return ["y": try c("x").power(item.double("exponent"))]
        case "add_scalar": return ["y": try c("x").adding(item.double("scalar"))]
        case "mul_scalar": return ["y": try c("x").multiplied(by: item.double("scalar"))]
        case "where": return ["y": try Tensor.select(c("cond"), c("a"), c("b"))]
        case "masked_fill": return ["y": try c("x").masked(c("mask"), with: item.double("value"))]
        case "addcmul": return ["y": try Tensor.addcmul(c("a"), c("b"), c("c"), value: item.double("value"))]
        default: return nil
        }
    }

    private static func reduction(_ c: OpCase) throws -> [String: Tensor]? {
        let item = c.item
        let axes = c.axes
        let keeps = c.keepsAxes
        func pair(_ op: ReduceOp) throws -> [String: Tensor] {
            let (values, indices) = try c("x").extremumWithIndex(op, axis: c.axis(), keepsAxis: keeps)
            return ["values": values, "indices": indices]
        }
        switch item.op {
        case "sum": return ["y": try c("x").sum(axes, keepsAxes: keeps)]
        case "mean": return ["y": try c("x").mean(axes, keepsAxes: keeps)]
        case "amax": return ["y": try c("x").extremum(.max, axes, keepsAxes: keeps)]
        case "amin": return ["y": try c("x").extremum(.min, axes, keepsAxes: keeps)]
        case "max_dim": return try pair(.max)
        case "min_dim": return try pair(.min)
        case "argmax": return ["y": try c("x").argExtremum(.argmax, axes?.first, keepsAxis: keeps)]
        case "argmin": return ["y": try c("x").argExtremum(.argmin, axes?.first, keepsAxis: keeps)]
        case "prod": return ["y": try c("x").product(axes, keepsAxes: keeps)]
        case "var": return ["y": try c("x").variance(axes, correction: item.double("correction"), keepsAxes: keeps)]
        case "std":
            return ["y": try c("x").standardDeviation(axes, correction: item.double("correction"), keepsAxes: keeps)]
        case "norm":
            let p = item.attrs["p"]?.string.map { $0.hasPrefix("-") ? -Double.infinity : .infinity }
            return ["y": try c("x").norm(p: p ?? item.double("p"), axes, keepsAxes: keeps)]
        case "logsumexp": return ["y": try c("x").logSumExp(axes, keepsAxes: keeps)]
        case "softmax", "log_softmax": return ["y": try c("x").softmax(axis: c.axis(), log: item.op == "log_softmax")]
        case "cosine_similarity":
            return ["y": try Tensor.cosineSimilarity(c("x1"), c("x2"), axis: c.axis(), eps: item.double("eps"))]
        case "normalize":
            return ["y": try c("x").normalized(p: item.double("p"), axis: c.axis(), eps: item.double("eps"))]
        default: return nil
        }
    }

    private static func loss(_ c: OpCase) throws -> [String: Tensor]? {
        let item = c.item
        let smoothing = item.attrs["label_smoothing"]?.double ?? 0
        let ignored = item.attrs["ignore_index"]?.int ?? -100
        let weight = c.optional("class_weight")
        switch item.op {
        case "cross_entropy":
            if item.attrs["target_kind"]?.string == "probabilities" {
                return [
                    "loss": try Tensor.crossEntropy(
                        c("logits"), probabilities: c("target"), classWeight: weight, labelSmoothing: smoothing,
                        reduction: c.reduction())
                ]
            }
            return [
                "loss": try Tensor.crossEntropy(
                    c("logits"), c("target"), classWeight: weight, labelSmoothing: smoothing, ignoreIndex: ignored,
                    reduction: c.reduction())
            ]
        case "cross_entropy_sample_weight":
            let perSample = try Tensor.crossEntropy(
                c("logits"), c("target"), labelSmoothing: smoothing, reduction: .none)
            let weights = try c("sample_weight")
            let total = try (weights * perSample).sum()
            let isByBatch = try item.string("divide_by") == "batch"
            return [
                "per_sample": perSample,
                "loss": try isByBatch
                    ? total.multiplied(by: 1 / Double(perSample.elementCount)) : total / weights.sum(),
            ]
        case "nll_loss":
            return [
                "loss": try Tensor.negativeLogLikelihood(
                    c("logp"), c("target"), classWeight: weight, ignoreIndex: ignored, reduction: c.reduction())
            ]
        case "kl_div":
            return [
                "loss": try Tensor.klDivergence(
                    c("input"), c("target"), logTarget: item.bool("log_target"), reduction: c.reduction())
            ]
        case "bce_with_logits":
            return [
                "loss": try Tensor.binaryCrossEntropyWithLogits(
                    c("logits"), c("target"), positiveWeight: c.optional("pos_weight"), reduction: c.reduction())
            ]
        case "mse_loss": return ["loss": try Tensor.meanSquaredError(c("x"), c("target"), reduction: c.reduction())]
        case "l1_loss": return ["loss": try Tensor.absoluteError(c("x"), c("target"), reduction: c.reduction())]
        case "smooth_l1_loss":
            return [
                "loss": try Tensor.smoothAbsoluteError(
                    c("x"), c("target"), beta: item.double("beta"), reduction: c.reduction())
            ]
        default: return nil
        }
    }

    private static func shape(_ c: OpCase) throws -> [String: Tensor]? {
        let item = c.item
        func named(_ parts: [Tensor]) -> [String: Tensor] {
            Dictionary(uniqueKeysWithValues: parts.enumerated().map { ("y\($0.offset)", $0.element) })
        }
        switch item.op {
        case "concat": return ["y": try Tensor.concatenated(c.numbered("x"), axis: c.axis())]
        case "stack": return ["y": try Tensor.stacked(c.numbered("x"), axis: c.axis())]
        case "split": return named(try c("x").split(item.ints("sizes"), axis: c.axis()))
        case "chunk": return named(try c("x").chunks(item.int("chunks"), axis: c.axis()))
        case "transpose": return ["y": try c("x").transposed(c.axis("dim0"), c.axis("dim1"))]
        case "permute": return ["y": try c("x").permuted(item.ints("dims"))]
        case "reshape":
            return ["y": try c("x").permuted(item.ints("permute_first")).reshaped(inferring: item.ints("shape"))]
        case "expand": return ["y": try c("x").expanded(Shape(item.ints("shape")))]
        case "flip": return ["y": try c("x").flipped(item.ints("dims"))]
        case "slice":
            var y = try c("x")
            for (axis, range) in (item.attrs["slices"]?.table?.items ?? []).enumerated() {
                let r = range.table?.items.compactMap(\.int) ?? []
                y = try y.sliced(axis, from: r[0], to: r[1], step: r[2])
            }
            return ["y": y]
        case "matmul": return ["y": try c("a").matmul(c("b"))]
        case "matmul_t": return ["y": try c("a").matmul(c("b").transposed(-1, -2))]
        case "linear": return ["y": try Tensor.linear(c("x"), c("weight").transposed(0, 1), c.optional("bias"))]
        default: return nil
        }
    }
}
