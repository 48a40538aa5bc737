import BSSCore
import BSSLua
import BSSRuns
import BSSSweep

/// `ablation: 12 of 40 done  3 min left`, redrawn on a terminal; elsewhere a line for every run that is finished, and
/// one whenever 30 seconds have passed without.
struct SweepProgress {
    private let name: String
    private let form: Progress.Form?
    private let start = Clock.seconds()
    private var last = Clock.seconds()
    private var text = ""
    /// Runs that were finished before.
    private var first: Int?

    init(_ options: RunOptions, _ name: String) {
        self.name = name
        form = Progress.form(options)
    }

    mutating func show(_ watch: SweepWatch) {
        let isFirst = first == nil
        let before = first ?? watch.ended
        first = before
        let done = Double(watch.ended - before)
        let left = (Clock.seconds() - start) / max(done, 1) * Double(watch.total - watch.ended)
        let text = "\(name): \(watch.progress)" + (done > 0 ? "  \(Progress.duration(left)) left" : "")
        switch form {
        case nil: break
        case .live?: if text != self.text { StatusLine.show([text]) }
        case .json?: for run in isFirst ? [] : watch.news { Progress.write(event(run, watch)) }
        case .plain?:
            for run in isFirst ? [] : watch.news { write("\(SweepWatch.name(run))  (\(text))") }
            if Clock.seconds() - last >= Progress.interval { write(text) }
        }
        self.text = text
    }

    private func event(_ run: RunStore.PlannedRun, _ watch: SweepWatch) -> String {
        JSON.text(
            .fields([
                ("event", .string("run")), ("experiment", .string(name)), ("run", .string(SweepWatch.name(run))),
                ("id", .string(run.id)), ("done", .int(watch.ended)), ("runs", .int(watch.total)),
            ])) + "\n"
    }

    private mutating func write(_ line: String) {
        Progress.write(line + "\n")
        last = Clock.seconds()
    }

    /// Failures are told at once, and always.
    func tell(_ line: String) {
        StatusLine.clear()
        Progress.write(line + "\n")
    }
    func end() { StatusLine.clear() }
}
