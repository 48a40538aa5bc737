import BSSCore

/// What loading tells whoever shows it: how far it is, and what it left out. Set once by the program.
public enum LoadingReport {
    /// (what, done, of, seconds so far); a final call has done = of.
    nonisolated(unsafe) public static var progress: ((String, Int, Int, Double) -> Void)?
    nonisolated(unsafe) public static var note: ((String) -> Void)?
}

/// Calls `LoadingReport.progress` at most ten times a second.
final class LoadingClock {
    private let what: String, total: Int
    private let start = Clock.seconds()
    private var last = 0.0

    init(_ what: String, of total: Int) {
        self.what = what
        self.total = total
    }

    func report(_ done: Int) {
        guard let progress = LoadingReport.progress else { return }
        let now = Clock.seconds()
        guard done == total || now - last >= 0.1 else { return }
        last = now
        progress(what, done, total, now - start)
    }
}
