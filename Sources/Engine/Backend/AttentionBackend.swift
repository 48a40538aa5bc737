/// What attention needs beyond matrix products. All views are contiguous.
public protocol AttentionBackend: AnyObject {
    /// In place, softmax over the last axis of scores [B, heads, L, S]; `keys` [B, S] of the same dtype: 0 marks a key
    /// that counts for nothing; `isCausal`: query i sees keys 0 … i.
    func softmaxMasked(_ scores: ArrayView, keys: ArrayView?, isCausal: Bool) throws
    /// In place over grad: dropped · grad - weights · Σ dropped · grad, along the last axis.
    func softmaxDroppedBackward(_ grad: ArrayView, weights: ArrayView, dropped: ArrayView) throws
}
