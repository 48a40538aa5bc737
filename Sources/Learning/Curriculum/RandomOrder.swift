import BSSCore

/// Uniform orders: the vanilla control, or, with a pace, a random ranking that grows like a curriculum (same sizes, no
/// meaning).
struct RandomOrder: OrderPolicy {
    @Option(
        "pace", "grow a fixed random ranking at this pace: the same sizes as a curriculum, without its order")
    var growth: Configured<Pace>? = nil
    var shorthands = PaceShorthands()
    @Option("pace_offset", PaceShorthands.offsetHelp, .range(0...1_000_000)) var paceOffset = 0
    @Option("fresh", "with a pace: another random subset every epoch instead of a growing one") var isFresh = false
    var rule = BatchRule()
    var scores: NoScores { NoScores() }

    func check(_ operation: String) throws { _ = try growth.map { try shorthands.adjusted($0, operation) } }

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        var random = request.random
        guard let pace = try growth.map({ try shorthands.adjusted($0) }) else {
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

    static let part = Part<Scheduler>(
        "random",
        "Uniform random order: the vanilla control. With a pace, a random ranking that grows like a curriculum.",
        policy: RandomOrder.self,
        source: "the usual training; control arm of the comparison in Fig. 1(c) of \(Scheduler.paper)",
        example: "bss.scheduler.random{}")
}
