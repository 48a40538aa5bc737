import BSSCore
import BSSLua
import BSSNotebook
import Glibc

/// `%name` at the prompt; each is also a function `bss.repl.<name>(text)`.
struct Command {
    let name: String
    let argument: String
    let help: String
    let body: (REPL, String) throws -> Void
    /// Of commands that run code: works on functions as well, and in scripts.
    var measure: ((Measured) throws -> Void)?

    init(name: String, argument: String, help: String, body: @escaping (REPL, String) throws -> Void) {
        (self.name, self.argument, self.help, self.body) = (name, argument, help, body)
    }

    init(name: String, help: String, measure: @escaping (Measured) throws -> Void) {
        self.init(name: name, argument: "CODE", help: help) { repl, code in
            guard !code.isEmpty else {
                throw BSSError("%\(name)", "which code?", hint: "%\(name) bss.train{ … }", kind: .usage)
            }
            try measure(Measured(repl, code))
        }
        self.measure = measure
    }

    static let all: [Command] = [
        Command(
            name: "help", argument: "[NAME]", help: "this list; with a name: its help",
            body: { repl, name in if name.isEmpty { repl.show(text) } else { try repl.showHelp(name) } }),
        Command(name: "time", help: "run it once: wall, CPU and engine time, memory", measure: Timing.time),
        Command(name: "timeit", help: "run it often: median and spread", measure: Timing.timeit),
        Command(
            name: "profile", help: "run it once: time, calls and elements of each operator of the engine",
            measure: Timing.profile),
        Command(name: "who", argument: "", help: "variables of this session", body: who),
        Command(name: "run", argument: "FILE", help: "run a file in this session", body: run),
        Command(
            name: "save", argument: "[NAMES | 3-9] FILE", help: "write cells; with names: only what they depend on",
            body: save),
        Command(name: "replay", argument: "", help: "run the session again in a clean state and compare", body: replay),
        Command(
            name: "edit", argument: "[N]", help: "edit cell N (default: the last) in $EDITOR, then run it", body: edit),
        Command(name: "history", argument: "[N]", help: "the last N cells", body: history),
        Command(name: "log", argument: "", help: "where this session is logged", body: log),
        Command(name: "reset", argument: "", help: "forget the session's variables", body: reset),
        Command(name: "quit", argument: "", help: "leave", body: { repl, _ in repl.leaves = 0 }),
    ]

    static var text: String {
        let rows =
            all.map { ("%\($0.name) \($0.argument)", $0.help) } + [
                ("!COMMAND", "run it in the shell"), ("?NAME  ??NAME", "help; source"), ("?WORD", "search the help"),
            ]
        let width = rows.map(\.0.count).max()! + 2
        return rows.map { "  " + Text.padded($0.0, to: width) + $0.1 }.joined(separator: "\n")
            + "\n\n  A line that ends with ; shows nothing. _, _2 and _3 are the last results. Locals of a cell live on."
    }

    /// - Throws: usage errors and what the command throws.
    static func run(_ line: String, _ repl: REPL) throws {
        let name = String(line.prefix { $0 != " " && $0 != "\n" })
        guard let command = all.first(where: { $0.name == name }) else {
            let near = Text.nearest(to: name, in: all.map(\.name)).map { "did you mean %\($0)?" }
            throw BSSError("", "unknown command %\(name)", hint: near ?? "%help lists them", kind: .usage)
        }
        try command.body(repl, line.dropFirst(name.count).trimmed)
    }

    // MARK: The commands

    private static func who(_ repl: REPL, _ text: String) throws {
        let state = repl.session.state
        let printer = Printer(width: Display.output.columns - 34)
        let names = state.globalNames.filter { !repl.initialGlobals.contains($0) } + repl.session.runner.scope.names
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
        if rows.isEmpty { return repl.show("no variables yet") }
        let widths = (0..<3).map { column in rows.map { $0[column].count }.max()! + 2 }
        repl.show(
            rows.map { row in zip(row, widths).map { Text.padded($0, to: $1) }.joined() + row[3] }.joined(
                separator: "\n"))
    }

    private static func run(_ repl: REPL, _ path: String) throws {
        guard !path.isEmpty else { throw BSSError("%run", "which file?", kind: .usage) }
        try repl.session.state.runFile(path)
    }

    private static func save(_ repl: REPL, _ text: String) throws {
        var words = text.split(separator: " ").map(String.init)
        guard let path = words.popLast() else {
            throw BSSError("%save", "which file?", hint: "%save [NAMES | 3-9] FILE", kind: .usage)
        }
        let chosen = try CellSelection.cells(repl.session.cells.filter { $0.error == nil }, words)
        if chosen.isEmpty { throw BSSError("%save", "no cells to write", kind: .usage) }
        try repl.session.notebook(chosen).write(to: path)
        repl.show("wrote \(chosen.count) cell\(chosen.count == 1 ? "" : "s") to \(path)")
    }

    private static func replay(_ repl: REPL, _ text: String) throws {
        let file = repl.session.notebook(repl.session.cells)
        let (state, _) = try repl.context.fresh()
        defer {
            state.close()
            repl.session.state.watchSignals()
        }
        let runner = CellRunner(state)
        runner.endsCellOnExit = true
        let report = NotebookCheck().run(NotebookFile.parse(file.text()), path: "session", runner: runner)
        switch report.verdict {
        case .equal: repl.show("\(report.compared) outputs of \(report.ran) cells are the same in a clean state")
        case .nothingToCheck: repl.show("no outputs to compare yet")
        case .interrupted: throw BSSError.cancelled("%replay")
        case .differs, .stopped: throw BSSError("%replay", NotebookCommand.text(report, "the session"))
        }
    }

    private static func edit(_ repl: REPL, _ text: String) throws {
        let cells = repl.session.cells
        let cell = text.isEmpty ? cells.last : cells.first { String($0.number) == text }
        guard text.isEmpty || cell != nil else { throw BSSError("%edit", "there is no cell \(text)", kind: .usage) }
        let path = (REPL.environment("TMPDIR") ?? "/tmp") + "/bss-lua-\(getpid()).lua"
        try Files.write(cell?.code ?? "", to: path)
        defer { unlink(path) }
        let editor = REPL.environment("VISUAL") ?? REPL.environment("EDITOR") ?? "vi"
        guard system("\(editor) '\(path)'") == 0 else { throw BSSError("%edit", "\(editor) failed") }
        let code = try Files.readText(path).trimmed
        if !code.isEmpty {
            repl.show(code)
            repl.evaluate(code)
        }
    }

    private static func history(_ repl: REPL, _ text: String) throws {
        for cell in repl.session.cells.suffix(Int(text) ?? 20) { repl.show("[\(cell.number)] \(cell.code)") }
    }

    private static func log(_ repl: REPL, _ text: String) throws {
        repl.show(repl.log?.path ?? "this session is not logged")
    }

    private static func reset(_ repl: REPL, _ text: String) throws {
        let state = repl.session.state
        for name in state.globalNames where !repl.initialGlobals.contains(name) { try state.removeGlobal(name) }
        repl.session.forget()
        state.collect()
    }
}
