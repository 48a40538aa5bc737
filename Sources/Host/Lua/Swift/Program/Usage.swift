import BSSCore

/// Usage texts and the man page, all derived from declarations.
extension ProgramCommand {
    /// `bss-lua plot FILE.csv [--kind K] …`, a line for each member of a family.
    func usageLines(_ path: String) -> [String] {
        let members = commands.flatMap { $0.usageLines("\(path) \($0.name)") }
        if body == nil, operand == nil, !members.isEmpty { return members }
        let subject = operand.map { $0.isRequired ? [$0.name] : ["[\($0.name)]"] } ?? []
        let own = options.map { option in
            "[\(option.short ?? option.name)\(option.placeholder.map { " \($0)" } ?? "")]"
        }
        let others = (shared.isEmpty ? [] : ["[options]"]) + (takesArguments ? ["[-- args]"] : [])
        return [(["bss-lua", path] + subject + own + others).joined(separator: " ")] + members
    }

    func usage(_ path: String) -> String { usageLines(path).joined(separator: "; ") }

    /// What `--help` prints.
    public func help(_ path: String) -> String {
        var text = "\(path): \(summary)\n\n" + Usage.listed(usageLines(path), "usage: ") + "\n"
        if !commands.isEmpty {
            text += "\n" + Usage.rows(commands.map { ($0.name, $0.summary) })
            text += commands.map { $0.optionsText(title: "\n\(path) \($0.name):\n") }.joined()
        }
        return text + optionsText(title: "\n")
    }

    private func optionsText(title: String) -> String {
        let rows = allOptions.map { ($0.spelled, Usage.help($0.argument)) }
        return rows.isEmpty ? "" : title + Usage.rows(rows)
    }
}

package enum Usage {
    static func help(_ argument: any AnyArgument) -> String {
        let plain = argument.defaultPlain
        let isWorthSaying =
            !argument.isRequired && !plain.isNull && plain.table == nil
            && plain.described != Value.bool(false).described
        return argument.help + (isWorthSaying ? " (default \(JSON.lua(plain)))" : "")
    }

    static func rows(_ rows: [(String, String)]) -> String {
        let width = rows.reduce(0) { max($0, $1.0.count) } + 2
        return rows.map { "  " + Text.padded($0.0, to: width) + $0.1 + "\n" }.joined()
    }

    static func listed(_ lines: [String], _ title: String) -> String {
        let blank = String(repeating: " ", count: title.count)
        return lines.enumerated().map { ($0 == 0 ? title : blank) + $1 }.joined(separator: "\n")
    }

    static let luaOptions = [
        ("-e STAT", "run text"), ("-l MOD", "require it; -l name=MOD under that name"),
        ("-i", "prompt after the script"), ("-v", "version"), ("-E", "ignore LUA_* and BSS_* variables"),
        ("-W", "warnings on"), ("-", "standard input as the script"), ("--", "end of options"),
    ]
    package static let exitCodes = [
        ("0", "done; verify: every claim that was asked for holds"), ("1", "error in the script"),
        ("2", "wrong command line"), ("3", "nb check, diff, verify: differs"),
        ("4", "nb check, verify: something was not checked"), ("5", "verify: the artifact is damaged"),
        ("6", "sweep: ended with failed runs"), ("7", "a limit was reached (time, memory, output, disk)"),
        ("8", "data missing or damaged"), ("9", "device not available"),
        ("74", "output could not be written"), ("75", "stopped with work left; --resume goes on"),
        ("130", "interrupted"),
    ]
    package static let variables = [
        ("BSS_DATA", "folders with datasets, as --data, between colons"),
        ("BSS_SEED, BSS_THREADS, BSS_DEVICE", "as --seed, --threads, --device, which win"),
        ("BSS_ISA, BSS_BLAS", "v4, v3 or base: kernels of this level; auto, own or openblas: who multiplies matrices"),
        ("BSS_CUDA_BLAS, BSS_CUDA_CUDNN", "auto or none: whether products go to cuBLAS, convolutions to cuDNN"),
        ("BSS_CUDA_PATH, BSS_CUDA_CACHE", "where CUDA's libraries are; where compiled kernels are kept, or none"),
        ("BSS_LEASE", "seconds after which a run's owner that cannot be looked at counts as gone (180)"),
        ("BSS_SANDBOX", "auto, landlock, bubblewrap or none: the wall of run --sandbox"),
        ("BSS_HOME, BSS_HISTORY, BSS_LOG", "state of the prompt: its folder, its history, its log"),
        ("BSS_INIT", "a script that the prompt runs first"),
        ("BSS_PAGER, BSS_PLOT", "the pager (PAGER, less); text, kitty, sixel or none: how figures are shown"),
        ("BSS_PROGRESS_SECONDS", "seconds after which a plain log has a new line (30)"),
        ("NO_COLOR, CLICOLOR_FORCE, TERM, COLUMNS", "as everywhere"),
        ("SOURCE_DATE_EPOCH", "the time that packed artifacts carry"),
    ]
}

extension Program {
    /// What `--help` prints.
    public var usage: String {
        let forms = ["bss-lua [options] [script [args]]"] + allCommands.flatMap { $0.usageLines($0.name) }
        return Usage.listed(forms, "usage: ") + "\n\nCommands (bss-lua COMMAND --help says more):\n"
            + Usage.rows(allCommands.map { ($0.name, $0.summary) }) + "\nAs lua:\n" + Usage.rows(Usage.luaOptions)
            + "\nOptions, before the script's name or after it (until --); "
            + "everything else after the name is the script's `arg`:\n"
            + Usage.rows(ProgramOption.all.map { ($0.option.spelled, $0.option.argument.help) })
            + "\nExit codes:\n" + Usage.rows(Usage.exitCodes) + "\nEnvironment:\n" + Usage.rows(Usage.variables)
    }

    /// `bss-lua help --man`: the manual page as roff (man(7)).
    var manual: String {
        func plain(_ text: String) -> String {
            let escaped = text.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\e")
            let dashed = escaped.split(separator: "-", omittingEmptySubsequences: false).joined(separator: "\\-")
            return dashed.hasPrefix(".") || dashed.hasPrefix("'") ? "\\&" + dashed : dashed
        }
        func listed(_ rows: [(String, String)]) -> String {
            rows.map { ".TP\n\\fB\(plain($0.0))\\fR\n\(plain($0.1))\n" }.joined()
        }
        var text = ".TH BSS\\-LUA 1 \"\" \"bss\\-lua \(version)\"\n.SH NAME\nbss\\-lua \\- "
        text += "laboratory for Balance\\-aware Sequence Sampling: a Lua 5.4 host over a deep\\-learning engine\n"
        text += ".SH SYNOPSIS\n.B bss\\-lua\n[options] [script [args]]\n"
        for command in allCommands {
            for line in command.usageLines(command.name) { text += ".br\n\(plain(line))\n" }
        }
        text += ".SH OPTIONS\n" + listed(Usage.luaOptions)
        text += listed(ProgramOption.all.map { ($0.option.spelled, $0.option.argument.help) })
        text += ".SH COMMANDS\n"
        for command in allCommands {
            text += ".SS \(plain(command.name))\n\(plain(command.summary))\n"
            for one in command.commands.isEmpty ? [command] : command.commands {
                if !command.commands.isEmpty {
                    text += ".PP\n\\fB\(command.name) \(one.name)\\fR: \(plain(one.summary))\n"
                }
                text += listed(one.options.map { ($0.spelled, Usage.help($0.argument)) })
            }
        }
        text += ".SH EXIT STATUS\n" + listed(Usage.exitCodes)
        return text + ".SH ENVIRONMENT\n" + listed(Usage.variables)
    }
}
