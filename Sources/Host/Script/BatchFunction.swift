import BSSCore
import BSSData
import BSSTensor
import BSSTraining

/// `bss.batch(data.train, { 1, 2, 3 })`: samples as tensors, for steps that a script writes itself.
enum BatchFunction {
    private static let split = Argument<Value>("split", "a split of a dataset, data.train say, or the whole dataset")
    private static let positions = Argument<[Int]?>(
        "positions", default: nil, "which of its samples, from 1; by default all, in their order")

    static let function = Function(
        "batch",
        "Samples as tensors: { inputs = { modality = [n, …] }, labels [n] (class positions from 1), ids }, as "
            + "model:forward, bss.cross_entropy and bss.accuracy take them.",
        [split, positions], returns: "table",
        example: "bss.batch(bss.data.synthetic{ samples = 60 }.train, { 1, 2, 3 }).inputs.weak:shape()",
        style: .positional
    ) { a in
        let (data, all) = try samples(a[split], a.operation)
        let chosen = try (a[positions] ?? Array(1...max(1, all.count))).map { position in
            guard all.indices.contains(position - 1) else {
                throw BSSError(
                    a.operation, "there is no sample \(position): positions count from 1 to \(all.count)",
                    kind: .usage)
            }
            return all[position - 1]
        }
        let source = DatasetSource(data)
        let random = RandomStream(seed: 0, name: "scan")
        let inputs = try data.modalities.indices.map { m in
            (data.modalities[m].name, Value.object(try source.batch(m, rows: chosen, augments: false, random: random)))
        }
        return [
            .fields([
                ("inputs", .fields(inputs)), ("labels", .object(try Tensor.from(chosen.map { data.labels[$0] + 1 }))),
                ("ids", .list(chosen.map { Value.string(data.ids[$0]) })),
            ])
        ]
    }

    private static func samples(_ value: Value, _ operation: String) throws -> (Dataset, [Int]) {
        switch value {
        case .object(let object as DatasetSplit): return (object.dataset, object.indices)
        case .object(let object as Dataset): return (object, Array(0..<object.count))
        default:
            throw BSSError(
                operation, "option 'split' expects a split (data.train) or a dataset, got \(value.described)",
                kind: .usage)
        }
    }
}
