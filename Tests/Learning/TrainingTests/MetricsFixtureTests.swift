import BSSCodecs
import BSSCore
@testable import BSSTraining
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct MetricsFixtureTests {
    @Test func metrics() throws {
        for failure in try FixtureGroup.run("metrics", { try outputs(of: $0) }) { Issue.record("\(failure)") }
    }

    private func outputs(of item: FixtureCase) throws -> [String: NpyArray] {
        let scores = try item.floats("scores")
        let labels = try item.integers("labels")
        switch item.op {
        case "classification_metrics":
            let classes = try item.int("classes")
            let m = try ClassificationMetrics(scores: scores, classes: classes, labels: labels)
            var out: [String: NpyArray] = [
                "pred": NpyArray(m.predictions, shape: [m.count]),
                "confusion": NpyArray(m.confusion, shape: [classes, classes]),
                "average_precision": NpyArray(m.averagePrecision, shape: [classes]),
                "f1_per_class": NpyArray(m.f1, shape: [classes]),
                "auroc": NpyArray(m.auroc, shape: [classes]),
            ]
            let numbers = [
                "accuracy": m.accuracy, "map_macro": m.meanAveragePrecision(), "f1_macro": m.macroF1,
                "f1_macro_all_classes": m.macroF1OverAllClasses, "f1_weighted": m.weightedF1, "f1_micro": m.microF1,
                "precision_macro_all_classes": m.macroPrecision, "recall_macro_all_classes": m.macroRecall,
                "balanced_accuracy": m.balancedAccuracy, "auroc_macro_present": m.macroAUROC,
            ]
            for (name, value) in numbers { out[name] = NpyArray([value], shape: []) }
            return out.merging(calibration(item, scores, m), uniquingKeysWith: { $1 })
        case "binary_metrics":
            let m = BinaryMetrics(scores: scores.map(Double.init), isPositive: labels.map { $0 == 1 })
            return ["average_precision": m.averagePrecision, "auroc": m.auroc, "f1": m.f1, "accuracy": m.accuracy]
                .mapValues { NpyArray([$0], shape: []) }
        case "ece":
            return try calibration(
                item, scores, ClassificationMetrics(scores: scores, classes: item.int("classes"), labels: labels))
        default: throw BSSError("metrics", "unknown operation '\(item.op)'")
        }
    }

    /// `ece_M` and `ece_M_bins` for every M that the case names.
    private func calibration(_ item: FixtureCase, _ scores: [Float], _ m: ClassificationMetrics) -> [String: NpyArray] {
        var out: [String: NpyArray] = [:]
        for array in item.arrays where array.name.hasPrefix("ece_") {
            guard let bins = Int(array.name.dropFirst(4).prefix { $0.isNumber }) else { continue }
            let error = CalibrationError(
                probabilities: scores, classes: m.classes, predictions: m.predictions, labels: m.labels, bins: bins)
            if array.name.hasSuffix("_bins") {
                out[array.name] = NpyArray(
                    error.bins.flatMap { [Double($0.count), $0.accuracy, $0.confidence] }, shape: [bins, 3])
            } else {
                out[array.name] = NpyArray([error.value], shape: [])
            }
        }
        return out
    }
}

@Suite(.oneAtATime) struct MetricsTests {
    @Test("mean average precision by sample and by pair, on a case small enough to do by hand")
    func averages() throws {
        // Rows: own class first, own class second of three, own class tied with one other.
        let m = try ClassificationMetrics(scores: [3, 1, 0, 2, 1, 0, 1, 0, 1], classes: 3, labels: [0, 1, 2])
        #expect(abs(m.meanAveragePrecision(.samples) - (1 + 0.5 + 0.5) / 3) < 1e-15)
        // Pairs in descending order: 3+ | 2- | 1- 1+ 1- 1+ | 0s: precision 1/1 at recall 1/3, then 3/6 at recall 1.
        #expect(abs(m.meanAveragePrecision(.micro) - (1.0 / 3 + 2.0 / 3 * 3 / 6)) < 1e-15)
    }

    @Test("columns of probabilities rank as any scores do, ties and all", arguments: [3, 50, 1 << 24])
    func probabilities(levels: Int) {
        var stream = RandomStream(seed: 5, name: "scores")
        for count in [1, 2, 700] {
            let scores = (0..<count * 2).map { _ in (Float(stream.uniform()) * Float(levels)).rounded() / Float(levels)
            }
            for column in 0..<2 {
                for label in 0..<4 {
                    let labels = (0..<count).map { $0 * 7 % 3 }
                    let fast = RankingQuality(scores, column: column, of: 2, labels: labels, label: label)
                    let plain = RankingQuality(
                        scores: (0..<count).map { Double(scores[2 * $0 + column]) },
                        isPositive: labels.map { $0 == label })
                    #expect(fast.averagePrecision.bitPattern == plain.averagePrecision.bitPattern)
                    #expect(fast.auroc == plain.auroc || fast.auroc.isNaN && plain.auroc.isNaN)
                }
            }
        }
    }

    @Test("NaN among scores makes every figure NaN, infinities do not")
    func notANumber() throws {
        let m = try ClassificationMetrics(scores: [.nan, 1, 0, 2, 1, 0], classes: 2, labels: [0, 0, 1])
        let figures =
            [m.accuracy, m.macroF1, m.weightedF1, m.microF1, m.macroPrecision, m.macroRecall, m.balancedAccuracy]
            + [m.macroAUROC] + ClassificationMetrics.Average.allCases.map { m.meanAveragePrecision($0) } + m.f1
        #expect(figures.allSatisfy { $0.isNaN }, "\(figures)")
        let binary = BinaryMetrics(scores: [0.2, .nan, 0.7], isPositive: [false, true, true])
        #expect([binary.averagePrecision, binary.auroc, binary.f1, binary.accuracy].allSatisfy { $0.isNaN })
        let ranked = RankingQuality(scores: [.infinity, 0, -.infinity], isPositive: [true, true, false])
        #expect(ranked.averagePrecision == 1 && ranked.auroc == 1)
        let error = CalibrationError(probabilities: [.nan, 0.5], classes: 2, predictions: [0], labels: [0])
        #expect(error.value.isNaN)
    }

    @Test("a label without a column names the sample")
    func badLabel() {
        #expect { try ClassificationMetrics(scores: [1, 2], classes: 2, labels: [2]) } throws: {
            "\($0)".contains("label 3 of sample 1")
        }
    }
}
