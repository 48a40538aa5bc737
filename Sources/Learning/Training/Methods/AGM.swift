import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// Adaptive gradient modulation (Li et al., ICCV 2023): what flows back through a modality's share φ_m of the fused
/// logits is scaled by κ_m, below 1 for a modality that leads more than it usually does, above 1 for one that lags.
///
///     z = Σ_m φ_m;   s_m = mean_i -log max(softmax(φ_m)[y_i], 1e-8);   r_m = exp(K/(K-1) (mean_j s_j - s_m))
///     τ_m = the same of ŝ, the mean of s over all earlier steps, in the window or not (0 before the first);   κ_m
///         = exp(alpha · min(τ_m - r_m, cap))
///
/// `mode = "exact"`: φ_m is the Shapley value of z over sets S of modalities, absent ones zero at the input. As in the
/// public code z(∅) is left out, so that Σ_m φ_m = z; passes with absent modalities run in evaluation mode, with
/// gradient. `mode = "linear"`: φ_m = z_m, the slice of an additive fusion. Encoder m and its rows of the fusion get
/// κ_m times their gradient, a shared bias the mean of κ. Both modes agree where the encoders are linear without bias.
///
/// Any number of modalities; one alone has κ = 1. `exact` evaluates 2^K - 1 sets: K encoder passes beside the training
/// pass (on features of zero inputs, made once a batch), or 2^K - 2 passes of the whole model where the fusion works
/// inside the encoders.
///
/// Under Adam and RMSprop (`apply_to`, see `Modulation`) κ multiplies the step sizes instead, encoder m's by κ_m and
/// the fusion's by the mean of κ; the passes are then made without gradient, and the loss is the base's.
///
/// Deviation: the public command line modulates epochs up to 20, counted from 1 (`to_epoch = 19`), and clips all
/// gradients to norm 1 when an element of the fusion's weight gradients exceeds 1 in size; here `to_epoch` and
/// `conditional_clip` ask for that. Its cap is 10 for two modalities and 7 for three; ours is 7 for more as well. Its
/// three-modality script leaves out the 1e-8. BalanceBenchmark's AGM has the opposite sign (it damps the weaker
/// modality) and is not offered. In the linear mode a fusion with one bias a modality (`sum`) has each of them scaled
/// by its own κ_m; the one bias of `concat` by the mean of κ, as the exact mode gives.
final class AGM: BaseLossMethod {
    struct Options: OptionGroup {
        enum Mode: String, Choice { case exact, linear }

        @Option(
            "mode",
            "where a modality's share of the logits comes from: \"exact\" (Shapley values over sets of inputs) or "
                + "\"linear\" (slices of an additive fusion: no further passes)")
        var mode = Mode.exact
        @Option("alpha", "strength of the modulation (released: 1; 2.5 on AV-MNIST)", .atLeast(0)) var alpha = 1.0
        @Option("cap", "largest tau - r; by default 10 for two modalities and 7 for more, as released")
        var cap: Double? = nil
        var window = EpochWindow(released: 19)
        @Option(
            "conditional_clip",
            "as released for CREMA-D: clip all gradients to norm 1 when an element of the fusion's weight gradients "
                + "exceeds 1 in size")
        var clips = false
        @Option(
            "clip_threshold",
            "the conditional clip with another number than 1 for element and norm (released: 5 on URFunny)",
            .optional(.above(0)))
        var threshold: Double? = nil
        var modulation = Modulation()
        var base = BaseLoss()
    }

    private let options: Options
    private let scalesRates: Bool
    /// ŝ: the mean of s over `count` steps.
    private var usual: [Double]
    private var count = 0
    private var kappas = EpochMeans(), scores = EpochMeans()

    init(_ options: Options, _ setup: MethodSetup) throws {
        let context = setup.context
        let modalities = context.model.modalities.count
        self.options = options
        scalesRates = options.modulation.scalesRate(context.optimizer)
        usual = Array(repeating: 0, count: modalities)
        super.init(options.base, context)
        try AGM.check(context.model, options.mode)
    }

    private static let mostModalities = 10

    private static func check(_ model: MultimodalModel, _ mode: Options.Mode) throws {
        func refuse(_ why: String, _ hint: String) -> BSSError {
            BSSError("bss.rebalance.agm", why, hint: hint, kind: .usage)
        }
        let count = model.modalities.count
        if model.fusion.hasOwnLoss {
            throw refuse(
                "modulates what flows back through the fused logits, but this fusion has a loss of its own that does "
                    + "not read them",
                "use fusion = \"concat\" or another one that is trained by cross-entropy")
        }
        let features = try model.encoders.map { try Tensor.zeros([1, $0.featureCount]) }
        if mode == .linear, try model.fusion.slices(features, ForwardContext(.evaluation)) == nil {
            throw refuse(
                "mode = \"linear\" needs a fusion that is a sum over modalities (concat without hidden layers, sum)",
                "use mode = \"exact\"")
        }
        if mode == .exact, count > mostModalities {
            throw refuse(
                "mode = \"exact\" evaluates 2^\(count) - 1 sets of modalities a batch", "use mode = \"linear\"")
        }
    }

    override func epochBegan() throws {
        (kappas, scores) = (EpochMeans(), EpochMeans())
        if !options.window.contains(context.epoch) { multiply(by: usual.map { _ in 1 }) }
    }

    override func loss(_ output: MultimodalOutput, _ batch: TrainingBatch) throws -> [LossTerm] {
        guard options.window.contains(context.epoch) else {
            // What is usual is learnt in every step, in the window or before it; after it nothing asks any more.
            guard context.epoch < options.window.first else { return try super.loss(output, batch) }
            try Autograd.withoutRecording { try observe(shares(output, batch), batch.labels) }
            return try super.loss(output, batch)
        }
        guard scalesRates else {
            let shares = try shares(output, batch)
            let kappa = try coefficients(shares, batch.labels)
            return try super.loss(output.replacing(fused: AGM.modulated(shares, kappa)), batch)
        }
        let kappa = try Autograd.withoutRecording {
            try coefficients(shares(output, batch), batch.labels)
        }
        multiply(by: kappa)
        return try super.loss(output, batch)
    }

    override func adjust(_ gradients: inout Gradients, _ output: MultimodalOutput, _ batch: TrainingBatch) throws {
        guard let clip = options.threshold ?? (options.clips ? 1 : nil), options.window.contains(context.epoch) else {
            return
        }
        let weights = context.optimizer.parameters([.fusion]).map(\.parameter).filter { $0.value.rank > 1 }
        if try gradients.norm(p: .infinity, weights) > clip {
            try gradients.clip(norm: clip, context.optimizer.parameters(nil).map(\.parameter))
        }
    }

    private func multiply(by kappa: [Double]) {
        guard scalesRates else { return }
        for (name, factor) in zip(context.model.modalities, kappa) {
            context.optimizer.scaleRate(.encoder(name), by: factor)
        }
        context.optimizer.scaleRate(.fusion, by: Math.mean(kappa))
    }

    // MARK: Shares of the logits

    private func shares(_ output: MultimodalOutput, _ batch: TrainingBatch) throws -> [Tensor] {
        let model = context.model
        if options.mode == .linear, let slices = try model.fusion.slices(output.features, ForwardContext(.training)) {
            return slices
        }
        return try AGM.shapley(AGM.subsets(model, batch.inputs, full: output.fused), model.modalities.count)
    }

    /// z(S) of every non-empty set S of modalities (bit m of the index); inputs of absent ones are 0. `full` is z of
    /// all.
    static func subsets(_ model: MultimodalModel, _ inputs: [Tensor], full: Tensor) throws -> [Tensor] {
        let forward = ForwardContext(.evaluation)
        let count = inputs.count
        let all = (1 << count) - 1
        func has(_ set: Int, _ m: Int) -> Bool { set >> m & 1 == 1 }
        func zeros(like input: Tensor, rows: Int) throws -> Tensor {
            var shape = input.shape
            shape[0] = rows
            return try Tensor.zeros(shape, input.dtype, on: input.backend)
        }
        if count == 1 { return [full, full] }
        if model.isLockStep {
            let absent = try inputs.map { try zeros(like: $0, rows: $0.shape[0]) }
            return try (0...all).map { set in
                if set == 0 || set == all { return full }
                let features = try model.encode(inputs.indices.map { has(set, $0) ? inputs[$0] : absent[$0] }, forward)
                return try model.fusion.fuse(features, forward).logits
            }
        }
        // In evaluation mode a sample's features do not depend on the rest of the batch: every encoder sees its inputs
        // once, and one row of zeros.
        let present = try inputs.indices.map { try model.encode($0, inputs[$0], forward) }
        let absent = try inputs.indices.map { m in
            try model.encode(m, zeros(like: inputs[m], rows: 1), forward).expanded(present[m].shape).contiguous()
        }
        return try (0...all).map { set in
            set == 0 || set == all
                ? full
                : try model.fusion.fuse(inputs.indices.map { has(set, $0) ? present[$0] : absent[$0] }, forward).logits
        }
    }

    /// φ_m = Σ_{S ∌ m} |S|! (K-|S|-1)! / K! · (z(S + m) - z(S)) with z(∅) = 0; `z` by set of modalities, its entry 0
    /// unused.
    static func shapley(_ z: [Tensor], _ count: Int) throws -> [Tensor] {
        let weights = ShapleyWeights(count)
        return try (0..<count).map { m in
            let terms = try (1..<z.count).map { try z[$0].multiplied(by: weights.factor(set: $0, modality: m)) }
            return try Tensor.sum(terms)
        }
    }

    /// Σ_m φ_m, with κ_m times the gradient through φ_m.
    static func modulated(_ shares: [Tensor], _ kappa: [Double]) throws -> Tensor {
        try Tensor.sum(zip(shares, kappa).map { $0.scalingGradient(by: $1) })
    }

    // MARK: Coefficients

    private func coefficients(_ shares: [Tensor], _ labels: Tensor) throws -> [Double] {
        let before = usual
        let s = try observe(shares, labels)
        let kappa = AGM.coefficients(
            s, usual: before, alpha: options.alpha, cap: options.cap ?? (shares.count < 3 ? 10 : 7))
        kappas.add(kappa)
        scores.add(s)
        return kappa
    }

    /// s of this step, which ŝ takes in.
    @discardableResult
    private func observe(_ shares: [Tensor], _ labels: Tensor) throws -> [Double] {
        let s = try shares.map { try AGM.score($0, labels) }
        count += 1
        for m in s.indices { usual[m] += (s[m] - usual[m]) / Double(count) }
        return s
    }

    /// mean_i -log max(softmax(φ)[y_i], 1e-8)
    static func score(_ share: Tensor, _ labels: Tensor) throws -> Double {
        try Autograd.withoutRecording {
            let losses = try Tensor.crossEntropy(share.detached, labels, reduction: .none).values(Double.self)
            return Math.mean(losses.map { min($0, -Math.log(1e-8)) })
        }
    }

    /// κ from the scores of this batch and their usual values.
    static func coefficients(_ s: [Double], usual: [Double], alpha: Double, cap: Double) -> [Double] {
        guard s.count > 1 else { return s.map { _ in 1 } }
        let share = Double(s.count) / Double(s.count - 1)
        func discrepancy(_ values: [Double]) -> [Double] { values.map { Math.exp(share * (Math.mean(values) - $0)) } }
        return zip(discrepancy(usual), discrepancy(s)).map { Math.exp(alpha * min($0 - $1, cap)) }
    }

    // MARK: Record and checkpoints

    override func report() -> Table? {
        let mode = Value.string(options.mode.rawValue)
        guard !kappas.isEmpty else { return Table(fields: [("mode", mode), ("modulates", .bool(false))]) }
        return Table(fields: [
            ("mode", mode), ("modulates", .bool(true)),
            ("applied_to", .string(scalesRates ? "learning_rate" : "gradient")),
            ("kappa", byModality(kappas.values)), ("score", byModality(scores.values)),
            ("usual_score", byModality(usual)),
        ])
    }

    override var state: Value {
        get { .fields([("count", .int(count)), ("usual", .list(usual))]) }
        set {
            guard let table = newValue.table, let saved = table["usual"]?.table?.items.compactMap(\.double),
                saved.count == usual.count
            else { return }
            (count, usual) = (table["count"]?.int ?? 0, saved)
        }
    }

    static let part = Part<RebalanceRecipe>(
        "agm",
        "Adaptive gradient modulation: damps the modality that leads more than usual, boosts the one that lags.",
        options: Options.self,
        source: "Li et al., Boosting Multi-modal Model Performance with Adaptive Gradient Modulation, ICCV 2023",
        example: "bss.rebalance.agm{ alpha = 1, mode = \"linear\" }", traits: { $0.base.traits }, make: AGM.init)
}
