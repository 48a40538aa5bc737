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
    struct Options: OptionGroup {
        enum Mode: String, Choice { case online, offline }
        enum NegativeGain: String, Choice { case zero, absolute }

        @Option(
            "mode", "\"online\": weights anew for every super-epoch; \"offline\": one estimate over all epochs")
        var mode = Mode.online
        @Option(
            "super_epoch", "n: epochs between two estimates (the paper: 10 on Kinetics, else 5)", .range(1...1_000_000))
        var length = 5
        @Option("cap", "largest weight; 1 = no limit", .range(0.5...1)) var cap = 0.95
        @Option(
            "smoothing", "share of the last weights that an estimate keeps",
            Check("from 0, less than 1") { $0 >= 0 && $0 < 1 })
        var smoothing = 0.0
        @Option("floor", "smallest ΔO², as a share of the tasks' median", .atLeast(0)) var floor = 1e-4
        @Option(
            "negative_gain",
            "a task whose monitored loss rose: \"zero\" weight, or \"absolute\" |ΔG|, as in BalanceBenchmark")
        var negativeGain = NegativeGain.zero
        @Option(
            "weights",
            "fixed weights { audio = 0.014, visual = 0.63, fused = 0.356 } (scaled to sum 1) instead of an estimate, "
                + "as released")
        var weights: Table? = nil
        @Option(
            "normalise",
            "scale the weights to sum 1; false: weights as given or estimated, which then also scale the step, and "
                + "cap has no place")
        var normalises = true
        var monitored = MonitoredShare()

        var rule: BlendRule {
            BlendRule(
                cap: cap, smoothing: smoothing, floor: floor, takesAbsolute: negativeGain == .absolute,
                isNormalised: normalises)
        }
    }

    private let options: Options
    /// w of the K modalities and of the joint head.
    private var weights: [Double]
    private var estimate: BlendEstimate?
    private var estimatedAt: Int?

    init(_ options: Options, _ setup: MethodSetup) throws {
        self.options = options
        let tasks = setup.context.model.modalities + ["fused"]
        weights = Array(repeating: 1 / Double(tasks.count), count: tasks.count)
        super.init(setup.context)
        if let given = options.weights {
            weights = try fixed(given, tasks)
        } else {
            try context.requireMonitor("ogr_gb")
        }
    }

    private func fixed(_ given: Table, _ tasks: [String]) throws -> [Double] {
        try checkNames(given, "weights", of: "ogr_gb", known: tasks)
        let values = tasks.map { given[$0]?.double ?? 0 }
        let sum = values.reduce(0, +)
        guard values.allSatisfy({ $0 >= 0 }), sum > 0, sum.isFinite else {
            throw BSSError(
                "bss.rebalance.ogr_gb", "weights must be numbers of at least 0 with a sum above 0", kind: .usage)
        }
        return options.normalises ? values.map { $0 / sum } : values
    }

    override func epochBegan() throws {
        let (length, isOnline) = (options.length, options.mode == .online)
        guard options.weights == nil, isOnline ? context.epoch % length == 0 : context.epoch == 0 else { return }
        let left = context.options.epochs - context.epoch
        let found = try blend(epochs: isOnline ? min(length, left) : left)
        weights = options.rule.weights(found, previous: weights, isFirst: estimate == nil)
        (estimate, estimatedAt) = (found, context.epoch)
    }

    /// GB-Estimate(φ_N, n).
    private func blend(epochs: Int) throws -> BlendEstimate {
        let before = try losses()
        let after = try before.indices.map { task in
            try context.fork(predict) {
                try train(task, epochs: epochs)
                return try losses()[task]
            }
        }
        return BlendEstimate(before: before, after: after)
    }

    /// Trains what belongs to one task on its loss alone; the last task is the joint one.
    private func train(_ task: Int, epochs: Int) throws {
        let model = context.model
        guard task < model.modalities.count else {
            let scopes = Set(model.modalities.map(Scope.encoder)).union([.fusion])
            let epoch = context.epoch
            return try context.train(epochs: epochs, scopes) { pass in
                [LossTerm("fused", try model.fusion.loss(pass.output(), pass.batch.labels, epoch: epoch))]
            }
        }
        let name = model.modalities[task]
        try context.train(epochs: epochs, [.encoder(name), model.headScope(task)]) { pass in
            let logits = try model.heads[task](pass.feature(task), pass.forward)
            return [try LossTerm(name, crossEntropyOf: logits, pass.batch.labels)]
        }
    }

    /// L^T and L^V of every task as the model is now.
    private func losses() throws -> [BlendEstimate.Losses] {
        func means(_ rows: [Int]) throws -> [Double] {
            let scan = try context.scan(rows, predict)
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

    override func loss(_ output: MultimodalOutput, _ batch: TrainingBatch) throws -> [LossTerm] {
        let blend = LossWeights(multi: weights[weights.count - 1], uni: Array(weights.dropLast()))
        return try EquationFive.terms(output, batch.labels, blend, context.model, epoch: context.epoch)
    }

    override func predict(_ output: MultimodalOutput) throws -> Prediction {
        try context.prediction(fused: output.fused, unimodal: output.unimodal, automatic: .fused)
    }

    override func report() -> Table? {
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

    static let part = Part<RebalanceRecipe>(
        "ogr_gb",
        "Gradient-Blending: unimodal and joint losses weigh by generalisation over over-fitting, estimated by probe "
            + "trainings.",
        options: Options.self,
        source: "Wang, Tran, Feiszli, What Makes Training Multi-Modal Classification Networks Hard?, CVPR 2020",
        example: "bss.rebalance.ogr_gb{ super_epoch = 5 }",
        // Of the loss that is reported and that schedulers score by: the weights before any estimate.
        traits: { options in
            let share = options.weights == nil ? options.monitored.share : 0
            return MethodTraits(weights: .even, ownsLoss: true, holdout: share, steps: .silent)
        }, make: GradientBlending.init)
}
