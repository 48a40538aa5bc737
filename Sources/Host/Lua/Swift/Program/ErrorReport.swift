import BSSCore
import Glibc

/// An error as the command line and the prompt show it: the sentence first, then the script's frames with
/// their source lines; frames of the host are folded away.
public enum ErrorReport {
    /// - Parameter sources: text of chunks that are no files, by name.
    public static func text(_ error: BSSError, sources: [String: String] = [:]) -> String {
        var out = Text.shown(error.located) + "\n"
        let frames = (error.traceback ?? "").split(separator: "\n").map(String.init)
        var files: [String: [Substring]] = [:]
        var previous = ""
        var repeats = 0
        func endRepeats() {
            if repeats > 0 { out += "  ... (the same \(repeats) more time\(repeats == 1 ? "" : "s"))\n" }
            repeats = 0
        }
        for frame in frames {
            if frame == previous {
                repeats += 1
                continue
            }
            endRepeats()
            previous = frame
            guard let (file, line, what) = parse(frame) else {
                out += "  \(frame)\n"
                continue
            }
            out += "  at \(file):\(line), \(what)\n"
            if files[file] == nil {
                // A file that cannot be read leaves the frame without its line of code.
                let text = sources[file] ?? (Files.exists(file) ? try? Files.readText(file) : nil) ?? ""
                files[file] = text.split(separator: "\n", omittingEmptySubsequences: false)
            }
            if let lines = files[file], lines.indices.contains(line - 1) {
                let code = lines[line - 1].drop { $0 == " " || $0 == "\t" }
                if !code.isEmpty { out += "       | \(code.prefix(160))\n" }
            }
        }
        endRepeats()
        return out
    }

    /// `file:line: in what`
    private static func parse(_ frame: String) -> (file: String, line: Int, what: String)? {
        guard let separator = frame.range(of: ": in ") else { return nil }
        let place = frame[..<separator.lowerBound]
        guard let colon = place.lastIndex(of: ":"), let line = Int(place[place.index(after: colon)...]) else {
            return nil
        }
        return (String(place[..<colon]), line, "in " + frame[separator.upperBound...])
    }

    /// The process exit code (host.md section F). A usage error of an option itself is a wrong command line.
    public static func exitCode(_ error: BSSError, signal: Int32 = 0) -> Int32 {
        switch error.kind {
        case .usage: return error.operation.hasPrefix("-") ? 2 : 1
        case .runtime, .busy: return 1
        case .damaged: return 5
        case .failedRuns: return 6
        case .left: return 75
        case .data: return 8
        case .device: return 9
        case .output: return 74
        case .checked: return 0
        case .cancelled:
            // TERM, HUP, USR1 and USR2 ask to leave with work left, as a queue's time limit does.
            return [SIGTERM, SIGHUP, SIGUSR1, SIGUSR2].contains(signal) ? 75 : 128 + (signal == 0 ? SIGINT : signal)
        }
    }
}
