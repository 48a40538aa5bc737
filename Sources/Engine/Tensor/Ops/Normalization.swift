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
    public func updating(
        runningMean: Tensor, runningVariance: Tensor, factor: Double
    ) throws -> (mean: Tensor, variance: Tensor) {
        func blend(_ running: Tensor, _ batch: Tensor, _ scale: Double) throws -> Tensor {
            let old = try running.detached.converted(to: .float64).multiplied(by: 1 - factor)
            return try old.adding(batch.multiplied(by: factor * scale)).converted(to: running.dtype)
        }
        return (
            try blend(runningMean, mean, 1), try blend(runningVariance, variance, Double(count) / Double(count - 1))
        )
    }
}

extension Tensor {
    /// Batch normalisation by the statistics of x itself (training), with what residual blocks do next in the same
    /// pass.
    ///
    ///     y = epilogue((x - mean_c) / √(var_c + eps) · weight_c + bias_c + residual)
    ///
    /// mean and biased variance over batch and pixels. x, residual: [N, C, spatial…]; weight, bias: [C] or nil.
    /// (Ioffe and Szegedy, ICML 2015, Algorithm 1.)
    public func batchNormalized(
        weight: Tensor?, bias: Tensor?, eps: Double = 1e-5, adding residual: Tensor? = nil, epilogue: Epilogue = .none
    ) throws -> (output: Tensor, statistics: BatchStatistics) {
        try checkBatchNorm(weight, bias, residual)
        let channels = shape[1]
        let count = channels == 0 ? 0 : elementCount / channels
        guard count > 1 || channels == 0 else {
            throw BSSError("batch_norm", "needs more than one value a channel in training, got input \(shape)")
        }
        let x = try view.channelsLast().shaped([count, channels])
        let mean = try Tensor.allocate([channels], .float64, on: backend)
        let variance = try Tensor.allocate([channels], .float64, on: backend)
        try backend.batchStatistics(x, mean: mean, variance: variance)
        let statistics = BatchStatistics(mean: Tensor(mean), variance: Tensor(variance), count: count)
        let norm = BatchNormalization(
            x: x, weight: weight, bias: bias, mean: mean,
            inverse: try statistics.variance.adding(eps).unary(.rsqrt).view, ownStatistics: true)
        return (try norm.apply(to: self, residual, epilogue), statistics)
    }

    /// Batch normalisation by given statistics [C] (evaluation): they get no gradient.
    public func batchNormalized(
        mean: Tensor, variance: Tensor, weight: Tensor?, bias: Tensor?, eps: Double = 1e-5,
        adding residual: Tensor? = nil,
        epilogue: Epilogue = .none
    ) throws -> Tensor {
        try checkBatchNorm(weight, bias, residual)
        let channels = shape[1]
        for (name, tensor) in [("mean", mean), ("variance", variance)] where tensor.shape != [channels] {
            throw BSSError(
                "batch_norm", "running \(name) has shape \(tensor.shape), input \(shape) needs [\(channels)]")
        }
        let x = try view.channelsLast().shaped([channels == 0 ? 0 : elementCount / channels, channels])
        let inverse = try variance.detached.converted(to: .float64).adding(eps).unary(.rsqrt).contiguous()
        let norm = BatchNormalization(
            x: x, weight: weight, bias: bias, mean: try mean.detached.converted(to: .float64).contiguous().view,
            inverse: inverse.view,
            ownStatistics: false)
        return try norm.apply(to: self, residual, epilogue)
    }

    private func checkBatchNorm(_ weight: Tensor?, _ bias: Tensor?, _ residual: Tensor?) throws {
        guard rank >= 2 else { throw BSSError("batch_norm", "needs shape [N, C, spatial…], got \(shape)") }
        var parts = [("input", self)]
        for case (let name, let tensor?) in [("weight", weight), ("bias", bias)] {
            guard tensor.shape == [shape[1]] else {
                throw BSSError("batch_norm", "\(name) has shape \(tensor.shape), input \(shape) needs [\(shape[1])]")
            }
            parts.append((name, tensor))
        }
        if let residual {
            guard residual.shape == shape else {
                throw BSSError("batch_norm", "residual has shape \(residual.shape), input \(shape)")
            }
            parts.append(("residual", residual))
        }
        try checkFloats("batch_norm", parts)
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
        for case (let name, let tensor?) in [("weight", weight), ("bias", bias)] {
            guard tensor.shape == over else {
                throw BSSError("layer_norm", "\(name) has shape \(tensor.shape), needs \(over)")
            }
            floats.append((name, tensor))
        }
        try checkFloats("layer_norm", floats)
        let n = over.elementCount
        let rows = n == 0 ? 0 : elementCount / n
        let x = try view.dense().shaped([rows, n])
        let w = try weight?.view.dense()
        let b = try bias?.view.dense()
        let out = try Tensor.allocate(shape, dtype, on: backend)
        let mean = try Tensor.allocate([rows], .float64, on: backend)
        let inverse = try Tensor.allocate([rows], .float64, on: backend)
        try backend.layerNorm(x, eps: eps, weight: w, bias: b, out: out, mean: mean, inverseDeviation: inverse)
        let needsX = node != nil
        let needsWeight = weight?.node != nil
        let needsBias = bias?.node != nil
        let hasWeight = weight != nil
        let original = shape
        return Tensor.recorded(
            "layer_norm", out, [self] + [weight, bias].compactMap { $0 }, saves: [x] + (w.map { [$0] } ?? [])
        ) { g in
            let dx = needsX ? try Tensor.allocate(original, g.dtype, on: g.backend) : nil
            let dw = needsWeight ? try Tensor.allocate(over, g.dtype, on: g.backend) : nil
            let db = needsBias ? try Tensor.allocate(over, g.dtype, on: g.backend) : nil
            try g.backend.layerNormBackward(
                x, grad: g.view.dense(), weight: w, mean: mean, inverseDeviation: inverse, out: dx, weightOut: dw,
                biasOut: db)
            let parts = [dw, db].map { $0.map { Tensor($0) } }
            return [dx.map { Tensor($0) }] + (hasWeight ? parts : [parts[1]])
        }
    }
}

/// Rows [M, C] with the statistics that normalise them.
private struct BatchNormalization {
    let x: ArrayView
    let weight: Tensor?, bias: Tensor?
    /// [C] in f64
    let mean, inverse: ArrayView
    /// The statistics came from x, and so depend on it.
    let ownStatistics: Bool

    /// `image` is x as users see it, [N, C, spatial…].
    func apply(to image: Tensor, _ residual: Tensor?, _ epilogue: Epilogue) throws -> Tensor {
        let shape = image.shape
        let channels = shape[1]
        let dense = Shape(unchecked: [shape[0]] + shape.array.dropFirst(2) + [channels])
        let w = try weight?.view.dense()
        let b = try bias?.view.dense()
        let added = try residual?.view.channelsLast()
        let out = try Tensor.allocate(dense, image.dtype, on: image.backend)
        try image.backend.batchNorm(
            x, weight: w, bias: b, mean: mean, inverseDeviation: inverse, residual: added, epilogue: epilogue, out: out)
        let needsX = image.node != nil
        let needsWeight = weight?.node != nil
        let needsBias = bias?.node != nil
        let needsResidual = residual?.node != nil
        let hasWeight = weight != nil
        let hasBias = bias != nil
        let hasResidual = residual != nil
        // A residual shares the gradient behind the ReLU; without one the sign of y follows from x.
        let masks = hasResidual && epilogue == .relu
        return Tensor.recorded(
            "batch_norm", out.channelsFirst(), [image] + [weight, bias, residual].compactMap { $0 },
            saves: [x, mean, inverse] + [w, b, masks ? out : nil].compactMap { $0 }
        ) { [x, mean, inverse, ownStatistics] g in
            let grad = try g.view.channelsLast()
            let dx = needsX ? try Tensor.allocate(dense, g.dtype, on: g.backend) : nil
            let dw = needsWeight ? try Tensor.allocate([channels], g.dtype, on: g.backend) : nil
            let db = needsBias ? try Tensor.allocate([channels], g.dtype, on: g.backend) : nil
            let dr = masks ? try Tensor.allocate(dense, g.dtype, on: g.backend) : nil
            try g.backend.batchNormBackward(
                x, grad: grad, weight: w, bias: b, mean: mean, inverseDeviation: inverse, ownStatistics: ownStatistics,
                epilogue: epilogue,
                y: masks ? out : nil, residualOut: dr, out: dx, weightOut: dw, biasOut: db)
            var gradients = [dx.map { Tensor($0.channelsFirst()) }]
            if hasWeight { gradients.append(dw.map { Tensor($0) }) }
            if hasBias { gradients.append(db.map { Tensor($0) }) }
            if hasResidual { gradients.append(needsResidual ? Tensor((dr ?? grad).channelsFirst()) : nil) }
            return gradients
        }
    }
}
