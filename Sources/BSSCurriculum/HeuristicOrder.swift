import BSSCore

/// BSS-H: the most balanced lambda(t) of a fixed ranking, shuffled. Guan, Jiang, Yang, IJCAI 2025, Eqs. 7-8.
///
/// Deviation from the released code: t counts from 0 (there: epoch + 1), no batch is dropped and an epoch has at least
/// one batch; `pace_offset`, `drop_last` and `min_batches` give the released behaviour.
struct HeuristicOrder: OrderPolicy {
    var pace: Pace
    var paceOffset = 0
    /// Epochs (since the warm-up) at which the samples are ranked anew.
    var rerankEpochs: [Int] = [0]
    var sign = 1.0
    var isAnti = false
    /// Rank within each class and take lambda(t) of every class (Hacohen & Weinshall 2019).
    var isPerClass = false
    /// Draw this share of n from the available part, with replacement: epochs of constant length.
    var hasReplacement = false
    var drawsFraction = 1.0
    var rule = BatchRule()

    func needsScores(t: Int, evaluations: Int) -> Bool { evaluations == 0 || rerankEpochs.contains(t) }

    func ranking(_ scores: [Double]) -> [Int] {
        let ranking = Ranking.descending(sign == 1 ? scores : scores.map { $0 * sign })
        return isAnti ? ranking.reversed() : ranking
    }

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        let t = request.t + paceOffset
        let ranking = ranking(request.scores)
        var pool = try Array(pace.part(of: ranking, t: t, rule: rule, batchSize: request.batchSize))
        if isPerClass {
            guard let labels = request.labels else { throw BSSError("bss.scheduler.heuristic", "class_balance = \"per_class\" needs labels") }
            pool = try perClass(ranking, labels, t: t)
        }
        var random = request.random
        let fraction = try pace.at(Double(t))
        if hasReplacement {
            let count = rule.draws(drawsFraction, of: request.count, batchSize: request.batchSize)
            guard !pool.isEmpty else { return OrderDraft(indices: [], fraction: fraction, isSequential: false) }
            return OrderDraft(indices: (0..<count).map { _ in pool[random.integer(below: pool.count)] }, fraction: fraction, isSequential: false)
        }
        return OrderDraft(indices: try WeightedOrder.shuffled(pool, from: &random), fraction: fraction, isSequential: false)
    }

    /// The first lambda(t) of every class, at least one sample each, in the order of the ranking.
    private func perClass(_ ranking: [Int], _ labels: [Int], t: Int) throws -> [Int] {
        let classes = (labels.max() ?? -1) + 1
        var members = [[Int]](repeating: [], count: classes)
        for sample in ranking { members[labels[sample]].append(sample) }
        var isTaken = [Bool](repeating: false, count: ranking.count)
        var small = rule
        small.minBatches = 1
        for list in members where !list.isEmpty {
            for sample in try pace.part(of: list, t: t, rule: small, batchSize: 1) { isTaken[sample] = true }
        }
        return ranking.filter { isTaken[$0] }
    }
}
