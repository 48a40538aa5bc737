import BSSCore
import BSSLua
import BSSTraining
import Synchronization

/// Where an experiment stands.
private struct ExperimentState {
    let name: String
    /// Runs in all, and those that have to be trained.
    let total: Int, open: Int
    let start = Clock.seconds()
    var done = 0, trained = 0
    /// `BSS-L, seed 2`
    var run = ""
    /// Of the current run: 0 … 1, and its epochs.
    var fraction = 0.0, epoch = 0, epochs = 0, loss = Double.nan
    var isTrained = false
    var lastLine = Clock.seconds()

    var place: String { "\(name) \(done)/\(total)" }

    /// From the time that the trained runs and the part of the current one took; nil: too early to tell.
    var left: Double? {
        let past = Double(trained) + fraction
        guard past > 0.02 else { return nil }
        return max(0, (Clock.seconds() - start) / past * (Double(open) - past))
    }
    var leftText: String { left.map { "\(Progress.duration($0)) left" } ?? "" }
    var epochText: String { epochs > 0 ? ": epoch \(epoch)/\(epochs)" : "" }
}

/// What an experiment shows of itself: `demo 3/12 ━━━──── 1.2 min left  BSS-L, seed 2: epoch 12/30 ━━╸──── loss 0.512`
/// on a terminal; elsewhere a line for every run that was trained, and one whenever 30 seconds have passed without.
final class ExperimentProgress {
    private let form: Progress.Form
    private let shared: Shared
    private var ticker: Ticker?
    private var drawn = 0.0
    private var begun = Clock.seconds()

    /// What the thread of a plain log reads.
    private final class Shared: Sendable {
        let state: Mutex<ExperimentState>
        init(_ state: ExperimentState) { self.state = Mutex(state) }
    }

    /// - Parameter open: runs that have to be trained: the others are taken from their records.
    init?(_ options: RunOptions, name: String, total: Int, open: Int) {
        guard let form = Progress.form(options) else { return nil }
        self.form = form
        let shared = Shared(ExperimentState(name: name, total: total, open: open))
        self.shared = shared
        guard form == .plain else { return }
        // From a thread: neither a long epoch nor the script's own work leaves a log silent.
        ticker = Ticker(every: min(1, Progress.interval / 4)) {
            shared.state.withLock { state in
                guard Clock.seconds() - state.lastLine >= Progress.interval else { return }
                let loss = state.loss.isNaN ? "" : ", loss " + Text.fixed(state.loss, 4)
                ExperimentProgress.write(state.run + state.epochText + loss, &state)
            }
        }
    }

    func begin(arm: String, seed: Int) {
        begun = Clock.seconds()
        shared.state.withLock { state in
            state.run = "\(arm), seed \(seed)"
            (state.fraction, state.epoch, state.epochs, state.loss) = (0, 0, 0, .nan)
            state.isTrained = false
        }
        draw(isForced: true)
    }

    /// - Parameter figures: what came out: `test.total.accuracy 0.7125`.
    func end(_ figures: [(name: String, value: Double)], id: String?) {
        let seconds = Clock.seconds() - begun
        shared.state.withLock { state in
            state.done += 1
            state.fraction = 0
            guard state.isTrained else { return }
            state.trained += 1
            let words = figures.map { "\($0.name) \(Text.format("%.4g", $0.value))" }
            switch form {
            case .live: break
            case .plain:
                let facts = (words + [Progress.duration(seconds)]).joined(separator: ", ")
                ExperimentProgress.write("\(state.run): \(facts)", &state)
            case .json: Progress.write(ExperimentProgress.event(state, figures, seconds, id))
            }
        }
        draw(isForced: true)
    }

    /// The line is gone, the log ends.
    func close() {
        ticker?.end()
        if form == .live { StatusLine.clear() }
    }

    /// For the trainings of the current run.
    func observer(name: String) -> any TrainingObserver {
        Observers([RunWatch(self), form == .json ? JSONProgress(name) : nil])
    }

    private static func write(_ text: String, _ state: inout ExperimentState) {
        let left = state.leftText.isEmpty || state.done == state.total ? "" : "  (\(state.leftText))"
        Progress.write("\(state.place)  \(text)\(left)\n")
        state.lastLine = Clock.seconds()
    }

    private static func event(
        _ state: ExperimentState, _ figures: [(name: String, value: Double)], _ seconds: Double, _ id: String?
    ) -> String {
        let fields: [(String, Value)] = [
            ("event", .string("run")), ("experiment", .string(state.name)), ("run", .string(state.run)),
            ("id", id.map(Value.string) ?? .null), ("done", .int(state.done)), ("runs", .int(state.total)),
            ("metrics", .fields(figures.map { ($0.name, .number($0.value)) })), ("seconds", .number(seconds)),
            ("left_seconds", state.left.map(Value.number) ?? .null),
        ]
        return JSON.text(.fields(fields)) + "\n"
    }

    // MARK: The live line

    fileprivate func training(epochs: Int) {
        shared.state.withLock { ($0.epochs, $0.isTrained) = (epochs, true) }
    }

    fileprivate var isLive: Bool { form == .live }

    fileprivate func step(epoch: Int, done: Double, loss: Double?) {
        shared.state.withLock { state in
            (state.epoch, state.loss) = (epoch, loss ?? state.loss)
            state.fraction = min(1, done / Double(max(state.epochs, 1)))
        }
        draw(isForced: false)
    }

    private func draw(isForced: Bool) {
        let now = Clock.seconds()
        guard form == .live, isForced || now - drawn >= 0.1 else { return }
        drawn = now
        let state = shared.state.withLock { $0 }
        let whole = (Double(state.done) + state.fraction) / Double(max(state.total, 1))
        let head = "\(state.place) \(StatusLine.bar(whole, 16)) \(state.leftText)"
        let run = state.run + state.epochText
        guard state.epochs > 0 else { return StatusLine.show(["\(head)  \(run)", "\(state.place)  \(run)"]) }
        let bar = " " + StatusLine.bar(state.fraction, 10)
        let loss = state.loss.isNaN ? "" : " loss " + Text.fixed(state.loss, 4)
        StatusLine.show([
            "\(head)  \(run)\(bar)\(loss)", "\(head)  \(run)\(bar)", "\(head)  \(run)",
            "\(state.place) \(state.leftText)  \(run)", "\(state.place) \(state.leftText)",
        ])
    }
}

/// Tells an experiment of the steps of its current training.
private final class RunWatch: TrainingObserver {
    private let progress: ExperimentProgress
    private var read = 0.0
    init(_ progress: ExperimentProgress) { self.progress = progress }
    func trainingBegan(epochs: Int, resumedAt: Int) { progress.training(epochs: epochs) }
    func stepEnded(epoch: Int, step: Int, steps: Int, loss: () throws -> Double) throws {
        let done = Double(epoch) + Double(step + 1) / Double(max(steps, 1))
        // Reading the loss waits for the step: not oftener than it is shown.
        let isShown = Clock.seconds() - read >= (progress.isLive ? 0.1 : min(5, Progress.interval / 2))
        if isShown { read = Clock.seconds() }
        progress.step(epoch: epoch + 1, done: done, loss: isShown ? try loss() : nil)
    }
    // An epoch's figures are known when it ends, shown or not: what stands there is never older than that.
    func epochEnded(_ record: EpochRecord) {
        progress.step(epoch: record.epoch, done: Double(record.epoch), loss: record.train.loss)
    }
}
