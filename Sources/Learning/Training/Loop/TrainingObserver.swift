/// Receives what happens, for progress bars and records.
public protocol TrainingObserver: AnyObject {
    func trainingBegan(epochs: Int, resumedAt: Int) throws
    /// `loss` waits for the step and reads what it was.
    func stepEnded(epoch: Int, step: Int, steps: Int, loss: () throws -> Double) throws
    func epochEnded(_ record: EpochRecord) throws
    /// Just before a checkpoint is written: records must be on disk at least up to its epoch.
    func checkpointing() throws
    /// A checkpoint is on disk.
    func checkpointed() throws
    func trainingEnded(_ result: TrainingResult)
}

extension TrainingObserver {
    public func trainingBegan(epochs: Int, resumedAt: Int) {}
    public func stepEnded(epoch: Int, step: Int, steps: Int, loss: () throws -> Double) throws {}
    public func epochEnded(_ record: EpochRecord) {}
    public func checkpointing() throws {}
    public func checkpointed() throws {}
    public func trainingEnded(_ result: TrainingResult) {}
}
