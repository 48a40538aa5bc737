import BSSCore
import BSSTensor

/// Which mean of the average precisions `map` is.
public typealias MapAverage = ClassificationMetrics.Average

/// The figures of one output on one split (surface.md section 4).
public struct OutputMetrics {
    public let accuracy, map, macroF1, weightedF1, loss: Double

    /// `logits`: row-major [n, C]; `labels`: class columns; nil without samples.
    init?(logits: [Float], classes: Int, labels: [Int], average: MapAverage) throws {
        guard !labels.isEmpty else { return nil }
        let rows = try Tensor.from(logits, [labels.count, classes])
        let probabilities: [Float]
        (probabilities, loss) = try Autograd.withoutRecording {
            (try rows.softmax(axis: 1).values(Float.self), try Tensor.crossEntropy(rows, Tensor.from(labels)).item())
        }
        let metrics = try ClassificationMetrics(scores: probabilities, classes: classes, labels: labels)
        (accuracy, map) = (metrics.accuracy, metrics.meanAveragePrecision(average))
        (macroF1, weightedF1) = (metrics.macroF1, metrics.weightedF1)
    }

    public var table: Table {
        Table(fields: [
            ("accuracy", .number(accuracy)), ("map", .number(map)), ("macro_f1", .number(macroF1)),
            ("weighted_f1", .number(weightedF1)), ("loss", .number(loss)),
        ])
    }

    /// From its `table`; nil from an empty one.
    init?(_ table: Table) {
        guard !table.isEmpty else { return nil }
        func number(_ key: String) -> Double { table[key]?.restored ?? .nan }
        (accuracy, map, loss) = (number("accuracy"), number("map"), number("loss"))
        (macroF1, weightedF1) = (number("macro_f1"), number("weighted_f1"))
    }
}
