import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// The state between two epochs: a training resumed from it ends with the bits of one that was never stopped.
///
/// One safetensors file: model tensors under `model.`, optimizer buffers under `optimizer.`, everything else as JSON in
/// its metadata. Random streams need no state: they are named by seed and epoch.
struct Checkpoint {
    var nextEpoch: Int
    var step: Int
    var history: [EpochRecord]
    var schedule: [Double]
    var optimizerSteps: [String: Int]
    var sequencer: Value
    var method: Value
    var methodTensors: [String: Tensor]
    var extraSamples: Int
    var seconds: Double
    var scoringSeconds: Double
    /// What was drawn from each random stream.
    var streams: Value
    /// Of options, model and data: a checkpoint of another training is refused.
    var identity: String
    /// What the owner of the record keeps with it.
    var carried = Value.null

    func write(_ model: MultimodalModel, _ optimizer: Optimizer, to path: String) throws {
        let state = Table(fields: [
            ("next_epoch", .int(nextEpoch)), ("step", .int(step)), ("history", .list(history.map { .table($0.table) })),
            ("schedule", .list(schedule.map(Checkpoint.exact))),
            ("optimizer_steps", .fields(optimizerSteps.sorted { $0.key < $1.key }.map { ($0.key, .int($0.value)) })),
            ("sequencer", sequencer), ("method", method), ("extra_samples", .int(extraSamples)),
            ("seconds", .number(seconds)), ("scoring_seconds", .number(scoringSeconds)),
            ("streams", streams), ("carried", carried),
        ])
        let tensors =
            model.stateTensors().map { ("model." + $0.name, $0.tensor) }
            + optimizer.state.sorted { $0.key < $1.key }.map { ("optimizer." + $0.key, $0.value) }
            + methodTensors.sorted { $0.key < $1.key }.map { ("method." + $0.key, $0.value) }
        try TensorFile.write(
            tensors,
            metadata: [
                ("format", "bss-lua checkpoint 1"), ("identity", identity), ("state", JSON.text(.table(state))),
            ], to: path)
    }

    /// - Throws: kind `.data` for a damaged file or one of another training.
    static func read(
        _ path: String, identity: String, _ model: MultimodalModel, _ optimizer: Optimizer
    ) throws -> Checkpoint {
        let (tensors, metadata) = try TensorFile.read(path)
        func damaged(_ what: String) -> BSSError { BSSError("resume", "\(path): \(what)", kind: .data) }
        guard metadata["format"] == "bss-lua checkpoint 1", metadata[TensorFile.checksumKey] != nil,
            let text = metadata["state"]
        else { throw damaged("is no checkpoint of this program") }
        guard metadata["identity"] == identity else {
            throw damaged("belongs to a training with other options, model or data")
        }
        guard case .table(let state) = try JSON.parse(text, source: path), let next = state["next_epoch"]?.int,
            let step = state["step"]?.int
        else { throw damaged("its state is incomplete") }
        let history = (state["history"]?.table?.items ?? []).compactMap { $0.table.flatMap(EpochRecord.init) }
        guard history.count == next else { throw damaged("its state is incomplete") }
        try model.restore(tensors, prefix: "model.", source: path)
        func under(_ prefix: String) -> [String: Tensor] {
            Dictionary(
                uniqueKeysWithValues: tensors.filter { $0.key.hasPrefix(prefix) }.map {
                    (String($0.key.dropFirst(prefix.count)), $0.value)
                })
        }
        let steps =
            state["optimizer_steps"]?.table?.fields.compactMap { field in field.value.int.map { (field.key, $0) } }
            ?? []
        optimizer.restore(state: under("optimizer."), steps: Dictionary(uniqueKeysWithValues: steps))
        return Checkpoint(
            nextEpoch: next, step: step, history: history,
            schedule: state["schedule"]?.table?.items.map(Checkpoint.number) ?? [],
            optimizerSteps: Dictionary(uniqueKeysWithValues: steps),
            sequencer: state["sequencer"] ?? .null, method: state["method"] ?? .null, methodTensors: under("method."),
            extraSamples: state["extra_samples"]?.int ?? 0, seconds: state["seconds"]?.double ?? 0,
            scoringSeconds: state["scoring_seconds"]?.double ?? 0, streams: state["streams"] ?? .null,
            identity: identity,
            carried: state["carried"] ?? .null)
    }

    /// What the owner of the record kept with a checkpoint.
    static func carried(_ path: String) throws -> Value {
        guard let text = try TensorFile.read(path).metadata["state"] else { return .null }
        return try JSON.parse(text, source: path).table?["carried"] ?? .null
    }

    /// JSON has no NaN; schedules use it for "none yet".
    private static func exact(_ value: Double) -> Value {
        value.isFinite ? .number(value) : .string(Text.number(value))
    }
    private static func number(_ value: Value) -> Double { value.restored ?? .nan }
}
