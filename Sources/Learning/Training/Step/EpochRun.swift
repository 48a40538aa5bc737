import BSSBackend
import BSSCore
import BSSNetworks
import BSSTensor

/// One pass over a plan, batch after batch.
///
/// Where every step is the same list of calls (`BatchHooks.isFixed`, resident data, no weights or masks of samples),
/// the second step of the pass is recorded, and the full batches after it replay it without a tape: the same kernels
/// on the same memory, so the same bits: dropout draws on from its stream, running statistics move in place. A
/// recording that met anything else (a read, numbers of another stream) is not used.
final class EpochRun {
    let log: EpochLog
    private let loop: BatchLoop
    private let plan: SamplePlan
    private let hooks: BatchHooks
    private let epoch: Int, size: Int
    private let feed: BatchFeed
    private let forward: ForwardContext
    private let weights: Tensor?
    private var seen: ScanBuffer
    private var repeated: RepeatedStep?
    private var mayRecord: Bool

    /// `rows`: of the source, in the order in which they are trained on.
    init(_ loop: BatchLoop, _ plan: SamplePlan, rows: [Int], _ epoch: Int, _ hooks: BatchHooks, size: Int) throws {
        (self.loop, self.plan, self.hooks, self.epoch, self.size) = (loop, plan, hooks, epoch, size)
        let names = loop.model.modalities
        feed = try BatchFeed(
            loop.source, names, rows: rows, batchSize: size, augments: true,
            random: loop.streams("augment").child("epoch \(epoch)"), labels: loop.allLabels())
        forward = ForwardContext(.training, random: loop.streams("dropout").child("epoch \(epoch)"))
        weights = try plan.weights.map { try Tensor.from($0.map(Float.init)) }
        seen = ScanBuffer(modalities: names.count, capacity: rows.count)
        log = try EpochLog()
        mayRecord =
            hooks.isFixed && plan.weights == nil && plan.keeps == nil && feed.isResident && KernelCall.observer == nil
    }

    /// The step on the samples at `range` of the plan.
    func step(_ range: Range<Int>, isFirst: Bool) throws {
        if let repeated, range.count == size { return try replay(repeated, range) }
        let given = try feed.batch(range)
        guard let labels = given.labels else { return }  // the feed was made with labels
        let batch = TrainingBatch(
            inputs: given.inputs, labels: labels, positions: Array(plan.positions[range]),
            weights: try weights?.sliced(0, from: range.lowerBound, to: range.upperBound),
            keeps: plan.keeps.map { Array($0[range]) }, sampleLoss: hooks.sampleLoss)
        if mayRecord, !isFirst, range.count == size { return try record(batch, given) }
        try make(batch) { try self.seen.append($0, samples: range.count) }
    }

    private func make(_ batch: TrainingBatch, _ keep: (Prediction) throws -> Void) throws {
        try loop.step(batch, forward, log, hooks, look, keep)
        try log.close(samples: batch.positions.count)
    }

    private func record(_ batch: TrainingBatch, _ given: BatchFeed.Batch) throws {
        let recording = Recording(drawingFrom: forward.random)
        let block = forward.random.block
        var prediction: Prediction?
        try recording.record { try make(batch) { prediction = $0.detached } }
        try prediction.map { try seen.append($0, samples: size) }
        mayRecord = recording.isComplete
        if recording.isComplete {
            repeated = RepeatedStep(
                recording: recording, batch: given, prediction: prediction, draws: Int(forward.random.block - block))
        }
    }

    private func replay(_ step: RepeatedStep, _ range: Range<Int>) throws {
        try feed.fill(step.batch, range)
        try step.recording.replay(drawingFrom: forward.random)
        _ = forward.random.reserve(blocks: step.draws)
        loop.optimizer.stepRepeated()
        loop.state.replayedSteps += 1
        try step.prediction.map { try seen.append($0, samples: size) }
    }

    /// The log as it is now.
    /// - Throws: a step that broke.
    @discardableResult
    func look() throws -> StepLog {
        let found = try log.read()
        guard let bad = found.bad else { return found }
        let rows = feed.rows[bad.step * size..<min((bad.step + 1) * size, feed.rows.count)]
        throw BSSError(
            "bss.train",
            (bad.loss.isFinite ? "a gradient is not finite" : "the loss is \(Text.number(bad.loss))")
                + " at epoch \(epoch + 1), step \(bad.step + 1), samples "
                + loop.source.describe(rows: Array(rows)),
            hint: "lower the learning rate, set clip_norm, or look at these samples")
    }

    /// What was trained. Waits for it.
    func finish() throws -> TrainedBatches {
        let (rows, sum) = (feed.rows, try look().lossSum)
        return TrainedBatches(
            scan: try seen.read(), rows: rows, loss: rows.isEmpty ? 0 : sum / Double(rows.count),
            first: try log.readFirst())
    }
}

/// A step as its kernel calls, with the memory where its batch goes and its logits come.
private final class RepeatedStep {
    let recording: Recording
    let batch: BatchFeed.Batch
    let prediction: Prediction?
    /// Blocks of the stream of dropout.
    let draws: Int

    init(recording: Recording, batch: BatchFeed.Batch, prediction: Prediction?, draws: Int) {
        (self.recording, self.batch, self.prediction, self.draws) = (recording, batch, prediction, draws)
    }
}
