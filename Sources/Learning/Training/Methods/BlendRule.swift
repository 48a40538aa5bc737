/// ΔO and ΔG of every task between two moments.
struct BlendEstimate {
    struct Losses { let train, held: Double }
    let overfitting: [Double]
    let gain: [Double]

    init(overfitting: [Double], gain: [Double]) {
        self.overfitting = overfitting
        self.gain = gain
    }

    init(before: [Losses], after: [Losses]) {
        overfitting = zip(before, after).map { ($1.held - $1.train) - ($0.held - $0.train) }
        gain = zip(before, after).map { $0.held - $1.held }
    }

    /// OGR = |ΔO / ΔG|; infinite without a gain.
    var ratio: [Double] { zip(overfitting, gain).map { $1 == 0 ? .infinity : abs($0 / $1) } }
}

/// From ΔO and ΔG to weights, of sum 1 unless `isNormalised` is false.
struct BlendRule {
    /// From 0.5, so that no other weight can come to exceed it.
    var cap = 0.95
    var smoothing = 0.0
    /// Smallest ΔO² as a share of the median.
    var floor = 1e-4
    var takesAbsolute = false
    var isNormalised = true

    func weights(_ estimate: BlendEstimate, previous: [Double], isFirst: Bool = true) -> [Double] {
        let squares = estimate.overfitting.map { $0 * $0 }
        let least = max(floor * median(squares), 1e-12)
        let raw = zip(estimate.gain, squares).map { gain, square in
            (takesAbsolute ? abs(gain) : max(gain, 0)) / max(square, least)
        }
        let sum = raw.reduce(0, +)
        guard sum > 0, sum.isFinite else { return previous }
        var weights = isNormalised ? raw.map { $0 / sum } : raw
        if !isFirst, smoothing > 0 { weights = zip(previous, weights).map { smoothing * $0 + (1 - smoothing) * $1 } }
        return isNormalised ? capped(weights) : weights
    }

    /// The largest weight lowered to `cap`; the others share the rest as they stand to each other.
    private func capped(_ weights: [Double]) -> [Double] {
        guard let top = weights.indices.max(by: { weights[$0] < weights[$1] }), weights[top] > cap, weights.count > 1
        else { return weights }
        let rest = 1 - weights[top]
        return weights.indices.map { k in
            k == top ? cap : (1 - cap) * (rest > 0 ? weights[k] / rest : 1 / Double(weights.count - 1))
        }
    }

    private func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = values.count / 2
        return values.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
