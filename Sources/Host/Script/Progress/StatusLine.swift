import BSSCore
import BSSLua
import Glibc

/// The one line on a terminal's standard error that is written over; gone before anything else is written there.
enum StatusLine {
    nonisolated(unsafe) private static var isShown = false
    private static let display = Display.of(STDERR_FILENO)
    /// A terminal that can go back to the beginning of a line: nothing else ever sees an escape code.
    static let isPossible: Bool = {
        let isDumb = getenv("TERM").map { String(cString: $0) == "dumb" } ?? true
        return isatty(STDERR_FILENO) != 0 && !isDumb
    }()

    /// The first of these texts that fits, the last one cut if need be.
    static func show(_ texts: [String]) {
        let columns = max(10, Display.of(STDERR_FILENO).columns - 1)
        let text = texts.first { Text.columns($0) <= columns } ?? Text.cut(texts.last ?? "", to: columns)
        Progress.write("\r\u{1B}[K" + text)
        isShown = true
    }

    static func clear() {
        if isShown { Progress.write("\r\u{1B}[K") }
        isShown = false
    }

    /// Gone before each print of what `body` runs.
    static func sharing<R>(_ body: () throws -> R) rethrows -> R {
        isPossible ? try PrintTap.listening(isShown: true, { _ in clear() }, body) : try body()
    }

    /// `━━━━╸─────`
    static func bar(_ fraction: Double, _ width: Int) -> String {
        let filled = min(width, max(0, Int(saturating: fraction * Double(width))))
        let (done, left) = display.isUnicode ? ("━", "─") : ("#", ".")
        return String(repeating: done, count: filled) + String(repeating: left, count: width - filled)
    }
}
