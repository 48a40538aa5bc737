import BSSCore
import BSSLua
import BSSTraining
import Glibc

/// What trainings and experiments show on stderr: one live line on a terminal, plain lines now and then elsewhere, JSON
/// lines for tools.
enum Progress {
    enum Form { case live, plain, json }

    /// nil: nothing.
    static func form(_ options: RunOptions) -> Form? {
        if options.quiet { return nil }
        switch options.progress {
        case .none: return nil
        case .json: return .json
        case .plain: return .plain
        case .auto: return StatusLine.isPossible ? .live : .plain
        }
    }

    /// Of a training that is no run of an experiment.
    static func make(_ options: RunOptions, name: String) -> (any TrainingObserver)? {
        switch form(options) {
        case nil: return nil
        case .json?: return JSONProgress(name)
        case .plain?: return PlainProgress(name)
        case .live?: return BarProgress(name)
        }
    }

    static func write(_ text: String) { fputs(text, stderr) }

    /// Seconds after which a plain log has a new line: `BSS_PROGRESS_SECONDS`, 30 by default.
    static let interval: Double = {
        let given = getenv("BSS_PROGRESS_SECONDS").flatMap { Double(String(cString: $0)) }
        return given.flatMap { $0 > 0 ? $0 : nil } ?? 30
    }()

    /// `loss 0.512  train 0.81  val 0.77`
    static func figures(_ record: EpochRecord) -> String {
        var text = "loss " + Text.fixed(record.train.loss, 4)
        for (split, figures) in [("train", record.train), ("val", record.val), ("test", record.test)] {
            if let accuracy = figures?.total?.accuracy { text += "  \(split) \(Text.fixed(accuracy, 3))" }
        }
        return text
    }

    /// `3.1 s`, `45 s`, `12 min`, `3 h 20 min`
    static func duration(_ seconds: Double) -> String {
        if seconds < 100 { return Text.fixed(seconds, seconds < 9.95 ? 1 : 0) + " s" }
        let minutes = Int(saturating: (seconds / 60).rounded())
        return minutes < 100 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
    }
}
