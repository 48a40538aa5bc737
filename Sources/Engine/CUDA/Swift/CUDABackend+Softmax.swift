import BSSBackend
import CBSSCUDA

// The softmax family, cross-entropy, attention's softmax: softmax.cu.h, a block a row.

extension CUDABackend {
    public func softmax(_ x: ArrayView, log: Bool, out: ArrayView) throws {
        let call = try KernelCall("softmax", x)
        let count = x.elementCount, name = log ? "log_softmax" : "softmax"
        try runKept(
            name, writes: count,
            launch(
                Kernel(name, "softmax", call.dtype), .rows(x.rows, of: x.columns), call.memory(x, count), x.columns,
                call.memory(out, count)))
    }

    public func softmaxBackward(grad: ArrayView, y: ArrayView, log: Bool, out: ArrayView) throws {
        let call = try KernelCall("softmax", y)
        let count = y.elementCount, name = log ? "log_softmax" : "softmax"
        try runKept(
            name + " backward", writes: count,
            launch(
                Kernel(name + "_backward", "softmax", call.dtype), .rows(y.rows, of: y.columns),
                call.memory(grad, count), call.memory(y, count), y.columns, call.memory(out, count)))
    }

    public func logSumExp(_ x: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("logsumexp", x)
        let rows = out.elementCount, columns = x.shape.last
        guard columns > 0 else { return try fill(out, -.infinity) }
        try runKept(
            "logsumexp", writes: rows,
            launch(
                Kernel("logsumexp", "softmax", call.dtype), .rows(rows, of: columns), call.memory(x, rows * columns),
                columns, call.memory(out, rows)))
    }

    public func crossEntropy(
        logits: ArrayView, target: ArrayView, classWeight: ArrayView?, labelSmoothing: Double, ignoreIndex: Int,
        loss: ArrayView?, logitsGradient: ArrayView?, rowWeight: ArrayView?
    ) throws {
        let call = try KernelCall("cross_entropy", logits)
        let (count, rows, columns) = (logits.elementCount, logits.rows, logits.columns)
        try runKept(
            "cross entropy", writes: logitsGradient == nil ? 0 : count,
            launch(
                Kernel("cross_entropy", "softmax", call.dtype), .rows(rows, of: columns), call.memory(logits, count),
                call.integers(target, rows), columns, call.memory(ifAny: classWeight, columns), labelSmoothing,
                ignoreIndex, call.memory(ifAny: loss, rows), call.memory(ifAny: logitsGradient, count),
                call.memory(ifAny: rowWeight, rows)))
    }

    public func scaleRows(_ x: ArrayView, scale: ArrayView, factor: Double, out: ArrayView) throws {
        let call = try KernelCall("cross_entropy", x)
        let (count, isShared) = (x.elementCount, scale.elementCount == 1)
        try runKept(
            "scale rows", writes: count,
            launch(
                Kernel("scale_rows", "arithmetic", call.dtype), elements(count), call.memory(x, count),
                call.memory(scale, isShared ? 1 : x.rows), isShared ? 0 : 1, factor, x.rows, x.columns,
                call.memory(out, count)))
    }

    // MARK: Attention

    public func softmaxMasked(_ scores: ArrayView, keys: ArrayView?, isCausal: Bool) throws {
        let (s, count) = (scores.shape, scores.elementCount)
        let call = try KernelCall("attention", scores)
        try runKept(
            "masked softmax", writes: count,
            launch(
                Kernel("softmax_masked", "softmax", call.dtype), .rows(scores.rows, of: s[3]),
                call.memory(scores, count), call.memory(ifAny: keys, s[0] * s[3]), isCausal ? 1 : 0, s[1], s[2], s[3]))
    }

    public func softmaxDroppedBackward(_ grad: ArrayView, weights: ArrayView, dropped: ArrayView) throws {
        let call = try KernelCall("attention", grad)
        let count = grad.elementCount
        try runKept(
            "masked softmax backward", writes: count,
            launch(
                Kernel("softmax_dropped_backward", "softmax", call.dtype), .rows(grad.rows, of: grad.columns),
                call.memory(grad, count), call.memory(weights, count), call.memory(dropped, count), grad.columns))
    }
}
