import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// Adaptive gradient modulation (Li et al., ICCV 2023): what flows back through a modality's share φ_m of the fused
/// logits is scaled by κ_m, below 1 for a modality that leads more than it usually does, above 1 for one that lags.
///
///     z = Σ_m φ_m;   s_m = mean_i -log max(softmax(φ_m)[y_i], 1e-8);   r_m = exp(K/(K-1) (mean_j s_j - s_m))
///     τ_m = the same of ŝ, the mean of s over all earlier steps, in the window or not (0 before the first);   κ_m = exp(alpha · min(τ_m - r_m, cap))
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
    enum Mode: String, CaseIterable { case exact, linear }
    private let mode: Mode
    private let alpha: Double
    private let cap: Double?
    private let epochs: ClosedRange<Int>
    /// c of the conditional clip; nil = none.
    private let clip: Double?
    private let modulation: Modulation
    private var scalesRates = false
    /// ŝ: the mean of s over `count` steps.
    private var usual: [Double] = []
    private var count = 0
    private var kappas = EpochMeans(), scores = EpochMeans()

    init(
        _ base: BaseLoss, mode: Mode, alpha: Double, cap: Double?, epochs: ClosedRange<Int>,
        clip: Double?, modulation: Modulation
    ) {
        self.mode = mode
        self.alpha = alpha
        self.cap = cap
        self.epochs = epochs
        self.clip = clip
        self.modulation = modulation
        super.init(base)
    }

    override func setup(_ context: TrainingContext) throws {
        let model = context.model
        let count = model.modalities.count
        if model.fusion.hasOwnLoss {
            throw BSSError(
                "bss.rebalance.agm",
                "modulates what flows back through the fused logits, but this fusion has a loss of its own that does not read them",
                hint: "use fusion = \"concat\" or another one that is trained by cross-entropy", kind: .usage)
        }
        if mode == .linear,
            try model.fusion.slices(
                model.encoders.map { try Tensor.zeros([1, $0.featureCount]) }, ForwardContext(.evaluation)) == nil
        {
            throw BSSError(
                "bss.rebalance.agm",
                "mode = \"linear\" needs a fusion that is a sum over modalities (concat without hidden layers, sum)",
                hint: "use mode = \"exact\"", kind: .usage)
        }
        if mode == .exact, count > AGM.mostModalities {
            throw BSSError(
                "bss.rebalance.agm", "mode = \"exact\" evaluates 2^\(count) - 1 sets of modalities a batch",
                hint: "use mode = \"linear\"", kind: .usage)
        }
        usual = Array(repeating: 0, count: count)
        scalesRates = modulation.scalesRate(context.optimizer)
    }

    private static let mostModalities = 10

    override func epochBegan(_ context: TrainingContext) throws {
        (kappas, scores) = (EpochMeans(), EpochMeans())
        if !epochs.contains(context.epoch) { multiply(context, by: usual.map { _ in 1 }) }
    }

    override func loss(
        _ context: TrainingContext, _ output: MultimodalOutput, _ batch: TrainingBatch
    ) throws -> [LossTerm] {
        guard epochs.contains(context.epoch) else {
            // What is usual is learnt in every step, in the window or before it; after it nothing asks any more.
            guard context.epoch < epochs.lowerBound else { return try super.loss(context, output, batch) }
            try Autograd.withoutRecording { try observe(shares(context.model, output, batch.inputs), batch.labels) }
            return try super.loss(context, output, batch)
        }
        guard scalesRates else {
            let shares = try shares(context.model, output, batch.inputs)
            let kappa = try coefficients(shares, batch.labels)
            return try super.loss(context, output.replacing(fused: AGM.modulated(shares, kappa)), batch)
        }
        let kappa = try Autograd.withoutRecording {
            try coefficients(shares(context.model, output, batch.inputs), batch.labels)
        }
        multiply(context, by: kappa)
        return try super.loss(context, output, batch)
    }

    override func adjust(
        _ gradients: inout Gradients, _ context: TrainingContext, _ output: MultimodalOutput, _ batch: TrainingBatch
    ) throws {
        guard let clip, epochs.contains(context.epoch) else { return }
        let weights = context.optimizer.parameters([.fusion]).map(\.parameter).filter { $0.value.rank > 1 }
        if try gradients.norm(p: .infinity, weights) > clip {
            try gradients.clip(norm: clip, context.optimizer.parameters(nil).map(\.parameter))
        }
    }

    private func multiply(_ context: TrainingContext, by kappa: [Double]) {
        guard scalesRates else { return }
        for (name, factor) in zip(context.model.modalities, kappa) {
            context.optimizer.modify(.encoder(name)) { $0.multiplier = factor }
        }
        context.optimizer.modify(.fusion) { $0.multiplier = Math.mean(kappa) }
    }

    // MARK: Shares of the logits

    private func shares(_ model: MultimodalModel, _ output: MultimodalOutput, _ inputs: [Tensor]) throws -> [Tensor] {
        if mode == .linear, let slices = try model.fusion.slices(output.features, ForwardContext(.training)) {
            return slices
        }
        return try AGM.shapley(AGM.subsets(model, inputs, full: output.fused), model.modalities.count)
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
            return try terms.dropFirst().reduce(terms[0]) { try $0 + $1 }
        }
    }

    /// Σ_m φ_m, with κ_m times the gradient through φ_m.
    static func modulated(_ shares: [Tensor], _ kappa: [Double]) throws -> Tensor {
        let scaled = zip(shares, kappa).map { $0.scalingGradient(by: $1) }
        return try scaled.dropFirst().reduce(scaled[0]) { try $0 + $1 }
    }

    // MARK: Coefficients

    private func coefficients(_ shares: [Tensor], _ labels: Tensor) throws -> [Double] {
        let before = usual
        let s = try observe(shares, labels)
        let kappa = AGM.coefficients(s, usual: before, alpha: alpha, cap: cap ?? (shares.count < 3 ? 10 : 7))
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

    override func report(_ context: TrainingContext) -> Table? {
        let names = context.model.modalities
        guard !kappas.isEmpty else {
            return Table(fields: [("mode", .string(mode.rawValue)), ("modulates", .bool(false))])
        }
        return Table(fields: [
            ("mode", .string(mode.rawValue)), ("modulates", .bool(true)),
            ("applied_to", .string(scalesRates ? "learning_rate" : "gradient")),
            ("kappa", kappas.value(names)), ("score", scores.value(names)),
            ("usual_score", .fields(zip(names, usual).map { ($0, .number($1)) })),
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

    // MARK: Declaration

    static let part: Part<RebalanceRecipe> = {
        let mode = Argument(
            "mode", default: "exact",
            "where a modality's share of the logits comes from: \"exact\" (Shapley values over sets of inputs) or \"linear\" (slices of an additive fusion: no further passes)",
            check: .oneOf(Mode.allCases.map(\.rawValue)))
        let alpha = Argument(
            "alpha", default: 1.0, "strength of the modulation (released: 1; 2.5 on AV-MNIST)", check: .atLeast(0))
        let cap = Argument<Double?>(
            "cap", default: nil, "largest tau - r; by default 10 for two modalities and 7 for more, as released")
        let window = EpochWindow(released: 19)
        let clips = Argument(
            "conditional_clip", default: false,
            "as released for CREMA-D: clip all gradients to norm 1 when an element of the fusion's weight gradients exceeds 1 in size"
        )
        let threshold = Argument<Double?>(
            "clip_threshold", default: nil,
            "the conditional clip with another number than 1 for element and norm (released: 5 on URFunny)",
            check: Check("greater than 0") { $0.map { $0 > 0 && $0.isFinite } ?? true })
        return Part(
            "agm",
            "Adaptive gradient modulation: damps the modality that leads more than usual, boosts the one that lags.",
            [mode, alpha, cap] + window.arguments + [clips, threshold, Modulation.argument] + BaseLoss.arguments,
            source: "Li et al., Boosting Multi-modal Model Performance with Adaptive Gradient Modulation, ICCV 2023",
            example: "bss.rebalance.agm{ alpha = 1, mode = \"linear\" }"
        ) { a in
            let epochs = try window(a)
            return RebalanceRecipe {
                AGM(
                    BaseLoss(a), mode: Mode(rawValue: a[mode]) ?? .exact, alpha: a[alpha], cap: a[cap],
                    epochs: epochs, clip: a[threshold] ?? (a[clips] ? 1 : nil), modulation: Modulation(a))
            }
        }
    }()
}
