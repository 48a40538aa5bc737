import BSSCore

/// Buckets of equal size, easiest first, each shuffled: baby step keeps the earlier ones, one-pass drops them.
/// Bengio et al., ICML 2009; Spitkovsky et al., NAACL 2010; Cirik, Hovy, Morency, 2016.
struct BucketOrder: OrderPolicy {
    var buckets = 10
    /// Epoch at which the last bucket is reached, by the clock.
    var grow = 40.0
    var keepsEarlier = true
    /// Advance when the validation loss (else the training loss) has not fallen for this many epochs, instead of by the
    /// clock.
    var patience: Int?
    var isAnti = false
    /// Buckets of every class.
    var isPerClass = false
    var rule = BatchRule()

    func needsScores(t: Int, evaluations: Int) -> Bool { evaluations == 0 }

    func ranking(_ scores: [Double]) -> [Int] {
        let ranking = Ranking.descending(scores)
        return isAnti ? ranking.reversed() : ranking
    }

    /// The newest bucket, from 0.
    func bucket(t: Int, _ memory: OrderMemory) -> Int {
        let last = buckets - 1
        if patience != nil { return min(last, memory["bucket"]?.first.flatMap { Int(exactly: $0) } ?? 0) }
        // Baby step: ceil((t + 1) J / T) buckets; one-pass: bucket floor(t J / T).
        let position = (Double(t) + (keepsEarlier ? 1 : 0)) * Double(buckets) / grow
        return min(
            last,
            keepsEarlier
                ? Int(saturating: min(position.rounded(.up), Double(buckets))) - 1
                : Int(saturating: min(position, Double(last)))
        )
    }

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        let bucket = bucket(t: request.t, request.memory)
        let count = Double(buckets)
        let window = (start: keepsEarlier ? 0 : Double(bucket) / count, end: Double(bucket + 1) / count)
        let ranking = ranking(request.scores)
        var pool = Array(RankedSubset.part(window, of: ranking, rule: rule, batchSize: request.batchSize))
        if isPerClass {
            guard let labels = request.labels else { throw BSSError("class_balance", "\"per_class\" needs labels") }
            pool = RankedSubset.perClass(window, of: ranking, labels: labels, rule: rule)
        }
        var random = request.random
        return OrderDraft(
            indices: try WeightedOrder.shuffled(pool, from: &random), fraction: window.end - window.start,
            isSequential: false)
    }

    /// memory: bucket, best loss in it, epochs without a better one.
    func epochEnded(loss: Double, _ memory: inout OrderMemory) {
        guard let patience, loss.isFinite else { return }
        let bucket = memory["bucket"]?.first ?? 0
        guard let best = memory["best"]?.first, loss >= best else {
            (memory["best"], memory["waited"]) = ([loss], [0])
            return
        }
        let waited = (memory["waited"]?.first ?? 0) + 1
        if waited >= Double(patience) {
            (memory["bucket"], memory["best"], memory["waited"]) = ([min(bucket + 1, Double(buckets - 1))], nil, nil)
        } else {
            memory["waited"] = [waited]
        }
    }
}
