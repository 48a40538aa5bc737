import BSSCore
import BSSCurriculum
import BSSData
import BSSNetworks
import BSSTensor

/// Passes over the data that change nothing: metrics, and evidence for schedulers and methods.
public final class Evaluator {
    private let model: MultimodalModel
    private let source: any SampleSource
    /// Fixed by the data alone, so that results do not depend on the training's batch size: 256, or fewer large
    /// samples.
    private let batchSize: Int

    /// Of passes without random numbers.
    public static let noDraws = RandomStream(seed: 0, name: "scan")

    init(_ model: MultimodalModel, _ source: any SampleSource) {
        self.model = model
        self.source = source
        let numbers = model.modalities.reduce(0) { sum, name in
            sum + source.sampleShape(source.position(of: name)).reduce(1, *)
        }
        batchSize = max(1, min(256, (1 << 22) / max(1, numbers)))
    }

    /// Logits (and features) of `rows`, in their order. `visit` sees every batch as it passes: positions in `rows` and
    /// the output.
    public func scan(
        rows: [Int], _ predict: Predictor, phase: Phase = .evaluation, augments: Bool = false, batchSize: Int? = nil,
        random: RandomStream = noDraws, keepsFeatures: Bool = false, epoch: Int = 0,
        visit: ((_ part: Range<Int>, MultimodalOutput) throws -> Void)? = nil
    ) throws -> ScanResult {
        try Autograd.withoutRecording {
            var seen = ScanBuffer(modalities: model.modalities.count, capacity: rows.count)
            let size = batchSize ?? self.batchSize
            let feed = try BatchFeed(
                source, model.modalities, rows: rows, batchSize: size, augments: augments, random: random, labels: nil)
            for (number, start) in stride(from: 0, to: rows.count, by: size).enumerated() {
                try Cancellation.check("evaluation")
                let part = start..<min(start + size, rows.count)
                let output = try model.forward(
                    feed.batch(part).inputs, ForwardContext(phase, random: random.child("batch \(number)")))
                let prediction = try predict(output)
                // The loss of a fused output that is not the fusion's is its cross-entropy.
                let loss =
                    model.fusion.hasOwnLoss && prediction.fused === output.fused
                    ? try model.fusion.loss(
                        output, Tensor.from(rows[part].map { source.classColumns[$0] }), epoch: epoch) : nil
                try seen.append(
                    prediction, samples: part.count, loss: loss, features: keepsFeatures ? output.features : [])
                try visit?(part, output)
            }
            return try seen.read()
        }
    }

    /// The figures of a scan of `rows`. `loss`: of training; nil = the sum of the outputs' losses by `weights`.
    func metrics(
        _ scan: ScanResult, rows: [Int], weights: LossWeights, average: MapAverage, loss: Double? = nil
    ) throws -> SplitMetrics {
        let columns = source.classColumns
        let labels = rows.map { columns[$0] }
        func figures(_ logits: [Float]) throws -> OutputMetrics? {
            if logits.isEmpty { return nil }
            return try OutputMetrics(logits: logits, classes: model.classes, labels: labels, average: average)
        }
        let fused = try figures(scan.fused)
        let unimodal = try scan.unimodal.map(figures)
        let total = try scan.total.isEmpty ? fused : figures(scan.total)
        let uni = zip(weights.uni, unimodal).reduce(0.0) { $0 + $1.0 * ($1.1?.loss ?? 0) }
        return SplitMetrics(
            loss: loss ?? (weights.multi * (fused?.loss ?? 0) + uni),
            outputs: [("total", total), ("fused", fused)] + zip(model.modalities, unimodal))
    }

    /// What criteria look at: logits, fused logits, features and gradient norms of `rows`, in their order.
    func evidence(
        rows: [Int], _ predict: Predictor, settings: ScanSettings, needs: Set<Criterion.Need>, weights: LossWeights,
        seed: Int,
        batchSize: Int, epoch: Int
    ) throws -> Evidence {
        let random = RandomStream(seed: UInt64(bitPattern: Int64(seed)), name: "score").child("seed \(settings.seed)")
        var order = Array(rows.indices)
        if settings.isShuffled {
            var stream = random.child("order")
            order = stream.permutation(rows.count)
        }
        let phase: Phase = settings.mode == .eval ? .evaluation : settings.mode == .train ? .training : .batchStatistics
        // Where no layer looks across the batch its size does not matter, and larger ones are quicker.
        let isRowwise = phase == .evaluation || (phase == .batchStatistics && model.buffers().isEmpty)
        let scan = try scan(
            rows: order.map { rows[$0] }, predict, phase: phase, augments: settings.usesTrainingTransform,
            batchSize: isRowwise ? nil : batchSize,
            random: random.child("epoch \(epoch)"), keepsFeatures: needs.contains(.features), epoch: epoch)
        func matrix(_ values: [Float]) -> Matrix {
            let columns = rows.isEmpty ? 0 : values.count / rows.count
            var out = [Double](repeating: 0, count: values.count)
            for (position, row) in order.enumerated() {
                for c in 0..<columns { out[row * columns + c] = Double(values[position * columns + c]) }
            }
            return Matrix(rows: rows.count, columns: columns, values: out)
        }
        return try Evidence(
            modalities: model.modalities, logits: scan.unimodal.map(matrix), fused: matrix(scan.fused),
            labels: rows.map { source.classColumns[$0] },
            features: needs.contains(.features) ? scan.features.map(matrix) : nil,
            fusedLosses: scan.fusedLosses.isEmpty ? nil : matrix(scan.fusedLosses).values,
            gradientNorms: needs.contains(.gradientNorms) ? try gradientNorms(rows, weights, epoch) : nil,
            lossWeights: weights)
    }

    /// Σ over parameters of ‖dL/dθ‖₂ for every sample alone (official-audit Q29), in evaluation mode.
    private func gradientNorms(_ rows: [Int], _ weights: LossWeights, _ epoch: Int) throws -> [Double] {
        let parameters = model.parameters().map(\.parameter)
        return try rows.map { row in
            try Cancellation.check("gradient norms")
            let inputs = try source.inputs(
                model.modalities, rows: [row], augments: false, random: Evaluator.noDraws)
            let output = try model.forward(inputs, ForwardContext(.evaluation))
            let terms = try EquationFive.terms(
                output, Tensor.from([source.classColumns[row]]), weights, model, epoch: epoch)
            let gradients = try terms.total(weights: nil).backward()
            return try parameters.reduce(0.0) { try $0 + (gradients[$1.value]?.squared.squareRoot() ?? 0) }
        }
    }
}
