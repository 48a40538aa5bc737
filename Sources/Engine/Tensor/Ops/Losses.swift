import BSSBackend
import BSSCore

/// How per-sample losses become one number.
public enum Reduction: String, CaseIterable, Sendable {
    case none, sum, mean
    /// Sum over everything divided by the first size (KL divergence).
    case batchMean = "batchmean"
}

extension Tensor {
    func reducedLoss(_ reduction: Reduction, divisor: Tensor? = nil) throws -> Tensor {
        switch reduction {
        case .none: return self
        case .sum: return try sum()
        case .mean: return try divisor.map { try sum().divided(by: $0) } ?? mean()
        case .batchMean: return try sum().multiplied(by: 1 / Double(max(rank == 0 ? 1 : shape[0], 1)))
        }
    }

    /// Cross-entropy of logits [N, C] (or [N, C, d…]) against class indices [N] (or [N, d…]).
    ///
    ///     l = -(1 - s) w_t log p_t - s / C Σ_c w_c log p_c,   p = softmax(logits), s = labelSmoothing
    ///
    /// `mean` divides by Σ w_t over samples that are not ignored. Deviation: none from PyTorch `cross_entropy`.
    public static func crossEntropy(
        _ logits: Tensor, _ target: Tensor, classWeight: Tensor? = nil, labelSmoothing: Double = 0,
        ignoreIndex: Int = -100,
        reduction: Reduction = .mean
    ) throws -> Tensor {
        let (rows, labels, outer) = try classRows("cross_entropy", logits, target, classWeight, ignoreIndex)
        let needsGradient = Autograd.isRecording && rows.node != nil
        let count = rows.shape[0]
        let loss = try allocate([count], rows.dtype, on: rows.backend)
        let slope = needsGradient ? try allocate(rows.shape, rows.dtype, on: rows.backend) : nil
        let weights = reduction == .mean ? try allocate([count], rows.dtype, on: rows.backend) : nil
        try rows.backend.crossEntropy(
            logits: rows.view, target: labels.view, classWeight: classWeight?.contiguous().view,
            labelSmoothing: labelSmoothing,
            ignoreIndex: ignoreIndex, loss: loss, logitsGradient: slope, rowWeight: weights)
        let perSample = rows.recorded("cross_entropy", loss, rows) { g in
            guard let slope else { return [nil] }  // recorded only where a gradient was asked for
            let dx = try allocate(rows.shape, rows.dtype, on: rows.backend)
            let isShared = g.view.strides[0] == 0 || g.elementCount == 1
            try rows.backend.scaleRows(
                slope, scale: isShared ? g.sliced(0, from: 0, to: 1).view : g.contiguous().view, factor: 1, out: dx)
            return [Tensor(dx)]
        }
        if reduction == .none { return try perSample.reshaped(outer) }
        return try perSample.reducedLoss(reduction, divisor: weights.map { try Tensor($0).sum() })
    }

    /// Cross-entropy against class probabilities [N, C]: l = -Σ_c w_c q_c log p_c, q = (1 - s) target + s / C.
    /// `mean` divides by N (and by the further axes).
    public static func crossEntropy(
        _ logits: Tensor, probabilities target: Tensor, classWeight: Tensor? = nil, labelSmoothing: Double = 0,
        reduction: Reduction = .mean
    ) throws -> Tensor {
        guard logits.shape == target.shape, logits.rank >= 2 else {
            throw BSSError(
                "cross_entropy",
                "logits \(logits.shape) and target probabilities \(target.shape) must have one shape [N, C, …]")
        }
        var q = try target.converted(to: logits.dtype.computing)
        if labelSmoothing > 0 {
            q = try q.multiplied(by: 1 - labelSmoothing).adding(labelSmoothing / Double(logits.shape[1]))
        }
        if let classWeight {
            var shape = Shape(repeating: 1, rank: logits.rank)
            shape[1] = logits.shape[1]
            q = try q.multiplied(by: classWeight.reshaped(shape))
        }
        return try logits.softmax(axis: 1, log: true).multiplied(by: q).sum([1]).negated().reducedLoss(reduction)
    }

    /// Negative log-likelihood of log-probabilities: l = -w_t x_t; `mean` divides by Σ w_t.
    public static func negativeLogLikelihood(
        _ logProbabilities: Tensor, _ target: Tensor, classWeight: Tensor? = nil, ignoreIndex: Int = -100,
        reduction: Reduction = .mean
    ) throws -> Tensor {
        let (rows, labels, outer) = try classRows("nll_loss", logProbabilities, target, classWeight, ignoreIndex)
        let ignored = try compare(.equal, labels, full(Shape(), Double(ignoreIndex), .int64, on: rows.backend))
        let safe = try select(ignored, zeros(labels.shape, .int64, on: rows.backend), labels)
        var weights =
            try classWeight.map { try $0.indexSelect(0, safe) } ?? ones(labels.shape, rows.dtype, on: rows.backend)
        weights = try weights.masked(ignored, with: 0)
        let picked = try rows.gather(1, safe.unsqueezed(1)).squeezed(1)
        let perSample = try picked.multiplied(by: weights).negated()
        if reduction == .none { return try perSample.reshaped(outer) }
        return try perSample.reducedLoss(reduction, divisor: weights.sum())
    }

    /// [N, C, d…] as contiguous rows [N·d…, C] with their labels checked.
    private static func classRows(
        _ name: String, _ scores: Tensor, _ target: Tensor, _ classWeight: Tensor?, _ ignoreIndex: Int
    ) throws -> (rows: Tensor, labels: Tensor, outer: Shape) {
        var scores = try scores.computing
        var target = target
        if scores.rank == 1, target.rank == 0 {
            (scores, target) = (try scores.unsqueezed(0), try target.unsqueezed(0))
        }
        guard scores.rank >= 2 else { throw BSSError(name, "scores need shape [N, C], got \(scores.shape)") }
        var outer = scores.shape
        outer.remove(at: 1)
        guard target.shape == outer, target.dtype == .int64 else {
            throw BSSError(
                name,
                "scores \(scores.shape) need class indices (i64) of shape \(outer), "
                    + "got \(target.dtype.name) \(target.shape)")
        }
        guard scores.dtype.isFloat else { throw BSSError(name, "scores must be float, got \(scores.dtype.name)") }
        let classes = scores.shape[1]
        if let classWeight, classWeight.shape != [classes] {
            throw BSSError(name, "class weights need shape [\(classes)], got \(classWeight.shape)")
        }
        if scores.rank > 2 { scores = try scores.permuted([0] + Array(2..<scores.rank) + [1]) }
        let rows = try scores.reshaped([outer.elementCount, classes]).contiguous()
        let labels = try target.detached.reshaped([outer.elementCount]).contiguous()
        try labels.checkIndices(below: classes, except: ignoreIndex, operation: name)
        return (rows, labels, outer)
    }

    /// KL(target ‖ input) with input = log-probabilities: Σ q (log q - x), terms with q = 0 are 0.
    public static func klDivergence(
        _ input: Tensor, _ target: Tensor, logTarget: Bool = false, reduction: Reduction = .batchMean
    ) throws -> Tensor {
        try sameShape("kl_div", input, target)
        let terms: Tensor
        if logTarget {
            terms = try target.exp().multiplied(by: target.subtracting(input))
        } else {
            // x log x with 0 log 0 = 0; where q <= 0 the logarithm is taken of 1, so no NaN enters the derivative.
            let isPositive = try compare(.greater, target, scalar(0, target.dtype, on: target.backend))
            let safe = try select(isPositive, target, scalar(1, target.dtype, on: target.backend))
            terms = try target.multiplied(by: safe.log()).subtracting(target.multiplied(by: input))
        }
        return try terms.reducedLoss(reduction)
    }

    /// Binary cross-entropy on logits, in the stable form: l = (1 - y) x - (1 + (w - 1) y) log σ(x).
    ///
    /// `positiveWeight` w (broadcast, 1 if nil) weighs the positive samples.
    public static func binaryCrossEntropyWithLogits(
        _ logits: Tensor, _ target: Tensor, positiveWeight: Tensor? = nil, reduction: Reduction = .mean
    ) throws -> Tensor {
        try sameShape("bce_with_logits", logits, target)
        let negative = try logits.multiplied(by: target.unary(.mulScalar, -1).adding(1))
        var positive = try logits.unary(.logSigmoid)
        if let positiveWeight {
            positive = try positive.multiplied(by: positiveWeight.adding(-1).multiplied(by: target).adding(1))
        }
        return try negative.subtracting(positive).reducedLoss(reduction)
    }

    /// l = (x - y)²
    public static func meanSquaredError(_ x: Tensor, _ target: Tensor, reduction: Reduction = .mean) throws -> Tensor {
        try sameShape("mse_loss", x, target)
        return try x.subtracting(target).square().reducedLoss(reduction)
    }

    /// l = |x - y|
    public static func absoluteError(_ x: Tensor, _ target: Tensor, reduction: Reduction = .mean) throws -> Tensor {
        try sameShape("l1_loss", x, target)
        return try x.subtracting(target).abs().reducedLoss(reduction)
    }

    /// l = d² / (2 beta) where |d| < beta, else |d| - beta / 2 (Girshick, ICCV 2015).
    public static func smoothAbsoluteError(
        _ x: Tensor, _ target: Tensor, beta: Double = 1, reduction: Reduction = .mean
    ) throws -> Tensor {
        try sameShape("smooth_l1_loss", x, target)
        var d = try x.subtracting(target)
        if !d.dtype.isFloat { d = try d.converted(to: .float32) }
        if beta == 0 { return try d.abs().reducedLoss(reduction) }
        let isSmall = try compare(.less, d.detached.abs(), scalar(beta, d.dtype, on: d.backend))
        return try select(isSmall, d.square().multiplied(by: 0.5 / beta), d.abs().adding(-0.5 * beta)).reducedLoss(
            reduction)
    }

    private static func sameShape(_ name: String, _ a: Tensor, _ b: Tensor) throws {
        guard a.shape == b.shape else {
            throw BSSError(name, "input \(a.shape) and target \(b.shape) must have one shape")
        }
    }

    /// y = Σ x1 x2 / (max(‖x1‖, eps) max(‖x2‖, eps)) along an axis.
    public static func cosineSimilarity(_ a: Tensor, _ b: Tensor, axis: Int = 1, eps: Double = 1e-8) throws -> Tensor {
        let dot = try a.multiplied(by: b).sum([axis])
        let shape = try Shape.broadcast(a.shape, b.shape, operation: "cosine_similarity")
        let na = try a.expanded(shape).norm(p: 2, [axis]).clamped(eps)
        let nb = try b.expanded(shape).norm(p: 2, [axis]).clamped(eps)
        return try dot.divided(by: na.multiplied(by: nb))
    }

    /// y = x / max(‖x‖_p, eps) along an axis.
    public func normalized(p: Double = 2, axis: Int = 1, eps: Double = 1e-12) throws -> Tensor {
        try divided(by: norm(p: p, [axis], keepsAxes: true).clamped(eps))
    }

    /// - Throws: naming the first index outside 0 ..< limit (`except` is let through).
    public func checkIndices(below limit: Int, except: Int? = nil, operation: String) throws {
        if view.storage.indexLimit <= limit { return }
        // The kernel answers the common case; only a mistake, or an exception to the rule, is looked at one by one.
        let position = try Tensor.allocate(Shape(), .int64, on: backend)
        try backend.firstIndexOutside(contiguous().view, limit: limit, out: position)
        guard try Tensor(position).values(Int.self)[0] >= 0 else {
            if elementCount * dtype.byteSize == view.storage.byteCount { view.storage.markIndices(below: limit) }
            return
        }
        for (position, index) in try values(Int.self).enumerated()
        where (index < 0 || index >= limit) && index != except {
            throw BSSError(operation, "index \(index) at position \(position + 1) is outside 0 to \(limit - 1)")
        }
    }
}
