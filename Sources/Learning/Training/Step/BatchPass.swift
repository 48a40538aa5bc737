import BSSCurriculum
import BSSNetworks
import BSSTensor

/// The forward pass of one batch, made on demand: sub-steps that move a part of the model encode again only what moved.
public final class BatchPass {
    public let batch: TrainingBatch
    public let model: MultimodalModel
    public let forward: ForwardContext
    private let makesHeads: Bool
    private var features: [Tensor?]
    private var made: MultimodalOutput?

    /// `makesHeads`: somebody looks at the heads' logits.
    init(_ model: MultimodalModel, _ batch: TrainingBatch, _ forward: ForwardContext, makesHeads: Bool = true) {
        self.makesHeads = makesHeads
        self.model = model
        self.batch = batch
        self.forward = forward
        features = Array(repeating: nil, count: model.modalities.count)
    }

    /// h_m [B, d_m], in the graph of encoder m.
    public func feature(_ modality: Int) throws -> Tensor {
        if let known = features[modality] { return known }
        if model.isLockStep {
            let all = try model.encode(batch.inputs, forward)
            features = all
            return all[modality]
        }
        let made = try model.encode(modality, batch.inputs[modality], forward)
        features[modality] = made
        return made
    }

    /// Everything the model says of the batch, with the parameters as they are now.
    public func output() throws -> MultimodalOutput {
        if let made { return made }
        let output = try model.output(
            features: model.modalities.indices.map(feature), forward, keeps: batch.keeps, heads: makesHeads)
        made = output
        return output
    }

    /// Forgets what depended on parameters that have moved; nil = all.
    func moved(_ scopes: Set<Scope>?) {
        made = nil
        for (index, name) in model.modalities.enumerated()
        where model.isLockStep || scopes?.contains(.encoder(name)) ?? true { features[index] = nil }
    }
}
