import BSSCore

/// Uniform orders: the vanilla control, or, with a pace, a random ranking that grows like a curriculum (same sizes, no meaning).
struct RandomOrder: OrderPolicy {
    var pace: Pace?
    var paceOffset = 0
    /// With a pace: draw another random subset every epoch instead of growing one fixed random ranking.
    var isFresh = false
    var rule = BatchRule()

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        var random = request.random
        guard let pace else {
            return OrderDraft(indices: try WeightedOrder.shuffled(request.count, from: &random), fraction: 1, isSequential: false)
        }
        var run = request.runRandom.child("random ranking")
        let ranking = try isFresh ? WeightedOrder.shuffled(request.count, from: &random) : WeightedOrder.shuffled(request.count, from: &run)
        let pool = try pace.part(of: ranking, t: request.t + paceOffset, rule: rule, batchSize: request.batchSize)
        return OrderDraft(indices: try WeightedOrder.shuffled(pool, from: &random), fraction: try pace.at(Double(request.t + paceOffset)), isSequential: false)
    }
}

extension Pace {
    /// The available part of a ranking at epoch t.
    func part(of ranking: [Int], t: Int, rule: BatchRule, batchSize: Int) throws -> ArraySlice<Int> {
        let (start, end) = try window(Double(t))
        if start == 0 { return ranking[0..<rule.size(end, of: ranking.count, batchSize: batchSize)] }
        // A bucket alone: its own boundaries, widened to the least number of batches.
        let first = Int(Double(ranking.count) * start), last = Int(Double(ranking.count) * end)
        let size = min(ranking.count, max(last - first, rule.minBatches * batchSize))
        let from = min(first, ranking.count - size)
        return ranking[from..<from + size]
    }
}
