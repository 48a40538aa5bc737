import BSSCore

/// BSS-H: the most balanced lambda(t) of a fixed ranking, shuffled. Guan, Jiang, Yang, IJCAI 2025, Eqs. 7-8.
///
/// Deviation from the released code: t counts from 0 (there: epoch + 1), no batch is dropped and an epoch has at least
/// one batch; `pace_offset`, `drop_last` and `min_batches` give the released behaviour.
///
/// The same policy serves every curriculum that ranks and then shows a growing part: transfer scoring, and, with an
/// interval and a memory, adaptive curriculum learning.
struct HeuristicOrder: OrderPolicy {
    var pace: Pace
    var paceOffset = 0
    /// Epochs (since the warm-up) at which the samples are ranked anew.
    var rerankEpochs: [Int] = [0]
    /// Epochs between two further rankings; `nil` = none.
    var interval: Int?
    /// s_upd = (1 - beta) s_upd + beta s_cur at every ranking but the first.
    var beta = 1.0
    var sign = 1.0
    var isAnti = false
    /// Rank within each class and take lambda(t) of every class (Hacohen & Weinshall 2019).
    var isPerClass = false
    /// Draw this share of n from the available part, with replacement: epochs of constant length.
    var hasReplacement = false
    var drawsFraction = 1.0
    var rule = BatchRule()

    func needsScores(t: Int, evaluations: Int) -> Bool {
        evaluations == 0 || rerankEpochs.contains(t) || interval.map { t % $0 == 0 } ?? false
    }

    func updated(current: [Double], previous: [Double]?) -> [Double] {
        guard beta < 1, let previous else { return current }
        return zip(previous, current).map { (1 - beta) * $0 + beta * $1 }
    }

    func ranking(_ scores: [Double]) -> [Int] {
        let ranking = Ranking.descending(sign == 1 ? scores : scores.map { $0 * sign })
        return isAnti ? ranking.reversed() : ranking
    }

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        let t = request.t + paceOffset
        let ranking = ranking(request.scores)
        var pool = try Array(pace.part(of: ranking, t: t, rule: rule, batchSize: request.batchSize))
        if isPerClass {
            guard let labels = request.labels else { throw BSSError("class_balance", "\"per_class\" needs labels") }
            pool = try RankedSubset.perClass(pace.window(Double(t)), of: ranking, labels: labels, rule: rule)
        }
        var random = request.random
        let fraction = try pace.at(Double(t))
        if hasReplacement {
            let count = rule.draws(drawsFraction, of: request.count, batchSize: request.batchSize)
            guard !pool.isEmpty else { return OrderDraft(indices: [], fraction: fraction, isSequential: false) }
            return OrderDraft(
                indices: try Memory.array(count, "sample order") { _ in pool[random.integer(below: pool.count)] },
                fraction: fraction,
                isSequential: false)
        }
        return OrderDraft(
            indices: try WeightedOrder.shuffled(pool, from: &random), fraction: fraction, isSequential: false)
    }
}
