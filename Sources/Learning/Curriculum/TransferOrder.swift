import BSSCore

/// Transfer scoring: a teacher's ranking, made once, of which a growing part is shown, shuffled.
/// Weinshall, Cohen, Amir, ICML 2018; Hacohen, Weinshall, ICML 2019.
struct TransferOrder: OrderPolicy {
    @Option("pace", PaceShorthands.paceHelp)
    var growth = Configured<Pace>.named(
        "fixed_exponential", Table(fields: [("lambda_0", .number(0.1)), ("every", .number(5))]))
    var shorthands = PaceShorthands()
    @Option("pace_offset", PaceShorthands.offsetHelp, .range(0...1_000_000)) var paceOffset = 0
    @Option("anti", PaceShorthands.antiHelp) var isAnti = false
    @Option(
        "class_balance",
        "\"per_class\": take the fraction of every class, as published, instead of the whole ranking")
    var balance = ClassBalance.perClass
    var scores = TeacherScores()
    var rule = BatchRule()

    func check(_ operation: String) throws { _ = try shorthands.adjusted(growth, operation) }

    func needsScores(t: Int, evaluations: Int) -> Bool { evaluations == 0 || t == 0 }
    func ranking(_ scores: [Double]) -> [Int] { RankedSubset.ranking(scores, isAnti: isAnti) }

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        let pace = try shorthands.adjusted(growth)
        let t = request.t + paceOffset
        let pool = try RankedSubset.available(pace, t: t, ranking(request.scores), balance, request, rule)
        var random = request.random
        return try .shuffled(pool, pace.at(Double(t)), &random)
    }

    static let part = Part<Scheduler>(
        "transfer",
        "Transfer scoring: the difficulty of a teacher (given scores, a checkpoint, or a copy of the model trained "
            + "first), ranked once, then a growing part.",
        policy: TransferOrder.self, source: "Weinshall, Cohen, Amir, ICML 2018; Hacohen, Weinshall, ICML 2019",
        example: "bss.scheduler.transfer{ self_taught = 5, pace = \"linear\", t_grow = 20 }")
}
