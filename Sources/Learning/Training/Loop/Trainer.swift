import BSSCore
import BSSCurriculum
import BSSData
import BSSNetworks
import BSSTensor

/// The one training loop. What differs between methods are hooks of `RebalanceMethod`; what differs between curricula
/// is the `Scheduler`; nothing else trains.
///
/// Per epoch (t from 0): learning rate → scores, if the scheduler wants them → plan → batches of
/// {forward → loss → backward → adjust → clip → update} → evaluation → selection → callback → checkpoint.
public final class Trainer {
    public let options: TrainingOptions
    let source: any SampleSource
    let method: RebalanceMethod
    let sampleLoss: SampleLoss?
    let context: TrainingContext
    let loop: BatchLoop
    private let order: SampleOrder
    private let evaluator: Evaluator
    private let schedule: LearningRateSchedule
    private let division: Holdout

    /// Called after each epoch with its record; `false` stops.
    public var onEpoch: ((EpochRecord, Trainer) throws -> Bool)?
    public weak var observer: (any TrainingObserver)?
    public var checkpoints = Checkpoints()
    public private(set) var history: [EpochRecord] = []
    private var began = Clock.seconds()
    /// The scheduler's plan of the last epoch, and what the method made of it.
    public private(set) var lastPlan: EpochPlan?
    public private(set) var lastSamples: SamplePlan?
    /// What was trained in the last epoch: `drop_last` leaves out what fills no batch.
    public private(set) var lastTrained: SamplePlan?
    /// The last epoch's first step.
    public private(set) var firstStep: FirstStep?

    /// - Throws: options that do not fit model or data.
    public init(_ options: TrainingOptions, model: MultimodalModel, source: any SampleSource) throws {
        let traits = options.rebalance.product.traits
        (self.options, self.source) = (options, source)
        division = try Holdout(source, fraction: traits.holdout, seed: options.seed)
        try Devices.current.with(options.precision) {}  // refused before anything is made
        guard !division.trainRows.isEmpty else {
            throw BSSError("bss.train", "the dataset '\(source.name)' has no training samples", kind: .data)
        }
        try options.check(traits, source, model.modalities)
        let recipe = options.optimizer.product
        let optimizer = recipe.make(model.parameterGroups())
        schedule = options.learningRate.product.make(recipe.learningRate)
        evaluator = Evaluator(model, source)
        loop = BatchLoop(model, optimizer, source, options, trainRows: division.trainRows)
        order = try SampleOrder(options, source, division, random: loop.streams("order"))
        context = TrainingContext(
            options, traits.lossWeights(options, modalities: model.modalities.count), loop, division, evaluator, order,
            Probes(loop, order, schedule))
        let setup = MethodSetup(context, optimizer, loop.streams)
        let method = try options.rebalance.product.make(setup)
        self.method = method
        sampleLoss = try options.sampleLoss?.product.make(SampleLossSetup(method: setup, predict: method.predict))
    }

    // MARK: What others may see

    public var model: MultimodalModel { loop.model }
    /// Rows that are trained on: the training split without the method's hold-out.
    public var trainRows: [Int] { division.trainRows }
    /// The random streams that were drawn from, with keys and counts.
    public var streams: Table { loop.streams.table }
    /// The scheduler's state, for callbacks and plots.
    public var scores: [Double] { order.sequencer.scores }
    public var measurement: Measurement? { order.sequencer.measurement }
    /// The last epoch's samples in the order in which batches were cut from them, as positions in the training split.
    public var lastOrder: [Int] { lastSamples.map { $0.positions.map { division.trainPositions[$0] } } ?? [] }
    /// Training samples that went forward and backward so far, probe trainings and copies counted.
    public var samplesSeen: Int { history.reduce(loop.state.extraSamples) { $0 + $1.samples } }

    /// Steps of this process that were replayed without a tape.
    public var replayedSteps: Int { loop.state.replayedSteps }

    // MARK: The loop

    /// Trains to the end, or until `onEpoch` says stop. With `resumes` it goes on from the checkpoint, if there is one.
    public func run(resumes: Bool = false) throws -> TrainingResult {
        try Devices.current.with(options.precision) { try train(resumes: resumes) }
    }

    private func train(resumes: Bool) throws -> TrainingResult {
        let identity = try self.identity()
        let saved = resumes ? try checkpoints.last(identity, loop.model, loop.optimizer) : nil
        if let saved { try takeUp(saved) }
        let next = saved?.nextEpoch ?? 0
        let start = Clock.seconds() - (saved?.seconds ?? 0)
        began = start
        checkpoints.begin(at: next)
        try observer?.trainingBegan(epochs: options.epochs, resumedAt: next)
        var isStopped = false
        for epoch in next..<max(next, options.epochs) {
            loop.state.isKept = checkpoints.holds(epoch)
            let record = try finished(trainEpoch(epoch))
            history.append(record)
            if let figure = record.watched(options.learningRate.product.watches) { schedule.observe(figure) }
            order.sequencer.epochEnded(loss: (record.val ?? record.train).loss, epoch: epoch)
            try observer?.epochEnded(record)
            isStopped = try onEpoch.map { try !$0(record, self) } ?? false
            let isFinished = loop.state.stopReason != nil || options.sampleBudget.map { samplesSeen >= $0 } ?? false
            if isStopped || isFinished { break }
            if epoch + 1 < options.epochs, checkpoints.isDue(options.checkpointEvery, epochs: epoch + 1) {
                try write(checkpoint(nextEpoch: epoch + 1, seconds: Clock.seconds() - start, identity))
            }
        }
        let result = try result(isStopped: isStopped)
        observer?.trainingEnded(result)
        return result
    }

    /// What there is so far of a training that was interrupted: the model as the last step left it, and the epochs that
    /// ended.
    public func partialResult() throws -> TrainingResult {
        loop.state.stopReason = "interrupted in epoch \(min(history.count + 1, options.epochs)) of \(options.epochs)"
        return try result(isStopped: true)
    }

    private func result(isStopped: Bool) throws -> TrainingResult {
        TrainingResult(
            model: loop.model, history: history, selections: RunResult(history, options.select), scores: scores,
            order: lastOrder, rows: trainRows, samples: samplesSeen, stopReason: loop.state.stopReason,
            parametersHash: try loop.model.parametersHash(), seconds: Clock.seconds() - began,
            scoringSeconds: order.scoringSeconds, isComplete: !isStopped)
    }

    /// The record with what the method says at the epoch's end.
    private func finished(_ record: EpochRecord) throws -> EpochRecord {
        var record = record
        loop.state.lastEpoch = record
        try method.epochEnded()
        if let closing = method.closingReport {
            var report = record.method ?? Table()
            for (key, value) in closing.fields { report[key] = value }
            record.method = report
            loop.state.lastEpoch = record
        }
        return record
    }

    private func trainEpoch(_ epoch: Int) throws -> EpochRecord {
        let start = Clock.seconds()
        loop.state.epoch = epoch
        loop.optimizer.learningRate = schedule.rate(epoch: epoch)
        let extra = loop.state.extraSamples
        try method.epochBegan()
        try context.score(method.predict)
        let scored = Clock.seconds()
        let plan = try order.plan(epoch)
        lastPlan = plan
        let samples = try method.plan(
            SamplePlan(positions: plan.indices, weights: plan.weights, isSequential: plan.isSequential))
        let planned = Clock.seconds()
        let trained = try loop.run(samples, dropsLast: plan.dropsLast, epoch, hooks(epoch))
        (lastSamples, lastTrained) = (samples, samples.prefix(trained.rows.count))
        firstStep = trained.first
        let stepped = Clock.seconds()
        try observe(trained, samples, epoch)
        if order.scoresAhead, epoch + 1 < options.epochs { try scoreAhead(trained, epoch) }
        var record = EpochRecord(
            epoch: epoch + 1, learningRate: loop.optimizer.learningRate, samples: trained.rows.count,
            train: try metrics(trained.scan, trained.rows, loss: trained.loss))
        if options.usesValidation { record.val = try evaluate(.val, source.rows(.val)) }
        record.test = try evaluate(.test, source.rows(.test))
        if !division.heldOut.isEmpty { record.holdout = try evaluate(nil, division.heldOut) }
        record.plan = plan.log.table
        record.plan["fraction"] = .number(plan.fraction)
        record.method = try method.report()
        if !trained.rows.isEmpty { record.sampleLoss = try sampleLossReport() }
        record.extraSamples = loop.state.extraSamples - extra
        (record.scoringSeconds, record.stepSeconds) = (scored - start, stepped - planned)
        record.seconds = Clock.seconds() - start
        return record
    }

    private func hooks(_ epoch: Int) -> BatchHooks {
        var hooks = BatchHooks(steps: method.steps)
        hooks.adjust = { [method] in try method.adjust(&$0, $1, $2) }
        hooks.predict = method.predict
        hooks.sampleLoss = sampleLoss
        hooks.stepEnded = { [observer] in try observer?.stepEnded(epoch: epoch, step: $0, steps: $1, loss: $2) }
        let isPlain = sampleLoss == nil && options.loss == nil
        hooks.readsNumbers = options.rebalance.product.traits.steps == .reading || !isPlain
        hooks.makesHeads =
            method.looksAtHeads || order.sequencer.observesTraining || order.scoresAhead || !isPlain
            || !options.inferenceHeads.isAutomatic
        hooks.isFixed = options.rebalance.product.traits.steps == .fixed && isPlain
        return hooks
    }

    /// Hands what training showed of its samples to a scheduler that wants it. No pass is made for it.
    private func observe(_ trained: TrainedBatches, _ plan: SamplePlan, _ epoch: Int) throws {
        let (sequencer, rows) = (order.sequencer, trained.rows)
        guard sequencer.observesTraining, !rows.isEmpty else { return }
        let evidence = try seenEvidence(trained, Array(rows.indices))
        try sequencer.observed(
            Array(plan.positions.prefix(rows.count)), evidence, learningRate: loop.optimizer.learningRate,
            epoch: epoch)
    }

    /// What the steps saw of the samples at some positions of the epoch.
    private func seenEvidence(_ trained: TrainedBatches, _ positions: [Int]) throws -> Evidence {
        let classes = loop.model.classes
        func matrix(_ logits: [Float]) -> Matrix {
            var values: [Float] = []
            values.reserveCapacity(positions.count * classes)
            for position in positions { values += logits[position * classes..<(position + 1) * classes] }
            return Matrix(rows: positions.count, columns: classes, values: values)
        }
        return try Evidence(
            modalities: loop.model.modalities, logits: trained.scan.unimodal.map(matrix),
            fused: matrix(trained.scan.fused), labels: positions.map { source.classColumns[trained.rows[$0]] },
            lossWeights: context.lossWeights)
    }

    /// Scores for the next epoch, where the scheduler takes them from this one's steps and these saw every sample once.
    private func scoreAhead(_ trained: TrainedBatches, _ epoch: Int) throws {
        let seen = trained.rows.indices.sorted { trained.rows[$0] < trained.rows[$1] }
        let wanted = division.trainRows.indices.sorted { division.trainRows[$0] < division.trainRows[$1] }
        guard seen.map({ trained.rows[$0] }) == wanted.map({ division.trainRows[$0] }) else { return }
        try order.scoreAhead(epoch + 1) {
            var positions = [Int](repeating: 0, count: wanted.count)
            for (place, position) in zip(wanted, seen) { positions[place] = position }
            return try seenEvidence(trained, positions)
        }
    }

    private func sampleLossReport() throws -> Table? {
        guard let sampleLoss else { return nil }
        try sampleLoss.epochEnded(options.sampleLoss?.name ?? "")
        return try sampleLoss.report()
    }

    // MARK: Evaluation

    private func metrics(_ scan: ScanResult, _ rows: [Int], loss: Double? = nil) throws -> SplitMetrics {
        try evaluator.metrics(
            scan, rows: rows, weights: context.lossWeights, average: options.mapAverage, loss: loss)
    }

    /// nil without rows. `split` = nil: the hold-out.
    /// - Throws: a loss that is not finite: the last updates broke the model, however well training looked before them.
    private func evaluate(_ split: SplitName?, _ rows: [Int]) throws -> SplitMetrics? {
        if rows.isEmpty { return nil }
        let scan = try evaluator.scan(rows: rows, method.predict)
        let figures = try metrics(scan, rows)
        let total = figures.total?.loss ?? 0
        if figures.loss.isFinite, total.isFinite { return figures }
        let classes = loop.model.classes
        let bad = rows.indices.filter { row in
            ([scan.fused, scan.total] + scan.unimodal).contains { logits in
                !logits.isEmpty && logits[row * classes..<(row + 1) * classes].contains { !$0.isFinite }
            }
        }
        let name = split?.rawValue ?? "hold-out"
        let place =
            "after epoch \(context.epoch + 1), step \(context.step), samples "
            + source.describe(rows: bad.isEmpty ? rows : bad.map { rows[$0] })
        guard figures.loss.isFinite else {
            throw BSSError(
                "bss.train", "the \(name) loss is \(Text.number(figures.loss)) \(place)",
                hint: "lower the learning rate, set clip_norm, or look at these samples")
        }
        throw BSSError(
            "bss.rebalance.\(options.rebalance.name)",
            "the prediction's 'total' alone has the \(name) loss \(Text.number(total)) \(place)",
            hint: "fused and unimodal outputs are finite: look at the method's prediction (the hook 'predict')")
    }
}

// MARK: Identity and checkpoints

extension Trainer {
    private func identity() throws -> String {
        let parameters = model.parameters().map { "\($0.name)\($0.parameter.value.shape)" }.joined(separator: ";")
        return SHA256.hex(CanonicalText.of(.table(options.configuration)) + parameters + (try source.fingerprint))
    }

    private func write(_ checkpoint: Checkpoint) throws {
        guard let path = checkpoints.path(epochs: checkpoint.nextEpoch) else { return }
        try observer?.checkpointing()
        var checkpoint = checkpoint
        checkpoint.carried = checkpoints.carried()
        try checkpoint.write(loop.model, loop.optimizer, to: path)
        checkpoints.wrote(epochs: checkpoint.nextEpoch)
        try observer?.checkpointed()
        loop.state.isKept = true
        try loop.state.leaveIfAsked()
    }

    private func takeUp(_ saved: Checkpoint) throws {
        (loop.state.step, loop.state.extraSamples) = (saved.step, saved.extraSamples)
        (history, loop.state.lastEpoch) = (saved.history, saved.history.last)
        order.scoringSeconds = saved.scoringSeconds
        loop.streams.state = saved.streams
        schedule.state = saved.schedule
        try order.sequencer.restore(saved.sequencer)
        method.state = saved.method
        method.stateTensors = saved.methodTensors
    }

    private func checkpoint(nextEpoch: Int, seconds: Double, _ identity: String) -> Checkpoint {
        Checkpoint(
            nextEpoch: nextEpoch, step: loop.state.step, history: history, schedule: schedule.state,
            optimizerSteps: loop.optimizer.steps, sequencer: order.sequencer.state, method: method.state,
            methodTensors: method.stateTensors, extraSamples: loop.state.extraSamples, seconds: seconds,
            scoringSeconds: order.scoringSeconds, streams: loop.streams.state, identity: identity)
    }

    /// What a checkpoint's owner keeps with it (`Checkpoints.carried`).
    /// - Throws: kind `.data` for a damaged file.
    public static func carried(_ path: String) throws -> Value { try Checkpoint.carried(path) }
}
