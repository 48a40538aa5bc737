import BSSCore
import BSSLuaHost
import CBSSLua
import Glibc

/// The interactive prompt: numbered cells, help, commands, history, a log that is a notebook.
public final class REPL {
    let context: PromptContext
    let session: Session
    /// Globals at start: `%who` shows what came later.
    let initialGlobals: Set<String>
    private var editor: (any LineEditor)!
    private var history: History
    var log: LogFile?
    var leaves: Int32?
    nonisolated(unsafe) static var current: REPL?

    private var state: LuaState { context.state }
    /// Results go to standard output on a terminal; a pipe gets only what the code prints.
    private let isTerminal: Bool
    private let hasColor: Bool

    public static func run(_ context: PromptContext) -> Int32 {
        let repl = REPL(context)
        current = repl
        defer { current = nil }
        return repl.loop()
    }

    private init(_ context: PromptContext) {
        self.context = context
        session = Session(context.state)
        initialGlobals = Set(context.state.globalNames)
        isTerminal = isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0
        let environment = REPL.environment
        hasColor = switch context.settings.color {
        case "always": true
        case "never": false
        default: isTerminal && (environment("NO_COLOR") ?? "").isEmpty && environment("TERM") != "dumb" || (environment("CLICOLOR_FORCE") ?? "0") != "0"
        }
        let id = "\(time(nil))-\(getpid())"
        history = History(path: context.settings.keepsHistory && isTerminal ? History.defaultPath(environment: environment) : nil, session: id)
        if context.settings.keepsLog, isTerminal || context.settings.log != nil {
            let folder = Files.isFolder(".bss") ? ".bss" : History.stateFolder(environment: environment)
            if let path = context.settings.log ?? folder.map({ "\($0)/sessions/\(id).lua" }) {
                log = LogFile(path: path, heading: "-- bss-lua \(context.version) session, seed \(context.options.seed.map(String.init) ?? "default")\n\n")
            }
        }
        let completion = Completion(state: context.state, root: context.namespace, commands: Command.all.map(\.name))
        let isComplete: (String) -> Bool = { [session] in session.isComplete($0) }
        editor = (isTerminal ? ReadlineEditor(isComplete: isComplete, complete: completion.candidates) : nil) ?? PlainEditor(isComplete: isComplete)
        for text in history.load() { editor.remember(text) }
    }

    static let environment: (String) -> String? = { getenv($0).map { String(cString: $0) } }

    // MARK: The loop

    private func loop() -> Int32 {
        if isTerminal {
            print("bss-lua \(context.version), \(String(cString: bss_lua_release_name())).  ?name help   %help commands   Ctrl-D leaves")
        }
        runStartFile()
        while leaves == nil {
            let number = session.nextNumber
            switch editor.read(prompt: prompt("bss[\(number)]> "), continuation: "..> ") {
            case .end:
                if isTerminal { print("") }
                leaves = 0
            case .interrupted(let text): if !text.isEmpty { editor.remember(text) }
            case .text(let raw):
                let text = REPL.withoutPrompts(raw)
                if text.trimmed.isEmpty { continue }
                editor.remember(text)
                handle(text)
            }
        }
        return leaves!
    }

    private func handle(_ text: String) {
        let start = Session.now()
        let trimmed = text.trimmed
        var failed = false
        do {
            switch trimmed.first! {
            case "?": try showHelp(String(trimmed.dropFirst()))
            case "%":
                log?.append(command: trimmed)
                try Command.run(String(trimmed.dropFirst()), self)
            case "!": shell(String(trimmed.dropFirst()))
            default: failed = !evaluate(text)
            }
        } catch {
            failed = true
            report(error as? BSSError ?? BSSError("", "\(error)"))
        }
        regainControl()
        history.append(History.Entry(code: text, isError: failed, milliseconds: (Session.now() - start) * 1e3), time: time(nil))
    }

    /// Evaluates a cell, shows and logs it; false: it failed.
    @discardableResult
    func evaluate(_ code: String) -> Bool {
        let start = Session.now()
        state.lastSignal = 0
        let cell = session.evaluate(code)
        regainControl()
        let signal = state.lastSignal
        let seconds = Session.now() - start
        for output in cell.outputs where output.kind == .value { show(output.text) }
        log?.append(cell)
        if signal == SIGTERM || signal == SIGPIPE { leaves = 128 + signal }
        if let error = cell.error {
            if cell.outcome.wasInterrupted {
                Terminal.error(colored("interrupted", "33") + " after \(REPL.duration(seconds))\n")
            } else {
                report(error)
            }
        } else if seconds > 1, isTerminal {
            Terminal.error(colored("(\(REPL.duration(seconds)))", "2") + "\n")
        }
        return cell.error == nil
    }

    private func regainControl() { if state.isStopping { state.regainControl() } }

    // MARK: Showing

    func show(_ text: String) {
        if isTerminal {
            print(text)
            fflush(stdout)
        } else {
            Terminal.error(text + "\n")
        }
    }

    func report(_ error: BSSError) {
        let text = ErrorReport.text(error, sources: session.sources)
        let firstEnd = text.firstIndex(of: "\n") ?? text.endIndex
        Terminal.error(colored(String(text[..<firstEnd]), "31") + text[firstEnd...])
    }

    func colored(_ text: String, _ code: String) -> String { hasColor ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }

    /// Readline must know which bytes take no room.
    private func prompt(_ text: String) -> String {
        hasColor && editor.isTerminal ? "\u{1}\u{1B}[1;32m\u{2}\(text)\u{1}\u{1B}[0m\u{2}" : text
    }

    static func duration(_ seconds: Double) -> String {
        switch seconds {
        case ..<1e-6: return Text.fixed(seconds * 1e9, 0) + " ns"
        case ..<1e-3: return Text.fixed(seconds * 1e6, 1) + " µs"
        case ..<1: return Text.fixed(seconds * 1e3, 1) + " ms"
        default: return Text.fixed(seconds, 2) + " s"
        }
    }

    // MARK: Help

    func showHelp(_ asked: String) throws {
        let wantsSource = asked.hasPrefix("?")
        let name = asked.drop { $0 == "?" }.trimmed
        if name.isEmpty { return try Command.run("help", self) }
        let path = name.split(whereSeparator: { $0 == "." || $0 == ":" }).map(String.init)
        if let found = state.lookUp(path) { return show(try REPL.help(found, wantsSource: wantsSource, session)) }
        if let text = try? Help.lookUp(name, in: context.namespace) { return show(text) }
        let hits = Help.search(name, in: context.namespace)
        guard !hits.isEmpty else { _ = try Help.lookUp(name, in: context.namespace); return }
        let width = hits.map(\.path.count).max()! + 2
        show(hits.map { "  " + Text.padded($0.path, to: width) + $0.summary }.joined(separator: "\n"))
    }

    static func help(_ found: Found, wantsSource: Bool, _ session: Session) throws -> String {
        switch found {
        case .namespace(let namespace, let path): return Help.text(namespace, path: path)
        case .function(let function, let path): return Help.text(function, path: path)
        case .object(let object): return object.summary + "\n\n" + Help.text(object.objectType)
        case .value(let value):
            guard let function = session.state.function(of: value) else { return "\(value.type)\n" + session.runner.show(value, session.state) }
            if let (declared, path) = session.state.declaration(of: function) { return Help.text(declared, path: path) }
            return Source.text(function.definition, whole: wantsSource, session) ?? "function \(function.definition)"
        }
    }

    // MARK: Files and the shell

    /// `BSS_INIT`, or `init.lua` in the configuration folder; interactive sessions only.
    private func runStartFile() {
        guard context.settings.runsStartFile, isTerminal else { return }
        let environment = REPL.environment
        let folder = environment("XDG_CONFIG_HOME") ?? environment("HOME").map { $0 + "/.config" }
        guard let path = environment("BSS_INIT") ?? folder.map({ $0 + "/bss-lua/init.lua" }), Files.exists(path) else { return }
        do { try state.runFile(path) } catch { report(error as? BSSError ?? BSSError("", "\(error)")) }
        regainControl()
    }

    private func shell(_ command: String) {
        fflush(stdout)
        let status = system(command)
        if status != 0 { Terminal.error("exit status \((status >> 8) & 0xFF)\n") }
    }

    /// A pasted transcript loses its prompts: ours, `..>`, and stock Lua's `> ` and `>> `.
    static func withoutPrompts(_ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        func stripped(_ line: String) -> String? {
            if line.hasPrefix("bss["), let end = line.range(of: "]> "), line[line.index(line.startIndex, offsetBy: 4)..<end.lowerBound].allSatisfy(\.isNumber) {
                return String(line[end.upperBound...])
            }
            for prompt in ["..> ", ">> ", "> "] where line.hasPrefix(prompt) { return String(line.dropFirst(prompt.count)) }
            return nil
        }
        guard let first = lines.first, stripped(first) != nil else { return text }
        // In a transcript lines without a prompt are outputs.
        return lines.compactMap(stripped).joined(separator: "\n")
    }
}
