import BSSCore

/// A parsed command line: a drop-in for `lua`'s, then our long options and subcommands.
///
/// Our long options are recognised before and after the script's name, up to `--`; everything else after the name
/// belongs to the script.
struct Invocation {
    enum Step: Equatable {
        case execute(String)
        /// `-l name`, `-l global=name`
        case require(global: String, module: String)
    }

    var options: RunOptions
    var steps: [Step] = []
    var script: String?
    var scriptArguments: [String] = []
    /// `arg`: script at 0, its arguments from 1, everything before it negative.
    var argumentTable: [(Int, String)] = []
    var isInteractive = false
    var showsVersion = false
    var showsHelp = false
    var ignoresEnvironment = false
    var usesLuaEnvironment = false
    var warningsOn = false
    var isStrict = true
    var measuresStartup = false
    var memoryLimit = 0
    var prompt = PromptSettings()
    var subcommand: Subcommand?
    var subcommandArguments: [String] = []

    /// LUA_INIT, LUA_PATH and LUA_CPATH count: when asked for, and at a plain `-i`.
    var honoursLuaEnvironment: Bool { !ignoresEnvironment && (usesLuaEnvironment || (isInteractive && script == nil)) }
    /// Whether a prompt comes, on a terminal or not.
    func prompts(onTerminal: Bool) -> Bool {
        isInteractive || subcommand == .repl || (onTerminal && script == nil && steps.isEmpty && !showsVersion)
    }

    enum Subcommand: String, CaseIterable {
        case repl, run, help
        case sweep, runs, diff, watch, report, plot, nb, pack, verify, data, check, doctor, kernel, completions
    }

    /// One long option: what the usage text shows and what it does.
    struct Option {
        let name: String
        /// The name of its value in the usage text; nil: a switch.
        let value: String?
        let help: String
        let apply: (inout Invocation, String) throws -> Void
    }

    static let known: [Option] = [
        Option(name: "--set", value: "K=V", help: "override a parameter that the script declared (repeatable)") {
            $0.options.sets.append(try RunOptions.pair($1, "--set"))
        },
        Option(name: "--seed", value: "N", help: "root seed of every random stream") {
            $0.options.seed = try RunOptions.seed($1, "--seed")
        },
        Option(name: "--threads", value: "N", help: "threads of the engine; results do not depend on it") {
            $0.options.threads = try RunOptions.threads($1, "--threads")
        },
        Option(name: "--device", value: "D", help: "cpu, cuda or cuda:N") {
            $0.options.device = try RunOptions.device($1, "--device")
        },
        Option(name: "--data", value: "DIR", help: "folder with datasets (repeatable; also BSS_DATA)") {
            $0.options.dataFolders.insert(try RunOptions.folder($1, "--data"), at: $0.dataGiven)
            $0.dataGiven += 1
        },
        Option(name: "--out", value: "DIR", help: "where runs are written (default experiments/runs)") {
            $0.options.out = try RunOptions.folder($1, "--out")
        },
        Option(name: "--resume", value: nil, help: "continue unfinished runs from their last checkpoints") { i, _ in
            i.options.resume = true
        },
        Option(name: "--rerun", value: nil, help: "train finished runs again instead of taking their records") { i, _ in
            i.options.rerun = true
        },
        Option(
            name: "--check", value: nil,
            help: "options, models and shapes up to the first training or experiment; no data, no training"
        ) { i, _ in i.options.check = true },
        Option(name: "--progress", value: "MODE", help: "auto, plain, json or none") {
            $0.options.progress = try RunOptions.progress($1, "--progress")
        },
        Option(name: "--quiet", value: nil, help: "no progress, no notes") { i, _ in i.options.quiet = true },
        Option(name: "--json", value: nil, help: "listings as JSON") { i, _ in i.options.json = true },
        Option(name: "--no-strict", value: nil, help: "undeclared globals are nil, as in lua") { i, _ in
            i.isStrict = false
        },
        Option(name: "--lua-env", value: nil, help: "honour LUA_INIT, LUA_PATH and LUA_CPATH") { i, _ in
            i.usesLuaEnvironment = true
        },
        Option(name: "--max-memory", value: "SIZE", help: "limit of Lua's own heap (512M, 2G)") {
            $0.memoryLimit = try RunOptions.bytes($1, "--max-memory")
        },
        Option(name: "--log", value: "FILE", help: "prompt: where the session is logged as a notebook") {
            $0.prompt.log = $1
        },
        Option(name: "--restore", value: "FILE", help: "prompt: begin with the cells of an earlier session's log") {
            $0.prompt.restore = $1
        },
        Option(name: "--no-log", value: nil, help: "prompt: no log") { i, _ in i.prompt.keepsLog = false },
        Option(name: "--no-history", value: nil, help: "prompt: history is neither read nor kept") { i, _ in
            i.prompt.keepsHistory = false
        },
        Option(name: "--no-init", value: nil, help: "prompt: no start-up file (BSS_INIT)") { i, _ in
            i.prompt.runsStartFile = false
        },
        Option(name: "--color", value: "WHEN", help: "prompt: auto, always or never") { i, text in
            guard ["auto", "always", "never"].contains(text) else {
                throw BSSError("--color", "expects auto, always or never, got '\(text)'", kind: .usage)
            }
            i.prompt.color = text
            Display.colourChoice = Display.ColourChoice(rawValue: text) ?? .auto
        },
        Option(name: "--startup-time", value: nil, help: "print where the start-up time goes") { i, _ in
            i.measuresStartup = true
        },
        Option(name: "--version", value: nil, help: "print the version") { i, _ in i.showsVersion = true },
        Option(name: "--help", value: nil, help: "print this text") { i, _ in i.showsHelp = true },
    ]
    /// Ours after the script's name, too; `--help` and `--version` there are the script's.
    private static let afterScript = Set(known.map(\.name)).subtracting(["--help", "--version"])
    private var dataGiven = 0

    init(_ words: [String], environment: (String) -> String?) throws {
        options = try RunOptions(environment: environment)
        options.commandLine = words
        var at = 1
        // `run` is the plain form with a word in front.
        if at < words.count, let found = Subcommand(rawValue: words[at]) {
            subcommand = found
            at += 1
            guard found == .run || found == .repl else {
                subcommandArguments = Array(words[at...])
                return
            }
        }
        while at < words.count, words[at].hasPrefix("-"), words[at] != "-" {
            let word = words[at]
            at += 1
            if word == "--" { break }
            if word.hasPrefix("--") { try long(word, words, &at) } else { try short(word, words, &at) }
        }
        guard at < words.count else {
            argumentTable = words.enumerated().map { ($0, $1) }
            if subcommand == .run { throw BSSError("run", "which script?", kind: .usage) }
            return
        }
        try takeScript(words, at)
    }

    private mutating func takeScript(_ words: [String], _ scriptAt: Int) throws {
        script = words[scriptAt]
        if script != "-" { options.script = script }
        var at = scriptAt + 1
        while at < words.count {
            let word = words[at]
            at += 1
            if word == "--" {
                scriptArguments += words[at...]
                break
            }
            if Invocation.afterScript.contains(String(word.prefix { $0 != "=" })) {
                try long(word, words, &at)
            } else {
                scriptArguments.append(word)
                if word.hasPrefix("--"), word != "--help", word != "--version" { options.unknown.append(word) }
            }
        }
        argumentTable = words[..<scriptAt].enumerated().map { ($0 - scriptAt, $1) } + [(0, words[scriptAt])]
        argumentTable += scriptArguments.enumerated().map { ($0 + 1, $1) }
    }

    private mutating func long(_ word: String, _ words: [String], _ at: inout Int) throws {
        let equals = word.firstIndex(of: "=")
        let name = equals.map { String(word[..<$0]) } ?? word
        guard let option = Invocation.known.first(where: { $0.name == name }) else {
            let near = Invocation.suggestion(for: name)
            throw BSSError("", "unknown option '\(name)'", hint: near ?? "bss-lua --help lists them", kind: .usage)
        }
        var value = equals.map { String(word[word.index(after: $0)...]) }
        if option.value == nil {
            if value != nil { throw BSSError(name, "takes no value", kind: .usage) }
        } else if value == nil {
            guard at < words.count else { throw BSSError(name, "needs a value: \(option.value!)", kind: .usage) }
            value = words[at]
            at += 1
        }
        try option.apply(&self, value ?? "")
    }

    static func suggestion(for name: String) -> String? {
        let near = Text.allNearest(to: name, in: known.map(\.name)).map { "'\($0)'" }
        return near.isEmpty ? nil : "did you mean \(near.joined(separator: " or "))?"
    }

    private mutating func short(_ word: String, _ words: [String], _ at: inout Int) throws {
        func value() throws -> String {
            if word.count > 2 { return String(word.dropFirst(2)) }
            guard at < words.count else { throw BSSError(word, "needs a value", kind: .usage) }
            defer { at += 1 }
            return words[at]
        }
        switch word.dropFirst().first {
        case "e": steps.append(.execute(try value()))
        case "l":
            let module = try value()
            let pair = try? RunOptions.pair(module, "-l")
            steps.append(
                .require(global: pair?.key ?? String(module.prefix { $0 != "-" }), module: pair?.value ?? module))
        case "i" where word.count == 2: isInteractive = true
        case "v" where word.count == 2: showsVersion = true
        case "h" where word.count == 2: showsHelp = true
        case "E" where word.count == 2: ignoresEnvironment = true
        case "W" where word.count == 2: warningsOn = true
        default: throw BSSError("", "unknown option '\(word)'", hint: "bss-lua --help lists them", kind: .usage)
        }
    }

    static var usage: String {
        let rows = known.map { option in (option.value.map { "\(option.name) \($0)" } ?? option.name, option.help) }
        let width = rows.map(\.0.count).max()! + 2
        return """
            usage: bss-lua [options] [script [args]]
                   bss-lua run SCRIPT [options] [-- args]
                   bss-lua help [NAME | --markdown]
                   bss-lua repl
                   bss-lua data check NAME [--data DIR] [--set K=V] [--quick] [--all]
                   bss-lua nb run|check|export FILE.lua [-o FILE] [--rtol R] [--atol A] [options]
                   bss-lua plot FILE.csv [--kind K] [--x COLUMN] [--y A,B] [--by COLUMN] [-o FILE]

            As lua:
              -e STAT  run text      -l MOD  require it    -i  prompt after the script   -v  version
              -E  ignore LUA_* and BSS_* variables         -W  warnings on     -  standard input     --  end of options

            Options, before the script's name or after it (until --); everything else after the name is the script's `arg`:

            """ + rows.map { "  " + Text.padded($0.0, to: width) + $0.1 }.joined(separator: "\n") + """


                Exit codes: 0 done, 1 error in the script, 2 wrong command line, 3 nb check: differs, 4 nb check: nothing to check, 8 data missing or damaged, 9 device not available,
                74 output could not be written, 75 stopped with work left (--resume goes on), 130 interrupted.

                """
    }
}
