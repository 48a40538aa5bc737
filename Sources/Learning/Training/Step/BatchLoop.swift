import BSSBackend
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
    var stepEnded: ((_ step: Int, _ steps: Int, _ loss: () throws -> Double) throws -> Void)?
    /// Hooks look at values, so the loop looks at the loss before they do.
    var readsNumbers = false
    /// Somebody looks at the logits of the unimodal heads.
    var makesHeads = true
    /// Every full batch of an epoch is the same list of calls, which may be made again without their tape.
    var isFixed = false

    init(steps: @escaping (TrainingBatch) throws -> [SubStep]) { self.steps = steps }
}

/// What a pass of training over a plan gives.
struct TrainedBatches {
    /// The predictions of the forward passes of training, if they were asked for.
    let scan: ScanResult
    let rows: [Int]
    let loss: Double
    let first: FirstStep?
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
    /// The class column of every row of the source, on the device; looked at once.
    private var labels: Tensor?

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
        let rows = plan.positions.prefix(steps * size).map { trainRows[$0] }
        let run = try EpochRun(self, plan, rows: rows, epoch, hooks, size: size)
        var lastLook = Clock.seconds()
        do {
            for step in 0..<steps {
                try Cancellation.check("training")
                try state.leaveIfAsked()
                (state.batch, state.batches) = (step, steps)
                try run.step(step * size..<min((step + 1) * size, count), isFirst: step == 0)
                state.step += 1
                try hooks.stepEnded?(step, steps) { try run.look().lastLoss }
                let now = Clock.seconds()
                if now - lastLook > BatchLoop.secondsBetweenLooks {
                    lastLook = now
                    try run.look()
                }
            }
        } catch let error where (error as? BSSError)?.kind != .cancelled {
            // What came of a broken step is not what went wrong.
            try run.look()
            throw error
        }
        return try run.finish()
    }

    /// A training that broke says so after this long at the latest.
    private static let secondsBetweenLooks = 0.1

    func allLabels() throws -> Tensor {
        if let labels, labels.backend === Devices.current { return labels }
        let made = try Tensor.resident(source.classColumns, [source.classColumns.count])
        try made.checkIndices(below: source.classes, operation: "labels of '\(source.name)'")
        labels = made
        return made
    }

    /// One batch. `keep` gets what the method says of it, `look` throws if a step broke.
    func step(
        _ batch: TrainingBatch, _ forward: ForwardContext, _ log: EpochLog, _ hooks: BatchHooks,
        _ look: () throws -> StepLog, _ keep: (Prediction) throws -> Void
    ) throws {
        let steps = try hooks.steps(batch)
        let pass = BatchPass(model, batch, forward, makesHeads: hooks.makesHeads)
        // An encoder that no sub-step moves keeps its running statistics too.
        let frozen = model.frozen
        model.frozen.formUnion(model.modalities.filter { name in !steps.contains { $0.moves(.encoder(name)) } })
        defer { model.frozen = frozen }
        // The forward pass of training also gives the training metrics.
        if let predict = hooks.predict {
            let output = try pass.output()
            try Autograd.withoutRecording { try keep(predict(output)) }
        }
        for step in steps {
            var (loss, gradients) = try step.gradients(pass)
            if step.movesEncoders, let penalty = try model.fusion.penalty() {
                loss = try Tensor.sum([loss, penalty.detached].map { try $0.converted(to: .float64) })
                try gradients.add(penalty.backward(), model.parameters().map(\.parameter.value))
            }
            try log.add(loss)
            if hooks.predict != nil {
                try log.note(loss) { try gradients.squaredNorm(optimizer.parameters(nil).map(\.parameter)) }
            }
            if hooks.readsNumbers { _ = try look() }
            try batch.sampleLoss?.update(gradients)
            if let scopes = step.scopes { gradients = gradients.keeping(scopes, optimizer.groups) }
            try hooks.adjust?(&gradients, pass.output(), batch)
            try optimizer.step(gradients, scale: options.clipping.factor(gradients, optimizer), log: log.tensor)
            pass.moved(step.scopes)
        }
    }

    private func nothingLeft(of count: Int, _ epoch: Int) -> BSSError {
        BSSError(
            "bss.train",
            "epoch \(epoch + 1) has \(count) samples, fewer than batch_size = \(options.batchSize), and drop_last "
                + "leaves them out: nothing would be trained",
            hint: "lower batch_size, or set drop_last = false", kind: .usage)
    }
}
