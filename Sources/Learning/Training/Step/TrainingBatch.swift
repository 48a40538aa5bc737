import BSSTensor

/// One batch as the step sees it.
public struct TrainingBatch {
    /// By modality, [B, …].
    public let inputs: [Tensor]
    /// Class columns, i64 [B].
    public let labels: Tensor
    /// Of its samples in the rows that are trained on.
    public let positions: [Int]
    /// Loss weights [B]; nil = 1.
    public let weights: Tensor?
    /// Per sample, the modalities whose features reach the fusion (bit m); nil = all.
    public let keeps: [UInt32]?
    /// What becomes of the per-sample losses before they are averaged.
    var sampleLoss: SampleLoss?

    /// Tensors of the sample loss that are no parameters of the optimizer: a method that adds up gradients of several
    /// passes adds theirs too.
    public var lossLeaves: [Tensor] { sampleLoss?.leaves ?? [] }
}
