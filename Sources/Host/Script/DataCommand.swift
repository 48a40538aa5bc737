import BSSCore
import BSSData
import BSSLua
import Glibc

/// `bss-lua data check NAME`: which media of a collection are missing, unreadable or unlabelled.
public enum DataCommand {
    public static let command = ProgramCommand(
        usage: "bss-lua data check NAME [--data DIR] [--set option=value] [--quick] [--all] [--json]",
        actions: ["check"], takesFile: false, switches: ["--quick", "--all"]
    ) { call in
        let check = try DataCheck.run(
            call.file, try options(call.options.sets, of: call.file), reads: call.given["--quick"] == nil)
        print(
            call.options.json
                ? JSON.text(.table(check.table)) : check.text(most: call.given["--all"] == nil ? 20 : Int.max))
        return check.isSound ? 0 : ErrorReport.exitCode(BSSError("", "", kind: .data))
    }

    /// `--set` as options of the dataset's constructor, of the types that it declares.
    private static func options(_ sets: [(key: String, value: String)], of name: String) throws -> Table {
        let part = try Dataset.part(named: name)
        func plain(_ text: String) -> Value {
            Int(text).map(Value.int) ?? Double(text).map(Value.number) ?? [
                "true": Value.bool(true), "false": .bool(false),
            ][text] ?? .string(text)
        }
        var table = Table()
        for (key, text) in sets {
            guard let argument = part.arguments.first(where: { $0.name == key }) else {
                let near = Text.nearest(to: key, in: part.arguments.map(\.name)).map { "did you mean '\($0)'?" }
                throw BSSError(
                    "--set", "bss.data.\(name) has no option '\(key)'",
                    hint: near ?? "see bss-lua help bss.data.\(name)", kind: .usage)
            }
            let isList = argument.takesList || argument.defaultPlain.table != nil
            table[key] =
                isList && text != "false"
                ? .list(text.split(separator: ",").map { plain(String($0)) })
                : argument.expected.hasPrefix("string") ? .string(text) : plain(text)
        }
        return table
    }
}

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
