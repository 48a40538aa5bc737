import BSSCore
import BSSLua
import BSSNotebook
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
        hasColor =
            switch context.settings.color {
            case "always": true
            case "never": false
            default:
                isTerminal && (environment("NO_COLOR") ?? "").isEmpty && environment("TERM") != "dumb"
                    || (environment("CLICOLOR_FORCE") ?? "0") != "0"
            }
        let id = "\(time(nil))-\(getpid())"
        history = History(
            path: context.settings.keepsHistory && isTerminal ? History.defaultPath(environment: environment) : nil,
            session: id)
        if context.settings.keepsLog, isTerminal || context.settings.log != nil || environment("BSS_LOG") != nil {
            let folder = Files.isFolder(".bss") ? ".bss" : History.stateFolder(environment: environment)
            let named = context.settings.log ?? environment("BSS_LOG")
            if let path = named ?? folder.map({ "\($0)/sessions/\(id).lua" }) {
                let seed = context.options.seed.map(String.init) ?? "default"
                log = LogFile(
                    path: path, heading: "-- bss-lua \(context.version) session, seed \(seed)\n\n",
                    makesRoom: named == nil)
            }
        }
        let completion = Completion(state: context.state, root: context.namespace, commands: Command.all.map(\.name))
        let isComplete: (String) -> Bool = { [session] in session.isComplete($0) }
        editor =
            (isTerminal ? ReadlineEditor(isComplete: isComplete, complete: completion.candidates) : nil)
            ?? PlainEditor(isComplete: isComplete)
        for text in history.load() { editor.remember(text) }
    }

    static let environment: (String) -> String? = { getenv($0).map { String(cString: $0) } }

    /// The exit code after a signal that asks to leave.
    private static func exitCode(_ signal: Int32) -> Int32 {
        ErrorReport.exitCode(BSSError.cancelled(""), signal: signal)
    }

    // MARK: The loop

    private func loop() -> Int32 {
        if isTerminal {
            print(
                "bss-lua \(context.version), \(String(cString: bss_lua_release_name())).  ?name help   %help commands   Ctrl-D leaves"
            )
        }
        runStartFile()
        if let path = context.settings.restore { restore(path) }
        context.whenReady()
        while leaves == nil {
            let number = session.nextNumber
            switch editor.read(prompt: prompt("bss[\(number)]> "), continuation: "..> ") {
            case .end:
                if isTerminal { print("") }
                leaves = 0
            case .interrupted(let text): if !text.isEmpty { editor.remember(text) }
            case .told: leaves = REPL.exitCode(bss_lua_signal_pending())
            case .text(let raw):
                for text in REPL.inputs(raw) where !text.trimmed.isEmpty && leaves == nil {
                    editor.remember(text)
                    if !handle(text) { break }
                }
            }
        }
        return leaves!
    }

    /// - Returns: false: it failed.
    private func handle(_ text: String) -> Bool {
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
        let mode = ["?": "help", "%": "command", "!": "shell"][trimmed.first!] ?? "lua"
        history.append(
            History.Entry(code: text, mode: mode, isError: failed, milliseconds: (Session.now() - start) * 1e3),
            time: time(nil))
        return !failed
    }

    /// Evaluates a cell, shows and logs it; false: it failed.
    @discardableResult
    func evaluate(_ code: String) -> Bool {
        // From a cell (`bss.repl.edit()`): a part of it, not a cell of its own.
        if session.isEvaluating {
            do { try state.run(session.compile(code)) } catch {
                report(error as? BSSError ?? BSSError("", "\(error)"))
                return false
            }
            return true
        }
        let start = Session.now()
        state.lastSignal = 0
        let cell = session.evaluate(code)
        regainControl()
        let signal = state.lastSignal
        let seconds = Session.now() - start
        showValues(of: cell)
        if let note = session.releasedNote { Terminal.error(colored(note, "2") + "\n") }
        log?.append(cell)
        if signal != 0, signal != SIGINT { leaves = REPL.exitCode(signal) }
        if let error = cell.error {
            if cell.outcome.wasInterrupted {
                let frame = error.traceback?.split(separator: "\n").first ?? ""
                let place =
                    frame.isEmpty ? "" : " at \(frame[..<(frame.range(of: ": in ")?.lowerBound ?? frame.endIndex)])"
                Terminal.error(colored("interrupted", "33") + " after \(REPL.duration(seconds))\(place)\n")
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

    /// What a cell asks for by a function (`bss.repl.who()`) is no output of the cell: it goes to standard error.
    func show(_ text: String) {
        if isTerminal, !session.isEvaluating {
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

    /// On the screen figures have their colours; the log has none.
    private func showValues(of cell: Cell) {
        let outputs = cell.outputs.filter { $0.kind == .value }
        let values = cell.outcome.values
        for (position, output) in outputs.enumerated() {
            let object = hasColor && values.count == outputs.count ? state.object(of: values[position]) : nil
            show((object as? any Displayable)?.drawn(on: .output) ?? marked(output.text))
        }
    }

    /// NaN and infinities of a shown value stand out, on the screen only.
    private func marked(_ text: String) -> String {
        guard hasColor, !text.utf8.contains(0x1B) else { return text }
        var out = ""
        var word = ""
        func endWord() {
            out += ["nan", "-nan", "inf", "-inf"].contains(word) ? colored(word, "31") : word
            word = ""
        }
        for c in text {
            if c.isLetter || c.isNumber || c == "_" || (c == "-" && word.isEmpty) {
                word.append(c)
                continue
            }
            endWord()
            out.append(c)
        }
        endWord()
        return out
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
        if wantsSource, let found = state.lookUp(path) { return show(state.help(of: found, whole: true)) }
        show(try state.help(named: name, in: context.namespace))
    }

    // MARK: Files and the shell

    /// Runs the cells of a log as the first cells of this session, showing nothing but errors.
    private func restore(_ path: String) {
        do {
            let file = try NotebookFile(reading: path)
            for position in file.codeCells {
                if session.evaluate(file.cells[position].source).error != nil { break }
            }
            regainControl()
            if let error = session.cells.last?.error { report(error) }
            show("restored \(session.cells.filter { $0.error == nil }.count) cells of \(path)")
            for cell in session.cells { log?.append(cell) }
        } catch { report(error as? BSSError ?? BSSError("", "\(error)")) }
    }

    /// `BSS_INIT`, or `init.lua` in the configuration folder; interactive sessions only.
    private func runStartFile() {
        guard context.settings.runsStartFile, isTerminal else { return }
        let environment = REPL.environment
        let folder = environment("XDG_CONFIG_HOME") ?? environment("HOME").map { $0 + "/.config" }
        guard let path = environment("BSS_INIT") ?? folder.map({ $0 + "/bss-lua/init.lua" }), Files.exists(path) else {
            return
        }
        do { try state.runFile(path) } catch { report(error as? BSSError ?? BSSError("", "\(error)")) }
        regainControl()
    }

    private func shell(_ command: String) {
        fflush(stdout)
        let status = system(command)
        if status != 0 { Terminal.error("exit status \((status >> 8) & 0xFF)\n") }
    }

    /// What was typed or pasted, as inputs: a transcript loses its prompts (ours, `..>`, and stock Lua's `> ` and `>>
    /// `) and its outputs, and each first prompt begins an input of its own; any other text is one input.
    static func inputs(_ text: String) -> [String] {
        var inputs: [[String]] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if let first = withoutFirstPrompt(line) {
                inputs.append([first])
            } else if inputs.isEmpty {
                return [text]
            } else if let prompt = ["..> ", ">> "].first(where: line.hasPrefix) {
                inputs[inputs.count - 1].append(String(line.dropFirst(prompt.count)))
            } else if line == "..>" || line == ">>" {
                inputs[inputs.count - 1].append("")
            }
        }
        return inputs.map { $0.joined(separator: "\n") }
    }

    private static func withoutFirstPrompt(_ line: String) -> String? {
        if line.hasPrefix("bss["), let end = line.range(of: "]> "),
            line[line.index(line.startIndex, offsetBy: 4)..<end.lowerBound].allSatisfy(\.isNumber)
        {
            return String(line[end.upperBound...])
        }
        return line.hasPrefix("> ") ? String(line.dropFirst(2)) : nil
    }
}
