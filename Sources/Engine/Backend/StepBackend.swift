import CBSSKernels

/// What a training step does without the host: batches by index, the log of its loss, updates that a broken step does
/// not make. Nothing here returns a number; the host reads the log when it likes.
public protocol StepBackend: AnyObject {
    /// Of every part: row i of `out` = row rows[i] of `x`; `rows` i64 [B], inside the arrays. One call a batch.
    func gatherRows(_ parts: [RowGather], rows: ArrayView) throws
    /// log.stepLoss += loss, a scalar f32 or f64. The first loss that is not finite makes its step the bad one.
    func logLoss(_ loss: ArrayView, log: ArrayView) throws
    /// Closes a step of so many samples: if no step was bad so far, its loss · samples is added to the sum.
    func logStep(samples: Int, log: ArrayView) throws
    /// One step of an optimizer, in place: every parameter that has a gradient in one call.
    ///
    /// Gradients are first multiplied by `scale` (f64 scalar; nil = 1), which clipping computes on the device. With a
    /// `log` nothing happens once a step was bad, and a gradient that is not finite makes this step the bad one before
    /// anything moves. Learning rates and step counts stand in the parts. Replayed, the same call is the next
    /// step of the optimizer: Adam counts on, a momentum has begun.
    func update(_ parts: [ParameterUpdate], scale: ArrayView?, log: ArrayView?) throws
    /// out (f64 scalar) = Σ over the parts of Σ x², in double; parts are contiguous.
    func sumOfSquares(_ parts: [ArrayView], out: ArrayView) throws
}

/// The log of an epoch's steps: f64 [`StepLog.count`] on a device (bss_step.h), this when read.
public struct StepLog {
    /// Σ loss · samples, and Σ samples, of the steps before a bad one.
    public let lossSum, samples: Double
    /// Closed steps, and the loss of the last one.
    public let steps: Int, lastLoss: Double
    /// The first step, from 0, whose loss or gradient was not finite, and its loss.
    public let bad: (step: Int, loss: Double)?

    public static let count = Int(BSS_STEP_LOG_COUNT)
    /// What an epoch begins with.
    public static var empty: [Double] {
        var log = bss_step_log()
        log.bad_step = -1
        return withUnsafeBytes(of: log) { Array($0.bindMemory(to: Double.self)) }
    }

    public init(_ values: [Double]) {
        let log = values.withUnsafeBytes { $0.loadUnaligned(as: bss_step_log.self) }
        (lossSum, samples, lastLoss) = (log.loss_sum, log.samples, log.last_loss)
        steps = Int(log.steps)
        bad = log.bad_step < 0 ? nil : (Int(log.bad_step), log.bad_loss)
    }
}

/// Rows of `x` [N, …] that go to `out` [B, …], of one dtype; both contiguous.
public struct RowGather {
    public let x, out: ArrayView
    public init(_ x: ArrayView, to out: ArrayView) { (self.x, self.out) = (x, out) }
}
