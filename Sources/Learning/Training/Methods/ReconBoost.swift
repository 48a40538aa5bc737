import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// ReconBoost: one modality at a time learns what the others do not explain yet, then all are rectified together.
///
///     Φ(x) = b Σ_m φ_m(x),  φ_m = head(h_m), one MLP head d → 256 → C for all;  b learned, 1 at first
///     stage s: modality k = s mod K
///     phase 1, e1 epochs, encoder k and head:  q = softmax(b Σ_{j≠k} φ_j), p = softmax(φ_k), k' the modality before k
///         L = -1/C (w1 - w2 q[y]) log p[y] + α ‖p - softmax(φ_k')‖² / C     (memory consolidation, from stage 1 on)
///     phase 2, e2 epochs, all encoders, head and b:  L = CE(Φ, y)
///
/// Each phase starts with a fresh optimizer. Modalities whose stage has not come contribute 0 to Φ and are not trained;
/// an encoder that a phase leaves alone runs in evaluation mode. Where the d_m differ, a linear projection to the
/// largest of them belongs to each encoder. An epoch of either phase is one pass over the scheduler's plan. Prediction:
/// softmax(Φ); φ_m is the unimodal output. Source: Hua, Xu, Bao, Yang, Huang, ICML 2024; weights w1, w2 and factor 1/C
/// as in its code.
///
/// Deviation: the released consolidation detaches both sides, so that its gradient is zero (`consolidation =
/// "released"`); as published, only the earlier modality is held fixed. A warm start from unimodal checkpoints is not
/// offered; the first stage begins with q = 1/C, as Φ = 0 gives; the code takes a softmax over a single column there, q
/// = 1, so that the first stage's weight is (w1 - w2)/C (`first_stage = "released"`). In the first stage Φ is the
/// modality that is being trained (released: a random constant).
final class ReconBoost: RebalanceMethod {
    enum Consolidation: String, CaseIterable { case paper, released }
    private let epochs: (alternating: Int, rectifying: Int)
    private let rule: BoostLoss
    private let hidden: Int
    private var head: SharedHead?
    private var scale: EnsembleScale?

    private let startsFilled: Bool

    /// `startsFilled`: q = 1 in the first stage.
    init(alternating: Int, rectifying: Int, rule: BoostLoss, hidden: Int, startsFilled: Bool = false) {
        epochs = (alternating, rectifying)
        (self.rule, self.hidden, self.startsFilled) = (rule, hidden, startsFilled)
        super.init()
    }

    override var ownsLoss: Bool { true }
    override func lossWeights(_ options: TrainingOptions, modalities: Int) -> LossWeights {
        LossWeights(multi: 1, uni: Array(repeating: 0, count: modalities))
    }

    override func setup(_ context: TrainingContext) throws {
        let model = context.model
        guard !model.isLockStep else {
            throw BSSError(
                "bss.rebalance.reconboost", "trains one encoder at a time, but this fusion ties the encoders together",
                hint: "use a fusion of features, such as fusion = \"concat\" (reconboost does not use it)", kind: .usage
            )
        }
        head = try SharedHead(context) { width, classes in
            Sequential([try Linear(width, self.hidden, epilogue: .relu), try Linear(self.hidden, classes)])
        }
        let scale = try EnsembleScale(startingAt: 1)
        try context.add("ensemble", scale)
        self.scale = scale
    }

    // MARK: Stages

    struct Stage: Equatable {
        let number: Int
        let isAlternating: Bool
        /// True in the first epoch of a phase.
        let begins: Bool
    }

    func stage(epoch: Int) -> Stage {
        let length = epochs.alternating + epochs.rectifying
        let within = epoch % length
        return Stage(
            number: epoch / length, isAlternating: within < epochs.alternating,
            begins: within == 0 || within == epochs.alternating)
    }

    /// Modalities whose stage has come.
    private func visited(_ context: TrainingContext) -> Range<Int> {
        0..<min(stage(epoch: context.epoch).number + 1, context.model.modalities.count)
    }

    override func epochBegan(_ context: TrainingContext) throws {
        if stage(epoch: context.epoch).begins { context.optimizer.forget(nil) }
    }

    // MARK: Outputs

    /// φ_m [B, C].
    private func logits(_ modality: Int, _ feature: Tensor) throws -> Tensor {
        let forward = ForwardContext(.evaluation)
        guard let head else { throw BSSError("reconboost", "has not been set up") }
        return try head.logits(head.projected(feature, modality, forward), forward)
    }

    /// b Σ φ_m [B, C]; zeros of no modality.
    private func ensemble(_ logits: [Tensor], like shape: Tensor) throws -> Tensor {
        guard let scale, let first = logits.first else {
            return try Tensor.zeros(shape.shape, shape.dtype, on: shape.backend)
        }
        return try logits.dropFirst().reduce(first) { try $0 + $1 } * scale.factor.value
    }

    override func predict(_ context: TrainingContext, _ output: MultimodalOutput) throws -> Prediction {
        let unimodal = try output.features.enumerated().map { try logits($0, $1) }
        let fused = try ensemble(visited(context).map { unimodal[$0] }, like: unimodal[0])
        if context.options.inferenceHeads.isAutomatic {
            return Prediction(total: fused, fused: fused, unimodal: unimodal)
        }
        return try EquationTwelve.prediction(context, fused: fused, unimodal: unimodal)
    }

    // MARK: Steps

    override func steps(_ context: TrainingContext, _ batch: TrainingBatch) throws -> [SubStep] {
        let stage = stage(epoch: context.epoch)
        let visited = visited(context)
        let modalities = context.model.modalities
        guard stage.isAlternating else {
            return [
                SubStep(
                    scopes: Set(visited.map { Scope.encoder(modalities[$0]) }).union([.method]),
                    terms: { [unowned self] pass in
                        let all = try visited.map { try self.logits($0, pass.feature($0)) }
                        return [
                            LossTerm(
                                "fused",
                                try Tensor.crossEntropy(
                                    self.ensemble(all, like: all[0]), batch.labels, reduction: .none), weight: 1)
                        ]
                    })
            ]
        }
        let turn = stage.number % modalities.count
        let previous = stage.number > 0 && modalities.count > 1 ? (stage.number - 1) % modalities.count : nil
        return [
            SubStep(
                scopes: [.encoder(modalities[turn]), .method],
                terms: { [unowned self] pass in
                    let own = try self.logits(turn, pass.feature(turn))
                    let fixed = try Autograd.withoutRecording {
                        try visited.map { try $0 == turn ? own : self.logits($0, pass.feature($0)) }
                    }
                    let others = try Autograd.withoutRecording {
                        try self.ensemble(visited.filter { $0 != turn }.map { fixed[$0] }, like: own)
                    }
                    return try self.rule.terms(
                        modalities[turn], own: own, others: self.startsFilled && stage.number == 0 ? nil : others,
                        previous: previous.map { fixed[$0] },
                        labels: batch.labels)
                })
        ]
    }

    override func report(_ context: TrainingContext) -> Table? {
        let stage = stage(epoch: context.epoch)
        let modalities = context.model.modalities
        return Table(fields: [
            ("stage", .int(stage.number)), ("phase", .string(stage.isAlternating ? "alternating" : "rectifying")),
            ("modality", .string(stage.isAlternating ? modalities[stage.number % modalities.count] : "all")),
            ("ensemble", .list(visited(context).map { modalities[$0] })),
            ("b", (try? scale?.factor.value.item()).map(Value.number) ?? .null),
        ])
    }

    // MARK: Declaration

    static let part: Part<RebalanceRecipe> = {
        let alternating = Argument(
            "alternating_epochs", aliases: ["e1"], default: 4, "e1: epochs of one modality in a stage",
            check: .range(1...1_000_000))
        let rectifying = Argument(
            "rectifying_epochs", aliases: ["e2"], default: 4, "e2: epochs of all modalities after it; 0 = none",
            check: .range(0...1_000_000))
        let own = Argument(
            "w1", default: 5.0, "weight of the modality's own loss (the code: 5 CREMA-D, 4 AVE and ModelNet, 1 MOSI)",
            check: .atLeast(0))
        let others = Argument(
            "w2", default: 1.0, "weight of what the others explain (the code: 1; 0.25 with three modalities)",
            check: .atLeast(0))
        let alpha = Argument("alpha", default: 0.5, "weight of the memory consolidation", check: .atLeast(0))
        let consolidation = Argument(
            "consolidation", default: "paper",
            "\"paper\": the modality moves towards the one before it; \"released\": the term has no gradient, as in the code",
            check: .oneOf(Consolidation.allCases.map(\.rawValue)))
        let first = Argument(
            "first_stage", default: "paper",
            "what the first modality is told that the others explain: \"paper\" (nothing, q = 1/C) or \"released\" (everything, q = 1)",
            check: .oneOf(["paper", "released"]))
        let hidden = Argument("hidden", default: 256, "width of the shared head", check: .range(1...1 << 20))
        return Part(
            "reconboost",
            "Alternating boosting: each modality learns what the others do not explain, then all are rectified; one shared head.",
            [alternating, rectifying, own, others, alpha, consolidation, first, hidden],
            source: "Hua, Xu, Bao, Yang, Huang, ReconBoost: Boosting Can Achieve Modality Reconcilement, ICML 2024",
            example: "bss.rebalance.reconboost{ e1 = 4, e2 = 4 }"
        ) { a in
            let rule = BoostLoss(
                own: a[own], others: a[others], alpha: a[alpha],
                consolidation: Consolidation(rawValue: a[consolidation]) ?? .paper)
            return RebalanceRecipe {
                ReconBoost(
                    alternating: a[alternating], rectifying: a[rectifying], rule: rule, hidden: a[hidden],
                    startsFilled: a[first] == "released")
            }
        }
    }()
}

/// The learned factor b of the ensemble.
final class EnsembleScale: Module {
    let factor: Parameter
    init(startingAt start: Double) throws {
        factor = try Parameter([1], .constant(start))
        super.init()
        _ = add("b", factor)
    }
}

/// The loss of phase 1.
struct BoostLoss {
    /// w1
    var own = 5.0
    /// w2
    var others = 1.0
    var alpha = 0.5
    var consolidation = ReconBoost.Consolidation.paper

    /// `own`: φ_k in the graph; `others`: b Σ_{j≠k} φ_j (nil: q = 1) and `previous`: φ_k' outside of it. All [B, C].
    func terms(_ name: String, own: Tensor, others: Tensor?, previous: Tensor?, labels: Tensor) throws -> [LossTerm] {
        let classes = own.shape[1]
        let q =
            try others.map { try $0.detached.softmax(axis: 1).gather(1, labels.unsqueezed(1)).squeezed(1) }
            ?? Tensor.ones([labels.elementCount], own.dtype, on: own.backend)
        let weight = try q.multiplied(by: -self.others / Double(classes)).adding(self.own / Double(classes))
        var terms = [LossTerm(name, try Tensor.crossEntropy(own, labels, reduction: .none) * weight, weight: 1)]
        if let previous, alpha != 0 {
            let moving = consolidation == .paper ? own : own.detached
            let difference = try moving.softmax(axis: 1) - previous.detached.softmax(axis: 1)
            terms.append(LossTerm("consolidation", try difference.square().mean([1]), weight: alpha))
        }
        return terms
    }
}
