import BSSCore

/// BSS-L: every E epochs new scores, smoothed over evaluations, then a weighted random order of the whole training set.
/// Guan, Jiang, Yang, IJCAI 2025, Eqs. 9-11.
///
///     s_upd = s_cur                                 first evaluation
///     s_upd = (1 - beta) s_upd + beta s_cur         later ones                     (9)
///     p_i   = exp(s_upd,i / T) / sum_j exp(s_upd,j / T)                            (10)
///     order = samples drawn from p one after the other, without replacement        (11)
///
/// Deviation: the released code has no Eq. 9 and 10: it scores every epoch and draws with weights `1 + s + 0.01`
/// (`score_interval = 1, ema_beta = 1, prob_map = "linear", eps = 0.01`).
struct LearnedOrder: OrderPolicy {
    enum Map: String, Choice { case softmax, linear, rank }

    @Option("score_interval", aliases: ["every"], "E of Eq. 9: epochs between two scans", .atLeast(1))
    var interval = 5
    @Option("ema_beta", aliases: ["beta"], "beta of Eq. 9: weight of the newest scores; 1 = no memory", .range(0...1))
    var beta = 0.6
    @Option(
        "prob_map",
        "from scores to probabilities: \"softmax\" (Eq. 10), \"linear\" (1 + s + eps, as released) or \"rank\"")
    var map = Map.softmax
    @Option("temperature", "softmax of s / temperature: small = stricter order", .above(0)) var temperature = 1.0
    @Option("eps", "added to the weights of the linear map", .atLeast(0)) var eps = 0.01
    var orderSign = OrderSign()
    @Option("anti", PaceShorthands.antiHelp) var isAnti = false
    var draws = DrawOptions()
    @Option("redraw_each_epoch", "draw a new order every epoch; false: one order per scan")
    var redrawsEachEpoch = true
    var scores = ScannedScores()
    var rule = BatchRule()

    /// +1 balanced first; -1 imbalanced first. The reversed ranking of a probabilistic order: the same draws from
    /// negated scores.
    private var sign: Double { Double(orderSign.value) * (isAnti ? -1 : 1) }

    func needsScores(t: Int, evaluations: Int) -> Bool { evaluations == 0 || t % interval == 0 }

    func updated(current: [Double], previous: [Double]?) -> [Double] {
        guard let previous else { return current }
        return zip(previous, current).map { (1 - beta) * $0 + beta * $1 }
    }

    func ranking(_ scores: [Double]) -> [Int] { Ranking.descending(sign == 1 ? scores : scores.map { $0 * sign }) }

    /// Logarithms of the unnormalised probabilities.
    private func logWeights(_ scores: [Double]) throws -> [Double] {
        map == .softmax
            ? scores.map { min(max(sign * $0 / temperature, -1e300), 1e300) }
            : try weights(scores).map { $0 > 0 ? Math.log($0) : -.infinity }
    }

    /// Unnormalised probabilities, for the maps that have them.
    private func weights(_ scores: [Double]) throws -> [Double] {
        switch map {
        case .softmax:
            let top = scores.lazy.map { $0 * sign }.max() ?? 0
            return scores.map { Math.exp((sign * $0 - top) / temperature) }
        case .linear:
            // Scores of min-max terms lie in [-1, 1]; rounding may put 1 + s a few units below zero.
            return try scores.enumerated().map { index, s in
                let weight = 1 + sign * s + eps
                guard weight > -1e-9 else {
                    throw BSSError(
                        "bss.scheduler.learned",
                        "sample \(index + 1) has score \(Text.number(s)): the linear map's weight 1 + s + eps is "
                            + "negative",
                        hint: "use prob_map = \"softmax\" or \"rank\", or a measurer with norm = \"min_max\"")
                }
                return max(0, weight)
            }
        case .rank:
            var weights = [Double](repeating: 0, count: scores.count)
            for (position, sample) in ranking(scores).enumerated() {
                weights[sample] = Double(scores.count - position) / Double(scores.count)
            }
            return weights
        }
    }

    func probabilities(_ scores: [Double]) throws -> [Double]? {
        let weights = try weights(scores)
        let sum = weights.reduce(0, +)
        return sum > 0 ? weights.map { $0 / sum } : weights.map { _ in 1 / Double(weights.count) }
    }

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        var random = redrawsEachEpoch ? request.random : request.scoringRandom
        if draws.hasReplacement {
            let count = rule.draws(draws.fraction, of: request.count, batchSize: request.batchSize)
            let drawn = try WeightedOrder.drawnWithReplacement(
                weights: weights(request.scores), count: count, from: &random)
            return OrderDraft(
                indices: drawn, fraction: Double(count) / Double(max(1, request.count)), isSequential: true)
        }
        let count = rule.size(min(1, draws.fraction), of: request.count, batchSize: request.batchSize)
        let order = try WeightedOrder.drawn(logWeights: logWeights(request.scores), from: &random)
        return OrderDraft(
            indices: count == order.count ? order : Array(order[0..<count]),
            fraction: Double(count) / Double(max(1, request.count)), isSequential: true)
    }

    static let part = Part<Scheduler>(
        "learned",
        "BSS-L: scores every E epochs, smoothed (Eq. 9), as sampling probabilities (Eq. 10) of a weighted random order "
            + "(Eq. 11).",
        policy: LearnedOrder.self, source: "\(Scheduler.paper), Eqs. 9-11",
        example: "bss.scheduler.learned{ every = 5, beta = 0.6 }")
}
