import BSSCore
import BSSData
import BSSNetworks
import BSSTensor

/// What differs between training with a method and a probe.
struct BatchHooks {
    /// The sub-steps of a batch.
    let steps: (TrainingBatch) throws -> [SubStep]
    /// Between backward and the optimizer.
    var adjust: ((inout Gradients, MultimodalOutput, TrainingBatch) throws -> Void)?
    /// Probes compute what their loss needs, and no training metrics.
    var predict: Predictor?
    var sampleLoss: SampleLoss?
    var stepEnded: ((_ step: Int, _ steps: Int, _ loss: Double) -> Void)?

    init(steps: @escaping (TrainingBatch) throws -> [SubStep]) { self.steps = steps }
}

/// What a pass of training over a plan gives.
struct TrainedBatches {
    /// The predictions of the forward passes of training, if they were asked for.
    var scan: ScanResult
    var rows: [Int] = []
    fileprivate var lossSum = 0.0
    var loss: Double { rows.isEmpty ? 0 : lossSum / Double(rows.count) }
}

/// Runs the batches of a plan: {forward → loss → backward → adjust → clip → update} for every sub-step of every batch.
final class BatchLoop {
    let model: MultimodalModel
    let optimizer: Optimizer
    let source: any SampleSource
    let state: TrainingState
    let streams: RandomStreams
    private let trainRows: [Int]
    private let options: TrainingOptions

    init(
        _ model: MultimodalModel, _ optimizer: Optimizer, _ source: any SampleSource, _ options: TrainingOptions,
        trainRows: [Int]
    ) {
        (self.model, self.optimizer, self.source) = (model, optimizer, source)
        (self.options, self.trainRows) = (options, trainRows)
        (state, streams) = (TrainingState(), RandomStreams(seed: options.seed))
    }

    func run(_ plan: SamplePlan, dropsLast: Bool, _ epoch: Int, _ hooks: BatchHooks) throws -> TrainedBatches {
        let size = options.batchSize
        let count = plan.positions.count
        let steps = dropsLast ? count / size : (count + size - 1) / size
        guard steps > 0 || count == 0 else { throw nothingLeft(of: count, epoch) }
        let forward = ForwardContext(.training, random: streams("dropout").child("epoch \(epoch)"))
        let augment = streams("augment").child("epoch \(epoch)")
        var trained = TrainedBatches(scan: ScanResult(modalities: model.modalities.count))
        source.announce(
            source.positions(of: model.modalities), rows: plan.positions.prefix(steps * size).map { trainRows[$0] },
            batchSize: size, augments: true, random: augment)
        for step in 0..<steps {
            try Cancellation.check("training")
            try state.leaveIfAsked()
            (state.batch, state.batches) = (step, steps)
            let range = step * size..<min((step + 1) * size, count)
            let rows = plan.positions[range].map { trainRows[$0] }
            let loss = try self.step(batch(plan, range, rows, augment, hooks), forward, &trained.scan, hooks)
            guard loss.isFinite else { throw nonFinite(loss, epoch, step, rows) }
            trained.lossSum += loss * Double(rows.count)
            trained.rows += rows
            trained.scan.count += rows.count
            state.step += 1
            hooks.stepEnded?(step, steps, loss)
        }
        return trained
    }

    private func batch(
        _ plan: SamplePlan, _ range: Range<Int>, _ rows: [Int], _ augment: RandomStream, _ hooks: BatchHooks
    ) throws -> TrainingBatch {
        TrainingBatch(
            inputs: try source.inputs(model.modalities, rows: rows, augments: true, random: augment),
            labels: try Tensor.from(rows.map { source.classColumns[$0] }), positions: Array(plan.positions[range]),
            weights: try plan.weights.map { try Tensor.from($0[range].map(Float.init)) },
            keeps: plan.keeps.map { Array($0[range]) }, sampleLoss: hooks.sampleLoss)
    }

    /// One batch. Returns the losses' sum before the updates.
    private func step(
        _ batch: TrainingBatch, _ forward: ForwardContext, _ scan: inout ScanResult, _ hooks: BatchHooks
    ) throws -> Double {
        let steps = try hooks.steps(batch)
        let pass = BatchPass(model, batch, forward)
        // An encoder that no sub-step moves keeps its running statistics too.
        let frozen = model.frozen
        model.frozen.formUnion(model.modalities.filter { name in !steps.contains { $0.moves(.encoder(name)) } })
        defer { model.frozen = frozen }
        // The forward pass of training also gives the training metrics.
        if let predict = hooks.predict {
            let output = try pass.output()
            try Autograd.withoutRecording { try scan.append(predict(output)) }
        }
        var sum = 0.0
        for step in steps {
            var (loss, gradients) = try step.gradients(pass)
            if step.movesEncoders, let penalty = try model.fusion.penalty() {
                loss += try penalty.item()
                try gradients.add(penalty.backward(), model.parameters().map(\.parameter.value))
            }
            sum += loss
            guard sum.isFinite else { return sum }
            try batch.sampleLoss?.update(gradients)
            if let scopes = step.scopes { gradients = gradients.keeping(scopes, optimizer.groups) }
            try hooks.adjust?(&gradients, pass.output(), batch)
            try options.clipping.apply(&gradients, optimizer)
            try optimizer.step(gradients)
            pass.moved(step.scopes)
        }
        return sum
    }

    private func nothingLeft(of count: Int, _ epoch: Int) -> BSSError {
        BSSError(
            "bss.train",
            "epoch \(epoch + 1) has \(count) samples, fewer than batch_size = \(options.batchSize), and drop_last "
                + "leaves them out: nothing would be trained",
            hint: "lower batch_size, or set drop_last = false", kind: .usage)
    }

    private func nonFinite(_ loss: Double, _ epoch: Int, _ step: Int, _ rows: [Int]) -> BSSError {
        BSSError(
            "bss.train",
            "the loss is \(Text.number(loss)) at epoch \(epoch + 1), step \(step + 1), samples "
                + source.describe(rows: rows),
            hint: "lower the learning rate, set clip_norm, or look at these samples")
    }
}
