import BSSCore

extension Scheduler {
    private static let epoch = Argument(
        "t", aliases: ["epoch"], "epoch t, counted from 0", check: Check<Int>.atLeast(0))
    private static let scores = Argument<Vector?>(
        "scores", default: nil,
        "balance score per sample, high = balanced (self_paced: losses); schedulers without scores take n")
    private static let count = Argument<Int?>(
        "n", default: nil, "number of samples, if no scores are given",
        check: .optional(.atLeast(0)))
    private static let batchSize = Argument(
        "batch_size", default: 1, "samples per batch (min_batches counts in it)", check: .atLeast(1))
    private static let seed = Argument<Seed>("seed", default: 1, "root seed")
    private static let labels = Argument<[Int]?>(
        "labels", default: nil, "class position per sample, from 1 (for class_balance and diversity)",
        check: Check("class positions from 1 to 1000000") { $0?.allSatisfy { (1...1_000_000).contains($0) } ?? true })
    private static let onlyScores = Argument<Vector>("scores", "balance score per sample")

    public static let methods: [Function] = [
        Function(
            "order", "The sample order of an epoch under the given scores (taken as s_upd): positions from 1.",
            [epoch, scores, count, batchSize, seed, labels],
            returns: "list of positions, list of weights or nil",
            example: "bss.scheduler.learned{}:order(0, {0.9, -0.2, 0.4})"
        ) { arguments in
            let plan = try plan(arguments)
            return [.list(plan.indices.map { .int($0 + 1) }), plan.weights.map { .list($0) } ?? .null]
        },
        Function(
            "size", "How many samples an epoch shows.", [epoch, scores, count, batchSize, seed, labels],
            returns: "integer",
            example: "bss.scheduler.random{ pace = \"root\" }:size{ 0, n = 500 }   -- 50"
        ) { [.int(try plan($0).indices.count)] },
        Function(
            "probabilities",
            "Eq. 10: the sampling probability of every sample, for schedulers that draw by score; nil for others.",
            [onlyScores],
            returns: "list of numbers",
            example: "bss.scheduler.learned{}:probabilities{ 1, -1, 0.166667 }   -- 0.637  0.0862  0.2768",
            source: "Guan, Jiang, Yang, IJCAI 2025, Eq. 10"
        ) { arguments in
            let scores = arguments[onlyScores].values
            try Measurer.checkFinite(scores, "score")
            return [try arguments.part(Scheduler.self).policy.probabilities(scores).map { .list($0) } ?? .null]
        },
        Function(
            "ranking",
            "Samples from first to last in this scheduler's preference (ties in sample order): positions from 1.",
            [onlyScores], returns: "list of positions",
            example: "bss.scheduler.heuristic{}:ranking{ 0.1, 0.9, 0.5 }   -- 2  3  1"
        ) { arguments in
            let scores = arguments[onlyScores].values
            try Measurer.checkFinite(scores, "score")
            return [.list(try arguments.part(Scheduler.self).policy.ranking(scores).map { .int($0 + 1) })]
        },
    ]

    private static func plan(_ arguments: Arguments) throws -> EpochPlan {
        let scheduler = try arguments.part(Scheduler.self)
        var scores = arguments[scores]?.values
        if scheduler.policy is SelfPacedOrder { scores = scores?.map { -$0 } }
        guard let n = scores?.count ?? arguments[count] else {
            throw BSSError(arguments.operation, "expected scores, or n = number of samples", kind: .usage)
        }
        if let labels = arguments[labels], labels.count != n {
            throw BSSError(arguments.operation, "expected \(n) labels, got \(labels.count)", kind: .usage)
        }
        let sequencer = scheduler.begin(count: n, labels: arguments[labels]?.map { $0 - 1 })
        if let scores { try sequencer.receive(scores: scores, epoch: arguments[epoch]) }
        return try sequencer.plan(
            epoch: arguments[epoch], batchSize: arguments[batchSize],
            random: RandomStream(seed: arguments[seed].root, name: "order"))
    }
}
