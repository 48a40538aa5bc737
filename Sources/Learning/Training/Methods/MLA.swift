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
    enum Projection: String, CaseIterable { case rls, released, none }
    private let projection: Projection
    private let weights: Table
    private var head: SharedHead!
    private var subSteps = 0
    /// P [d, d]; nil before its first update.
    private var projector: Tensor?

    init(_ projection: Projection, weights: Table) {
        self.projection = projection
        self.weights = weights
    }

    override var ownsLoss: Bool { true }
    override func lossWeights(_ options: TrainingOptions, modalities: Int) -> LossWeights {
        LossWeights(multi: 1, uni: Array(repeating: 0, count: modalities))
    }

    override func setup(_ context: TrainingContext) throws {
        head = try SharedHead(context)
        for key in weights.keys where !context.model.modalities.contains(key) {
            throw BSSError(
                "bss.rebalance.mla", "fusion_weights names no modality '\(key)'",
                hint: "modalities: \(context.model.modalities.joined(separator: ", "))", kind: .usage)
        }
    }

    override func steps(_ context: TrainingContext, _ batch: TrainingBatch) throws -> [SubStep] {
        context.model.modalities.indices.map { m in
            SubStep(scopes: [.encoder(context.model.modalities[m]), head.scope]) { [unowned self] pass in
                let feature = try head.projected(pass.feature(m), m, pass.forward)
                let logits = try head.logits(feature, pass.forward)
                let loss = try SubStep.total(
                    [
                        LossTerm(
                            context.model.modalities[m], Tensor.crossEntropy(logits, batch.labels, reduction: .none),
                            weight: 1, logits: logits)
                    ], batch)
                var gradients = try loss.backward()
                if projection != .none, subSteps > 0 { try project(&gradients, feature.detached, context) }
                subSteps += 1
                return (try loss.item(), gradients)
            }
        }
    }

    private func project(_ gradients: inout Gradients, _ feature: Tensor, _ context: TrainingContext) throws {
        guard let weight = head.weight?.value, let gradient = gradients[weight] else { return }
        try Autograd.withoutRecording {
            let size = feature.shape[1]
            let old = try projector ?? MLA.identity(size)
            let alpha = Math.pow(0.1, 1 + Double(context.batch) / Double(max(context.batches, 1)))
            let new = try MLA.updated(old, mean: feature.mean([0]), alpha: alpha, isReleased: projection == .released)
            projector = new
            // Weights are [d, C] here: G Pᵀ of the paper's [C, d] is P G; the published P is symmetric.
            gradients[weight] = try (projection == .released ? new : new.transposed(0, 1)).matmul(gradient)
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

    override func predict(_ context: TrainingContext, _ output: MultimodalOutput) throws -> Prediction {
        let forward = ForwardContext(.evaluation)
        let unimodal = try output.features.indices.map {
            try head.logits(head.projected(output.features[$0], $0, forward), forward)
        }
        let total =
            try weights.isEmpty ? MLA.fusedByEntropy(unimodal) : fusedByWeights(unimodal, context.model.modalities)
        return Prediction(total: total, fused: total, unimodal: unimodal)
    }

    /// z = Σ_m ω_m z_m, ω = softmax_m(-H_m) per sample.
    static func fusedByEntropy(_ logits: [Tensor]) throws -> Tensor {
        let negative = try logits.map { z in
            let log = try z.softmax(axis: 1, log: true)
            return try (log.exp() * log).sum([1], keepsAxes: true)
        }
        let omega = try Tensor.concatenated(negative, axis: 1).softmax(axis: 1)
        let parts = try logits.enumerated().map { try $1 * omega.sliced(1, from: $0, to: $0 + 1) }
        return try parts.dropFirst().reduce(parts[0]) { try $0 + $1 }
    }

    private func fusedByWeights(_ logits: [Tensor], _ modalities: [String]) throws -> Tensor {
        let parts = try zip(logits, modalities).map { try $0.multiplied(by: weights[$1]?.double ?? 0) }
        return try parts.dropFirst().reduce(parts[0]) { try $0 + $1 }
    }

    override var state: Value {
        get { .fields([("sub_steps", .int(subSteps))]) }
        set { subSteps = newValue.table?["sub_steps"]?.int ?? 0 }
    }
    override var stateTensors: [String: Tensor] {
        get { projector.map { ["projector": $0] } ?? [:] }
        set { projector = newValue["projector"] }
    }

    static let part: Part<RebalanceRecipe> = {
        let projection = Argument(
            "projection", default: "rls",
            "head gradients: \"rls\" (recursive least squares, as published), \"released\" (the released formula), \"none\" (what the released code does)",
            check: .oneOf(Projection.allCases.map(\.rawValue)))
        let weights = Argument(
            "fusion_weights", default: Table(),
            "fixed weights { audio = 0.55, visual = 0.45 } at inference; empty: by entropy, per sample",
            check: Check("of numbers by modality") {
                $0.items.isEmpty && $0.fields.allSatisfy { $0.value.double != nil }
            })
        return Part(
            "mla",
            "Alternating unimodal adaptation: one modality a sub-step, one shared head, orthogonal head updates; entropy-weighted inference.",
            [projection, weights],
            source:
                "Zhang, Yoon, Bansal, Yao, Multimodal Representation Learning by Alternating Unimodal Adaptation, CVPR 2024",
            example: "bss.rebalance.mla{}"
        ) { a in RebalanceRecipe { MLA(Projection(rawValue: a[projection]) ?? .rls, weights: a[weights]) } }
    }()
}
