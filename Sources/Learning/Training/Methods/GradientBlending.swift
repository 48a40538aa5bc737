import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// Gradient-Blending (OGR-GB): every head's loss weighs by how much it generalises and how little it over-fits.
///
///     L = Σ_{k=1}^{K+1} w_k L_k,  Σ w = 1;  tasks: the K unimodal heads and the joint one
///     O_N = L^V_N - L^T_N;  ΔO = O_{N+n} - O_N;  ΔG = L^V_N - L^V_{N+n};  OGR = |ΔO / ΔG|
///     w_k = ΔG_k / ΔO_k² / Z                           minimises OGR² of the blend; Z makes the sum 1
///     w_k = ΔG_k / ΔO_k²,  or as given                 with `normalise = false`
///
/// The estimate at epoch N trains each task alone for n epochs on a fork (encoder m and head m; all encoders and the
/// fusion for the joint task) with the same optimizer, schedule and plan. Offline: one estimate at the start with n =
/// all epochs; online: at every super-epoch of n epochs. T = mean over the samples trained on, V = over the monitored
/// ones, in evaluation mode. Inference: the joint head. Source: Wang, Tran, Feiszli, CVPR 2020, Eqs. 3-6, Algorithms
/// 1-2.
///
/// Deviation: guards of our own. ΔO² is at least 1e-4 of the tasks' median; ΔG ≤ 0 gives weight 0 (if that is all of
/// them, the weights stay as they were, equal at first); no weight exceeds `cap`; `smoothing` keeps a part of the last
/// weights. The last super-epoch may be shorter than n, and so are its probes.
///
/// Deviation: a task of weight 0 is no term of the loss, so that its head rests; in PyTorch a loss times 0 gives zero
/// gradients, under which momentum and weight decay move it on.
///
/// Deviation: the authors released training with given weights only, without the estimator (`weights = { … }`).
/// BalanceBenchmark's estimator takes |ΔG|, which rewards a head that got worse (`negative_gain = "absolute"`); its
/// sums instead of means, its masked fusions instead of heads and its late baseline are not offered.
final class GradientBlending: RebalanceMethod {
    enum Mode: String, CaseIterable { case online, offline }
    private let mode: Mode, length: Int, share: Double
    private let rule: BlendRule
    private let given: Table?
    /// w of the K modalities and of the joint head.
    private var weights: [Double] = []
    private var estimate: BlendEstimate?
    private var estimatedAt: Int?

    init(mode: Mode, length: Int, rule: BlendRule, given: Table?, holdout: Double) {
        (self.mode, self.length, self.rule, self.given, share) = (mode, length, rule, given, holdout)
        super.init()
    }

    override var holdout: Double { given == nil ? share : 0 }
    override var ownsLoss: Bool { true }

    /// Of the loss that is reported and that schedulers score by: the weights before any estimate.
    override func lossWeights(_ options: TrainingOptions, modalities: Int) -> LossWeights {
        let even = 1 / Double(modalities + 1)
        return LossWeights(multi: even, uni: Array(repeating: even, count: modalities))
    }

    override func setup(_ context: TrainingContext) throws {
        let tasks = context.model.modalities + ["fused"]
        weights = Array(repeating: 1 / Double(tasks.count), count: tasks.count)
        guard let given else { return try context.requireMonitor("ogr_gb") }
        for key in given.keys where !tasks.contains(key) {
            throw BSSError(
                "bss.rebalance.ogr_gb", "weights has no task '\(key)'", hint: "tasks: \(tasks.joined(separator: ", "))",
                kind: .usage)
        }
        let values = tasks.map { given[$0]?.double ?? 0 }
        let sum = values.reduce(0, +)
        guard values.allSatisfy({ $0 >= 0 }), sum > 0, sum.isFinite else {
            throw BSSError(
                "bss.rebalance.ogr_gb", "weights must be numbers of at least 0 with a sum above 0", kind: .usage)
        }
        weights = rule.isNormalised ? values.map { $0 / sum } : values
    }

    override func epochBegan(_ context: TrainingContext) throws {
        guard given == nil, mode == .online ? context.epoch % length == 0 : context.epoch == 0 else { return }
        let left = context.options.epochs - context.epoch
        let found = try blend(context, epochs: mode == .online ? min(length, left) : left)
        weights = rule.weights(found, previous: weights, isFirst: estimate == nil)
        (estimate, estimatedAt) = (found, context.epoch)
    }

    /// GB-Estimate(φ_N, n).
    private func blend(_ context: TrainingContext, epochs: Int) throws -> BlendEstimate {
        let before = try losses(context)
        let model = context.model
        var after: [BlendEstimate.Losses] = []
        for task in 0...model.modalities.count {
            after.append(
                try context.fork {
                    if task < model.modalities.count {
                        try context.train(epochs: epochs, [.encoder(model.modalities[task]), model.headScope(task)]) {
                            pass in
                            let logits = try model.heads[task](pass.feature(task), pass.forward)
                            return [
                                LossTerm(
                                    model.modalities[task],
                                    try Tensor.crossEntropy(logits, pass.batch.labels, reduction: .none), weight: 1)
                            ]
                        }
                    } else {
                        try context.train(epochs: epochs, Set(model.modalities.map(Scope.encoder)).union([.fusion])) {
                            pass in
                            [
                                LossTerm(
                                    "fused",
                                    try model.fusion.loss(pass.output(), pass.batch.labels, epoch: context.epoch),
                                    weight: 1)
                            ]
                        }
                    }
                    return try losses(context)[task]
                })
        }
        return BlendEstimate(before: before, after: after)
    }

    /// L^T and L^V of every task as the model is now.
    private func losses(_ context: TrainingContext) throws -> [BlendEstimate.Losses] {
        func means(_ rows: [Int]) throws -> [Double] {
            let scan = try context.evaluator.scan(rows: rows, epoch: context.epoch)
            let labels = try Tensor.from(rows.map { context.source.classColumns[$0] })
            var losses = try (scan.unimodal + [scan.fused]).map { logits in
                try Tensor.crossEntropy(Tensor.from(logits, [rows.count, context.model.classes]), labels).item()
            }
            if !scan.fusedLosses.isEmpty {
                losses[losses.count - 1] = scan.fusedLosses.reduce(0.0) { $0 + Double($1) } / Double(rows.count)
            }
            return losses
        }
        return zip(try means(context.trainRows), try means(context.monitorRows)).map {
            BlendEstimate.Losses(train: $0, held: $1)
        }
    }

    override func loss(
        _ context: TrainingContext, _ output: MultimodalOutput, _ batch: TrainingBatch
    ) throws -> [LossTerm] {
        let blend = LossWeights(multi: weights[weights.count - 1], uni: Array(weights.dropLast()))
        return try EquationFive.terms(output, batch.labels, blend, context.model, epoch: context.epoch)
    }

    override func predict(_ context: TrainingContext, _ output: MultimodalOutput) throws -> Prediction {
        guard context.options.inferenceHeads.isAutomatic else { return try super.predict(context, output) }
        return Prediction(total: output.fused, fused: output.fused, unimodal: output.unimodal)
    }

    override func report(_ context: TrainingContext) -> Table? {
        let tasks = context.model.modalities + ["fused"]
        func named(_ values: [Double]) -> Value { .fields(zip(tasks, values).map { ($0, .number($1)) }) }
        var table = Table(fields: [("weights", named(weights))])
        if let estimate, let estimatedAt {
            table["estimated_at"] = .int(estimatedAt + 1)  // records count epochs from 1
            table["overfitting"] = named(estimate.overfitting)
            table["gain"] = named(estimate.gain)
            table["ratio"] = named(estimate.ratio)
        }
        return table
    }

    // MARK: Checkpoints

    override var state: Value {
        get {
            var table = Table(fields: [("weights", .list(weights))])
            if let estimate, let estimatedAt {
                table["estimated_at"] = .int(estimatedAt)
                table["overfitting"] = .list(estimate.overfitting)
                table["gain"] = .list(estimate.gain)
            }
            return .table(table)
        }
        set {
            func numbers(_ key: String) -> [Double] { newValue.table?[key]?.table?.items.compactMap(\.double) ?? [] }
            let saved = numbers("weights")
            let overfitting = numbers("overfitting")
            let gain = numbers("gain")
            if saved.count == weights.count { weights = saved }
            guard let epoch = newValue.table?["estimated_at"]?.int, overfitting.count == weights.count,
                gain.count == weights.count
            else { return }
            (estimate, estimatedAt) = (BlendEstimate(overfitting: overfitting, gain: gain), epoch)
        }
    }

    // MARK: Declaration

    static let part: Part<RebalanceRecipe> = {
        let mode = Argument(
            "mode", default: "online",
            "\"online\": weights anew for every super-epoch; \"offline\": one estimate over all epochs",
            check: .oneOf(Mode.allCases.map(\.rawValue)))
        let length = Argument(
            "super_epoch", default: 5, "n: epochs between two estimates (the paper: 10 on Kinetics, else 5)",
            check: .range(1...1_000_000))
        let cap = Argument("cap", default: 0.95, "largest weight; 1 = no limit", check: .range(0.5...1))
        let smoothing = Argument(
            "smoothing", default: 0.0, "share of the last weights that an estimate keeps",
            check: Check("from 0, less than 1") { $0 >= 0 && $0 < 1 })
        let floor = Argument(
            "floor", default: 1e-4, "smallest ΔO², as a share of the tasks' median", check: .atLeast(0))
        let negative = Argument(
            "negative_gain", default: "zero",
            "a task whose monitored loss rose: \"zero\" weight, or \"absolute\" |ΔG|, as in BalanceBenchmark",
            check: .oneOf(["zero", "absolute"]))
        let given = Argument<Table?>(
            "weights", default: nil,
            "fixed weights { audio = 0.014, visual = 0.63, fused = 0.356 } (scaled to sum 1) instead of an estimate, as released"
        )
        let normalise = Argument(
            "normalise", default: true,
            "scale the weights to sum 1; false: weights as given or estimated, which then also scale the step, and cap has no place"
        )
        return Part(
            "ogr_gb",
            "Gradient-Blending: unimodal and joint losses weigh by generalisation over over-fitting, estimated by probe trainings.",
            [mode, length, cap, smoothing, floor, negative, given, normalise, Holdout.argument],
            source: "Wang, Tran, Feiszli, What Makes Training Multi-Modal Classification Networks Hard?, CVPR 2020",
            example: "bss.rebalance.ogr_gb{ super_epoch = 5 }"
        ) { a in
            let rule = BlendRule(
                cap: a[cap], smoothing: a[smoothing], floor: a[floor], takesAbsolute: a[negative] == "absolute",
                isNormalised: a[normalise])
            return RebalanceRecipe {
                GradientBlending(
                    mode: Mode(rawValue: a[mode]) ?? .online, length: a[length], rule: rule, given: a[given],
                    holdout: a[Holdout.argument])
            }
        }
    }()
}

/// ΔO and ΔG of every task between two moments.
struct BlendEstimate {
    struct Losses { let train, held: Double }
    let overfitting: [Double]
    let gain: [Double]

    init(overfitting: [Double], gain: [Double]) {
        self.overfitting = overfitting
        self.gain = gain
    }

    init(before: [Losses], after: [Losses]) {
        overfitting = zip(before, after).map { ($1.held - $1.train) - ($0.held - $0.train) }
        gain = zip(before, after).map { $0.held - $1.held }
    }

    /// OGR = |ΔO / ΔG|; infinite without a gain.
    var ratio: [Double] { zip(overfitting, gain).map { $1 == 0 ? .infinity : abs($0 / $1) } }
}

/// From ΔO and ΔG to weights, of sum 1 unless `isNormalised` is false.
struct BlendRule {
    /// From 0.5, so that no other weight can come to exceed it.
    var cap = 0.95
    var smoothing = 0.0
    /// Smallest ΔO² as a share of the median.
    var floor = 1e-4
    var takesAbsolute = false
    var isNormalised = true

    func weights(_ estimate: BlendEstimate, previous: [Double], isFirst: Bool = true) -> [Double] {
        let squares = estimate.overfitting.map { $0 * $0 }
        let least = max(floor * median(squares), 1e-12)
        let raw = zip(estimate.gain, squares).map { gain, square in
            (takesAbsolute ? abs(gain) : max(gain, 0)) / max(square, least)
        }
        let sum = raw.reduce(0, +)
        guard sum > 0, sum.isFinite else { return previous }
        var weights = isNormalised ? raw.map { $0 / sum } : raw
        if !isFirst, smoothing > 0 { weights = zip(previous, weights).map { smoothing * $0 + (1 - smoothing) * $1 } }
        return isNormalised ? capped(weights) : weights
    }

    /// The largest weight lowered to `cap`; the others share the rest as they stand to each other.
    private func capped(_ weights: [Double]) -> [Double] {
        guard let top = weights.indices.max(by: { weights[$0] < weights[$1] }), weights[top] > cap, weights.count > 1
        else { return weights }
        let rest = 1 - weights[top]
        return weights.indices.map { k in
            k == top ? cap : (1 - cap) * (rest > 0 ? weights[k] / rest : 1 / Double(weights.count - 1))
        }
    }

    private func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = values.count / 2
        return values.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
