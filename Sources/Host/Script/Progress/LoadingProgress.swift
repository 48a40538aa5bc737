import BSSCore
import BSSData
import BSSLua

/// Progress and notes of loading on stderr.
enum LoadingProgress {
    static func install(_ options: RunOptions) {
        LoadingReport.note =
            options.quiet
            ? nil
            : {
                StatusLine.clear()
                Progress.write("note: \($0)\n")
            }
        switch Progress.form(options) {
        case nil: LoadingReport.progress = nil
        case .json?: LoadingReport.progress = json
        case .plain?: LoadingReport.progress = plain()
        case .live?: LoadingReport.progress = bar
        }
    }

    private static func left(_ done: Int, _ total: Int, _ seconds: Double) -> String {
        Progress.duration(done > 0 ? seconds / Double(done) * Double(total - done) : 0) + " left"
    }

    /// Redrawn, and gone at the end; nothing for what takes less than half a second.
    private static func bar(_ what: String, _ done: Int, _ total: Int, _ seconds: Double) {
        if done == total { return StatusLine.clear() }
        if seconds > 0.5 { StatusLine.show(["\(what) \(done)/\(total)  \(left(done, total, seconds))"]) }
    }

    /// A line every 30 seconds.
    private static func plain() -> (String, Int, Int, Double) -> Void {
        var last = 0.0
        return { what, done, total, seconds in
            if done == total { last = 0 }
            guard done < total, seconds - last >= Progress.interval else { return }
            last = seconds
            Progress.write("\(what) \(done)/\(total)  \(left(done, total, seconds))\n")
        }
    }

    private static func json(_ what: String, _ done: Int, _ total: Int, _ seconds: Double) {
        Progress.write(
            JSON.text(
                .fields([
                    ("event", .string("loading")), ("what", .string(what)), ("done", .int(done)),
                    ("total", .int(total)), ("seconds", .number(seconds)),
                ])) + "\n")
    }
}
