import BSSBackend
import BSSCore
import BSSTensor

/// Batch normalisation over [B, C, …] with running statistics (Ioffe and Szegedy, ICML 2015).
///
/// Training: batch statistics, running ← (1 - momentum) running + momentum batch (variance unbiased). Evaluation:
/// running statistics. `batchStatistics`: batch statistics, nothing recorded.
///
/// Deviation: one value a channel ([1, C], [1, C, 1, 1]) has no batch statistics. PyTorch ends a training there; we use
/// the running ones and record nothing, because a curriculum's growing subsets meet a last batch of one row sooner or
/// later.
public final class BatchNorm: Module {
    public let weight: Parameter, bias: Parameter
    public let runningMean: StateTensor, runningVariance: StateTensor
    private let eps: Double, momentum: Double

    public init(_ channels: Int, eps: Double = 1e-5, momentum: Double = 0.1) throws {
        weight = try Parameter([channels], .constant(1))
        bias = try Parameter([channels], .constant(0))
        runningMean = StateTensor(try Tensor.zeros([channels]))
        runningVariance = StateTensor(try Tensor.ones([channels]))
        self.eps = eps
        self.momentum = momentum
        super.init()
        _ = add("weight", weight)
        _ = add("bias", bias)
        _ = add("running_mean", runningMean)
        _ = add("running_var", runningVariance)
    }

    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try self(x, context, adding: nil, epilogue: .none)
    }

    /// epilogue(norm(x) + residual), in one pass over memory.
    public func callAsFunction(
        _ x: Tensor, _ context: ForwardContext, adding residual: Tensor? = nil, epilogue: Epilogue
    ) throws -> Tensor {
        if context.phase == .evaluation || x.rank >= 2 && x.elementCount <= x.shape[1] {
            return try x.batchNormalized(
                mean: runningMean.value, variance: runningVariance.value, weight: weight.value, bias: bias.value,
                eps: eps,
                adding: residual, epilogue: epilogue)
        }
        let (y, statistics) = try x.batchNormalized(
            weight: weight.value, bias: bias.value, eps: eps, adding: residual, epilogue: epilogue)
        if context.phase == .training {
            let (mean, variance) = try statistics.updating(
                runningMean: runningMean.value, runningVariance: runningVariance.value, factor: momentum)
            try runningMean.assign(mean)
            try runningVariance.assign(variance)
        }
        return y
    }
}

/// Layer normalisation over the last axes (Ba, Kiros, Hinton, arXiv 1607.06450, 2016).
public final class LayerNorm: Module {
    public let weight: Parameter, bias: Parameter
    private let shape: Shape, eps: Double

    public init(_ shape: Shape, eps: Double = 1e-5) throws {
        weight = try Parameter(shape, .constant(1))
        bias = try Parameter(shape, .constant(0))
        self.shape = shape
        self.eps = eps
        super.init()
        _ = add("weight", weight)
        _ = add("bias", bias)
    }

    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try x.layerNormalized(over: shape, weight: weight.value, bias: bias.value, eps: eps)
    }
}
