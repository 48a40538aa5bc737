import BSSCore

/// A scheduler written in Lua: `function(t, scores)` returns the order of the epoch t, counted from 0.
struct CustomOrder: OrderPolicy {
    let callback: Callback
    var interval: Int?

    func needsScores(t: Int, evaluations: Int) -> Bool {
        guard let interval else { return false }
        return evaluations == 0 || t % interval == 0
    }

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        let scores: Value = request.scores.isEmpty ? .null : .list(request.scores)
        let answer = try callback.function.call([.int(request.epoch), scores]).first ?? .null
        func mistake(_ message: String) -> BSSError {
            BSSError(
                "bss.scheduler.custom",
                "at t = \(request.epoch) the function at \(callback.function.definition) returned \(message)",
                hint: "expected a list of sample positions from 1 to \(request.count), or { order = …, weights = … }")
        }
        guard case .table(let table) = answer else { throw mistake(answer.described) }
        if let stranger = table.keys.first(where: { !["order", "weights"].contains($0) }) {
            throw mistake("a table with the unknown name '\(stranger)'")
        }
        guard table.keys.isEmpty || table.items.isEmpty, table["order"].map({ $0.table != nil }) ?? table.keys.isEmpty
        else {
            throw mistake("a table that is neither a list nor { order = …, weights = … }")
        }
        let listed = table["order"]?.table ?? table
        let indices = try listed.items.enumerated().map { index, item -> Int in
            guard let position = item.int, (1...max(1, request.count)).contains(position), request.count > 0 else {
                throw mistake("\(item.described) as entry \(index + 1)")
            }
            return position - 1
        }
        guard !indices.isEmpty || listed.isEmpty else { throw mistake(answer.described) }
        var weights: [Double]?
        if let given = table["weights"] {
            guard let values = (try? Vector(value: given))?.values, values.count == indices.count else {
                throw mistake("weights that are not \(indices.count) numbers")
            }
            try Measurer.checkFinite(values, "weight of bss.scheduler.custom")
            weights = values
        }
        return OrderDraft(
            indices: indices, fraction: Double(Set(indices).count) / Double(max(1, request.count)), isSequential: true,
            weights: weights)
    }
}
