import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// Modality-specific early stopping: each modality stops where it begins to over-fit, and the others go on.
///
///     L = CE(z, y) + Σ_m CE(z_m, y)
///     l_m(t) = (1 - r) l_m(t - 1) + r l_raw,m(t)      smoothed loss of head m on the monitored samples
///     t*_m = argmin_t l_m(t);   t - t*_m > patience:  encoder m and head m go back to t*_m and are frozen
///
/// With `fusion = "sum"`, z = Σ_m (W_m h_m + b_m), the classifier W_m, b_m belongs to modality m and stops with it.
/// The training ends when all are frozen. A frozen modality is out of the graph, out of the optimizer (no momentum, no
/// decay) and in evaluation mode. Inference: z. Source: Fujimori, Endo, Kawai, Mochizuki, ACPR 2019.
///
/// Deviation: what an epoch's end decides is done at the beginning of the next, and the training ends after an epoch in
/// which only the fusion was trained: the last record is that of the model as it is left. The smoothing constant is
/// that of the code, the form (an exponential mean) ours.
///
/// Deviation: the public code (AGM repository) trains CE(z) alone (`terms = "fused"`), smooths with the previous raw
/// loss (`smoothing = "previous"`), takes the whole model and optimizer back (`restore = "model"`), stops by gradients
/// times 0, under which momentum, decay and running statistics go on (`stop = "gradient"`), with patience 80; it
/// monitors the test split, which no option offers.
final class MSES: BaseLossMethod {
    /// `multitask`: as above; `joint`: Eq. 5 with Eq. 12 at inference; `fused`: CE(z) alone, slices or masks are
    /// monitored.
    enum Terms: String, CaseIterable { case multitask, joint, fused }
    enum Restore: String, CaseIterable { case modality, model }
    enum Stop: String, CaseIterable { case freeze, gradient }

    private let terms: Terms, takesBack: Restore, stop: Stop
    private let patience: Int, share: Double
    /// In the model's order.
    private var watches: [StoppingWatch] = []
    /// The state at t*_m, by modality.
    private var snapshots: [[String: Tensor]] = []
    private let newWatch: StoppingWatch

    init(terms: Terms, takesBack: Restore, stop: Stop, watch: StoppingWatch, patience: Int, holdout: Double) {
        (self.terms, self.takesBack, self.stop, newWatch) = (terms, takesBack, stop, watch)
        (self.patience, share) = (patience, holdout)
        super.init(BaseLoss(terms == .fused ? .fused : .joint))
    }

    override var holdout: Double { share }
    override var ownsLoss: Bool { true }

    override func lossWeights(_ options: TrainingOptions, modalities: Int) -> LossWeights {
        terms == .multitask
            ? LossWeights(multi: 1, uni: Array(repeating: 1, count: modalities))
            : super.lossWeights(options, modalities: modalities)
    }

    override func setup(_ context: TrainingContext) throws {
        try context.requireMonitor("mses")
        guard !context.model.sharesHead else {
            throw BSSError(
                "bss.rebalance.mses",
                "stops each modality with a head of its own, but the model has head_sharing = true",
                hint: "build the model with head_sharing = false", kind: .usage)
        }
        watches = Array(repeating: newWatch, count: context.model.modalities.count)
        snapshots = Array(repeating: [:], count: watches.count)
    }

    /// What goes back together with a modality; nil = all.
    private func scopes(_ modality: String) -> Set<Scope>? {
        takesBack == .model ? nil : TrainingContext.parts(of: modality)
    }

    override func epochBegan(_ context: TrainingContext) throws {
        for (index, name) in context.model.modalities.enumerated() {
            if watches[index].isDue {
                try context.restore(context.snapshot(scopes(name), tensors: snapshots[index]))
                snapshots[index] = [:]
                watches[index].isDue = false
                watches[index].stoppedAt = context.epoch
            }
            if watches[index].stoppedAt != nil, stop == .freeze { context.freeze(name) }
        }
    }

    override func epochEnded(_ context: TrainingContext) throws {
        guard watches.contains(where: { $0.stoppedAt == nil }) else {
            return context.stop("mses: every modality has stopped")
        }
        let monitored = try context.monitored()
        for (index, name) in context.model.modalities.enumerated() where watches[index].stoppedAt == nil {
            guard let loss = monitored[name]?.table?["loss"]?.double else { continue }
            if watches[index].add(loss, epoch: context.epoch) {
                snapshots[index] = try context.snapshot(scopes(name)).tensors
            }
            watches[index].isDue = context.epoch - watches[index].bestEpoch > patience
        }
    }

    /// The term of a frozen modality stays in the sum, as a constant.
    override func loss(
        _ context: TrainingContext, _ output: MultimodalOutput, _ batch: TrainingBatch
    ) throws -> [LossTerm] {
        try super.loss(context, output, batch).map { term in
            context.model.frozen.contains(term.name)
                ? LossTerm(term.name, term.perSample.detached, weight: term.weight) : term
        }
    }

    override func adjust(
        _ gradients: inout Gradients, _ context: TrainingContext, _ output: MultimodalOutput, _ batch: TrainingBatch
    ) throws {
        guard stop == .gradient else { return }
        for (watch, name) in zip(watches, context.model.modalities) where watch.stoppedAt != nil {
            for (_, parameter) in context.optimizer.parameters(TrainingContext.parts(of: name)) {
                gradients[parameter.value] = try gradients[parameter.value]?.multiplied(by: 0)
            }
        }
    }

    override func predict(_ context: TrainingContext, _ output: MultimodalOutput) throws -> Prediction {
        guard terms == .multitask, context.options.inferenceHeads.isAutomatic else {
            return try super.predict(context, output)
        }
        return Prediction(total: output.fused, fused: output.fused, unimodal: output.unimodal)
    }

    override func report(_ context: TrainingContext) -> Table? {
        Table(fields: zip(context.model.modalities, watches).map { ($0, .table($1.report)) })
    }

    // MARK: Checkpoints

    override var state: Value {
        get { .list(watches.map { .table($0.table) }) }
        set {
            guard let saved = newValue.table?.items, saved.count == watches.count else { return }
            for (index, entry) in saved.enumerated() { watches[index].restore(entry.table ?? Table()) }
        }
    }

    override var stateTensors: [String: Tensor] {
        get {
            var all: [String: Tensor] = [:]
            for (index, tensors) in snapshots.enumerated() {
                for (name, tensor) in tensors { all["\(index).\(name)"] = tensor }
            }
            return all
        }
        set {
            for (key, tensor) in newValue {
                guard let dot = key.firstIndex(of: "."), let index = Int(key[..<dot]), snapshots.indices.contains(index)
                else { continue }
                snapshots[index][String(key[key.index(after: dot)...])] = tensor
            }
        }
    }

    // MARK: Declaration

    static let part: Part<RebalanceRecipe> = {
        func choice<T: RawRepresentable<String> & CaseIterable>(
            _ name: String, _ first: T, _ help: String
        ) -> Argument<String> {
            Argument(name, default: first.rawValue, help, check: .oneOf(T.allCases.map(\.rawValue)))
        }
        let patience = Argument(
            "patience", default: 5, "epochs without a better smoothed loss that are let pass (the code: 80)",
            check: .atLeast(0))
        let smoothing = choice(
            "smoothing", StoppingWatch.Smoothing.mean,
            "\"mean\": exponential mean; \"previous\": (1 - rate) · the last raw loss + rate · the raw loss, as released"
        )
        let rate = Argument(
            "smoothing_rate", default: 0.4, "weight of the newest loss; 1 = no smoothing", check: .above(0, upTo: 1))
        let terms = choice(
            "terms", Terms.multitask,
            "\"multitask\": CE(z) + Σ CE(z_m); \"joint\": Eq. 5 with Eq. 12 at inference; \"fused\": CE(z) alone, as released"
        )
        let restore = choice(
            "restore", Restore.modality,
            "what goes back to the best epoch: \"modality\": its encoder and head; \"model\": everything, as released")
        let stop = choice(
            "stop", Stop.freeze, "\"freeze\": out of graph and optimizer; \"gradient\": gradients times 0, as released")
        return Part(
            "mses",
            "Modality-specific early stopping: a modality that over-fits goes back to its best epoch and is frozen.",
            [patience, smoothing, rate, terms, restore, stop, Holdout.argument],
            source:
                "Fujimori, Endo, Kawai, Mochizuki, Modality-Specific Learning Rate Control for Multimodal Classification, ACPR 2019",
            example: "bss.rebalance.mses{ patience = 5 }"
        ) { a in
            RebalanceRecipe {
                MSES(
                    terms: Terms(rawValue: a[terms]) ?? .multitask,
                    takesBack: Restore(rawValue: a[restore]) ?? .modality, stop: Stop(rawValue: a[stop]) ?? .freeze,
                    watch: StoppingWatch(StoppingWatch.Smoothing(rawValue: a[smoothing]) ?? .mean, rate: a[rate]),
                    patience: a[patience],
                    holdout: a[Holdout.argument])
            }
        }
    }()
}

/// The smoothed loss of one modality and its best epoch.
struct StoppingWatch {
    enum Smoothing: String, CaseIterable { case mean, previous }
    let smoothing: Smoothing
    /// r
    let rate: Double
    private(set) var smoothed: Double?
    private var raw: Double?
    private var best: Double?
    private(set) var bestEpoch = 0
    /// Goes back and stops when the next epoch begins.
    var isDue = false
    /// The first epoch without it.
    var stoppedAt: Int?

    init(_ smoothing: Smoothing, rate: Double) {
        self.smoothing = smoothing
        self.rate = rate
    }

    /// Takes the loss of an epoch; true if its smoothed value is the best so far.
    mutating func add(_ loss: Double, epoch: Int) -> Bool {
        let before = smoothing == .mean ? smoothed : raw
        let now = before.map { (1 - rate) * $0 + rate * loss } ?? loss
        (smoothed, raw) = (now, loss)
        guard now < best ?? .infinity else { return false }
        (best, bestEpoch) = (now, epoch)
        return true
    }

    /// For the run record, which counts epochs from 1.
    var report: Table {
        var table = table
        for name in ["best_epoch", "stopped_at"] { if let epoch = table[name]?.int { table[name] = .int(epoch + 1) } }
        return table
    }

    /// For checkpoints.
    var table: Table {
        var table = Table(fields: [("best_epoch", .int(bestEpoch)), ("due", .bool(isDue))])
        for (name, value) in [("smoothed_loss", smoothed), ("raw_loss", raw), ("best_loss", best)] {
            if let value { table[name] = .number(value) }
        }
        if let stoppedAt { table["stopped_at"] = .int(stoppedAt) }
        return table
    }

    mutating func restore(_ table: Table) {
        (smoothed, raw, best) = (table["smoothed_loss"]?.double, table["raw_loss"]?.double, table["best_loss"]?.double)
        (bestEpoch, isDue, stoppedAt) = (
            table["best_epoch"]?.int ?? 0, table["due"]?.bool ?? false, table["stopped_at"]?.int
        )
    }
}
