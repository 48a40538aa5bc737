import BSSCore

/// Adaptive curriculum learning: a teacher's difficulty, smoothed with the model's own every few epochs.
/// Kong et al., ICCV 2021.
///
///     s_upd = (1 - beta) s_upd + beta s_cur         at every ranking but the first
struct AdaptiveOrder: OrderPolicy {
    @Option("pace", "pace function") var growth = Configured<Pace>.named("adaptive")
    var shorthands = PaceShorthands()
    @Option("score_interval", aliases: ["every"], "epochs between two scans", .atLeast(1)) var interval = 20
    @Option("ema_beta", aliases: ["beta"], "weight of the newest difficulty", .range(0...1)) var beta = 0.7
    @Option("anti", PaceShorthands.antiHelp) var isAnti = false
    @Option("class_balance", "\"per_class\": take the fraction of every class instead of the whole ranking")
    var balance = ClassBalance.none
    var scores = TeacherScores(alwaysScans: true)
    var rule = BatchRule()

    func check(_ operation: String) throws { _ = try shorthands.adjusted(growth, operation) }

    func needsScores(t: Int, evaluations: Int) -> Bool { evaluations == 0 || t % interval == 0 }

    func updated(current: [Double], previous: [Double]?) -> [Double] {
        guard beta < 1, let previous else { return current }
        return zip(previous, current).map { (1 - beta) * $0 + beta * $1 }
    }

    func ranking(_ scores: [Double]) -> [Int] { RankedSubset.ranking(scores, isAnti: isAnti) }

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        let pace = try shorthands.adjusted(growth)
        let pool = try RankedSubset.available(pace, t: request.t, ranking(request.scores), balance, request, rule)
        var random = request.random
        return try .shuffled(pool, pace.at(Double(request.t)), &random)
    }

    static let part = Part<Scheduler>(
        "adaptive",
        "Adaptive curriculum learning: a teacher's difficulty, smoothed with the model's own every few epochs. With "
            + "sample_loss = bss.sample_loss.distillation it also follows the teacher.",
        policy: AdaptiveOrder.self, source: "Kong et al., ICCV 2021; \(Scheduler.curML)",
        example: "bss.scheduler.adaptive{ every = 5, self_taught = 3 }")
}
