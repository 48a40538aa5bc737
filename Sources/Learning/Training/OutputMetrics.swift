import BSSCore
import BSSTensor

/// The figures of one output on one split: `accuracy`, `map`, `macro_f1`, `weighted_f1`, `loss` (surface.md section 4).
enum OutputMetrics {
    /// `logits`: row-major [n, C]; `labels`: class columns.
    static func table(logits: [Float], classes: Int, labels: [Int], mapAverage: String) throws -> Table {
        guard !labels.isEmpty else { return Table() }
        let rows = try Tensor.from(logits, [labels.count, classes])
        let (probabilities, loss) = try Autograd.withoutRecording {
            (try rows.softmax(axis: 1).values(Float.self), try Tensor.crossEntropy(rows, Tensor.from(labels)).item())
        }
        let metrics = try ClassificationMetrics(scores: probabilities, classes: classes, labels: labels)
        return Table(fields: [
            ("accuracy", .number(metrics.accuracy)),
            ("map", .number(metrics.meanAveragePrecision(.init(rawValue: mapAverage) ?? .macro))),
            ("macro_f1", .number(metrics.macroF1)), ("weighted_f1", .number(metrics.weightedF1)),
            ("loss", .number(loss)),
        ])
    }
}
