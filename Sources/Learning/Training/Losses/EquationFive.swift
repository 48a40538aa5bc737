import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// L = w_multi CE(z, y) + Σ_m w_uni CE(z_m, y) per sample (Guan, Jiang, Yang, IJCAI 2025, Eq. 5; alpha: w_multi = 1 -
/// alpha, w_uni = alpha).
public enum EquationFive {
    /// With the training's weights, or the function that `bss.train`'s option `loss` gives.
    static func terms(
        _ context: TrainingContext, _ output: MultimodalOutput, _ batch: TrainingBatch, isJoint: Bool = true
    ) throws -> [LossTerm] {
        if let function = context.options.loss {
            return [LossTerm("custom", try custom(function, context.model.modalities, output, batch), weight: 1)]
        }
        // A weight of 0 that the user gave leaves its head in the graph with gradients of zero, as PyTorch's `0 * loss`
        // does: momentum and weight decay go on. A method that has no such term at all (base = "fused") leaves the head
        // alone.
        let given = context.options.lossWeights(modalities: context.model.modalities.count)
        return try terms(
            output, batch.labels, context.lossWeights, context.model, epoch: context.epoch,
            keepsZeros: isJoint && context.lossWeights == given)
    }

    static func terms(
        _ output: MultimodalOutput, _ labels: Tensor, _ weights: LossWeights, _ model: MultimodalModel, epoch: Int,
        keepsZeros: Bool = false
    ) throws -> [LossTerm] {
        let modalities = model.modalities
        var terms: [LossTerm] = []
        if weights.multi != 0 || keepsZeros {
            terms.append(
                LossTerm(
                    "fused", try model.fusion.loss(output, labels, epoch: epoch), weight: weights.multi,
                    logits: model.fusion.hasOwnLoss ? nil : output.fused))
        }
        for (index, weight) in weights.uni.enumerated() where weight != 0 || keepsZeros {
            terms.append(
                LossTerm(
                    modalities[index], try Tensor.crossEntropy(output.unimodal[index], labels, reduction: .none),
                    weight: weight, logits: output.unimodal[index]))
        }
        return terms
    }

    /// A loss written by the user: `function(output, labels)`, output = {fused, unimodal = {…}, features = {…}}, labels
    /// class positions from 1.
    private static func custom(
        _ function: Callback, _ modalities: [String], _ output: MultimodalOutput, _ batch: TrainingBatch
    ) throws -> Tensor {
        let argument = OutputValue.value(output, modalities)
        let results = try function.function.call([argument, LabelValue.value(batch.labels)])
        guard case .object(let object)? = results.first, let loss = object as? Tensor else {
            throw BSSError(
                "bss.train", "the loss function must return a tensor, got \(results.first?.described ?? "nothing")")
        }
        guard loss.elementCount == 1 else {
            throw BSSError(
                "bss.train", "the loss function must return a scalar, got shape \(loss.shape)", hint: "end with :mean()"
            )
        }
        return try loss.reshaped([])
    }
}
