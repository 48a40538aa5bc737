import BSSCore
import BSSData
import BSSLua
import Glibc

/// Progress and notes of loading on stderr.
enum LoadingProgress {
    static func install(_ options: RunOptions) {
        LoadingReport.note = options.quiet ? nil : { Progress.write("note: \($0)\n") }
        LoadingReport.progress = nil
        guard !options.quiet else { return }
        switch options.progress {
        case .none: return
        case .json: LoadingReport.progress = json
        case .plain: LoadingReport.progress = plain()
        case .auto: LoadingReport.progress = isatty(STDERR_FILENO) != 0 ? bar : plain()
        }
    }

    private static func left(_ done: Int, _ total: Int, _ seconds: Double) -> String {
        let left = done > 0 ? seconds / Double(done) * Double(total - done) : 0
        return left < 90 ? "\(Text.fixed(left, left < 10 ? 1 : 0)) s left" : "\(Text.fixed(left / 60, 0)) min left"
    }

    /// Redrawn, and gone at the end; nothing for what takes less than half a second.
    private static func bar(_ what: String, _ done: Int, _ total: Int, _ seconds: Double) {
        if done == total { return Progress.write("\r\u{1B}[K") }
        if seconds > 0.5 { Progress.write("\r\u{1B}[K\(what) \(done)/\(total)  \(left(done, total, seconds))") }
    }

    /// A line every 30 seconds.
    private static func plain() -> (String, Int, Int, Double) -> Void {
        var last = 0.0
        return { what, done, total, seconds in
            if done == total { last = 0 }
            guard done < total, seconds - last >= 30 else { return }
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
