import BSSBackend
import BSSCore
import BSSTensor

/// The first step of an epoch, before it moves anything: where two trainings part, one of these tells.
public struct FirstStep {
    public let loss: Double
    /// The joint 2-norm of the gradients of its first sub-step, before the method adjusts them.
    public let gradientNorm: Double
}

/// What the steps of an epoch leave on the device: the host reads it at the epoch's end, for a progress line, and where
/// a method reads numbers anyway.
final class EpochLog {
    let tensor: Tensor
    private var first: (loss: Tensor, squaredNorm: Tensor?)?

    init() throws { tensor = try Tensor.from(StepLog.empty) }

    /// Adds a scalar loss to the running step.
    func add(_ loss: Tensor) throws { try tensor.backend.logLoss(loss.view, log: tensor.view) }
    /// Keeps the first of the losses, and its gradients' norm.
    func note(_ loss: Tensor, _ squaredNorm: () throws -> Tensor?) throws {
        if first == nil { first = (loss.detached, try squaredNorm()) }
    }

    func readFirst() throws -> FirstStep? {
        try first.map { first in
            let squared = try first.squaredNorm.map { try $0.item() } ?? 0
            return FirstStep(loss: try first.loss.item(), gradientNorm: squared.squareRoot())
        }
    }

    /// Ends the running step.
    func close(samples: Int) throws { try tensor.backend.logStep(samples: samples, log: tensor.view) }
    /// Waits for the steps so far.
    func read() throws -> StepLog { StepLog(try tensor.values(Double.self)) }
}
