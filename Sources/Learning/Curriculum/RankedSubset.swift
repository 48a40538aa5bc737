import BSSCore

extension Pace {
    /// The available part of a ranking at epoch t.
    func part(of ranking: [Int], t: Int, rule: BatchRule, batchSize: Int) throws -> ArraySlice<Int> {
        RankedSubset.part(try window(Double(t)), of: ranking, rule: rule, batchSize: batchSize)
    }
}

/// The available part of a ranked training set.
enum RankedSubset {
    /// Samples from first to last: high scores first, or last.
    static func ranking(_ scores: [Double], isAnti: Bool) -> [Int] {
        let ranking = Ranking.descending(scores)
        return isAnti ? ranking.reversed() : ranking
    }

    /// The part that a pace makes available at t.
    static func available(
        _ pace: Pace, t: Int, _ ranking: [Int], _ balance: ClassBalance, _ request: PlanRequest, _ rule: BatchRule
    ) throws -> [Int] {
        try available(pace.window(Double(t)), ranking, balance, request, rule)
    }

    /// The same of fractions of the ranking.
    static func available(
        _ window: (start: Double, end: Double), _ ranking: [Int], _ balance: ClassBalance, _ request: PlanRequest,
        _ rule: BatchRule
    ) throws -> [Int] {
        if balance == .none { return Array(part(window, of: ranking, rule: rule, batchSize: request.batchSize)) }
        guard let labels = request.labels else { throw BSSError("class_balance", "\"per_class\" needs labels") }
        return perClass(window, of: ranking, labels: labels, rule: rule)
    }

    /// Of the whole ranking: `window` in fractions of it.
    static func part(
        _ window: (start: Double, end: Double), of ranking: [Int], rule: BatchRule, batchSize: Int
    ) -> ArraySlice<Int> {
        let (start, end) = window
        if start == 0 { return ranking[0..<rule.size(end, of: ranking.count, batchSize: batchSize)] }
        // A bucket alone: its own boundaries, widened to the least number of batches.
        let first = Int(saturating: Double(ranking.count) * start)
        let last = Int(saturating: Double(ranking.count) * end)
        let size = min(ranking.count, max(last - first, rule.minBatches * batchSize))
        let from = min(first, ranking.count - size)
        return ranking[from..<from + size]
    }

    /// Of every class, at least one sample each, in the order of the ranking (Hacohen & Weinshall 2019).
    static func perClass(
        _ window: (start: Double, end: Double), of ranking: [Int], labels: [Int], rule: BatchRule
    ) -> [Int] {
        var members = [[Int]](repeating: [], count: (labels.max() ?? -1) + 1)
        for sample in ranking { members[labels[sample]].append(sample) }
        var isTaken = [Bool](repeating: false, count: ranking.count)
        var small = rule
        small.minBatches = 1
        for list in members where !list.isEmpty {
            for sample in part(window, of: list, rule: small, batchSize: 1) { isTaken[sample] = true }
        }
        return ranking.filter { isTaken[$0] }
    }
}

extension OrderDraft {
    /// Samples in a uniform random order.
    static func shuffled(
        _ pool: some RandomAccessCollection<Int>, _ fraction: Double, _ random: inout RandomStream
    ) throws -> OrderDraft {
        OrderDraft(
            indices: try WeightedOrder.shuffled(pool, from: &random), fraction: fraction, isSequential: false)
    }
}
