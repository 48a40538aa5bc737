import BSSCore

/// Uniform orders: the vanilla control, or, with a pace, a random ranking that grows like a curriculum (same sizes, no
/// meaning).
struct RandomOrder: OrderPolicy {
    var pace: Pace?
    var paceOffset = 0
    /// With a pace: draw another random subset every epoch instead of growing one fixed random ranking.
    var isFresh = false
    var rule = BatchRule()

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        var random = request.random
        guard let pace else {
            return OrderDraft(
                indices: try WeightedOrder.shuffled(request.count, from: &random), fraction: 1, isSequential: false)
        }
        var run = request.runRandom.child("random ranking")
        let ranking =
            try isFresh
            ? WeightedOrder.shuffled(request.count, from: &random) : WeightedOrder.shuffled(request.count, from: &run)
        let pool = try pace.part(of: ranking, t: request.t + paceOffset, rule: rule, batchSize: request.batchSize)
        return OrderDraft(
            indices: try WeightedOrder.shuffled(pool, from: &random),
            fraction: try pace.at(Double(request.t + paceOffset)), isSequential: false)
    }
}

extension Pace {
    /// The available part of a ranking at epoch t.
    func part(of ranking: [Int], t: Int, rule: BatchRule, batchSize: Int) throws -> ArraySlice<Int> {
        RankedSubset.part(try window(Double(t)), of: ranking, rule: rule, batchSize: batchSize)
    }
}

/// The available part of a ranked training set.
enum RankedSubset {
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
