import BSSCore
import BSSCurriculum
import BSSData
import BSSNetworks
import BSSTensor

/// Logits of one pass over some rows, row-major [n, C], by output.
public struct ScanResult {
    public internal(set) var fused: [Float] = []
    public internal(set) var unimodal: [[Float]]
    /// Empty where the total output is the fused one.
    public internal(set) var total: [Float] = []
    /// [n, d_m], if they were asked for.
    public internal(set) var features: [[Float]]
    /// The fused loss per sample, where the fusion has a loss of its own.
    public internal(set) var fusedLosses: [Float] = []
    public internal(set) var count = 0

    init(modalities: Int) {
        unimodal = Array(repeating: [], count: modalities)
        features = Array(repeating: [], count: modalities)
    }

    mutating func append(_ prediction: Prediction) throws {
        let isOwn = prediction.total !== prediction.fused
        // A method may decide from batch to batch (DOMFN's gate): what was the fused output so far is the total's
        // beginning.
        if isOwn, total.isEmpty { total = fused }
        if isOwn || !total.isEmpty { try prediction.total.withValues { total.append(contentsOf: $0) } }
        try prediction.fused.withValues { fused.append(contentsOf: $0) }
        for m in prediction.unimodal.indices {
            try prediction.unimodal[m].withValues { unimodal[m].append(contentsOf: $0) }
        }
    }
}

/// Passes over the data that change nothing: metrics, and evidence for schedulers and methods.
public final class Evaluator {
    private let model: MultimodalModel
    private let source: any SampleSource
    private let predict: (MultimodalOutput) throws -> Prediction
    /// Fixed by the data alone, so that results do not depend on the training's batch size: 256, or fewer large
    /// samples.
    private let batchSize: Int

    init(model: MultimodalModel, source: any SampleSource, predict: @escaping (MultimodalOutput) throws -> Prediction) {
        self.model = model
        self.source = source
        self.predict = predict
        let numbers = model.modalities.reduce(0) { sum, name in
            sum + source.sampleShape(source.modalities.firstIndex(of: name) ?? 0).reduce(1, *)
        }
        batchSize = max(1, min(256, (1 << 22) / max(1, numbers)))
    }

    /// Modality positions of the source in the model's order.
    static func inputs(
        _ model: MultimodalModel, _ source: any SampleSource, rows: [Int], augments: Bool, random: RandomStream
    ) throws -> [Tensor] {
        try model.modalities.map { name in
            try source.batch(
                source.modalities.firstIndex(of: name) ?? 0, rows: rows, augments: augments, random: random)
        }
    }

    /// Logits (and features) of `rows`, in their order. `visit` sees every batch as it passes: positions in `rows` and
    /// the output.
    public func scan(
        rows: [Int], phase: Phase = .evaluation, augments: Bool = false, batchSize: Int? = nil,
        random: RandomStream = RandomStream(seed: 0, name: "scan"),
        keepsFeatures: Bool = false, epoch: Int = 0,
        visit: ((_ part: Range<Int>, MultimodalOutput) throws -> Void)? = nil
    ) throws -> ScanResult {
        try Autograd.withoutRecording {
            var result = ScanResult(modalities: model.modalities.count)
            let size = batchSize ?? self.batchSize
            let visited = model.modalities.map { name in source.modalities.firstIndex(of: name) ?? 0 }
            source.announce(visited, rows: rows, batchSize: size, augments: augments, random: random)
            for (number, start) in stride(from: 0, to: rows.count, by: size).enumerated() {
                try Cancellation.check("evaluation")
                let part = Array(rows[start..<min(start + size, rows.count)])
                let inputs = try Evaluator.inputs(model, source, rows: part, augments: augments, random: random)
                let output = try model.forward(inputs, ForwardContext(phase, random: random.child("batch \(number)")))
                let prediction = try predict(output)
                try result.append(prediction)
                // The loss of a fused output that is not the fusion's is its cross-entropy.
                if model.fusion.hasOwnLoss, prediction.fused === output.fused {
                    try model.fusion.loss(output, Tensor.from(part.map { source.classColumns[$0] }), epoch: epoch)
                        .withValues { result.fusedLosses.append(contentsOf: $0) }
                }
                if keepsFeatures {
                    for m in output.features.indices {
                        try output.features[m].withValues { result.features[m].append(contentsOf: $0) }
                    }
                }
                try visit?(start..<start + part.count, output)
                result.count += part.count
            }
            return result
        }
    }

    /// `{loss, total = {accuracy, map, macro_f1, weighted_f1, loss}, fused = …, <modality> = …}` of a split.
    public func evaluate(rows: [Int], weights: LossWeights, mapAverage: String) throws -> Table {
        try metrics(scan(rows: rows), rows: rows, weights: weights, mapAverage: mapAverage)
    }

    func metrics(
        _ scan: ScanResult, rows: [Int], weights: LossWeights, mapAverage: String, loss: Double? = nil
    ) throws -> Table {
        let labels = rows.map { source.classColumns[$0] }
        func part(_ logits: [Float]) throws -> Table {
            try OutputMetrics.table(logits: logits, classes: model.classes, labels: labels, mapAverage: mapAverage)
        }
        let fused = try part(scan.fused)
        let parts = try [scan.total.isEmpty ? fused : part(scan.total), fused] + scan.unimodal.map(part)
        var table = Table()
        let fusedLoss = fused["loss"]?.double ?? 0
        let uni = zip(weights.uni, parts.dropFirst(2)).reduce(0.0) { $0 + $1.0 * ($1.1["loss"]?.double ?? 0) }
        table["loss"] = .number(loss ?? (weights.multi * fusedLoss + uni))
        for (name, part) in zip(["total", "fused"] + model.modalities, parts) { table[name] = .table(part) }
        return table
    }

    /// What criteria look at: logits, fused logits, features and gradient norms of `rows`, in their order.
    func evidence(
        rows: [Int], settings: ScanSettings, needs: Set<Criterion.Need>, weights: LossWeights, seed: Int,
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
            rows: order.map { rows[$0] }, phase: phase, augments: settings.usesTrainingTransform,
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
            let inputs = try Evaluator.inputs(
                model, source, rows: [row], augments: false, random: RandomStream(seed: 0, name: "scan"))
            let output = try model.forward(inputs, ForwardContext(.evaluation))
            let terms = try EquationFive.terms(
                output, Tensor.from([source.classColumns[row]]), weights, model, epoch: epoch)
            let gradients = try TrainingLoss.total(terms, weights: nil).backward()
            return try parameters.reduce(0.0) {
                try $0
                    + (gradients[$1.value].map { try $0.backend.sumOfSquares($0.contiguous().view).squareRoot() } ?? 0)
            }
        }
    }
}

enum TrainingLoss {
    /// Of a batch: its sample loss, then its sample weights.
    static func total(_ terms: [LossTerm], _ batch: TrainingBatch) throws -> Tensor {
        guard let sampleLoss = batch.sampleLoss else { return try total(terms, weights: batch.weights) }
        // Terms of weight 0 are there for their zero gradients only.
        return try total(
            sampleLoss.applied(terms.filter { $0.weight != 0 }, batch) + terms.filter { $0.weight == 0 },
            weights: batch.weights)
    }

    /// Σ_t weight_t · mean over the batch of (sample weight · term).
    static func total(_ terms: [LossTerm], weights: Tensor?) throws -> Tensor {
        guard !terms.isEmpty else { throw BSSError("loss", "the method gives no loss term") }
        return try Tensor.weightedSum(
            terms.map { term in
                (
                    term.perSample.rank == 0
                        ? term.perSample : try weights.map { try term.perSample * $0 } ?? term.perSample,
                    term.weight / Double(max(term.perSample.elementCount, 1))
                )
            })
    }
}
