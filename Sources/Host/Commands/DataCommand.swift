import BSSCore
import BSSData
import BSSLua

/// `bss-lua data check NAME`: which media of a collection are missing, unreadable or unlabelled.
public enum DataCommand {
    private static let quick = Argument("quick", default: false, "look only whether files are there"),
        all = Argument("all", default: false, "list every finding, not only the first 20")

    public static var command: ProgramCommand {
        ProgramCommand("data", "check the media of a collection before a training", [check])
    }

    private static var check: ProgramCommand {
        ProgramCommand(
            "check", "count missing, unreadable and unlabelled media (exit 8)",
            operand: .init("NAME", .word, choices: Dataset.parts.map(\.name)),
            options: [CommandOption(quick), CommandOption(all)],
            shared: [ProgramOption.set, ProgramOption.data, ProgramOption.quiet, ProgramOption.json]
        ) { call in
            let names = Dataset.parts.map(\.name)
            guard names.contains(call.operand) else {
                let near = Text.nearest(to: call.operand, in: names).map { "did you mean '\($0)'?" }
                throw BSSError(
                    call.path, "there is no dataset '\(call.operand)'",
                    hint: near ?? "known: " + names.joined(separator: ", "), kind: .usage)
            }
            _ = try call.state()  // data folders and notes
            let check = try DataCheck.run(
                call.operand, options(call.options.sets, of: call.operand), reads: !call[quick])
            print(call.options.json ? JSON.text(.table(check.table)) : check.text(most: call[all] ? Int.max : 20))
            return check.isSound ? 0 : ErrorReport.exitCode(BSSError("", "", kind: .data))
        }
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
