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
    struct Options: OptionGroup {
        /// `multitask`: as above; `joint`: Eq. 5 with Eq. 12 at inference; `fused`: CE(z) alone, slices or masks are
        /// monitored.
        enum Terms: String, Choice { case multitask, joint, fused }
        enum Restore: String, Choice { case modality, model }
        enum Stop: String, Choice { case freeze, gradient }

        @Option(
            "patience", "epochs without a better smoothed loss that are let pass (the code: 80)", .atLeast(0))
        var patience = 5
        @Option(
            "smoothing",
            "\"mean\": exponential mean; \"previous\": (1 - rate) · the last raw loss + rate · the raw loss, as "
                + "released")
        var smoothing = StoppingWatch.Smoothing.mean
        @Option("smoothing_rate", "weight of the newest loss; 1 = no smoothing", .above(0, upTo: 1))
        var smoothingRate = 0.4
        @Option(
            "terms",
            "\"multitask\": CE(z) + Σ CE(z_m); \"joint\": Eq. 5 with Eq. 12 at inference; \"fused\": CE(z) alone, "
                + "as released")
        var terms = Terms.multitask
        @Option(
            "restore",
            "what goes back to the best epoch: \"modality\": its encoder and head; \"model\": everything, as released")
        var restore = Restore.modality
        @Option(
            "stop", "\"freeze\": out of graph and optimizer; \"gradient\": gradients times 0, as released")
        var stop = Stop.freeze
        var monitored = MonitoredShare()

        var base: BaseLoss { BaseLoss(terms == .fused ? .fused : .joint) }
        var traits: MethodTraits {
            let weights = terms == .multitask ? .multitask : base.traits.weights
            return MethodTraits(
                weights: weights, ownsLoss: true, holdout: monitored.share, steps: .silent)
        }
    }

    private let options: Options
    /// In the model's order.
    private var watches: [StoppingWatch]
    /// The state at t*_m, by modality.
    private var snapshots: [[String: Tensor]]

    init(_ options: Options, _ setup: MethodSetup) throws {
        self.options = options
        let model = setup.context.model
        let watch = StoppingWatch(options.smoothing, rate: options.smoothingRate)
        watches = Array(repeating: watch, count: model.modalities.count)
        snapshots = Array(repeating: [:], count: watches.count)
        super.init(options.base, setup.context)
        try context.requireMonitor("mses")
        guard !model.sharesHead else {
            throw BSSError(
                "bss.rebalance.mses",
                "stops each modality with a head of its own, but the model has head_sharing = true",
                hint: "build the model with head_sharing = false", kind: .usage)
        }
    }

    /// What goes back together with a modality; nil = all.
    private func scopes(_ modality: String) -> Set<Scope>? {
        options.restore == .model ? nil : TrainingContext.parts(of: modality)
    }

    override func epochBegan() throws {
        for (index, name) in context.model.modalities.enumerated() {
            if watches[index].isDue {
                try context.restore(context.snapshot(scopes(name), tensors: snapshots[index]))
                snapshots[index] = [:]
                watches[index].isDue = false
                watches[index].stoppedAt = context.epoch
            }
            if watches[index].stoppedAt != nil, options.stop == .freeze { context.freeze(name) }
        }
    }

    override func epochEnded() throws {
        guard watches.contains(where: { $0.stoppedAt == nil }) else {
            return context.stop("mses: every modality has stopped")
        }
        let monitored = try context.monitored(predict)
        for (index, name) in context.model.modalities.enumerated() where watches[index].stoppedAt == nil {
            guard let loss = monitored[name]?.loss else { continue }
            if watches[index].add(loss, epoch: context.epoch) {
                snapshots[index] = try context.snapshot(scopes(name)).tensors
            }
            watches[index].isDue = context.epoch - watches[index].bestEpoch > options.patience
        }
    }

    /// The term of a frozen modality stays in the sum, as a constant.
    override func loss(_ output: MultimodalOutput, _ batch: TrainingBatch) throws -> [LossTerm] {
        try super.loss(output, batch).map { term in
            context.model.frozen.contains(term.name)
                ? LossTerm(term.name, term.perSample.detached, weight: term.weight) : term
        }
    }

    override func adjust(_ gradients: inout Gradients, _ output: MultimodalOutput, _ batch: TrainingBatch) throws {
        guard options.stop == .gradient else { return }
        for (watch, name) in zip(watches, context.model.modalities) where watch.stoppedAt != nil {
            try gradients.scale(context.optimizer.parameters(TrainingContext.parts(of: name)), by: 0)
        }
    }

    override func predict(_ output: MultimodalOutput) throws -> Prediction {
        guard options.terms == .multitask else { return try super.predict(output) }
        return try context.prediction(fused: output.fused, unimodal: unimodal(output), automatic: .fused)
    }

    override func report() -> Table? {
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

    static let part = Part<RebalanceRecipe>(
        "mses",
        "Modality-specific early stopping: a modality that over-fits goes back to its best epoch and is frozen.",
        options: Options.self,
        source: "Fujimori, Endo, Kawai, Mochizuki, Modality-Specific Learning Rate Control for Multimodal "
            + "Classification, ACPR 2019",
        example: "bss.rebalance.mses{ patience = 5 }", traits: { $0.traits }, make: MSES.init)
}
