import BSSCore
import BSSTensor

/// One named term of the loss: per-sample values [B] and their weight in the sum.
public struct LossTerm {
    public let name: String
    /// [B]; a scalar is a term of the whole batch, which sample weights do not touch.
    public let perSample: Tensor
    public let weight: Double
    /// The logits [B, C] whose cross-entropy with the labels this is; nil if it is another loss.
    public let logits: Tensor?

    public init(_ name: String, _ perSample: Tensor, weight: Double = 1, logits: Tensor? = nil) {
        self.name = name
        self.perSample = perSample
        self.weight = weight
        self.logits = logits
    }

    /// CE(logits, labels) per sample.
    public init(_ name: String, crossEntropyOf logits: Tensor, _ labels: Tensor, weight: Double = 1) throws {
        let losses = try Tensor.crossEntropy(logits, labels, reduction: .none)
        self.init(name, losses, weight: weight, logits: logits)
    }

    func replaced(by perSample: Tensor) -> LossTerm { LossTerm(name, perSample, weight: weight, logits: logits) }
}

extension [LossTerm] {
    /// Σ_t weight_t · mean over the batch of (sample weight · term), as the loop computes it: first what the batch's
    /// sample loss makes of the terms, then the sample weights.
    public func total(_ batch: TrainingBatch) throws -> Tensor {
        guard let sampleLoss = batch.sampleLoss else { return try total(weights: batch.weights) }
        // Terms of weight 0 are there for their zero gradients only.
        let changed = try sampleLoss.applied(filter { $0.weight != 0 }, batch)
        return try (changed + filter { $0.weight == 0 }).total(weights: batch.weights)
    }

    /// `weights`: of the samples, [B]; nil = 1.
    func total(weights: Tensor?) throws -> Tensor {
        guard !isEmpty else { throw BSSError("loss", "the method gives no loss term") }
        return try Tensor.weightedSum(
            map { term in
                let isOfBatch = term.perSample.rank == 0
                let values = try isOfBatch ? nil : weights.map { try term.perSample * $0 }
                return (values ?? term.perSample, term.weight / Double(Swift.max(term.perSample.elementCount, 1)))
            })
    }
}
