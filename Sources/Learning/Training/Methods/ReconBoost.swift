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
    struct Options: OptionGroup {
        enum Consolidation: String, Choice { case paper, released }
        enum FirstStage: String, Choice { case paper, released }

        @Option(
            "alternating_epochs", aliases: ["e1"], "e1: epochs of one modality in a stage", .range(1...1_000_000))
        var alternating = 4
        @Option(
            "rectifying_epochs", aliases: ["e2"], "e2: epochs of all modalities after it; 0 = none",
            .range(0...1_000_000))
        var rectifying = 4
        @Option(
            "w1", "weight of the modality's own loss (the code: 5 CREMA-D, 4 AVE and ModelNet, 1 MOSI)", .atLeast(0))
        var own = 5.0
        @Option("w2", "weight of what the others explain (the code: 1; 0.25 with three modalities)", .atLeast(0))
        var others = 1.0
        @Option("alpha", "weight of the memory consolidation", .atLeast(0)) var alpha = 0.5
        @Option(
            "consolidation",
            "\"paper\": the modality moves towards the one before it; \"released\": the term has no gradient, as in "
                + "the code")
        var consolidation = Consolidation.paper
        @Option(
            "first_stage",
            "what the first modality is told that the others explain: \"paper\" (nothing, q = 1/C) or \"released\" "
                + "(everything, q = 1)")
        var firstStage = FirstStage.paper
        @Option("hidden", "width of the shared head", .range(1...1 << 20)) var hidden = 256

        var rule: BoostLoss { BoostLoss(own: own, others: others, alpha: alpha, consolidation: consolidation) }

        func stage(epoch: Int) -> Stage {
            let length = alternating + rectifying
            let within = epoch % length
            return Stage(
                number: epoch / length, isAlternating: within < alternating,
                begins: within == 0 || within == alternating)
        }
    }

    private let options: Options
    private let head: SharedHead
    private let scale: EnsembleScale

    init(_ options: Options, _ setup: MethodSetup) throws {
        guard !setup.context.model.isLockStep else {
            throw BSSError(
                "bss.rebalance.reconboost", "trains one encoder at a time, but this fusion ties the encoders together",
                hint: "use a fusion of features, such as fusion = \"concat\" (reconboost does not use it)", kind: .usage
            )
        }
        self.options = options
        head = try SharedHead(setup) { width, classes in
            Sequential([
                try Linear(width, options.hidden, epilogue: .relu), try Linear(options.hidden, classes),
            ])
        }
        scale = try EnsembleScale(startingAt: 1)
        try setup.add("ensemble", scale)
        super.init(setup.context)
    }

    // MARK: Stages

    struct Stage: Equatable {
        let number: Int
        let isAlternating: Bool
        /// True in the first epoch of a phase.
        let begins: Bool
    }

    private var stage: Stage { options.stage(epoch: context.epoch) }

    /// Modalities whose stage has come.
    private var visited: Range<Int> {
        0..<min(stage.number + 1, context.model.modalities.count)
    }

    override func epochBegan() throws {
        if stage.begins { context.optimizer.forget(nil) }
    }

    // MARK: Outputs

    /// φ_m [B, C].
    private func logits(_ modality: Int, _ feature: Tensor) throws -> Tensor {
        let forward = ForwardContext(.evaluation)
        return try head.logits(head.projected(feature, modality, forward), forward)
    }

    /// b Σ φ_m [B, C]; zeros of no modality.
    private func ensemble(_ logits: [Tensor], like shape: Tensor) throws -> Tensor {
        if logits.isEmpty { return try Tensor.zeros(shape.shape, shape.dtype, on: shape.backend) }
        return try Tensor.sum(logits) * scale.factor.value
    }

    override func predict(_ output: MultimodalOutput) throws -> Prediction {
        let unimodal = try output.features.enumerated().map { try logits($0, $1) }
        let fused = try ensemble(visited.map { unimodal[$0] }, like: unimodal[0])
        return try context.prediction(fused: fused, unimodal: unimodal, automatic: .fused)
    }

    // MARK: Steps

    override func steps(_ batch: TrainingBatch) throws -> [SubStep] {
        [stage.isAlternating ? alternatingStep(stage, visited) : rectifyingStep(visited)]
    }

    private func encoder(_ modality: Int) -> Scope { .encoder(context.model.modalities[modality]) }

    private func rectifyingStep(_ visited: Range<Int>) -> SubStep {
        SubStep(scopes: Set(visited.map(encoder)).union([.method])) { [unowned self] pass in
            let all = try visited.map { try logits($0, pass.feature($0)) }
            return [try LossTerm("fused", crossEntropyOf: ensemble(all, like: all[0]), pass.batch.labels)]
        }
    }

    private func alternatingStep(_ stage: Stage, _ visited: Range<Int>) -> SubStep {
        let modalities = context.model.modalities
        let turn = stage.number % modalities.count
        let previous = stage.number > 0 && modalities.count > 1 ? (stage.number - 1) % modalities.count : nil
        let startsFilled = options.firstStage == .released && stage.number == 0
        return SubStep(scopes: [encoder(turn), .method]) { [unowned self] pass in
            let own = try logits(turn, pass.feature(turn))
            let fixed = try Autograd.withoutRecording {
                try visited.map { try $0 == turn ? own : logits($0, pass.feature($0)) }
            }
            let others = try Autograd.withoutRecording {
                try ensemble(visited.filter { $0 != turn }.map { fixed[$0] }, like: own)
            }
            return try options.rule.terms(
                modalities[turn], own: own, others: startsFilled ? nil : others, previous: previous.map { fixed[$0] },
                labels: pass.batch.labels)
        }
    }

    override func report() throws -> Table? {
        let (stage, modalities) = (stage, context.model.modalities)
        return Table(fields: [
            ("stage", .int(stage.number)), ("phase", .string(stage.isAlternating ? "alternating" : "rectifying")),
            ("modality", .string(stage.isAlternating ? modalities[stage.number % modalities.count] : "all")),
            ("ensemble", .list(visited.map { modalities[$0] })),
            ("b", .number(try scale.factor.value.item())),
        ])
    }

    static let part = Part<RebalanceRecipe>(
        "reconboost",
        "Alternating boosting: each modality learns what the others do not explain, then all are rectified; one shared "
            + "head.",
        options: Options.self,
        source: "Hua, Xu, Bao, Yang, Huang, ReconBoost: Boosting Can Achieve Modality Reconcilement, ICML 2024",
        example: "bss.rebalance.reconboost{ e1 = 4, e2 = 4 }",
        traits: { _ in MethodTraits(weights: .fused, ownsLoss: true, steps: .silent) }, make: ReconBoost.init)
}
