import BSSCore
import BSSSandbox
import CBSSInterrupt
import CBSSLua
import Glibc

/// The `bss-lua` program: command line, script, prompt, exit code.
public struct Program {
    public let version: String
    /// Makes the `bss` table for the parsed options.
    public let api: (LuaState, RunOptions) throws -> Namespace
    /// The interactive prompt; returns the exit code.
    public let prompt: (PromptContext) -> Int32
    /// Subcommands of other modules; declared when a command line may name one.
    let commands: () -> [ProgramCommand]

    public init(
        version: String, commands: @escaping () -> [ProgramCommand],
        api: @escaping (LuaState, RunOptions) throws -> Namespace,
        prompt: @escaping (PromptContext) -> Int32 = PlainPrompt.run
    ) {
        self.commands = commands
        self.version = version
        self.api = api
        self.prompt = prompt
    }

    /// The words of this process's command line as `main` got them.
    public static var commandLine: [String] {
        (0..<bss_lua_argument_count()).compactMap { bss_lua_argument($0).map { String(cString: $0) } }
    }

    public func run(_ words: [String]) -> Never {
        var clock = StartupClock()
        let invocation: Invocation
        do {
            try Jail.enterIfAsked()
            let ignores = words.dropFirst().prefix { $0.hasPrefix("-") }.contains("-E")
            var parsed = try Invocation(
                words, isCommand: { name in allCommands.contains { $0.name == name } },
                environment: { ignores ? nil : getenv($0).map { String(cString: $0) } })
            if let name = parsed.command, let command = allCommands.first(where: { $0.name == name }) {
                let isSweep = command.takesScript(parsed.commandWords)
                guard command.isPlainForm || isSweep else {
                    run(command, path: command.name, parsed.commandWords, from: parsed)
                }
                try parsed.takePlainForm(onlyPrompt: command.operand == nil && !isSweep)
                if isSweep, parsed.options.sweep == nil { parsed.options.sweep = SweepRequest.usual }
                if parsed.showsHelp { finish(command.help(command.name)) }
            }
            parsed.options.describes = parsed.options.describes && parsed.scriptDeclares
            invocation = parsed
        } catch { fail(error) }
        if invocation.showsHelp { finish(usage) }
        if Jail.inside == nil {
            if invocation.options.sandbox.isOn { confine(invocation) }
            if let option = invocation.options.sandbox.given {
                fail(BSSError(option, "is a limit of --sandbox", kind: .usage))
            }
        }
        clock.mark("command line")
        let state: LuaState
        let namespace: Namespace
        do {
            state = try LuaState(environment: invocation.honoursLuaEnvironment)
            clock.mark("Lua state")
            namespace = try prepare(state, invocation)
            clock.mark("bss table")
        } catch { fail(error) }
        // What comes before the first prompt is reported there, a script's start here.
        let ready = {
            if invocation.measuresStartup { clock.report() }
        }
        if !invocation.prompts(onTerminal: isatty(STDIN_FILENO) != 0) { ready() }
        state.exit(
            execute(invocation, state, namespace) {
                clock.mark("prompt")
                ready()
            })
    }

    func prepare(_ state: LuaState, _ invocation: Invocation) throws -> Namespace {
        bss_lua_signals_install(bss_cancel_request)
        bss_lua_signals_watch(state.host)
        Cancellation.leavingSignal = { bss_lua_signals_leaving() }
        state.warningsOn = invocation.warningsOn
        state.installStandardReplacements(seed: invocation.options.seed ?? 0)
        if Jail.inside != nil { try state.confine() }
        state.noteSources()
        let namespace = try api(state, invocation.options)
        try state.install(namespace)
        state.setArguments(invocation.argumentTable)
        state.recordStandardGlobals()
        if let script = invocation.options.script { state.addModuleFolder(of: script) }
        if invocation.isStrict {
            state.strict = StrictGlobals()
            state.strict?.install(in: state)
        }
        if invocation.memoryLimit > 0 { state.limitMemory(bytes: invocation.memoryLimit) }
        return namespace
    }

    /// Runs everything the command line asks for; the exit code.
    private func execute(
        _ invocation: Invocation, _ state: LuaState, _ namespace: Namespace, whenReady: @escaping () -> Void
    ) -> Int32 {
        if invocation.showsVersion { print(versionText(json: invocation.options.json)) }
        let script = invocation.script
        let wantsPrompt = invocation.isInteractive
        do {
            if invocation.honoursLuaEnvironment { try runStartText(state) }
            for step in invocation.steps {
                switch step {
                case .execute(let text):
                    state.sources.add(Array(text.utf8), name: "(command line)")
                    try state.run(text, name: "=(command line)")
                case .require(let global, let module): try state.require(module, as: global)
                }
            }
            if let script {
                guard script == "-" || Files.exists(script) else { throw missing(script) }
                guard !Files.isFolder(script) else {
                    throw BSSError("--", "'\(script)' is a folder, no script", kind: .usage)
                }
                if let hears = state.hearsOutput { PrintTap.listen(hears) }
                try state.runFile(script == "-" ? nil : script, arguments: invocation.scriptArguments)
            } else if !wantsPrompt, invocation.steps.isEmpty, !invocation.showsVersion, isatty(STDIN_FILENO) == 0 {
                try state.runFile(nil)
            }
            if !wantsPrompt { try state.whenScriptEnds?() }
        } catch {
            // Described without its data: what it declared before it asked for them.
            if invocation.options.describes, BSSError.of(error).kind == .data {
                return endDescription(state, invocation)
            }
            let code = report(error, invocation)
            state.regainControl()
            if !wantsPrompt { return code }
        }
        if invocation.prompts(onTerminal: isatty(STDIN_FILENO) != 0) {
            return prompt(
                PromptContext(
                    state: state, namespace: namespace, options: invocation.options, settings: invocation.prompt,
                    version: version, whenReady: whenReady
                ) { try fresh(invocation.options) })
        }
        return 0
    }

    private func endDescription(_ state: LuaState, _ invocation: Invocation) -> Int32 {
        do { try state.whenScriptEnds?() } catch { return report(error, invocation) }
        return 0
    }

    /// A second, clean state like the first, for replays.
    package func fresh(_ options: RunOptions) throws -> (LuaState, Namespace) {
        let state = try LuaState()
        state.installStandardReplacements(seed: options.seed ?? 0)
        let namespace = try api(state, options)
        try state.install(namespace)
        return (state, namespace)
    }

    private func missing(_ script: String) -> BSSError {
        let near = Text.nearest(to: script, in: allCommands.map(\.name)).map {
            "did you mean the command '\($0)'?"
        }
        return BSSError("--", "cannot open the script '\(script)'", hint: near, kind: .usage)
    }

    /// LUA_INIT: a statement, or `@file`.
    private func runStartText(_ state: LuaState) throws {
        guard let text = (getenv("LUA_INIT_5_4") ?? getenv("LUA_INIT")).map({ String(cString: $0) }) else { return }
        if text.hasPrefix("@") {
            try state.runFile(String(text.dropFirst()))
        } else {
            try state.run(text, name: "=LUA_INIT")
        }
    }

    // MARK: Output

    private func versionText(json: Bool) -> String {
        let lua = String(cString: bss_lua_release_name())
        return json
            ? JSON.text(.fields([("bss_lua", .string(version)), ("lua", .string(lua))])) : "bss-lua \(version), \(lua)"
    }

    func report(_ error: any Error, _ invocation: Invocation) -> Int32 {
        let error = BSSError.of(error)
        if error.kind == .checked {
            if !invocation.options.quiet, !error.message.isEmpty { Terminal.error("bss-lua: \(error.message)\n") }
            return LuaState.flushOutput(0)
        }
        let signal = bss_lua_signal_pending()
        if signal == SIGPIPE { return 128 + SIGPIPE }
        var sources: [String: String] = [:]
        if case .execute(let text)? = invocation.steps.first(where: {
            if case .execute = $0 { return true } else { return false }
        }) {
            sources["(command line)"] = text
        }
        var shown = error
        if shown.operation == "--" { shown.operation = "" }
        Terminal.error("bss-lua: " + ErrorReport.text(shown, sources: sources))
        return ErrorReport.exitCode(error, signal: signal)
    }

    /// Before a state exists: every error is one of the command line.
    func fail(_ error: any Error) -> Never {
        let error = BSSError.of(error)
        Terminal.error("bss-lua: \(error.description)\n")
        exit(error.kind == .usage ? 2 : ErrorReport.exitCode(error))
    }
}

/// What a prompt works with.
public struct PromptContext {
    public let state: LuaState
    public let namespace: Namespace
    public let options: RunOptions
    public let settings: PromptSettings
    public let version: String
    /// Called once, when the first prompt is about to be shown.
    public let whenReady: () -> Void
    /// A clean state for replays.
    public let fresh: () throws -> (LuaState, Namespace)
}

/// Options of the prompt alone.
public struct PromptSettings {
    /// The session's log file; nil: a default place.
    public var log: String?
    /// The log of an earlier session whose cells run first.
    public var restore: String?
    public var keepsLog = true
    public var keepsHistory = true
    public var runsStartFile = true
    public var color = "auto"
}

/// `--startup-time`: wall time between marks, from the start of the process.
struct StartupClock {
    private var last: Double
    private var rows: [(String, Double)] = []

    init() {
        last = Clock.seconds()
        rows.append(("before main (CPU)", Clock.processSeconds()))
    }

    mutating func mark(_ name: String) {
        let now = Clock.seconds()
        rows.append((name, now - last))
        last = now
    }

    func report() {
        for (name, seconds) in rows {
            Terminal.error(Text.padded(name, to: 20) + Text.fixed(1e3 * seconds, 3) + " ms\n")
        }
    }
}
