import BSSCore
import BSSCurriculum

/// How well scores separate positives from negatives; equal scores enter together, so their order never matters.
public struct RankingQuality {
    /// AP = sum over distinct thresholds of (R_n - R_(n-1)) P_n, without interpolation; 0 without positives.
    public let averagePrecision: Double
    /// P(score of a positive > score of a negative) + half P(equal); NaN without positives or negatives.
    public let auroc: Double

    public init(scores: [Double], isPositive: [Bool]) {
        let order = Ranking.descending(scores)
        var precision = 0.0, area = 0.0
        var positives = 0, negatives = 0
        scores.withUnsafeBufferPointer { scores in
            isPositive.withUnsafeBufferPointer { isPositive in
                order.withUnsafeBufferPointer { order in
                    var start = 0
                    while start < order.count {
                        // All samples with the next smaller score enter at once.
                        let score = scores[order[start]]
                        var entering = 0, end = start
                        repeat {
                            entering += isPositive[order[end]] ? 1 : 0
                            end += 1
                        } while end < order.count && scores[order[end]] == score
                        let others = end - start - entering
                        area += Double(others) * (Double(positives) + Double(entering) / 2)
                        positives += entering
                        negatives += others
                        if entering > 0 { precision += Double(entering) * (Double(positives) / Double(end)) }
                        start = end
                    }
                }
            }
        }
        averagePrecision = positives == 0 ? 0 : precision / Double(positives)
        auroc = positives == 0 || negatives == 0 ? .nan : area / (Double(positives) * Double(negatives))
    }
}

/// Quality of a single score per sample for a yes/no question; yes = score above `threshold`.
public struct BinaryMetrics {
    public let averagePrecision: Double
    public let auroc: Double
    public let f1: Double
    public let accuracy: Double

    public init(scores: [Double], isPositive: [Bool], threshold: Double = 0.5) {
        let ranking = RankingQuality(scores: scores, isPositive: isPositive)
        averagePrecision = ranking.averagePrecision
        auroc = ranking.auroc
        var both = 0, said = 0, are = 0, correct = 0
        for (score, positive) in zip(scores, isPositive) {
            let yes = score > threshold
            both += yes && positive ? 1 : 0
            said += yes ? 1 : 0
            are += positive ? 1 : 0
            correct += yes == positive ? 1 : 0
        }
        f1 = said + are == 0 ? 0 : 2 * Double(both) / Double(said + are)
        accuracy = Double(correct) / Double(scores.count)
    }
}

/// Expected calibration error (Naeini, Cooper, Hauskrecht, AAAI 2015; Guo et al., ICML 2017, Eq. 3).
///
/// Bin b of M holds confidences in (b/M, (b+1)/M]; confidence 0 goes to bin 0.
public struct CalibrationError {
    public struct Bin {
        public var count = 0
        public var accuracy = 0.0
        public var confidence = 0.0
    }
    public let bins: [Bin]
    /// sum_b n_b / n * |accuracy_b - confidence_b|
    public let value: Double

    /// `probabilities`: [n, C]; `predictions` and `labels`: columns.
    public init(probabilities: [Float], classes: Int, predictions: [Int], labels: [Int], bins count: Int = 15) {
        var bins = [Bin](repeating: Bin(), count: max(1, count))
        for (row, (prediction, label)) in zip(predictions, labels).enumerated() {
            let confidence = Double(probabilities[row * classes + prediction])
            // Edges are the doubles b / M, so the rounding of confidence * M must not decide.
            var bin = confidence.isFinite ? min(max(Int(confidence * Double(bins.count)), 0), bins.count - 1) : 0
            while bin > 0, confidence <= Double(bin) / Double(bins.count) { bin -= 1 }
            while bin < bins.count - 1, confidence > Double(bin + 1) / Double(bins.count) { bin += 1 }
            bins[bin].count += 1
            bins[bin].accuracy += prediction == label ? 1 : 0
            bins[bin].confidence += confidence
        }
        for b in bins.indices where bins[b].count > 0 {
            bins[b].accuracy /= Double(bins[b].count)
            bins[b].confidence /= Double(bins[b].count)
        }
        self.bins = bins
        value = bins.reduce(0) { $0 + Double($1.count) / Double(max(1, labels.count)) * abs($1.accuracy - $1.confidence) }
    }
}
