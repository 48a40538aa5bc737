import BSSCore
import BSSLua
import BSSTraining
import Glibc

/// What a training shows on stderr: a live bar on a terminal, a plain line now and then elsewhere, JSON lines for
/// tools.
enum Progress {
    static func make(_ options: RunOptions, name: String) -> (any TrainingObserver)? {
        if options.quiet { return nil }
        switch options.progress {
        case .none: return nil
        case .json: return JSONProgress(name)
        case .plain: return PlainProgress(name)
        case .auto: return isatty(STDERR_FILENO) != 0 ? BarProgress(name) : PlainProgress(name)
        }
    }

    static func write(_ text: String) { fputs(text, stderr) }

    /// `loss 0.512  train 0.81  val 0.77`
    static func figures(_ record: EpochRecord) -> String {
        var text = "loss " + Text.fixed(record.train.loss, 4)
        for (split, figures) in [("train", record.train), ("val", record.val), ("test", record.test)] {
            if let accuracy = figures?.total?.accuracy { text += "  \(split) \(Text.fixed(accuracy, 3))" }
        }
        return text
    }
}

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
private final class BarProgress: TrainingObserver {
    private let name: String
    private var epochs = 0, first = 0
    private var start = Clock.seconds(), drawn = 0.0
    private var figures = ""

    init(_ name: String) { self.name = name }
    deinit { Progress.write("\r\u{1B}[K") }

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
        let width = 20
        let filled = Int(Double(width) * done / Double(max(epochs, 1)))
        let left = (now - start) / max(done - Double(first), 1e-9) * (Double(epochs) - done)
        let bar = String(repeating: "━", count: filled) + String(repeating: "─", count: width - filled)
        let shown = figures.isEmpty ? "loss " + Text.fixed(try loss(), 4) : figures
        let wait = Text.fixed(left, left < 10 ? 1 : 0)
        Progress.write("\r\u{1B}[K\(name) \(epoch + 1)/\(epochs) \(bar) \(shown)  \(wait) s left")
    }

    func epochEnded(_ record: EpochRecord) { figures = Progress.figures(record) }
}

/// One line at most every 30 seconds, so that logs stay small.
private final class PlainProgress: TrainingObserver {
    private let name: String
    private var last = Clock.seconds()
    private var epochs = 0
    init(_ name: String) { self.name = name }
    func trainingBegan(epochs: Int, resumedAt: Int) {
        self.epochs = epochs
        if resumedAt > 0 { Progress.write("\(name): resumed at epoch \(resumedAt + 1) of \(epochs)\n") }
    }
    func epochEnded(_ record: EpochRecord) {
        guard Clock.seconds() - last >= 30 else { return }
        last = Clock.seconds()
        Progress.write("\(name) \(record.epoch)/\(epochs)  \(Progress.figures(record))\n")
    }
}

private final class JSONProgress: TrainingObserver {
    private let name: String
    init(_ name: String) { self.name = name }
    func epochEnded(_ record: EpochRecord) {
        Progress.write(
            JSON.text(.fields([("event", .string("epoch")), ("run", .string(name)), ("record", .table(record.table))]))
                + "\n"
        )
    }
}
