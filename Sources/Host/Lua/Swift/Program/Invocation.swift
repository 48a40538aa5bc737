import BSSCore

/// A parsed command line: a drop-in for `lua`'s, then our long options and subcommands.
///
/// Our long options are recognised before and after the script's name, up to `--`; everything else after the name
/// belongs to the script, until the script says what it takes (`bss.params`).
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
    var isInteractive: Bool {
        get { options.isInteractive }
        set { options.isInteractive = newValue }
    }
    var showsVersion = false
    var showsHelp = false
    var ignoresEnvironment = false
    var usesLuaEnvironment = false
    var warningsOn = false
    var isStrict = true
    var measuresStartup = false
    var memoryLimit = 0
    var prompt = PromptSettings()
    /// The command's name, and what stands around it.
    var command: String?
    var commandWords: [String] = []
    /// Folders given by `--data` so far: they come before those of the environment.
    var dataGiven = 0

    /// LUA_INIT, LUA_PATH and LUA_CPATH count: when asked for, and at a plain `-i`.
    var honoursLuaEnvironment: Bool { !ignoresEnvironment && (usesLuaEnvironment || (isInteractive && script == nil)) }
    /// Whether a prompt comes, on a terminal or not.
    func prompts(onTerminal: Bool) -> Bool {
        isInteractive || (onTerminal && script == nil && steps.isEmpty && !showsVersion)
    }

    /// - Parameter isCommand: whether a word is the name of a subcommand; asked of words that may be.
    init(_ words: [String], isCommand: (String) -> Bool, environment: (String) -> String?) throws {
        options = try RunOptions(environment: environment)
        options.commandLine = words
        var reader = WordReader(words: words, at: 1)
        if takesCommand(&reader, isCommand) { return }
        while let word = reader.next() {
            if word == "--" { break }
            guard word.hasPrefix("-"), word != "-" else {
                reader.at -= 1
                break
            }
            if word.hasPrefix("--") { try long(word, &reader) } else { try short(word, &reader) }
        }
        guard !reader.isAtEnd else {
            argumentTable = words.enumerated().map { ($0, $1) }
            return
        }
        try takeScript(&reader)
    }

    /// A command's name stands first, or after long options alone; `run` and `repl` go on as without a name.
    private mutating func takesCommand(_ reader: inout WordReader, _ isCommand: (String) -> Bool) -> Bool {
        var at = 1
        while at < reader.words.count, reader.words[at].hasPrefix("--"), reader.words[at] != "--" {
            let (name, value) = WordReader.split(reader.words[at])
            let known = ProgramOption.all.first { $0.option.name == name }
            at += known?.option.placeholder != nil && value == nil ? 2 : 1
        }
        guard at < reader.words.count, reader.words[at].utf8.allSatisfy({ (97...122).contains($0) }),
            isCommand(reader.words[at])
        else { return false }
        command = reader.words[at]
        commandWords = Array(reader.words[1..<at] + reader.words[(at + 1)...])
        return true
    }

    /// `run` and `repl`: the plain form with a word in front.
    mutating func takePlainForm(onlyPrompt: Bool) throws {
        let place = options.commandLine.count - commandWords.count
        var reader = WordReader(words: Array(options.commandLine[..<place]) + commandWords, at: place)
        while let word = reader.next(), word != "--" {
            guard word.hasPrefix("-"), word != "-" else {
                reader.at -= 1
                break
            }
            if word.hasPrefix("--") { try long(word, &reader) } else { try short(word, &reader) }
        }
        if onlyPrompt {
            isInteractive = true
            argumentTable = options.commandLine.enumerated().map { ($0, $1) }
            guard let extra = reader.next() else { return }
            throw BSSError("repl", "takes no '\(extra)'", hint: "bss-lua -i \(extra) runs it first", kind: .usage)
        }
        guard !reader.isAtEnd || showsHelp else { throw BSSError("run", "which script?", kind: .usage) }
        if !reader.isAtEnd { try takeScript(&reader) }
    }

    /// Whether the script says what it takes: then `--help` after its name is answered; else it is the script's own.
    var scriptDeclares: Bool {
        // A script that cannot be read is an error when it runs.
        guard let script, let text = try? Files.readText(script) else { return false }
        let declaring: Set<String> = ["params", "experiment", "train", "sweep"]
        return LuaLexer(text).tokens.contains { $0.kind == .name && declaring.contains($0.text) }
    }

    private mutating func takeScript(_ reader: inout WordReader) throws {
        let place = reader.at
        let name = reader.words[place]
        reader.at += 1
        script = name
        if name != "-" { options.script = name }
        while let word = reader.next() {
            if word == "--" {
                scriptArguments += reader.words[reader.at...]
                break
            }
            switch WordReader.split(word).name {
            case "--help":
                options.describes = true
                scriptArguments.append(word)
            case "--version": scriptArguments.append(word)
            case let option where ProgramOption.all.contains { $0.option.name == option }: try long(word, &reader)
            case let option where option == "-j" || option.hasPrefix("-j") && Int(option.dropFirst(2)) != nil:
                try short(word, &reader)
            default:
                scriptArguments.append(word)
                options.unclaimed.append(word)
            }
        }
        options.scriptArguments = scriptArguments
        argumentTable = reader.words[..<place].enumerated().map { ($0 - place, $1) } + [(0, name)]
        argumentTable += scriptArguments.enumerated().map { ($0 + 1, $1) }
    }

    private mutating func long(_ word: String, _ reader: inout WordReader) throws {
        let name = WordReader.split(word).name
        guard let one = ProgramOption.all.first(where: { $0.option.name == name }) else {
            throw WordReader.unknown(word, among: ProgramOption.all.map(\.option.name), of: "bss-lua")
        }
        let start = reader.at - 1
        try one.apply(
            &self,
            reader.value(of: one.option, word) { other in ProgramOption.all.contains { $0.option.name == other } })
        let isOfSweep = name == "--out" || ProgramOption.sweep.contains { $0.option.name == name }
        if !isOfSweep { options.passed += reader.words[start..<reader.at] }
        if ProgramOption.deciding.contains(name) { options.deciding += reader.words[start..<reader.at] }
    }

    private mutating func short(_ word: String, _ reader: inout WordReader) throws {
        func value() throws -> String {
            if word.count > 2 { return String(word.dropFirst(2)) }
            guard let next = reader.next() else { throw BSSError(word, "needs a value", kind: .usage) }
            return next
        }
        if word.hasPrefix("-j") {
            let count = try ProgramOption.jobs.option.value(of: value(), spelled: "-j")
            return try ProgramOption.jobs.apply(&self, count)
        }
        let start = reader.at - 1
        defer {
            options.passed += reader.words[start..<reader.at]
            if ["e", "l"].contains(word.dropFirst().first) { options.deciding += reader.words[start..<reader.at] }
        }
        switch word.dropFirst().first {
        case "e": steps.append(.execute(try value()))
        case "l":
            let module = try value()
            let pair = KeyValue(text: module)
            steps.append(
                .require(global: pair?.key ?? String(module.prefix { $0 != "-" }), module: pair?.value ?? module))
        case "i" where word.count == 2: isInteractive = true
        case "v" where word.count == 2: showsVersion = true
        case "h" where word.count == 2: showsHelp = true
        case "E" where word.count == 2: ignoresEnvironment = true
        case "W" where word.count == 2: warningsOn = true
        default: throw WordReader.unknown(word, among: Usage.luaOptions.map { String($0.0.prefix(2)) }, of: "bss-lua")
        }
    }
}
