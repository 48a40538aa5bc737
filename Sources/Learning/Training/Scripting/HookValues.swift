import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

// How the loop's values look to hooks written in a script, and how their answers are read.

extension Table {
    /// A table of names: no list entries, no other names.
    /// - Throws: `Mismatch` with what there is too much.
    func requireKeys(_ known: [String]) throws {
        guard items.isEmpty else { throw Mismatch("it has list entries beside its names") }
        guard let stranger = keys.first(where: { !known.contains($0) }) else { return }
        let near = Text.nearest(to: stranger, in: known).map { "; did you mean '\($0)'?" } ?? ""
        throw Mismatch("it has an unknown name '\(stranger)'\(near)")
    }
}

extension Value {
    /// The tensor, if it is one.
    var tensor: Tensor? { if case .object(let object) = self { return object as? Tensor } else { return nil } }
}

/// Labels as scripts see them: class positions, i64 [B], counted from 1 as `logits:argmax{ axis = 2 }` counts.
enum LabelValue {
    /// `columns` count from 0.
    static func value(_ columns: Tensor) throws -> Value {
        .object(try Tensor.from(columns.values(Int.self).map { $0 + 1 }, columns.shape, on: columns.backend))
    }
}

/// `{ fused = [B, C], unimodal = { audio = [B, C], … }, features = { audio = [B, d], … } }`
enum OutputValue {
    static func value(_ output: MultimodalOutput, _ modalities: [String]) -> Value {
        func named(_ tensors: [Tensor]) -> Value { .fields(zip(modalities, tensors).map { ($0, .object($1)) }) }
        return .fields([
            ("fused", .object(output.fused)), ("unimodal", named(output.unimodal)),
            ("features", named(output.features)),
        ])
    }
}

enum LossValue {
    /// - Throws: `Mismatch` with what is wrong.
    static func terms(_ value: Value, samples: Int) throws -> [LossTerm] {
        if let tensor = value.tensor { return [try term("loss", tensor, 1, samples)] }
        guard let table = value.table, !table.keys.isEmpty else { throw Mismatch() }
        try table.requireKeys(table.keys)
        return try table.fields.map { name, value in
            if let tensor = value.tensor { return try term(name, tensor, 1, samples) }
            guard let pair = value.table?.items, pair.count == 2, let tensor = pair[0].tensor,
                let weight = pair[1].double
            else { throw Mismatch("term '\(name)' is \(value.described), expected a tensor or { tensor, weight }") }
            return try term(name, tensor, weight, samples)
        }
    }

    private static func term(_ name: String, _ tensor: Tensor, _ weight: Double, _ samples: Int) throws -> LossTerm {
        if tensor.elementCount == 1, tensor.shape != [samples] {
            return LossTerm(name, try tensor.reshaped([]), weight: weight)
        }
        guard tensor.shape == [samples] else {
            throw Mismatch(
                "term '\(name)' has shape \(tensor.shape), expected [\(samples)] (one loss a sample) or a scalar")
        }
        return LossTerm(name, tensor, weight: weight)
    }
}

enum PlanValue {
    static func value(_ plan: SamplePlan, _ modalities: [String]) -> Value {
        var table = Table(fields: [("positions", .list(plan.positions.map { .int($0 + 1) }))])
        if let weights = plan.weights { table["weights"] = .list(weights) }
        if let keeps = plan.keeps {
            table["keeps"] = .list(
                keeps.map { mask in
                    .list(modalities.indices.filter { mask >> UInt32($0) & 1 == 1 }.map { modalities[$0] })
                })
        }
        return .table(table)
    }

    /// - Throws: `Mismatch` with what is wrong.
    static func plan(_ value: Value, _ modalities: [String], samples: Int) throws -> SamplePlan {
        guard let table = value.table, let listed = table["positions"]?.table?.items else {
            throw Mismatch("a plan has a list 'positions'")
        }
        try table.requireKeys(["positions", "weights", "keeps"])
        let positions = try listed.map { item -> Int in
            guard let position = item.int, (1...max(samples, 1)).contains(position) else {
                throw Mismatch("\(item.described) is no position from 1 to \(samples)")
            }
            return position - 1
        }
        func sized(_ key: String) throws -> [Value]? {
            guard let value = table[key] else { return nil }
            guard let list = value.table?.items else { throw Mismatch("'\(key)' is \(value.described), not a list") }
            guard list.count == positions.count else {
                throw Mismatch("'\(key)' has \(list.count) entries for \(positions.count) positions")
            }
            return list
        }
        let weights = try sized("weights").map(SampleWeights.checked)
        let keeps = try sized("keeps")?.map { item -> UInt32 in
            guard let names = item.table?.items else { throw Mismatch("\(item.described) is no list of modalities") }
            return try names.reduce(UInt32(0)) { mask, name in
                guard let index = name.string.flatMap(modalities.firstIndex(of:)) else {
                    throw Mismatch("\(name.described) is no modality")
                }
                return mask | 1 << UInt32(index)
            }
        }
        return SamplePlan(positions: positions, weights: weights, keeps: keeps)
    }
}

enum GradientValue {
    /// A parameter's name within its scope: `layers.0.weight` of `encoder.audio.layers.0.weight`.
    static func short(_ name: String, _ scope: Scope) -> String {
        let prefix = scope.description + "."
        return name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
    }
}
