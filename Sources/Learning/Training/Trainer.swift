import BSSCodecs
import BSSCore
import BSSCurriculum
import BSSData
import BSSNetworks
import BSSTensor
import Glibc

/// The one training loop. What differs between methods are hooks of `RebalanceMethod`; what differs between curricula
/// is the `Scheduler`; nothing else trains.
///
/// Per epoch (t from 0): learning rate → scores, if the scheduler wants them → plan → batches of
/// {forward → loss → backward → adjust → clip → update} → evaluation → selection → callback → checkpoint.
public final class Trainer {
    public let options: TrainingOptions
    public let model: MultimodalModel
    let source: any SampleSource
    let method: RebalanceMethod
    let sampleLoss: SampleLoss?
    let optimizer: Optimizer
    /// Rows that are trained on: the training split without the method's hold-out.
    public let trainRows: [Int]
    private(set) var context: TrainingContext!
    private let schedule: LearningRateSchedule
    let sequencer: Sequencer
    let evaluator: Evaluator
    let weights: LossWeights
    /// Positions of `trainRows` in the training split.
    let splitPositions: [Int]

    /// Called after each epoch with its record; `false` stops.
    public var onEpoch: ((Table, Trainer) throws -> Bool)?
    public weak var observer: (any TrainingObserver)?
    /// Where checkpoints go, and the one that `run(resumes: true)` goes on from; nil = none.
    public var checkpointPath: String?
    /// The file of the checkpoint after so many epochs; without it each one replaces that at `checkpointPath`.
    public var checkpointName: ((_ epochs: Int) -> String)?
    /// What the owner of the record wants to have in every checkpoint, and what the one that was resumed from held.
    public var carried: () -> Value = { .null }
    public private(set) var restored = Value.null
    /// Keys of the random streams that were drawn from, by name.
    public private(set) var streams: [String: UInt64] = [:]
    /// Seconds of training between checkpoints when `checkpoint_every` is not given.
    public var checkpointSeconds = 5.0
    private(set) var history: [Table] = []
    private var best = Table()
    private var scoringSeconds = 0.0
    private(set) var isProbing = false
    /// Epochs in the last checkpoint.
    private var savedEpochs = 0
    /// The scheduler's plan of the last epoch, and what the method made of it.
    public private(set) var lastPlan: EpochPlan?
    public private(set) var lastSamples: SamplePlan?
    /// How many of `lastSamples` were trained on: `drop_last` leaves out what fills no batch.
    private var trainedCount = 0
    /// What was trained in the last epoch.
    public var lastTrained: SamplePlan? { lastSamples?.prefix(trainedCount) }

    /// - Throws: options that do not fit model or data.
    public init(_ options: TrainingOptions, model: MultimodalModel, source: any SampleSource) throws {
        self.options = options
        self.model = model
        self.source = source
        let method = options.rebalance.product.make()
        let division = try Holdout(source, fraction: method.holdout, seed: options.seed)
        (trainRows, splitPositions) = (division.trainRows, division.trainPositions)
        guard !trainRows.isEmpty else {
            throw BSSError("bss.train", "the dataset '\(source.name)' has no training samples", kind: .data)
        }
        try options.inferenceHeads.check(model.modalities)
        self.method = method
        sampleLoss = options.sampleLoss?.product.make()
        if method.ownsLoss, options.loss != nil {
            throw BSSError(
                "bss.train",
                "rebalance = \"\(options.rebalance.name)\" has losses of its own; option 'loss' replaces those of Eq. 5",
                hint: "use rebalance = \"joint\" or another method that modulates Eq. 5", kind: .usage)
        }
        weights = method.lossWeights(options, modalities: model.modalities.count)
        let recipe = options.optimizer.product
        optimizer = recipe.make(model.parameterGroups())
        schedule = options.learningRate.product.make(recipe.learningRate)
        sequencer = options.scheduler.product.begin(
            count: trainRows.count, labels: trainRows.map { source.classColumns[$0] }, classes: source.classes)
        var predict: (MultimodalOutput) throws -> Prediction = {
            Prediction(total: $0.fused, fused: $0.fused, unimodal: $0.unimodal)
        }
        evaluator = Evaluator(model: model, source: source) { try predict($0) }
        let monitored = division.heldOut.isEmpty ? source.rows(.val) : division.heldOut
        let context = TrainingContext(trainer: self, lossWeights: weights, evaluator: evaluator, monitorRows: monitored)
        self.context = context
        _ = stream("init")  // the model's parameters came from it
        predict = { [unowned context] in try method.predict(context, $0) }
        try method.setup(context)
        try sampleLoss?.setup(context)
        try takeGivenScores()
    }

    /// Trains to the end, or until `onEpoch` says stop. With `resumes` it goes on from the checkpoint, if there is one.
    public func run(resumes: Bool = false) throws -> TrainingResult {
        let identity = try self.identity()
        var next = 0
        var earlier = 0.0
        if resumes, let path = checkpointPath, Files.exists(path) {
            let saved = try Checkpoint.read(path, identity: identity, model, optimizer)
            (next, context.step, history, best) = (saved.nextEpoch, saved.step, saved.history, saved.best)
            (earlier, scoringSeconds) = (saved.seconds, saved.scoringSeconds)
            schedule.state = saved.schedule
            try sequencer.restore(saved.sequencer)
            method.state = saved.method
            method.stateTensors = saved.methodTensors
            context.extraSamples = saved.extraSamples
            context.lastEpoch = history.last ?? Table()
            restored = saved.carried
        }
        savedEpochs = next
        try observer?.trainingBegan(epochs: options.epochs, resumedAt: next)
        let start = Trainer.now()
        var lastWrite = start
        var isStopped = false
        for epoch in next..<max(next, options.epochs) {
            var record = try trainEpoch(epoch)
            context.lastEpoch = record
            try method.epochEnded(context)
            if let closing = method.closingReport {
                var report = record["method"]?.table ?? Table()
                for (key, value) in closing.fields { report[key] = value }
                record["method"] = .table(report)
                context.lastEpoch = record
            }
            history.append(record)
            select(record)
            sequencer.epochEnded(record, epoch: epoch)
            watch(record)
            try observer?.epochEnded(record, epoch: epoch)
            isStopped = try onEpoch.map { try !$0(record, self) } ?? false
            let isFinished = context.stopReason != nil || options.sampleBudget.map { samplesSeen >= $0 } ?? false
            let isDue =
                Cancellation.isLeaving
                || options.checkpointEvery.map { (epoch + 1) % $0 == 0 }
                    ?? (Trainer.now() - lastWrite >= checkpointSeconds)
            if let path = checkpointName?(epoch + 1) ?? checkpointPath, isDue, epoch + 1 < options.epochs, !isStopped,
                !isFinished
            {
                try observer?.checkpointing()
                try checkpoint(nextEpoch: epoch + 1, seconds: earlier + Trainer.now() - start, identity).write(
                    model, optimizer, to: path)
                savedEpochs = epoch + 1
                try observer?.checkpointed()
                lastWrite = Trainer.now()
                try leaveIfAsked()
            }
            if isStopped || isFinished { break }
        }
        let result = TrainingResult(
            model: model, history: history, selections: selections(), scores: sequencer.scores, order: lastOrder,
            rows: trainRows, samples: samplesSeen, stopReason: context.stopReason,
            parametersHash: try model.parametersHash(), seconds: earlier + Trainer.now() - start,
            scoringSeconds: scoringSeconds, isComplete: !isStopped)
        observer?.trainingEnded(result)
        return result
    }

    /// Training samples that went forward and backward so far, probe trainings and copies counted.
    public var samplesSeen: Int { history.reduce(context.extraSamples) { $0 + ($1["samples"]?.int ?? 0) } }

    /// The scheduler's state, for callbacks and plots.
    public var scores: [Double] { sequencer.scores }
    /// The last epoch's samples in the order in which batches were cut from them, as positions in the training split.
    public var lastOrder: [Int] { lastSamples.map { $0.positions.map { splitPositions[$0] } } ?? [] }
    public var measurement: Measurement? { sequencer.measurement }

    /// - Throws: the process was asked to leave, and what was done is kept.
    private func leaveIfAsked() throws {
        if Cancellation.isLeaving { throw BSSError.cancelled("training") }
    }

    // MARK: One epoch

    private func trainEpoch(_ epoch: Int) throws -> Table {
        let start = Trainer.now()
        context.epoch = epoch
        optimizer.learningRate = schedule.rate(epoch: epoch)
        let extra = context.extraSamples
        try method.epochBegan(context)
        try score(epoch)
        let scored = Trainer.now()
        let plan = try sequencer.plan(epoch: epoch, batchSize: options.batchSize, random: stream("order"))
        lastPlan = plan
        let samples = try method.plan(
            context, SamplePlan(positions: plan.indices, weights: plan.weights, isSequential: plan.isSequential))
        let planned = Trainer.now()
        let training = try trainBatches(samples, dropsLast: plan.dropsLast, epoch) {
            try self.method.steps(self.context, $0)
        }
        (lastSamples, trainedCount) = (samples, training.rows.count)
        let trained = Trainer.now()
        try observe(training.scan, training.rows, samples, epoch)
        var record = Table(fields: [
            ("epoch", .int(epoch + 1)), ("learning_rate", .number(optimizer.learningRate)),
            ("samples", .int(training.rows.count)),
        ])
        record["train"] = .table(
            try evaluator.metrics(
                training.scan, rows: training.rows, weights: weights, mapAverage: options.mapAverage,
                loss: training.loss))
        for split in [SplitName.val, .test] where split != .val || options.usesValidation {
            let rows = source.rows(split)
            if !rows.isEmpty { record[split.rawValue] = .table(try evaluate(split.rawValue, rows, epoch)) }
        }
        if !monitorsValidation, !context.monitorRows.isEmpty {
            record["holdout"] = .table(try evaluate("hold-out", context.monitorRows, epoch))
        }
        var log = plan.log.table
        log["fraction"] = .number(plan.fraction)
        record["plan"] = .table(log)
        if let report = method.report(context) { record["method"] = .table(report) }
        if !training.rows.isEmpty, let report = try endOfEpoch() { record["sample_loss"] = .table(report) }
        if context.extraSamples > extra { record["extra_samples"] = .int(context.extraSamples - extra) }
        record["scoring_seconds"] = .number(scored - start)
        record["step_seconds"] = .number(trained - planned)
        record["seconds"] = .number(Trainer.now() - start)
        return record
    }

    /// - Throws: a loss that is not finite: the last updates broke the model, however well training looked before them.
    private func evaluate(_ split: String, _ rows: [Int], _ epoch: Int) throws -> Table {
        let scan = try evaluator.scan(rows: rows)
        let metrics = try evaluator.metrics(scan, rows: rows, weights: weights, mapAverage: options.mapAverage)
        guard let loss = metrics["loss"]?.double, !loss.isFinite else { return metrics }
        let bad = rows.indices.filter { row in
            ([scan.fused] + scan.unimodal).contains {
                $0[row * model.classes..<(row + 1) * model.classes].contains { !$0.isFinite }
            }
        }
        throw BSSError(
            "bss.train",
            "the \(split) loss is \(Text.number(loss)) after epoch \(epoch + 1), step \(context.step), samples \(names(bad.isEmpty ? rows : bad.map { rows[$0] }))",
            hint: "lower the learning rate, set clip_norm, or look at these samples")
    }

    /// Scores the training set for this epoch's plan, once, if its scheduler wants it.
    func score(_ epoch: Int) throws {
        guard sequencer.needsScores(atEpoch: epoch), let measurer = options.scheduler.product.measurer else { return }
        let start = Trainer.now()
        let settings = options.scheduler.product.scan
        let evidence: Evidence
        if let path = settings.checkpoint, !settings.isTeacherFirst || sequencer.evaluations == 0 {
            evidence = try withParameters(of: path) { try self.evidence(measurer, settings, epoch) }
        } else if settings.selfTaughtEpochs > 0, sequencer.evaluations == 0 {
            evidence = try selfTaught(epochs: settings.selfTaughtEpochs) {
                try self.evidence(measurer, settings, epoch)
            }
        } else {
            evidence = try self.evidence(measurer, settings, epoch)
        }
        try sequencer.receive(measurer.score(evidence), evidence, epoch: epoch)
        scoringSeconds += Trainer.now() - start
    }

    private func evidence(_ measurer: Measurer, _ settings: ScanSettings, _ epoch: Int) throws -> Evidence {
        try evaluator.evidence(
            rows: trainRows, settings: settings, needs: measurer.needs.union(options.scheduler.product.needs),
            weights: weights, seed: options.seed, batchSize: options.batchSize, epoch: epoch)
    }

    /// Runs `body` with another model's parameters, then puts ours back.
    func withParameters<R>(of path: String, _ body: () throws -> R) throws -> R {
        let saved = Dictionary(
            uniqueKeysWithValues: try model.stateTensors().map { ($0.name, try $0.tensor.duplicate()) })
        // What a method has added here, a teacher without it need not have.
        let (tensors, metadata) = try TensorFile.read(path)
        if metadata["format"] == "pt" {
            // As model:save writes it, in the layout of other programs.
            try model.load(WeightFile.open(path), KeyMap(isOwn: { $0.hasPrefix("method.") }))
        } else {
            let prefix = tensors.keys.contains { $0.hasPrefix("model.") } ? "model." : ""
            try model.restore(
                saved.filter { $0.key.hasPrefix("method.") }.reduce(into: tensors) {
                    if $0[prefix + $1.key] == nil { $0[prefix + $1.key] = $1.value }
                }, prefix: prefix, source: path)
        }
        let result = Result { try body() }
        try model.restore(saved, source: "memory")
        return try result.get()
    }

    private var monitorsValidation: Bool { method.holdout == 0 }

    /// One epoch of the current plan, at the schedule's rate, with other sub-steps than the method's, inside
    /// `TrainingContext.fork`; gives the samples seen.
    func probeEpoch(_ epoch: Int, _ steps: [SubStep]) throws -> Int {
        let plan = try sequencer.plan(epoch: epoch, batchSize: options.batchSize, random: stream("order"))
        return try probeEpoch(
            epoch, SamplePlan(positions: plan.indices, weights: plan.weights), dropsLast: plan.dropsLast, steps)
    }

    func probeEpoch(_ epoch: Int, _ plan: SamplePlan, dropsLast: Bool, _ steps: [SubStep]) throws -> Int {
        let rate = optimizer.learningRate
        optimizer.learningRate = schedule.rate(epoch: epoch)
        isProbing = true
        defer {
            isProbing = false
            optimizer.learningRate = rate
        }
        return try trainBatches(plan, dropsLast: dropsLast, epoch) { _ in steps }.rows.count
    }

    private func trainBatches(
        _ plan: SamplePlan, dropsLast: Bool, _ epoch: Int, _ subSteps: (TrainingBatch) throws -> [SubStep]
    ) throws -> (scan: ScanResult, rows: [Int], loss: Double) {
        let size = options.batchSize
        let count = plan.positions.count
        let steps = dropsLast ? count / size : (count + size - 1) / size
        if steps == 0, count > 0 {
            throw BSSError(
                "bss.train",
                "epoch \(epoch + 1) has \(count) samples, fewer than batch_size = \(size), and drop_last leaves them out: nothing would be trained",
                hint: "lower batch_size, or set drop_last = false", kind: .usage)
        }
        let forward = ForwardContext(.training, random: stream("dropout").child("epoch \(epoch)"))
        let augment = stream("augment").child("epoch \(epoch)")
        var scan = ScanResult(modalities: model.modalities.count)
        var seen: [Int] = []
        var lossSum = 0.0
        let classColumns = source.classColumns
        let visited = model.modalities.map { name in source.modalities.firstIndex(of: name) ?? 0 }
        source.announce(
            visited, rows: plan.positions.prefix(steps * size).map { trainRows[$0] }, batchSize: size, augments: true,
            random: augment)
        for step in 0..<steps {
            try Cancellation.check("training")
            if savedEpochs == epoch || checkpointPath == nil { try leaveIfAsked() }
            (context.batch, context.batches) = (step, steps)
            let range = step * size..<min((step + 1) * size, count)
            let positions = Array(plan.positions[range])
            let rows = positions.map { trainRows[$0] }
            let batch = TrainingBatch(
                inputs: try Evaluator.inputs(model, source, rows: rows, augments: true, random: augment),
                labels: try Tensor.from(rows.map { classColumns[$0] }), positions: positions,
                weights: try plan.weights.map { try Tensor.from($0[range].map(Float.init)) },
                keeps: plan.keeps.map { Array($0[range]) }, sampleLoss: isProbing ? nil : sampleLoss)
            let loss = try trainStep(batch, forward, &scan, subSteps(batch))
            guard loss.isFinite else { throw nonFinite(loss, epoch, step, rows) }
            lossSum += loss * Double(rows.count)
            seen += rows
            scan.count += rows.count
            context.step += 1
            if !isProbing { observer?.stepEnded(epoch: epoch, step: step, steps: steps, loss: loss) }
        }
        return (scan, seen, seen.isEmpty ? 0 : lossSum / Double(seen.count))
    }

    private func nonFinite(_ loss: Double, _ epoch: Int, _ step: Int, _ rows: [Int]) -> BSSError {
        BSSError(
            "bss.train",
            "the loss is \(Text.number(loss)) at epoch \(epoch + 1), step \(step + 1), samples \(names(rows))",
            hint: "lower the learning rate, set clip_norm, or look at these samples")
    }

    private func names(_ rows: [Int]) -> String {
        rows.prefix(8).map(source.describe).joined(separator: ", ") + (rows.count > 8 ? ", …" : "")
    }

    // MARK: Selection

    /// Keeps the best epoch so far by the total output's accuracy on validation and on test.
    ///
    /// Equal validation accuracies are told apart by the lower validation loss: small splits reach 100 % long before
    /// the weaker heads have learned. The test selection keeps the first of equals, as the released code does.
    private func select(_ record: Table) {
        for (key, split) in [("val_best", "val"), ("test_best", "test")] {
            guard let accuracy = record.value(atPath: "\(split).total.accuracy")?.double else { continue }
            guard let old = best[key]?.table, let bestAccuracy = old.value(atPath: "\(split).total.accuracy")?.double
            else {
                best[key] = .table(Trainer.selection(record))
                continue
            }
            let loss = record.value(atPath: "\(split).loss")?.double ?? .infinity
            let bestLoss = old.value(atPath: "\(split).loss")?.double ?? .infinity
            // NaN is worse than any number.
            let isFirst = bestAccuracy.isNaN && !accuracy.isNaN
            if isFirst || accuracy > bestAccuracy || (key == "val_best" && accuracy == bestAccuracy && loss < bestLoss)
            {
                best[key] = .table(Trainer.selection(record))
            }
        }
    }

    private static func selection(_ record: Table) -> Table {
        Table(fields: ["epoch", "train", "val", "test"].compactMap { key in record[key].map { (key, $0) } })
    }

    private func selections() -> Table {
        var table = Table()
        let last = history.last.map(Trainer.selection) ?? Table()
        table["last"] = .table(last)
        table["val_best"] = best["val_best"] ?? .table(last)
        table["test_best"] = best["test_best"] ?? .table(last)
        table["selected"] = table[options.select]
        return table
    }

    private func watch(_ record: Table) {
        let path =
            ["train_loss": "train.loss", "val_loss": "val.loss", "val_accuracy": "val.total.accuracy"][
                options.learningRate.product.watches] ?? "train.loss"
        // Without a validation split the training loss is watched instead.
        let fallback = options.learningRate.product.watches == "val_accuracy" ? "train.total.accuracy" : "train.loss"
        if let metric = (record.value(atPath: path) ?? record.value(atPath: fallback))?.double {
            schedule.observe(metric)
        }
    }

    // MARK: Identity and checkpoints

    /// What a checkpoint's owner keeps with it (`carried`).
    /// - Throws: kind `.data` for a damaged file.
    public static func carried(_ path: String) throws -> Value { try Checkpoint.carried(path) }

    func stream(_ name: String) -> RandomStream {
        let made = RandomStream(seed: UInt64(bitPattern: Int64(options.seed)), name: name)
        streams[name] = made.key
        return made
    }

    private func identity() throws -> String {
        let parameters = model.parameters().map { "\($0.name)\($0.parameter.value.shape)" }.joined(separator: ";")
        return SHA256.hex(CanonicalText.of(.table(options.configuration)) + parameters + (try source.fingerprint))
    }

    private func checkpoint(nextEpoch: Int, seconds: Double, _ identity: String) -> Checkpoint {
        Checkpoint(
            nextEpoch: nextEpoch, step: context.step, history: history, best: best, schedule: schedule.state,
            optimizerSteps: optimizer.steps,
            sequencer: sequencer.state, method: method.state, methodTensors: method.stateTensors,
            extraSamples: context.extraSamples, seconds: seconds, scoringSeconds: scoringSeconds, identity: identity,
            carried: carried())
    }

    static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
