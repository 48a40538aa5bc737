import BSSCore
import BSSLua
import Glibc

/// `%name` in a session; each is also a function `bss.repl.<name>(text)`. A new one is a row of `all`.
struct Command {
    let name: String
    let argument: String
    let help: String
    let body: (Session, String) throws -> Void
    /// Of commands that run code: works on functions as well, and in scripts.
    var measure: ((Measured) throws -> Void)?

    init(name: String, argument: String, help: String, body: @escaping (Session, String) throws -> Void) {
        (self.name, self.argument, self.help, self.body) = (name, argument, help, body)
    }

    init(name: String, help: String, measure: @escaping (Measured) throws -> Void) {
        self.init(name: name, argument: "CODE", help: help) { session, code in
            guard !code.isEmpty else {
                throw BSSError("%\(name)", "which code?", hint: "%\(name) bss.train{ … }", kind: .usage)
            }
            let (rounds, rest) = try Timing.rounds(code, of: name)
            var measured = Measured(session, rest)
            measured.runs = rounds
            try measure(measured)
        }
        self.measure = measure
    }

    static let all: [Command] = [
        Command(
            name: "help", argument: "[NAME]", help: "this list; with a name: its help",
            body: { session, name in session.front?.show(try session.help(name)) }),
        Command(name: "time", help: "run it once: wall, CPU and engine time, memory", measure: Timing.time),
        Command(name: "timeit", help: "run it often: median and spread", measure: Timing.timeit),
        Command(
            name: "profile", help: "run it once: time, calls and elements of each operator of the engine",
            measure: Timing.profile),
        Command(
            name: "debug", argument: "[up | down | N | EXPR]",
            help: "frames and locals of the last error; EXPR: a value there", body: debug),
        Command(name: "who", argument: "", help: "variables of this session", body: who),
        Command(name: "run", argument: "FILE", help: "run a file in this session", body: run),
        Command(
            name: "save", argument: "[NAMES | 3-9] FILE", help: "write cells; with names: only what they depend on",
            body: save),
        Command(name: "replay", argument: "", help: "run the session again in a clean state and compare", body: replay),
        Command(
            name: "edit", argument: "[N]", help: "edit cell N (default: the last) in $EDITOR, then run it", body: edit),
        Command(
            name: "history", argument: "[N | -g WORD]", help: "the last N cells; -g: earlier inputs with WORD",
            body: history),
        Command(name: "log", argument: "", help: "where this session is logged", body: log),
        Command(
            name: "cd", argument: "[DIR]", help: "change the working folder; without DIR: home", body: changeFolder),
        Command(name: "pwd", argument: "", help: "the working folder", body: { session, _ in try showFolder(session) }),
        Command(
            name: "clear", argument: "", help: "clear the screen; in a notebook the cell's output",
            body: { session, _ in session.front?.clear() }),
        Command(name: "reset", argument: "", help: "forget the session's variables", body: reset),
        Command(name: "quit", argument: "", help: "leave", body: { session, _ in session.leaves = 0 }),
    ]

    static var text: String {
        let rows =
            all.map { ("%\($0.name) \($0.argument)", $0.help) } + [
                ("!COMMAND", "run it in the shell"), ("x = !COMMAND  !!COMMAND", "its lines as a list"),
                ("?NAME  ??NAME", "help; source"), ("?WORD", "search the help"),
            ]
        let width = rows.reduce(0) { max($0, $1.0.count) } + 2
        return rows.map { "  " + Text.padded($0.0, to: width) + $0.1 }.joined(separator: "\n")
            + "\n\n  A line that ends with ; shows nothing. _, _2 and _3 are the last results, Out[N] that of cell N. "
            + "Locals of a cell live on. In shell commands {x} is the value of a variable. "
            + "%%time and its like stand above the code of a cell."
    }

    /// `%name …`, `%%name` with the code of a cell below it; names of IPython's commands do, too.
    /// - Throws: usage errors and what the command throws.
    static func run(_ line: String, _ session: Session) throws {
        let line = line.drop { $0 == "%" }
        let asked = String(line.prefix { $0 != " " && $0 != "\n" })
        let rest = line.dropFirst(asked.count).trimmed
        if OtherPrompts.shell.contains(asked) {
            return session.runShell(["bash", "sh", "system", "sx"].contains(asked) ? rest : "\(asked) \(rest)")
        }
        let name = OtherPrompts.names[asked] ?? asked
        guard let command = all.first(where: { $0.name == name }) else {
            let near = Text.nearest(to: name, in: all.map(\.name)).map { "did you mean %\($0)?" }
            let hint = OtherPrompts.sentences[name] ?? near ?? "%help lists them"
            throw BSSError("", "unknown command %\(name)", hint: hint, kind: .usage)
        }
        try command.body(session, rest)
    }

    // MARK: The commands

    private static func who(_ session: Session, _ text: String) throws {
        let state = session.state
        let printer = Printer(width: session.display().columns - 34)
        let names = state.globalNames.filter { !session.initialGlobals.contains($0) } + session.runner.scope.names
        let rows = Set(names).sorted().filter { !["_", "_2", "_3"].contains($0) }.compactMap { name -> [String]? in
            guard case let found? = state.lookUp([name]) else { return nil }
            switch found {
            case .object(let object):
                let line = object.summary.split(separator: "\n").first ?? ""
                return [
                    name, object.objectType.name, Timing.size(object.byteCount),
                    line.count > printer.width ? line.prefix(printer.width - 1) + "…" : String(line),
                ]
            case .function(_, let path): return [name, "function", "", path]
            case .namespace(_, let path): return [name, "namespace", "", path]
            case .value(let value): return [name, value.type, "", printer.line(value, in: state)]
            }
        }
        guard !rows.isEmpty else {
            session.front?.show("no variables yet")
            return
        }
        let widths = (0..<3).map { column in rows.reduce(0) { max($0, $1[column].count) } + 2 }
        session.front?.show(
            rows.map { row in zip(row, widths).map { Text.padded($0, to: $1) }.joined() + row[3] }.joined(
                separator: "\n"))
    }

    private static func debug(_ session: Session, _ text: String) throws {
        session.front?.show(try session.debugger.answer(text, session))
    }

    private static func run(_ session: Session, _ path: String) throws {
        guard !path.isEmpty else { throw BSSError("%run", "which file?", kind: .usage) }
        try session.state.runFile(path)
    }

    private static func save(_ session: Session, _ text: String) throws {
        var words = text.split(separator: " ").map(String.init)
        guard let path = words.popLast() else {
            throw BSSError("%save", "which file?", hint: "%save [NAMES | 3-9] FILE", kind: .usage)
        }
        let chosen = try CellSelection.cells(session.cells.filter { $0.error == nil }, words)
        if chosen.isEmpty { throw BSSError("%save", "no cells to write", kind: .usage) }
        try session.notebook(chosen).write(to: path)
        session.front?.show("wrote \(chosen.count) cell\(chosen.count == 1 ? "" : "s") to \(path)")
    }

    private static func replay(_ session: Session, _ text: String) throws {
        let file = session.notebook(session.cells)
        guard let state = try session.fresh?() else { return }
        defer {
            state.close()
            session.state.watchSignals()
        }
        let runner = CellRunner(state)
        runner.endsCellOnExit = true
        let report = NotebookCheck().run(NotebookFile.parse(file.text()), path: "session", runner: runner)
        switch report.verdict {
        case .equal:
            session.front?.show("\(report.compared) outputs of \(report.ran) cells are the same in a clean state")
        case .nothingToCheck: session.front?.show("no outputs to compare yet")
        case .interrupted: throw BSSError.cancelled("%replay")
        case .differs, .stopped: throw BSSError("%replay", report.text("the session"))
        }
    }

    private static func edit(_ session: Session, _ text: String) throws {
        let cells = session.cells
        let cell = text.isEmpty ? cells.last : cells.first { String($0.number) == text }
        guard text.isEmpty || cell != nil else { throw BSSError("%edit", "there is no cell \(text)", kind: .usage) }
        let code = try (session.front?.edit(cell?.code ?? "") ?? "").trimmed
        guard !code.isEmpty else { return }
        session.front?.show(code)
        session.runCell(code)
    }

    private static func changeFolder(_ session: Session, _ text: String) throws {
        let home = Session.environment("HOME") ?? "/"
        let path = text.isEmpty ? home : text.hasPrefix("~/") ? home + text.dropFirst() : text
        guard chdir(path) == 0 else {
            throw BSSError("%cd", "\(path): \(String(cString: strerror(errno)))", kind: .usage)
        }
        try showFolder(session)
    }

    private static func showFolder(_ session: Session) throws {
        var buffer = [CChar](repeating: 0, count: 4096)
        guard let folder = getcwd(&buffer, buffer.count) else {
            throw BSSError("%pwd", String(cString: strerror(errno)))
        }
        session.front?.show(String(cString: folder))
    }

    private static func history(_ session: Session, _ text: String) throws {
        // Numbers always stand there: IPython's -n asks for nothing more.
        let text = text.hasPrefix("-n") ? text.dropFirst(2).trimmed : text
        if text == "-g" || text.hasPrefix("-g ") {
            let word = text.dropFirst(2).trimmed
            let earlier = session.history.load() + (session.history.path == nil ? session.cells.map(\.code) : [])
            for code in earlier where word.isEmpty || code.range(of: word) != nil { session.front?.show(code) }
            return
        }
        guard text.isEmpty || Int(text).map({ $0 > 0 }) == true else {
            throw BSSError("%history", "expects a number of cells, or -g WORD, got '\(text)'", kind: .usage)
        }
        for cell in session.cells.suffix(Int(text) ?? 20) { session.front?.show("[\(cell.number)] \(cell.code)") }
    }

    private static func log(_ session: Session, _ text: String) throws {
        session.front?.show(session.log?.path ?? "this session is not logged")
    }

    private static func reset(_ session: Session, _ text: String) throws {
        let state = session.state
        for name in state.globalNames where !session.initialGlobals.contains(name) { try state.removeGlobal(name) }
        session.forget()
        state.collect()
    }
}
