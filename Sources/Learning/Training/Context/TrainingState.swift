import BSSCore

/// Where a training is. The loop moves it; `TrainingContext` shows it.
final class TrainingState {
    /// From 0.
    var epoch = 0
    /// Optimizer updates so far.
    var step = 0
    /// This batch in its epoch, from 0, and the batches of the epoch's plan.
    var batch = 0, batches = 0
    /// The record of the last epoch; nil before the first.
    var lastEpoch: EpochRecord?
    /// Samples that went forward and backward beside those of the history: probe trainings.
    var extraSamples = 0
    var stopReason: String?
    /// Steps that were made without a tape (`EpochRun`).
    var replayedSteps = 0
    /// Nothing of the training would be lost if it ended now: it may leave in the middle of an epoch.
    var isKept = true

    /// - Throws: the process was asked to leave, and what was done is kept.
    func leaveIfAsked() throws {
        if isKept, Cancellation.isLeaving { throw BSSError.cancelled("training") }
    }
}
