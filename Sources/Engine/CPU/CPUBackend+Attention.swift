import BSSBackend
import CBSSKernels

// Attention on the CPU: bss_attention.h.

extension CPUBackend {
    public func softmaxMasked(_ scores: ArrayView, keys: ArrayView?, isCausal: Bool) throws {
        let s = scores.shape
        try check(
            bss_softmax_masked(
                scores.dtype.c, scores.address, keys?.address, isCausal, Int64(s[0]), Int64(s[1]), Int64(s[2]),
                Int64(s[3])), "attention")
    }

    public func softmaxDroppedBackward(_ grad: ArrayView, weights: ArrayView, dropped: ArrayView) throws {
        let columns = grad.shape.last
        try check(
            bss_softmax_dropped_backward(
                grad.dtype.c, grad.address, weights.address, dropped.address,
                Int64(columns == 0 ? 0 : grad.elementCount / columns), Int64(columns)), "attention")
    }
}
