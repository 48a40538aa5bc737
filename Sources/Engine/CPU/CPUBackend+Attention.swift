import BSSBackend
import CBSSKernels

// Attention on the CPU: bss_attention.h.

extension CPUBackend {
    public func softmaxMasked(_ scores: ArrayView, keys: ArrayView?, isCausal: Bool) throws {
        let s = scores.shape
        let call = try KernelCall("attention", scores)
        try run(
            "masked softmax", writes: s.elementCount,
            {
                try bss_softmax_masked(
                    call.dtype.c, call.memory(scores, s.elementCount), call.memory(ifAny: keys, s[0] * s[3]), isCausal,
                    Int64(s[0]), Int64(s[1]), Int64(s[2]), Int64(s[3]))
            })
    }

    public func softmaxDroppedBackward(_ grad: ArrayView, weights: ArrayView, dropped: ArrayView) throws {
        let call = try KernelCall("attention", grad)
        let count = grad.elementCount
        try run(
            "masked softmax backward", writes: count,
            {
                try bss_softmax_dropped_backward(
                    call.dtype.c, call.memory(grad, count), call.memory(weights, count), call.memory(dropped, count),
                    grad.rows, grad.columns)
            })
    }
}
