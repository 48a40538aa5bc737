import BSSCore
import BSSLua
import BSSSession
import CBSSLua
import Glibc

/// The interactive prompt: reads inputs with a line editor, shows what a session makes of them.
public final class Prompt {
    private let context: PromptContext
    private let session: Session
    private let editor: any LineEditor
    /// Results go to standard output on a terminal; a pipe gets only what the code prints.
    private let isTerminal: Bool
    private let hasColor: Bool

    public static func run(_ context: PromptContext) -> Int32 { Prompt(context).loop() }

    private init(_ context: PromptContext) {
        self.context = context
        let session = Session(context.state, root: context.namespace, display: { .output })
        self.session = session
        isTerminal = isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0
        let environment = Session.environment
        hasColor =
            switch context.settings.color {
            case "always": true
            case "never": false
            default:
                isTerminal && (environment("NO_COLOR") ?? "").isEmpty && environment("TERM") != "dumb"
                    || (environment("CLICOLOR_FORCE") ?? "0") != "0"
            }
        let isComplete: (String) -> Bool = { session.isComplete($0) }
        editor =
            (isTerminal
                ? ReadlineEditor(
                    hasColor: hasColor && environment("TERM") != "dumb", isComplete: isComplete,
                    complete: session.completion.candidates) : nil)
            ?? PlainEditor(isComplete: isComplete)
        session.fresh = { try context.fresh().0 }
        session.front = self
        keepRecords()
        for text in session.history.load() { editor.remember(text) }
    }

    /// History on a terminal; a log there and where one is asked for.
    private func keepRecords() {
        let (settings, environment) = (context.settings, Session.environment)
        let id = "\(time(nil))-\(getpid())"
        let keepsHistory = settings.keepsHistory && isTerminal
        session.history = History(
            path: keepsHistory ? History.defaultPath(environment: environment).map(Prompt.absolute) : nil, session: id)
        let named = settings.log ?? environment("BSS_LOG")
        guard settings.keepsLog, isTerminal || named != nil else { return }
        let folder = Files.isFolder(".bss") ? ".bss" : History.stateFolder(environment: environment)
        guard let path = named ?? folder.map({ "\($0)/sessions/\(id).lua" }) else { return }
        let seed = context.options.seed.map(String.init) ?? "default"
        session.log = LogFile(
            path: Prompt.absolute(path), heading: "-- bss-lua \(context.version) session, seed \(seed)\n\n",
            makesRoom: named == nil)
    }

    /// `%cd` moves no file that is being written.
    private static func absolute(_ path: String) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        guard !path.hasPrefix("/"), let folder = getcwd(&buffer, buffer.count) else { return path }
        return String(cString: folder) + "/" + path
    }

    // MARK: The loop

    private func loop() -> Int32 {
        if isTerminal {
            let columns = Display.output.columns
            let names = "bss-lua \(context.version), \(LuaState.luaRelease)"
            print(WordWrap.text("\(names).  ?name help   %help commands   Ctrl-D leaves", columns: columns))
        }
        runStartFile()
        if let path = context.settings.restore {
            do { try session.restore(path) } catch { report(BSSError.of(error)) }
        }
        context.whenReady()
        while true {
            if let code = session.leaves { return code }
            switch editor.read(prompt: prompt("bss[\(session.nextNumber)]> "), continuation: "..> ") {
            case .end:
                if isTerminal { print("") }
                session.leaves = 0
            case .interrupted(let text): if !text.isEmpty { editor.remember(text) }
            case .told: session.leave(by: bss_lua_signal_pending())
            case .text(let raw):
                for text in Transcript.inputs(raw) where !text.trimmed.isEmpty && session.leaves == nil {
                    editor.remember(text)
                    if !session.run(text) { break }
                }
            }
        }
    }

    /// `BSS_INIT`, or `init.lua` in the configuration folder; interactive sessions only.
    private func runStartFile() {
        guard context.settings.runsStartFile, isTerminal else { return }
        let environment = Session.environment
        let folder = environment("XDG_CONFIG_HOME") ?? environment("HOME").map { $0 + "/.config" }
        guard let path = environment("BSS_INIT") ?? folder.map({ $0 + "/bss-lua/init.lua" }), Files.exists(path) else {
            return
        }
        do { try context.state.runFile(path) } catch { report(BSSError.of(error)) }
        session.regainControl()
    }

    // MARK: Colours

    private func colored(_ text: String, _ code: String) -> String {
        hasColor ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    /// Readline must know which bytes take no room.
    private func prompt(_ text: String) -> String {
        hasColor && editor.isTerminal ? "\u{1}\u{1B}[1;32m\u{2}\(text)\u{1}\u{1B}[0m\u{2}" : text
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
}

extension Prompt: FrontEnd {
    /// What a cell asks for by a function (`bss.repl.who()`) is no output of the cell: it goes to standard error.
    public func show(_ text: String) {
        guard isTerminal, !session.isEvaluating else { return Terminal.error(text + "\n") }
        let wrapped = WordWrap.text(text, columns: Display.output.columns)
        if wrapped.utf8.count(where: { $0 == 0x0A }) >= Display.output.rows - 1, page(wrapped) { return }
        print(wrapped)
        fflush(stdout)
    }

    /// What is higher than the screen goes through `BSS_PAGER`, `PAGER` or less. False: there is none.
    private func page(_ text: String) -> Bool {
        let pager = Session.environment("BSS_PAGER") ?? Session.environment("PAGER") ?? "less -FRX"
        guard !pager.isEmpty, pager != "cat", let pipe = popen(pager, "w") else { return false }
        // Ctrl-C is the pager's while it shows.
        var (ignored, before) = (sigaction(), sigaction())
        ignored.__sigaction_handler.sa_handler = SIG_IGN
        sigaction(SIGINT, &ignored, &before)
        defer { sigaction(SIGINT, &before, nil) }
        fputs(text + "\n", pipe)
        // 127: the shell found no such program.
        return (pclose(pipe) >> 8) & 0xFF != 127
    }

    /// On the screen figures have their colours; the log has none.
    public func show(_ cell: Cell, seconds: Double) {
        let outputs = cell.outputs.filter { $0.kind == .value }
        let values = cell.outcome.values
        for (position, output) in outputs.enumerated() {
            let object = hasColor && values.count == outputs.count ? session.state.object(of: values[position]) : nil
            show((object as? any Displayable)?.drawn(on: .output) ?? marked(output.text))
        }
        if let error = cell.error {
            guard cell.outcome.wasInterrupted else { return report(error) }
            let frame = error.traceback?.split(separator: "\n").first ?? ""
            let place =
                frame.isEmpty ? "" : " at \(frame[..<(frame.range(of: ": in ")?.lowerBound ?? frame.endIndex)])"
            Terminal.error(colored("interrupted", "33") + " after \(Timing.duration(seconds))\(place)\n")
        } else if seconds > 1, isTerminal {
            note("(\(Timing.duration(seconds)))")
        }
    }

    public func report(_ error: BSSError) {
        let report = ErrorReport.text(error, sources: session.sources)
        let text = isTerminal ? WordWrap.text(report, columns: Display.output.columns) : report
        let firstEnd = text.firstIndex(of: "\n") ?? text.endIndex
        Terminal.error(colored(String(text[..<firstEnd]), "31") + text[firstEnd...])
    }

    public func clear() { if isTerminal { print("\u{1B}[H\u{1B}[2J", terminator: "") } }

    public func note(_ text: String) { Terminal.error(colored(text, "2") + "\n") }

    /// `$VISUAL`, `$EDITOR` or vi.
    public func edit(_ text: String) throws -> String {
        let path = (Session.environment("TMPDIR") ?? "/tmp") + "/bss-lua-\(getpid()).lua"
        try Files.write(text, to: path)
        defer { unlink(path) }
        let editor = Session.environment("VISUAL") ?? Session.environment("EDITOR") ?? "vi"
        guard system("\(editor) '\(path)'") == 0 else { throw BSSError("%edit", "\(editor) failed") }
        return try Files.readText(path)
    }
}
