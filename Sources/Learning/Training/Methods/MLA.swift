import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// Multimodal learning with alternating unimodal adaptation (MLA).
///
/// One shared linear head g for the features of all modalities. Per batch and modality in turn: CE(g(h_m), y) moves
/// encoder m, and the head with its gradient projected away from what earlier sub-steps used (recursive least squares):
///
///     r = mean_i h_m,i;  k = P r;  P ← P - k kᵀ / (α_b + rᵀ k);  G ← G Pᵀ;  α_b = 0.1^(1 + b/B)
///
/// P_0 = I, not updated on the very first sub-step; b counts the batches of an epoch of B. There is no joint loss. At
/// inference the modalities are weighed by how sure they are: ω = softmax_m(-H(softmax z_m)) per sample, z = Σ_m ω_m
/// z_m.
///
/// Source: Zhang, Yoon, Bansal, Yao, CVPR 2024. Deviation: `projection = "none"` is what the released code really does
/// (its projection waits for a parameter of another name), `"released"` its formula: α_b is added to every element of k
/// rᵀ, and P is divided by its Frobenius norm, so that it is symmetric no longer after the second update. Its test-time
/// weights are by batch and fixed; here by sample, or fixed with `fusion_weights`.
final class MLA: RebalanceMethod {
    struct Options: OptionGroup {
        enum Projection: String, Choice { case rls, released, none }

        @Option(
            "projection",
            "head gradients: \"rls\" (recursive least squares, as published), \"released\" (the released formula), "
                + "\"none\" (what the released code does)")
        var projection = Projection.rls
        @Option(
            "fusion_weights",
            "fixed weights { audio = 0.55, visual = 0.45 } at inference; empty: by entropy, per sample",
            Check("of numbers by modality") { $0.items.isEmpty && $0.fields.allSatisfy { $0.value.double != nil } })
        var fusionWeights = Table()
    }

    private let options: Options
    private let head: SharedHead
    private var subSteps = 0
    /// P [d, d]; nil before its first update.
    private var projector: Tensor?

    init(_ options: Options, _ setup: MethodSetup) throws {
        self.options = options
        head = try SharedHead(setup)
        super.init(setup.context)
        try checkNames(options.fusionWeights, "fusion_weights", of: "mla", known: context.model.modalities)
    }

    override func steps(_ batch: TrainingBatch) throws -> [SubStep] {
        context.model.modalities.enumerated().map { m, name in
            SubStep(scopes: [.encoder(name), head.scope]) { [unowned self] pass in
                let feature = try head.projected(pass.feature(m), m, pass.forward)
                let logits = try head.logits(feature, pass.forward)
                let loss = try [LossTerm(name, crossEntropyOf: logits, batch.labels)].total(batch)
                var gradients = try loss.backward()
                if options.projection != .none, subSteps > 0 { try project(&gradients, feature.detached) }
                subSteps += 1
                return (loss.detached, gradients)
            }
        }
    }

    private func project(_ gradients: inout Gradients, _ feature: Tensor) throws {
        guard let weight = head.weight?.value, let gradient = gradients[weight] else { return }
        try Autograd.withoutRecording {
            let size = feature.shape[1]
            let old = try projector ?? MLA.identity(size)
            let alpha = Math.pow(0.1, 1 + Double(context.batch) / Double(max(context.batches, 1)))
            let isReleased = options.projection == .released
            let new = try MLA.updated(old, mean: feature.mean([0]), alpha: alpha, isReleased: isReleased)
            projector = new
            // Weights are [d, C] here: G Pᵀ of the paper's [C, d] is P G; the published P is symmetric.
            gradients[weight] = try (isReleased ? new : new.transposed(0, 1)).matmul(gradient)
        }
    }

    static func identity(_ size: Int) throws -> Tensor {
        var values = [Float](repeating: 0, count: size * size)
        for i in 0..<size { values[i * size + i] = 1 }
        return try Tensor.from(values, [size, size])
    }

    /// P after one direction r [d].
    static func updated(_ p: Tensor, mean r: Tensor, alpha: Double, isReleased: Bool) throws -> Tensor {
        let size = r.shape[0]
        let column = try r.reshaped([size, 1])
        let k = try p.matmul(column)
        if isReleased {
            let divisor = try k.matmul(column.transposed(0, 1)).adding(alpha)
            let next = try p - k.matmul(k.transposed(0, 1)) / divisor
            return try next.multiplied(by: 1 / max(next.squared.squareRoot(), 1e-12))
        }
        let scale = try alpha + column.transposed(0, 1).matmul(k).item()
        return try p - k.matmul(k.transposed(0, 1)).multiplied(by: 1 / scale)
    }

    override func predict(_ output: MultimodalOutput) throws -> Prediction {
        let forward = ForwardContext(.evaluation)
        let unimodal = try output.features.indices.map {
            try head.logits(head.projected(output.features[$0], $0, forward), forward)
        }
        let fixed = options.fusionWeights
        let weights = context.model.modalities.map { fixed[$0]?.double ?? 0 }
        let total =
            try fixed.isEmpty
            ? MLA.fusedByEntropy(unimodal) : Tensor.sum(zip(unimodal, weights).map { try $0.multiplied(by: $1) })
        return Prediction(fused: total, unimodal: unimodal)
    }

    /// z = Σ_m ω_m z_m, ω = softmax_m(-H_m) per sample.
    static func fusedByEntropy(_ logits: [Tensor]) throws -> Tensor {
        let negative = try logits.map { z in
            let log = try z.softmax(axis: 1, log: true)
            return try (log.exp() * log).sum([1], keepsAxes: true)
        }
        let omega = try Tensor.concatenated(negative, axis: 1).softmax(axis: 1)
        return try Tensor.sum(logits.enumerated().map { try $1 * omega.sliced(1, from: $0, to: $0 + 1) })
    }

    override var state: Value {
        get { .fields([("sub_steps", .int(subSteps))]) }
        set { subSteps = newValue.table?["sub_steps"]?.int ?? 0 }
    }
    override var stateTensors: [String: Tensor] {
        get { projector.map { ["projector": $0] } ?? [:] }
        set { projector = newValue["projector"] }
    }

    static let part = Part<RebalanceRecipe>(
        "mla",
        "Alternating unimodal adaptation: one modality a sub-step, one shared head, orthogonal head updates; "
            + "entropy-weighted inference.",
        options: Options.self,
        source: "Zhang, Yoon, Bansal, Yao, Multimodal Representation Learning by Alternating Unimodal Adaptation, "
            + "CVPR 2024",
        example: "bss.rebalance.mla{}",
        traits: { _ in
            var traits = MethodTraits(weights: .fused, ownsLoss: true)
            traits.ownsPrediction = true
            return traits
        }, make: MLA.init)
}
