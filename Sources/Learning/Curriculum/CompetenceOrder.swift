import BSSCore

/// Competence-based curriculum: only samples whose difficulty is at most the competence c(t), drawn uniformly.
/// Platanios et al., NAACL 2019, algorithm 1.
///
///     d_i = share of samples that are at most as difficult as i          in (0, 1]
///     c(t) = root function of the pace, at every batch or at every epoch
///
/// BSS-H's Eqs. 7-8 are this at epoch granularity.
struct CompetenceOrder: OrderPolicy {
    enum Granularity: String, Choice { case step, epoch }

    @Option("pace", "competence c(t)")
    var growth = Configured<Pace>.named("root", Table(fields: [("lambda_0", .number(0.01))]))
    var shorthands = PaceShorthands()
    @Option(
        "granularity",
        "\"step\": competence grows with every batch, drawn with replacement, as published; \"epoch\": the available "
            + "part, shuffled")
    var granularity = Granularity.step
    @Option(
        "draws_fraction", "draws per epoch as a fraction of n (above 1 only with replacement)", .above(0, upTo: 1000))
    var drawsFraction = 1.0
    @Option("anti", PaceShorthands.antiHelp) var isAnti = false
    var scores = TeacherScores()
    var rule = BatchRule()

    func check(_ operation: String) throws { _ = try shorthands.adjusted(growth, operation) }

    /// The empirical distribution function at each value: equal values share the larger rank.
    static func distribution(_ difficulties: [Double]) -> [Double] {
        let order = Ranking.ascending(difficulties)
        let n = Double(difficulties.count)
        var shares = [Double](repeating: 0, count: order.count)
        var end = order.count
        for k in stride(from: order.count - 1, through: 0, by: -1) {
            if k + 1 < order.count, difficulties[order[k]] != difficulties[order[k + 1]] { end = k + 1 }
            shares[order[k]] = Double(end) / n
        }
        return shares
    }

    func needsScores(t: Int, evaluations: Int) -> Bool { evaluations == 0 }

    func ranking(_ scores: [Double]) -> [Int] { RankedSubset.ranking(scores, isAnti: isAnti) }

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        let n = request.count
        let pace = try shorthands.adjusted(growth)
        let ranking = ranking(request.scores)
        let shares = CompetenceOrder.distribution(request.scores.map { -$0 }).sorted()
        let least = min(n, max(1, rule.minBatches * request.batchSize))
        /// Samples with d <= c; the reversed arm sees as many.
        func available(_ t: Double) throws -> Int {
            let competence = try pace.at(t)
            var low = 0
            var high = n
            while low < high {
                let middle = (low + high) / 2
                if shares[middle] <= competence { low = middle + 1 } else { high = middle }
            }
            return max(low, least)
        }
        var random = request.random
        let t = Double(request.t)
        let fraction = try pace.at(t)
        guard granularity == .step, n > 0 else {
            return OrderDraft(
                indices: try WeightedOrder.shuffled(ranking[0..<min(n, available(t))], from: &random),
                fraction: fraction, isSequential: false)
        }
        let draws = rule.draws(drawsFraction, of: n, batchSize: request.batchSize)
        var indices: [Int] = []
        try Memory.reserve(draws, of: 8, "sample order", "\(draws) draws")
        indices.reserveCapacity(draws)
        let batches = Double((draws + request.batchSize - 1) / request.batchSize)
        while indices.count < draws {
            let pool = try available(t + Double(indices.count / request.batchSize) / batches)
            for _ in 0..<min(request.batchSize, draws - indices.count) {
                indices.append(ranking[random.integer(below: pool)])
            }
        }
        return OrderDraft(indices: indices, fraction: fraction, isSequential: true)
    }

    static let part = Part<Scheduler>(
        "competence",
        "Competence-based: samples whose difficulty rank is at most the competence c(t), drawn uniformly.",
        policy: CompetenceOrder.self, source: "Platanios et al., NAACL 2019",
        example: "bss.scheduler.competence{ t_grow = 20 }")
}
