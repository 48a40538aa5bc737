extension ProfilingBackend {
    func softmaxMasked(_ scores: ArrayView, keys: ArrayView?, isCausal: Bool) throws {
        try timed("masked softmax", scores.elementCount) {
            try base.softmaxMasked(scores, keys: keys, isCausal: isCausal)
        }
    }

    func softmaxDroppedBackward(_ grad: ArrayView, weights: ArrayView, dropped: ArrayView) throws {
        try timed("masked softmax backward", grad.elementCount) {
            try base.softmaxDroppedBackward(grad, weights: weights, dropped: dropped)
        }
    }
}
