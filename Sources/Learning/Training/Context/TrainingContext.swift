import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// Where training is, and what a hook may ask of it: the same for built-in methods and for those written in Lua.
public final class TrainingContext {
    public let model: MultimodalModel
    public let optimizer: OptimizerControl
    public let options: TrainingOptions
    public let lossWeights: LossWeights
    public let source: any SampleSource
    /// Rows of the dataset that are trained on; `SamplePlan.positions` count in this list.
    public let trainRows: [Int]
    /// Rows that a method may monitor: its hold-out of the training split, else the validation split; empty without
    /// either.
    public let monitorRows: [Int]

    private let state: TrainingState
    private let updates: Optimizer
    private let streams: RandomStreams
    private let evaluator: Evaluator
    private let order: SampleOrder
    private let probes: Probes

    init(
        _ options: TrainingOptions, _ lossWeights: LossWeights, _ loop: BatchLoop, _ division: Holdout,
        _ evaluator: Evaluator, _ order: SampleOrder, _ probes: Probes
    ) {
        (self.options, self.lossWeights) = (options, lossWeights)
        (model, source, state, streams) = (loop.model, loop.source, loop.state, loop.streams)
        (updates, optimizer) = (loop.optimizer, OptimizerControl(loop.optimizer))
        trainRows = division.trainRows
        monitorRows = division.heldOut.isEmpty ? loop.source.rows(.val) : division.heldOut
        (self.evaluator, self.order, self.probes) = (evaluator, order, probes)
    }

    // MARK: Where training is

    /// From 0.
    public var epoch: Int { state.epoch }
    /// Optimizer updates so far; normalise by this, never by batches per epoch.
    public var step: Int { state.step }
    /// Number of this batch in its epoch, from 0.
    public var batch: Int { state.batch }
    /// Batches of this epoch's plan.
    public var batches: Int { state.batches }
    /// The record of the last epoch; nil before the first.
    public var lastEpoch: EpochRecord? { state.lastEpoch }
    /// Ends the training after this epoch.
    public func stop(_ reason: String) { state.stopReason = reason }

    /// A stream of random numbers of this training: `method`, then `name`, then the epoch and step where they matter.
    public func random(_ name: String) -> RandomStream { streams("method").child(name) }

    // MARK: Looking at the model

    /// A pass over `rows` that changes nothing: logits (and features), in their order. `visit` sees every batch as it
    /// passes: positions in `rows` and the output.
    public func scan(
        _ rows: [Int], _ predict: Predictor, augments: Bool = false, random: RandomStream = Evaluator.noDraws,
        keepsFeatures: Bool = false, visit: ((_ part: Range<Int>, MultimodalOutput) throws -> Void)? = nil
    ) throws -> ScanResult {
        try evaluator.scan(
            rows: rows, predict, augments: augments, random: random, keepsFeatures: keepsFeatures, epoch: epoch,
            visit: visit)
    }

    /// The metrics of `monitorRows` at the end of the last epoch.
    public func monitored(_ predict: Predictor) throws -> SplitMetrics {
        if let known = state.lastEpoch?.monitored { return known }
        return try evaluator.metrics(
            evaluator.scan(rows: monitorRows, predict), rows: monitorRows, weights: lossWeights,
            average: options.mapAverage)
    }

    /// - Throws: if there is nothing to monitor.
    public func requireMonitor(_ method: String) throws {
        guard monitorRows.isEmpty else { return }
        throw BSSError(
            "bss.rebalance.\(method)", "holdout = 0 monitors the validation split, and '\(source.name)' has none",
            hint: "keep a part of the training split out: holdout = 0.1", kind: .usage)
    }

    /// Runs `body` with the parameters of a file, then puts ours back.
    public func lending<R>(_ checkpoint: String, _ body: (Evaluator) throws -> R) throws -> R {
        try Teacher(model: model, source: source).lending(checkpoint, body)
    }

    // MARK: Changing it

    /// What belongs to one modality: its encoder, its head, and its classifier where the fusion is a sum of
    /// classifiers.
    static func parts(of modality: String) -> Set<Scope> { [.encoder(modality), .head(modality), .summand(modality)] }

    /// Stops a modality: its encoder runs in evaluation mode outside the graph, and nothing that belongs to it is
    /// updated.
    public func freeze(_ modality: String) {
        model.frozen.insert(modality)
        for scope in TrainingContext.parts(of: modality) { optimizer.modify(scope) { $0.isTrainable = false } }
    }

    /// Parameters, buffers and optimizer state of some scopes; nil = all.
    public func snapshot(_ scopes: Set<Scope>? = nil) throws -> Snapshot { try Snapshot(model, updates, scopes) }
    /// A snapshot from the tensors that a checkpoint kept of it.
    public func snapshot(_ scopes: Set<Scope>? = nil, tensors: [String: Tensor]) throws -> Snapshot {
        try Snapshot(model, updates, scopes, tensors: tensors)
    }
    public func restore(_ snapshot: Snapshot, includingOptimizer: Bool = true) throws {
        try snapshot.restore(updates, includingOptimizer: includingOptimizer)
    }

    // MARK: Trainings on the side

    /// Runs `body` on a fork of the training: whatever it does to model and optimizer is undone afterwards. The samples
    /// are those of the training's own plan, so scores that this epoch needs are made first.
    public func fork<R>(_ predict: Predictor, _ body: () throws -> R) throws -> R {
        try score(predict)
        return try probes.fork(body)
    }

    /// Trains some scopes on `terms` for some epochs of the current plan, from the present state: inside `fork`, a
    /// probe.
    public func train(epochs: Int, _ scopes: Set<Scope>?, terms: @escaping (BatchPass) throws -> [LossTerm]) throws {
        for offset in 0..<epochs { try probes.train(epoch + offset, [SubStep(scopes: scopes, terms: terms)]) }
    }

    /// Makes the scores that this epoch's plan needs, if it needs some and has none.
    func score(_ predict: Predictor) throws {
        try order.score(epoch) { scan in
            func look(_ evaluator: Evaluator) throws -> Evidence {
                try evaluator.evidence(
                    rows: trainRows, predict, settings: scan.settings, needs: scan.needs, weights: lossWeights,
                    seed: options.seed, batchSize: options.batchSize, epoch: epoch)
            }
            if let checkpoint = scan.checkpoint { return try lending(checkpoint, look) }
            guard scan.selfTaughtEpochs > 0 else { return try look(evaluator) }
            return try probes.fork {
                try teachCopy(epochs: scan.selfTaughtEpochs)
                return try look(evaluator)
            }
        }
    }

    /// Training in uniform order with the losses of Eq. 5.
    private func teachCopy(epochs: Int) throws {
        for epoch in 0..<epochs {
            var random = streams("self_taught").child("epoch \(epoch)")
            let plan = SamplePlan(positions: try WeightedOrder.shuffled(trainRows.count, from: &random))
            try probes.train(epoch, plan, [SubStep { try EquationFive.terms(self, $0.output(), $0.batch) }])
        }
    }
}
