import BSSBackend
import BSSCore

/// Mean and variance of one batch, by channel, in f64.
public struct BatchStatistics {
    /// [C]
    public let mean: Tensor
    /// Biased (divided by `count`), [C].
    public let variance: Tensor
    /// Values a channel: batch times pixels.
    public let count: Int

    /// Running statistics after this batch: (1 - factor) · running + factor · batch, with the unbiased variance
    /// (Ioffe and Szegedy, ICML 2015, Algorithm 2). A cumulative average takes factor = 1 / (batches seen + 1).
    public func updating(runningMean: Tensor, runningVariance: Tensor, factor: Double) throws -> (mean: Tensor, variance: Tensor) {
        func blend(_ running: Tensor, _ batch: Tensor, _ scale: Double) throws -> Tensor {
            let old = try running.detached.converted(to: .float64).multiplied(by: 1 - factor)
            return try old.adding(batch.multiplied(by: factor * scale)).converted(to: running.dtype)
        }
        return (try blend(runningMean, mean, 1), try blend(runningVariance, variance, Double(count) / Double(count - 1)))
    }
}

extension Tensor {
    /// Batch normalisation by the statistics of x itself (training).
    ///
    ///     y = (x - mean_c) / √(var_c + eps) · weight_c + bias_c,   mean and biased variance over batch and pixels
    ///
    /// x: [N, C, spatial…]; weight, bias: [C] or nil. (Ioffe and Szegedy, ICML 2015, Algorithm 1.)
    public func batchNormalized(
        weight: Tensor?, bias: Tensor?, eps: Double = 1e-5, adding residual: Tensor? = nil, epilogue: Epilogue = .none
    ) throws -> (output: Tensor, statistics: BatchStatistics) {
        try checkBatchNorm(weight, bias)
        let channels = shape[1], count = channels == 0 ? 0 : elementCount / channels
        guard count > 1 || channels == 0 else {
            throw BSSError("batch_norm", "needs more than one value a channel in training, got input \(shape)")
        }
        let x = try view.channelsLast().shaped([count, channels])
        let mean = try Tensor.allocate([channels], .float64, on: backend), variance = try Tensor.allocate([channels], .float64, on: backend)
        try backend.batchStatistics(x, mean: mean, variance: variance)
        let statistics = BatchStatistics(mean: Tensor(mean), variance: Tensor(variance), count: count)
        let y = try batchNormalized(x, weight, bias, statistics.mean, statistics.variance, eps, ownStatistics: true)
        return (try y.finished(residual, epilogue), statistics)
    }

    /// Batch normalisation by given statistics [C] (evaluation): they get no gradient.
    public func batchNormalized(
        mean: Tensor, variance: Tensor, weight: Tensor?, bias: Tensor?, eps: Double = 1e-5, adding residual: Tensor? = nil, epilogue: Epilogue = .none
    ) throws -> Tensor {
        try checkBatchNorm(weight, bias)
        let channels = shape[1]
        for (name, tensor) in [("mean", mean), ("variance", variance)] where tensor.shape != [channels] {
            throw BSSError("batch_norm", "running \(name) has shape \(tensor.shape), input \(shape) needs [\(channels)]")
        }
        let x = try view.channelsLast().shaped([channels == 0 ? 0 : elementCount / channels, channels])
        return try batchNormalized(
            x, weight, bias, mean.detached.converted(to: .float64).contiguous(), variance.detached.converted(to: .float64), eps, ownStatistics: false
        ).finished(residual, epilogue)
    }

    private func finished(_ residual: Tensor?, _ epilogue: Epilogue) throws -> Tensor {
        let sum = try residual.map { try self + $0 } ?? self
        return epilogue == .relu ? try sum.relu() : sum
    }

    private func checkBatchNorm(_ weight: Tensor?, _ bias: Tensor?) throws {
        guard rank >= 2 else { throw BSSError("batch_norm", "needs shape [N, C, spatial…], got \(shape)") }
        var parts = [("input", self)]
        for case let (name, tensor?) in [("weight", weight), ("bias", bias)] {
            guard tensor.shape == [shape[1]] else {
                throw BSSError("batch_norm", "\(name) has shape \(tensor.shape), input \(shape) needs [\(shape[1])]")
            }
            parts.append((name, tensor))
        }
        try checkFloats("batch_norm", parts)
    }

    /// `x` is this tensor as dense rows [M, C].
    private func batchNormalized(
        _ x: ArrayView, _ weight: Tensor?, _ bias: Tensor?, _ mean: Tensor, _ variance: Tensor, _ eps: Double, ownStatistics: Bool
    ) throws -> Tensor {
        let inverse = try variance.adding(eps).unary(.rsqrt).contiguous().view
        let w = try weight?.view.dense(), b = try bias?.view.dense()
        let dense = Shape(unchecked: [shape[0]] + shape.array.dropFirst(2) + [shape[1]])
        let out = try Tensor.allocate(dense, dtype, on: backend)
        try backend.batchNorm(x, weight: w, bias: b, mean: mean.view, inverseDeviation: inverse, out: out)
        let needsX = node != nil, needsWeight = weight?.node != nil, needsBias = bias?.node != nil, hasWeight = weight != nil
        let channels = shape[1]
        return Tensor.recorded("batch_norm", out.channelsFirst(), [self] + [weight, bias].compactMap { $0 }) { g in
            let dx = needsX ? try Tensor.allocate(dense, g.dtype, on: g.backend) : nil
            let dw = needsWeight ? try Tensor.allocate([channels], g.dtype, on: g.backend) : nil
            let db = needsBias ? try Tensor.allocate([channels], g.dtype, on: g.backend) : nil
            try g.backend.batchNormBackward(
                x, grad: g.view.channelsLast(), weight: w, mean: mean.view, inverseDeviation: inverse, ownStatistics: ownStatistics,
                out: dx, weightOut: dw, biasOut: db)
            let parts = [dw, db].map { $0.map { Tensor($0) } }
            return [dx.map { Tensor($0.channelsFirst()) }] + (hasWeight ? parts : [parts[1]])
        }
    }

    /// Layer normalisation over the last axes (Ba, Kiros and Hinton, arXiv 1607.06450, 2016, Eq. 4).
    ///
    ///     y = (x - mean) / √(var + eps) · weight + bias,   mean and biased variance over the last axes
    ///
    /// weight, bias: shape `over`, or nil.
    public func layerNormalized(over: Shape, weight: Tensor?, bias: Tensor?, eps: Double = 1e-5) throws -> Tensor {
        guard over.rank >= 1, over.rank <= rank, shape.array.suffix(over.rank).elementsEqual(over.array) else {
            throw BSSError("layer_norm", "input \(shape) does not end in the normalised shape \(over)")
        }
        var floats = [("input", self)]
        for case let (name, tensor?) in [("weight", weight), ("bias", bias)] {
            guard tensor.shape == over else { throw BSSError("layer_norm", "\(name) has shape \(tensor.shape), needs \(over)") }
            floats.append((name, tensor))
        }
        try checkFloats("layer_norm", floats)
        let n = over.elementCount, rows = n == 0 ? 0 : elementCount / n
        let x = try view.dense().shaped([rows, n])
        let w = try weight?.view.dense(), b = try bias?.view.dense()
        let out = try Tensor.allocate(shape, dtype, on: backend)
        let mean = try Tensor.allocate([rows], .float64, on: backend), inverse = try Tensor.allocate([rows], .float64, on: backend)
        try backend.layerNorm(x, eps: eps, weight: w, bias: b, out: out, mean: mean, inverseDeviation: inverse)
        let needsX = node != nil, needsWeight = weight?.node != nil, needsBias = bias?.node != nil, hasWeight = weight != nil
        let original = shape
        return Tensor.recorded("layer_norm", out, [self] + [weight, bias].compactMap { $0 }) { g in
            let dx = needsX ? try Tensor.allocate(original, g.dtype, on: g.backend) : nil
            let dw = needsWeight ? try Tensor.allocate(over, g.dtype, on: g.backend) : nil
            let db = needsBias ? try Tensor.allocate(over, g.dtype, on: g.backend) : nil
            try g.backend.layerNormBackward(
                x, grad: g.view.dense(), weight: w, mean: mean, inverseDeviation: inverse, out: dx, weightOut: dw, biasOut: db)
            let parts = [dw, db].map { $0.map { Tensor($0) } }
            return [dx.map { Tensor($0) }] + (hasWeight ? parts : [parts[1]])
        }
    }
}
