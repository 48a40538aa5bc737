import BSSCore

/// BSS-H: the most balanced lambda(t) of a fixed ranking, shuffled. Guan, Jiang, Yang, IJCAI 2025, Eqs. 7-8.
///
/// Deviation from the released code: t counts from 0 (there: epoch + 1), no batch is dropped and an epoch has at least
/// one batch; `pace_offset`, `drop_last` and `min_batches` give the released behaviour.
struct HeuristicOrder: OrderPolicy {
    @Option("pace", PaceShorthands.paceHelp) var growth = Configured<Pace>.named("root")
    var shorthands = PaceShorthands()
    @Option("pace_offset", PaceShorthands.offsetHelp, .range(0...1_000_000)) var paceOffset = 0
    @Option("anti", PaceShorthands.antiHelp) var isAnti = false
    var sign = OrderSign()
    @Option("rerank_epochs", "epochs t (from 0, after the warm-up) at which the samples are scored and ranked")
    var rerankEpochs = [0]
    @Option("class_balance", "\"per_class\": take the fraction of every class instead of the whole ranking")
    var balance = ClassBalance.none
    var draws = DrawOptions()
    var scores = ScannedScores()
    var rule = BatchRule()

    func check(_ operation: String) throws { _ = try shorthands.adjusted(growth, operation) }

    func needsScores(t: Int, evaluations: Int) -> Bool { evaluations == 0 || rerankEpochs.contains(t) }

    func ranking(_ scores: [Double]) -> [Int] {
        RankedSubset.ranking(sign.value == 1 ? scores : scores.map { $0 * Double(sign.value) }, isAnti: isAnti)
    }

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        let pace = try shorthands.adjusted(growth)
        let t = request.t + paceOffset
        let pool = try RankedSubset.available(pace, t: t, ranking(request.scores), balance, request, rule)
        let fraction = try pace.at(Double(t))
        var random = request.random
        guard draws.hasReplacement else { return try .shuffled(pool, fraction, &random) }
        let count = rule.draws(draws.fraction, of: request.count, batchSize: request.batchSize)
        guard !pool.isEmpty else { return OrderDraft(indices: [], fraction: fraction, isSequential: false) }
        return OrderDraft(
            indices: try Memory.array(count, "sample order") { _ in pool[random.integer(below: pool.count)] },
            fraction: fraction, isSequential: false)
    }

    static let part = Part<Scheduler>(
        "heuristic",
        "BSS-H: rank once before training, then train on the most balanced lambda(t), shuffled (Eqs. 7-8).",
        policy: HeuristicOrder.self, source: "\(Scheduler.paper), Eqs. 7-8",
        example: "bss.scheduler.heuristic{ pace = \"root\", lambda_0 = 0.1, t_grow = 40 }")
}
