import BSSCore

/// A scheduler written in Lua: `function(t, scores)` returns the order of the epoch t, counted from 0.
struct CustomOrder: OrderPolicy {
    @Required(
        "function",
        "function(t, scores) returning the order: positions from 1, or { order = …, weights = … }; the epoch t counts "
            + "from 0, scores is nil without a measurer",
        called: Signature(
            [("t", "integer"), ("scores", "number[]?")], returns: "integer[]|\(LuaType.name("tensor"))|table"))
    var callback: Callback
    @Option("measurer", "give the function scores from this measurer") var measurer: Measurer? = nil
    @Option("score_interval", aliases: ["every"], "epochs between two scans", .atLeast(1)) var interval = 1
    @Option("score_warmup_epochs", "epochs of uniform order before the first scores", .atLeast(0)) var warmup = 0
    var scan = ScanOptions()
    @Option(
        "score_checkpoint", "score with the model of this checkpoint instead of the one in training")
    var checkpoint: String? = nil
    var rule = BatchRule()

    var scores: GivenMeasurer { GivenMeasurer(self) }

    struct GivenMeasurer: ScoreOptions {
        var scoredBy: Measurer?, settings = ScanSettings(), warmup = 0
        init() {}
        init(_ order: CustomOrder) {
            (scoredBy, settings, warmup) = (order.measurer, order.scan.settings, order.warmup)
            settings.checkpoint = order.checkpoint
        }
    }

    func needsScores(t: Int, evaluations: Int) -> Bool {
        measurer != nil && (evaluations == 0 || t % interval == 0)
    }

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        let scores: Value = request.scores.isEmpty ? .null : .list(request.scores)
        let answer = try callback.function.call([.int(request.epoch), scores]).first ?? .null
        func mistake(_ message: String) -> BSSError {
            BSSError(
                "bss.scheduler.custom",
                "in epoch \(request.epoch + 1), at t = \(request.epoch) the function at "
                    + "\(callback.function.definition) returned \(message)",
                hint: "expected a list of sample positions from 1 to \(request.count), or { order = …, weights = … }")
        }
        // A tensor of positions, as bss.weighted_order gives it, is an order too.
        guard let table = answer.table ?? CustomOrder.entries(of: answer) else { throw mistake(answer.described) }
        if let stranger = table.keys.first(where: { !["order", "weights"].contains($0) }) {
            throw mistake("a table with the unknown name '\(stranger)'")
        }
        let order = table["order"].map { $0.table ?? CustomOrder.entries(of: $0) } ?? (table.keys.isEmpty ? table : nil)
        guard table.keys.isEmpty || table.items.isEmpty, let listed = order else {
            throw mistake("a table that is neither a list nor { order = …, weights = … }")
        }
        let indices = try listed.items.enumerated().map { index, item -> Int in
            guard let position = item.int, (1...max(1, request.count)).contains(position), request.count > 0 else {
                throw mistake("\(item.described) as entry \(index + 1)")
            }
            return position - 1
        }
        let weights = try table["weights"].map { given in
            let table = given.table ?? CustomOrder.entries(of: given)
            guard let items = table?.items, items.count == indices.count else {
                throw mistake("weights that are not \(indices.count) numbers")
            }
            do { return try SampleWeights.checked(items) } catch let error as Mismatch {
                throw mistake(error.detail ?? given.described)
            }
        }
        return OrderDraft(
            indices: indices, fraction: Double(Set(indices).count) / Double(max(1, request.count)), isSequential: true,
            weights: weights)
    }

    /// The entries of a tensor in one axis; nil of anything else.
    private static func entries(of value: Value) -> Table? {
        guard case .object = value else { return nil }
        return value.numbers.map { Table(items: $0.map(Value.number)) }
    }

    static let part = Part<Scheduler>(
        "custom", "A scheduler written in Lua.", policy: CustomOrder.self,
        example: "bss.scheduler.custom(function(t, scores) return {3, 1, 2} end)")
}
