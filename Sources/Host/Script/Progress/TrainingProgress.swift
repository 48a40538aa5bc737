import BSSCore
import BSSTraining

/// How far a training came and what is kept of it, for the note after Ctrl-C.
final class Standing: TrainingObserver {
    private var epochs = 0, ended = 0, kept: Int?
    func trainingBegan(epochs: Int, resumedAt: Int) {
        self.epochs = epochs
        ended = resumedAt
        if resumedAt > 0 { kept = resumedAt }
    }
    func epochEnded(_ record: EpochRecord) { ended = record.epoch }
    func checkpointing() { kept = ended }

    /// - Parameter folder: of the run's record, if it has one.
    func note(_ name: String, folder: String?) -> String {
        let place = "\(name): stopped in epoch \(min(ended + 1, epochs)) of \(epochs)"
        guard let folder else { return place + "; nothing was kept (--out DIR records runs and their checkpoints)" }
        guard let kept else { return place + "; no checkpoint yet in \(folder)" }
        return place + "; a checkpoint after epoch \(kept) is in \(folder): --resume goes on from there"
    }
}

/// `train  12/30 ━━━━━╸──── loss 0.512  val 0.77  3.1 s left`, redrawn at most ten times a second, gone at the end.
final class BarProgress: TrainingObserver {
    private let name: String
    private var epochs = 0, first = 0
    private var start = Clock.seconds(), drawn = 0.0
    private var figures = ""

    init(_ name: String) { self.name = name }
    deinit { StatusLine.clear() }

    func trainingBegan(epochs: Int, resumedAt: Int) {
        self.epochs = epochs
        first = resumedAt
        start = Clock.seconds()
    }

    func stepEnded(epoch: Int, step: Int, steps: Int, loss: () throws -> Double) throws {
        let now = Clock.seconds()
        guard now - drawn >= 0.1 else { return }
        drawn = now
        let done = Double(epoch) + Double(step + 1) / Double(max(steps, 1))
        let left = (now - start) / max(done - Double(first), 1e-9) * (Double(epochs) - done)
        let shown = figures.isEmpty ? "loss " + Text.fixed(try loss(), 4) : figures
        let place = "\(name) \(epoch + 1)/\(epochs)"
        let bar = StatusLine.bar(done / Double(max(epochs, 1)), 20)
        let wait = Progress.duration(left) + " left"
        StatusLine.show(["\(place) \(bar) \(shown)  \(wait)", "\(place) \(bar)  \(wait)", "\(place)  \(wait)"])
    }

    func epochEnded(_ record: EpochRecord) { figures = Progress.figures(record) }
}

/// One line at most every 30 seconds, so that logs stay small.
final class PlainProgress: TrainingObserver {
    private let name: String
    private var last = Clock.seconds()
    private var epochs = 0
    init(_ name: String) { self.name = name }
    func trainingBegan(epochs: Int, resumedAt: Int) {
        self.epochs = epochs
        if resumedAt > 0 { Progress.write("\(name): resumed at epoch \(resumedAt + 1) of \(epochs)\n") }
    }
    func epochEnded(_ record: EpochRecord) {
        guard Clock.seconds() - last >= Progress.interval else { return }
        last = Clock.seconds()
        Progress.write("\(name) \(record.epoch)/\(epochs)  \(Progress.figures(record))\n")
    }
}

final class JSONProgress: TrainingObserver {
    private let name: String
    init(_ name: String) { self.name = name }
    func epochEnded(_ record: EpochRecord) {
        let event = Value.fields([
            ("event", .string("epoch")), ("run", .string(name)), ("record", .table(record.table)),
        ])
        Progress.write(JSON.text(event) + "\n")
    }
}
