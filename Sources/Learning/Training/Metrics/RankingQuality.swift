import BSSCore
import BSSCurriculum
import CBSSKernels

/// How well scores separate positives from negatives; equal scores enter together, so their order never matters. NaN
/// among the scores makes both figures NaN.
public struct RankingQuality {
    /// AP = sum over distinct thresholds of (R_n - R_(n-1)) P_n, without interpolation; 0 without positives.
    public let averagePrecision: Double
    /// P(score of a positive > score of a negative) + half P(equal); NaN without positives or negatives.
    public let auroc: Double

    public init(scores: [Double], isPositive: [Bool]) {
        guard !scores.contains(where: \.isNaN) else {
            self.init(averagePrecision: .nan, auroc: .nan)
            return
        }
        let order = Ranking.descending(scores)
        self.init(
            count: order.count, isPositive: { isPositive[order[$0]] },
            isTied: { scores[order[$0]] == scores[order[$0 + 1]] })
    }

    /// Class `label` against the rest by its column of scores [n, columns]: probabilities the short way.
    init(_ scores: [Float], column: Int, of columns: Int, labels: [Int], label: Int) {
        var precision = 0.0
        var twiceArea: Int64 = 0
        var found: Int64 = 0
        let isTold = scores.withUnsafeBufferPointer { scores in
            labels.withUnsafeBytes { labels in
                guard let first = scores.baseAddress, let classes = labels.bindMemory(to: Int64.self).baseAddress else {
                    return false
                }
                return bss_rank_probabilities(
                    first + column, Int64(scores.count / columns), Int64(columns), classes, Int64(label), &precision,
                    &twiceArea, &found)
            }
        }
        guard isTold else {
            self.init(scores, column: column, of: columns) { labels[$0] == label }
            return
        }
        let (positives, negatives) = (Double(found), Double(labels.count) - Double(found))
        self.init(
            averagePrecision: precision,
            auroc: positives == 0 || negatives == 0 ? .nan : Double(twiceArea) / 2 / (positives * negatives))
    }

    /// One column of scores [n, columns], read in place.
    init(_ scores: [Float], column: Int, of columns: Int, isPositive: (Int) -> Bool) {
        guard !stride(from: column, to: scores.count, by: max(columns, 1)).contains(where: { scores[$0].isNaN }) else {
            self.init(averagePrecision: .nan, auroc: .nan)
            return
        }
        let sorted = RankingQuality.sorted(scores, column, columns, isPositive)
        self.init(
            count: sorted.count, isPositive: { sorted[$0] & 1 == 1 },
            isTied: { sorted[$0] >> 32 == sorted[$0 + 1] >> 32 })
    }

    private init(averagePrecision: Double, auroc: Double) {
        (self.averagePrecision, self.auroc) = (averagePrecision, auroc)
    }

    /// `isTied(k)`: whether positions k and k + 1, from the highest score, are equal. All samples of one score enter at
    /// once.
    @inline(__always)
    private init(count: Int, isPositive: (Int) -> Bool, isTied: (Int) -> Bool) {
        var precision = 0.0
        var area = 0.0
        var positives = 0
        var negatives = 0
        var start = 0
        while start < count {
            var end = start
            var entering = isPositive(start) ? 1 : 0
            while end + 1 < count && isTied(end) {
                end += 1
                if isPositive(end) { entering += 1 }
            }
            end += 1
            let others = end - start - entering
            area += Double(others) * (Double(positives) + Double(entering) / 2)
            positives += entering
            negatives += others
            if entering > 0 { precision += Double(entering) * (Double(positives) / Double(end)) }
            start = end
        }
        averagePrecision = positives == 0 ? 0 : precision / Double(positives)
        auroc = positives == 0 || negatives == 0 ? .nan : area / (Double(positives) * Double(negatives))
    }

    /// The column from its highest score: a key that falls with the score in the upper half, positive or not in the
    /// lowest bit. A radix sort over the 32 bits of a float.
    private static func sorted(
        _ scores: [Float], _ column: Int, _ columns: Int, _ isPositive: (Int) -> Bool
    ) -> [UInt64] {
        let n = columns == 0 ? 0 : scores.count / columns
        let shifts: [UInt64] = [32, 43, 54]
        let digits = 1 << 11
        var counts = [Int](repeating: 0, count: 3 * digits)
        var from = [UInt64](unsafeUninitializedCapacity: n) { out, filled in
            for row in 0..<n {
                let bits = (scores[row * columns + column] + 0).bitPattern  // -0 + 0 is +0
                let ascending = bits >> 31 == 1 ? ~bits : bits | 1 << 31
                let key = UInt64(~ascending) << 32
                out[row] = key | (isPositive(row) ? 1 : 0)
                for pass in 0..<3 {
                    counts[pass * digits + Int(truncatingIfNeeded: key >> shifts[pass]) & (digits - 1)] += 1
                }
            }
            filled = n
        }
        var to = [UInt64](repeating: 0, count: n)
        for pass in 0..<3 {
            let shift = shifts[pass]
            let start = pass * digits
            if n == 0 || counts[start + Int(truncatingIfNeeded: from[0] >> shift) & (digits - 1)] == n { continue }
            var sum = 0
            for digit in start..<start + digits { (counts[digit], sum) = (sum, sum + counts[digit]) }
            counts.withUnsafeMutableBufferPointer { counts in
                to.withUnsafeMutableBufferPointer { to in
                    for word in from {
                        let digit = start + Int(truncatingIfNeeded: word >> shift) & (digits - 1)
                        to[counts[digit]] = word
                        counts[digit] += 1
                    }
                }
            }
            swap(&from, &to)
        }
        return from
    }
}

/// Quality of a single score per sample for a yes/no question; yes = score above `threshold`. NaN among the scores
/// gives NaN.
public struct BinaryMetrics {
    public let averagePrecision: Double
    public let auroc: Double
    public let f1: Double
    public let accuracy: Double

    public init(scores: [Double], isPositive: [Bool], threshold: Double = 0.5) {
        let ranking = RankingQuality(scores: scores, isPositive: isPositive)
        averagePrecision = ranking.averagePrecision
        auroc = ranking.auroc
        var both = 0
        var said = 0
        var are = 0
        var correct = 0
        for (score, positive) in zip(scores, isPositive) {
            let yes = score > threshold
            both += yes && positive ? 1 : 0
            said += yes ? 1 : 0
            are += positive ? 1 : 0
            correct += yes == positive ? 1 : 0
        }
        let hasNaN = scores.contains { $0.isNaN }
        f1 = hasNaN ? .nan : said + are == 0 ? 0 : 2 * Double(both) / Double(said + are)
        accuracy = hasNaN ? .nan : Double(correct) / Double(scores.count)
    }
}

/// Expected calibration error (Naeini, Cooper, Hauskrecht, AAAI 2015; Guo et al., ICML 2017, Eq. 3).
///
/// Bin b of M holds confidences in (b/M, (b+1)/M]; confidence 0 goes to bin 0. NaN among the confidences gives NaN.
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
            var bin =
                confidence.isFinite ? min(max(Int(saturating: confidence * Double(bins.count)), 0), bins.count - 1) : 0
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
        value = bins.reduce(0) {
            $0 + Double($1.count) / Double(max(1, labels.count)) * abs($1.accuracy - $1.confidence)
        }
    }
}
