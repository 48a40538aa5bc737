import BSSCore

/// The smoothed loss of one modality and its best epoch.
struct StoppingWatch {
    enum Smoothing: String, Choice { case mean, previous }
    let smoothing: Smoothing
    /// r
    let rate: Double
    private(set) var smoothed: Double?
    private var raw: Double?
    private var best: Double?
    private(set) var bestEpoch = 0
    /// Goes back and stops when the next epoch begins.
    var isDue = false
    /// The first epoch without it.
    var stoppedAt: Int?

    init(_ smoothing: Smoothing, rate: Double) {
        self.smoothing = smoothing
        self.rate = rate
    }

    /// Takes the loss of an epoch; true if its smoothed value is the best so far.
    mutating func add(_ loss: Double, epoch: Int) -> Bool {
        let before = smoothing == .mean ? smoothed : raw
        let now = before.map { (1 - rate) * $0 + rate * loss } ?? loss
        (smoothed, raw) = (now, loss)
        guard now < best ?? .infinity else { return false }
        (best, bestEpoch) = (now, epoch)
        return true
    }

    /// For the run record, which counts epochs from 1.
    var report: Table {
        var table = table
        for name in ["best_epoch", "stopped_at"] { if let epoch = table[name]?.int { table[name] = .int(epoch + 1) } }
        return table
    }

    /// For checkpoints.
    var table: Table {
        var table = Table(fields: [("best_epoch", .int(bestEpoch)), ("due", .bool(isDue))])
        for (name, value) in [("smoothed_loss", smoothed), ("raw_loss", raw), ("best_loss", best)] {
            if let value { table[name] = .number(value) }
        }
        if let stoppedAt { table["stopped_at"] = .int(stoppedAt) }
        return table
    }

    mutating func restore(_ table: Table) {
        (smoothed, raw, best) = (table["smoothed_loss"]?.double, table["raw_loss"]?.double, table["best_loss"]?.double)
        (bestEpoch, isDue, stoppedAt) = (
            table["best_epoch"]?.int ?? 0, table["due"]?.bool ?? false, table["stopped_at"]?.int
        )
    }
}
