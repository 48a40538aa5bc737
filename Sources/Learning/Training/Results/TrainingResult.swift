import BSSNetworks

/// What a training yields.
public struct TrainingResult {
    public let model: MultimodalModel
    public let history: [EpochRecord]
    /// The epochs that it may be judged by.
    public let selections: RunResult
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
