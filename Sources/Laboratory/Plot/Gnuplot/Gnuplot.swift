import BSSCore
import Glibc

/// gnuplot as an optional program: one child for one picture.
public enum Gnuplot {
    /// A name looked up on the PATH, or a path.
    nonisolated(unsafe) static var program = "gnuplot"
    nonisolated(unsafe) static var secondsAllowed = 20.0
    /// The script prints this last: everything before it ran.
    private static let sentinel = "bss-plot: drawn"

    /// Where gnuplot is; nil if it is not installed.
    public static func find() -> String? {
        if program.contains("/") { return access(program, X_OK) == 0 ? program : nil }
        let folders = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        return folders.split(separator: ":").map { "\($0)/\(program)" }.first {
            access($0, X_OK) == 0 && !Files.isFolder($0)
        }
    }

    /// Draws `figure` into a file, which appears complete or not at all.
    ///
    /// - Throws: gnuplot is missing, reports an error, or takes longer than 20 s; interrupted.
    public static func draw(
        _ figure: Figure, as picture: Figure.Picture, to path: String, size: Figure.Size = .text
    ) throws {
        guard let executable = find() else {
            throw BSSError(
                "gnuplot", "is not installed, and \(path) needs it",
                hint: "apt-get install gnuplot-nox; .svg, .csv and .gp need nothing")
        }
        let made = "\(path).\(getpid()).new"
        let script = "\(path).\(getpid()).gp"
        defer {
            Files.remove(script)
            Files.remove(made)
        }
        try Files.write(try figure.gnuplot(output: made, as: picture, size: size) + "print '\(sentinel)'\n", to: script)
        let outcome = try ChildProcess.run(
            executable, ["--default-settings", script], without: ["GNUTERM", "GNUPLOT_LIB"], seconds: secondsAllowed)
        if outcome.isTimedOut {
            throw BSSError(
                "gnuplot", "took longer than \(Text.number(secondsAllowed)) s and was stopped\(quote(outcome.errors))")
        }
        guard outcome.status == 0, outcome.errors.contains(sentinel) else {
            throw BSSError("gnuplot", "failed with status \(outcome.status)\(quote(outcome.errors))")
        }
        if picture == .pdf, Files.exists(made) { try Files.write(undated(try Files.read(made)), to: made) }
        guard rename(made, path) == 0 else {
            throw BSSError(
                "gnuplot", "wrote no picture for \(path): \(String(cString: strerror(errno)))\(quote(outcome.errors))",
                kind: .output)
        }
    }

    /// A PDF whose time of creation is the start of the epoch: equal figures give equal bytes.
    static func undated(_ pdf: [UInt8]) -> [UInt8] {
        let mark = Array("/CreationDate (D:".utf8)
        let date = Array("19700101000000".utf8)
        var pdf = pdf
        guard pdf.count > mark.count + date.count else { return pdf }
        for start in 0...(pdf.count - mark.count - date.count)
        where pdf[start] == mark[0] && pdf[start..<start + mark.count].elementsEqual(mark) {
            pdf.replaceSubrange(start + mark.count..<start + mark.count + date.count, with: date)
        }
        return pdf
    }

    /// What gnuplot said, in one line: its errors quote the script and mark the place with a caret, which is left out.
    private static func quote(_ errors: String) -> String {
        let lines = errors.split(separator: "\n").map { $0.drop { $0 == " " } }.filter {
            !$0.isEmpty && $0 != "^" && !$0.contains(sentinel)
        }
        return lines.isEmpty ? "" : ": " + lines.suffix(3).joined(separator: " | ")
    }
}
