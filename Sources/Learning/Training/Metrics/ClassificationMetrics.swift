import BSSCore
import CBSSKernels

/// Quality of class scores on one split, as scikit-learn defines it; everything in double, computed when asked for.
///
/// `scores`: [n, C] row-major, logits or probabilities; `labels`: columns 0 ..< C. Predictions are the first largest
/// score. A score that is NaN makes every figure NaN: nothing is ranked that cannot be compared.
public final class ClassificationMetrics {
    public let classes: Int
    public let scores: [Float]
    public let labels: [Int]
    public var count: Int { labels.count }

    /// - Throws: sizes that do not fit, labels without a column.
    public init(scores: [Float], classes: Int, labels: [Int]) throws {
        guard classes > 0, scores.count == labels.count * classes else {
            throw BSSError("metrics", "expected \(labels.count) × \(classes) scores, got \(scores.count)")
        }
        if let row = labels.firstIndex(where: { $0 < 0 || $0 >= classes }) {
            throw BSSError(
                "metrics",
                "label \(labels[row] &+ 1) of sample \(row + 1) has no column: expected a class position from 1 to "
                    + "\(classes)"
            )
        }
        self.scores = scores
        self.classes = classes
        self.labels = labels
    }

    /// argmax per sample; the first of equal ones.
    public var predictions: [Int] { counted.predictions }
    private var hasNaN: Bool { counted.hasNaN }

    private lazy var counted: (predictions: [Int], hasNaN: Bool) = {
        var hasNaN = false
        let predictions = [Int](unsafeUninitializedCapacity: count) { out, filled in
            scores.withUnsafeBufferPointer { scores in
                guard let first = scores.baseAddress, let start = out.baseAddress else { return }
                start.withMemoryRebound(to: Int64.self, capacity: count) {
                    bss_predictions(first, Int64(count), Int64(classes), $0, &hasNaN)
                }
                filled = count
            }
        }
        return (predictions, hasNaN)
    }()

    /// `confusion[true * C + predicted]`
    public private(set) lazy var confusion: [Int] = {
        var counts = [Int](repeating: 0, count: classes * classes)
        counts.withUnsafeMutableBufferPointer { counts in
            for (label, prediction) in zip(labels, predictions) { counts[label * classes + prediction] &+= 1 }
        }
        return counts
    }()

    /// Share of correct predictions; NaN without samples.
    public var accuracy: Double { hasNaN ? .nan : Double(truePositives.reduce(0, +)) / Double(count) }

    private var truePositives: [Int] { (0..<classes).map { confusion[$0 * classes + $0] } }
    /// Samples per class.
    public private(set) lazy var support: [Int] = (0..<classes).map { c in
        (0..<classes).reduce(0) { $0 + confusion[c * classes + $1] }
    }
    /// Predictions per class.
    public private(set) lazy var predicted: [Int] = (0..<classes).map { c in
        (0..<classes).reduce(0) { $0 + confusion[$1 * classes + c] }
    }

    private func ratio(_ a: Int, _ b: Int) -> Double { hasNaN ? .nan : b == 0 ? 0 : Double(a) / Double(b) }

    /// TP / (TP + FP) per class, 0 where nothing was predicted.
    public var precision: [Double] { (0..<classes).map { ratio(truePositives[$0], predicted[$0]) } }
    /// TP / (TP + FN) per class, 0 for a class without samples.
    public var recall: [Double] { (0..<classes).map { ratio(truePositives[$0], support[$0]) } }
    /// 2 TP / (2 TP + FP + FN) per class, 0 where undefined.
    public var f1: [Double] { (0..<classes).map { ratio(2 * truePositives[$0], support[$0] + predicted[$0]) } }

    /// Mean F1 over the classes that occur among labels or predictions (scikit-learn's default).
    public var macroF1: Double {
        let present = (0..<classes).filter { support[$0] + predicted[$0] > 0 }
        let f1 = f1
        return present.reduce(0) { $0 + f1[$1] } / Double(present.count)
    }
    /// Mean F1 over all C classes.
    public var macroF1OverAllClasses: Double { Self.mean(f1) }
    /// F1 weighted by the samples of each class.
    public var weightedF1: Double { zip(f1, support).reduce(0) { $0 + $1.0 * Double($1.1) } / Double(count) }
    /// For one label per sample micro-averaged F1 equals the accuracy.
    public var microF1: Double { accuracy }
    public var macroPrecision: Double { Self.mean(precision) }
    public var macroRecall: Double { Self.mean(recall) }

    /// Mean recall of the classes that have samples.
    public var balancedAccuracy: Double {
        let present = (0..<classes).filter { support[$0] > 0 }
        let recall = recall
        return present.reduce(0) { $0 + recall[$1] } / Double(present.count)
    }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    // MARK: Ranking quality

    private lazy var rankings: [RankingQuality] = (0..<classes).map { c in
        RankingQuality(scores, column: c, of: classes, labels: labels, label: c)
    }

    /// One-vs-rest average precision per class; 0 for a class without samples.
    public var averagePrecision: [Double] { rankings.map(\.averagePrecision) }

    /// One-vs-rest area under the ROC curve per class; NaN for a class that has no samples or all of them.
    public var auroc: [Double] { rankings.map(\.auroc) }

    /// Mean over the classes for which it is defined; NaN if there is none.
    public var macroAUROC: Double {
        hasNaN ? .nan : Self.mean(auroc.filter { !$0.isNaN })
    }

    /// How `map` averages.
    public enum Average: String, Choice {
        /// Mean over ALL classes, a class without samples counting 0 (the released code, scikit-learn >= 1.1).
        case macro
        /// Every (sample, class) pair is one decision.
        case micro
        /// Mean over samples of the average precision of their own class among their C scores.
        case samples
    }

    /// Mean average precision.
    public func meanAveragePrecision(_ average: Average = .macro) -> Double {
        switch average {
        case .macro: return Self.mean(averagePrecision)
        case .micro:
            return RankingQuality(scores, column: 0, of: 1) { labels[$0 / classes] == $0 % classes }.averagePrecision
        case .samples where hasNaN: return .nan
        case .samples:
            // One positive per row: its precision where it enters, together with the scores equal to it.
            return Self.mean(
                labels.enumerated().map { row, label in
                    let own = scores[row * classes + label]
                    return 1 / Double((0..<classes).filter { scores[row * classes + $0] >= own }.count)
                })
        }
    }
}
