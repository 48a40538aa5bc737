import BSSBackend
import BSSCore
import BSSTensor

/// What the steps of an epoch leave on the device: the host reads it at the epoch's end, for a progress line, and where
/// a method reads numbers anyway.
final class EpochLog {
    let tensor: Tensor

    init() throws { tensor = try Tensor.from(StepLog.empty) }

    /// Adds a scalar loss to the running step.
    func add(_ loss: Tensor) throws { try tensor.backend.logLoss(loss.view, log: tensor.view) }
    /// Ends the running step.
    func close(samples: Int) throws { try tensor.backend.logStep(samples: samples, log: tensor.view) }
    /// Waits for the steps so far.
    func read() throws -> StepLog { StepLog(try tensor.values(Double.self)) }
}
