import BSSCore
import BSSCurriculum
import BSSData
import BSSNetworks
import BSSTensor

/// What the loop does for schedulers and sample losses beyond scanning and planning.
extension Trainer {
    /// Scores that came with the scheduler, for the rows that are trained on.
    func takeGivenScores() throws {
        guard let given = options.scheduler.product.given else { return }
        try sequencer.take(
            given: given.scores(
                positions: splitPositions, splitCount: source.rows(.train).count, ids: trainRows.map(source.describe)))
    }

    /// Hands what training showed of its samples to a scheduler that wants it. No pass is made for it.
    func observe(_ scan: ScanResult, _ rows: [Int], _ plan: SamplePlan, _ epoch: Int) throws {
        guard sequencer.observesTraining, !rows.isEmpty else { return }
        func matrix(_ logits: [Float]) -> Matrix { Matrix(rows: rows.count, columns: model.classes, values: logits) }
        let evidence = try Evidence(
            modalities: model.modalities, logits: scan.unimodal.map(matrix), fused: matrix(scan.fused),
            labels: rows.map { source.classColumns[$0] }, lossWeights: weights)
        try sequencer.observed(
            Array(plan.positions.prefix(rows.count)), evidence, learningRate: optimizer.learningRate, epoch: epoch)
    }

    /// The sample loss's report of an epoch.
    func endOfEpoch() throws -> Table? {
        guard let sampleLoss else { return nil }
        try sampleLoss.epochEnded(options.sampleLoss?.name ?? "")
        return try sampleLoss.report()
    }

    /// Runs `body` with a copy of the model that was trained in uniform order with the losses of Eq. 5, then puts ours
    /// back.
    func selfTaught<R>(epochs: Int, _ body: () throws -> R) throws -> R {
        try context.unscoredFork {
            for epoch in 0..<epochs {
                var random = stream("self_taught").child("epoch \(epoch)")
                let plan = SamplePlan(positions: try WeightedOrder.shuffled(trainRows.count, from: &random))
                context.extraSamples += try probeEpoch(
                    epoch, plan, dropsLast: false,
                    [
                        SubStep { [unowned self] pass in try EquationFive.terms(self.context, pass.output(), pass.batch)
                        }
                    ])
            }
            return try body()
        }
    }
}
