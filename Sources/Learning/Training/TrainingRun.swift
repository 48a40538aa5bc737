import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// What a training yields.
public struct TrainingResult {
    public let model: MultimodalModel
    /// One table an epoch: epoch, learning_rate, samples, seconds, train, val, test, plan.
    public let history: [Table]
    /// `last`, `val_best`, `test_best`, `selected`: each `{epoch, train, val, test}`.
    public let selections: Table
    /// Balance scores of the training split (s_upd), empty without a scoring scheduler.
    public let scores: [Double]
    /// Positions in the training split of the last epoch, in order.
    public let order: [Int]
    /// Dataset rows that were trained on, one per score.
    public let rows: [Int]
    /// Training samples that went forward and backward, probe trainings and copies counted.
    public let samples: Int
    /// Why the method ended the training before its last epoch, if it did.
    public let stopReason: String?
    public let parametersHash: String
    public let seconds: Double
    public let scoringSeconds: Double
    /// False if `onEpoch` stopped it early.
    public let isComplete: Bool
}

/// Receives what happens, for progress bars and records.
public protocol TrainingObserver: AnyObject {
    func trainingBegan(epochs: Int, resumedAt: Int) throws
    func stepEnded(epoch: Int, step: Int, steps: Int, loss: Double)
    func epochEnded(_ record: Table, epoch: Int) throws
    /// Just before a checkpoint is written: records must be on disk at least up to its epoch.
    func checkpointing() throws
    /// A checkpoint is on disk.
    func checkpointed() throws
    func trainingEnded(_ result: TrainingResult)
}

extension TrainingObserver {
    public func trainingBegan(epochs: Int, resumedAt: Int) {}
    public func stepEnded(epoch: Int, step: Int, steps: Int, loss: Double) {}
    public func epochEnded(_ record: Table, epoch: Int) {}
    public func checkpointing() throws {}
    public func checkpointed() throws {}
    public func trainingEnded(_ result: TrainingResult) {}
}

extension MultimodalModel {
    /// SHA-256 over names, shapes and bytes of parameters and buffers, in order.
    public func parametersHash() throws -> String {
        var hash = SHA256()
        for (name, tensor) in stateTensors() {
            hash.update("\(name) \(tensor.shape) \(tensor.dtype.name)\n")
            let values = try tensor.detached.contiguous()
            var bytes = [UInt8](repeating: 0, count: values.elementCount * values.dtype.byteSize)
            try bytes.withUnsafeMutableBytes { try values.backend.download(values.view, to: $0) }
            bytes.withUnsafeBytes { hash.update($0) }
        }
        return hash.finish()
    }

    /// Parameters and buffers by checkpoint name.
    public func stateTensors() -> [(name: String, tensor: Tensor)] {
        parameters().map { ($0.name, $0.parameter.value) } + buffers().map { ($0.name, $0.buffer.value) }
    }

    /// - Throws: a tensor that is missing or has another shape.
    public func restore(_ tensors: [String: Tensor], prefix: String = "", source: String) throws {
        func find(_ name: String) throws -> Tensor {
            guard let found = tensors[prefix + name] else {
                throw BSSError("restore", "\(source) has no tensor '\(prefix + name)'", kind: .data)
            }
            return found
        }
        for (name, parameter) in parameters() { try parameter.assign(try find(name)) }
        for (name, buffer) in buffers() { try buffer.assign(try find(name)) }
    }
}
