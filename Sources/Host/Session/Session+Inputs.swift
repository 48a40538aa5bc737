import BSSCore
import BSSLua
import Glibc

/// What a user gives a session, whoever reads it: cells, `%command`, `?name`, `!shell command`.
extension Session {
    /// Runs one input; what comes of it goes to the front end, the log and the history.
    /// - Returns: false: it failed.
    @discardableResult
    package func run(_ input: String) -> Bool {
        let text = input.trimmed
        guard let sign = text.first else { return true }
        if Session.leaving.contains(text), state.lookUp([text]) == nil {
            leaves = 0
            return true
        }
        if let asked = Session.askedBehind(text) { return run(asked) }
        let rest = String(text.dropFirst())
        let start = Clock.seconds()
        var isDone = true
        do {
            switch sign {
            case "?": try front?.show(help(rest))
            case "%":
                log?.append(command: text)
                try Command.run(rest, self)
            case "!" where rest.hasPrefix("!"):
                isDone = runCell("return " + Session.lines(of: expanded(String(rest.dropFirst()))), typed: text)
            case "!": runShell(rest)
            default:
                let shell = Session.shellAssignment(text).map { $0 + Session.lines(of: expanded($1)) }
                isDone = shell.map { runCell($0, typed: text) } ?? runCell(input)
            }
        } catch {
            isDone = false
            front?.report(BSSError.of(error))
        }
        regainControl()
        history.append(
            History.Entry(
                code: input, mode: History.mode(of: sign), isError: !isDone,
                milliseconds: (Clock.seconds() - start) * 1e3),
            time: time(nil))
        return isDone
    }

    /// Evaluates a cell, shows and logs it.
    /// - Returns: false: it failed.
    @discardableResult
    package func runCell(_ code: String, typed: String? = nil) -> Bool {
        // From a cell (`bss.repl.edit()`): a part of it, not a cell of its own.
        if isEvaluating {
            do { try state.run(compile(code)) } catch {
                front?.report(BSSError.of(error))
                return false
            }
            return true
        }
        let start = Clock.seconds()
        state.lastSignal = 0
        let cell = evaluate(code, typed: typed)
        regainControl()
        let signal = state.lastSignal
        front?.show(cell, seconds: Clock.seconds() - start)
        if let note = releasedNote { front?.note(note) }
        log?.append(cell)
        if signal != 0, signal != SIGINT { leave(by: signal) }
        return cell.error == nil
    }

    /// After an interrupt: code may run again.
    package func regainControl() { if state.isStopping { state.regainControl() } }

    /// A signal asks the program to leave.
    package func leave(by signal: Int32) { leaves = ErrorReport.exitCode(BSSError.cancelled(""), signal: signal) }

    /// `?name` → help, `??name` → the source of a function written in Lua, `?word` → what the help says of it.
    package func help(_ asked: String) throws -> String {
        let wantsSource = asked.hasPrefix("?")
        let name = asked.drop { $0 == "?" }.trimmed
        if name.isEmpty { return Command.text }
        if !Session.isPath(name), let value = evaluateAside(name).outcome.values.first {
            return state.help(of: value, whole: wantsSource)
        }
        let path = name.split(whereSeparator: { $0 == "." || $0 == ":" }).map(String.init)
        if wantsSource, let found = state.lookUp(path) { return state.help(of: found, whole: true) }
        return try state.help(named: name, in: root)
    }

    func runShell(_ command: String) {
        fflush(stdout)
        let status = system(expanded(command))
        if status != 0 { front?.note("exit status \((status >> 8) & 0xFF)") }
    }

    /// `{x}` in a command of the shell is the value of a variable, as in IPython; where there is none of the name, or
    /// it is no text, number or flag, it stays as it is.
    func expanded(_ command: String) -> String {
        let pieces = command.split(separator: "{", omittingEmptySubsequences: false)
        return pieces.dropFirst().reduce(String(pieces.first ?? "")) { text, piece in
            let name = piece.prefix { $0 != "}" }
            let path = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard name.count < piece.count, !path.contains(""), let found = state.lookUp(path),
                case .value(let value) = found, ["string", "number", "boolean"].contains(value.type),
                // Of these types every value has a plain form.
                let plain = try? state.value(of: value), let shown = try? state.texts([plain]).first
            else { return text + "{" + piece }
            return text + shown + piece.dropFirst(name.count + 1)
        }
    }

    /// Runs the cells of a log as the first cells of this session, showing nothing but errors.
    package func restore(_ path: String) throws {
        let file = try NotebookFile(reading: path)
        for position in file.codeCells {
            if evaluate(file.cells[position].source).error != nil { break }
        }
        regainControl()
        if let error = cells.last?.error { front?.report(error) }
        front?.show("restored \(cells.filter { $0.error == nil }.count) cells of \(path)")
        for cell in cells { log?.append(cell) }
    }

    /// Words of other prompts that leave; variables of these names are variables.
    private static let leaving: Set<String> = ["exit", "quit", "exit()", "quit()"]

    /// `run?` asks for help and `f??` for source, as in IPython: the same with the sign in front.
    static func askedBehind(_ text: String) -> String? {
        guard text.hasSuffix("?"), text.first != "?" else { return nil }
        let marks = text.reversed().prefix { $0 == "?" }.count
        let name = String(text.dropLast(marks))
        // Names, and what is read from them: `run.history[1]?`. No call runs for its help.
        let isAsked = isPath(name) || (CellParser.names(in: name).result?.isRead(in: name) ?? false)
        return isAsked && marks <= 2 ? String(repeating: "?", count: marks) + name : nil
    }

    private static func isPath(_ name: String) -> Bool {
        name.utf8.allSatisfy {
            (48...57).contains($0) || (97...122).contains($0 | 0x20) || [95, 46, 58].contains($0)
        }
    }

    /// `x = !ls` → `x = ` and the command.
    static func shellAssignment(_ text: String) -> (opening: String, command: String)? {
        guard !text.contains("\n"), let equals = text.firstIndex(of: "=") else { return nil }
        let command = text[text.index(after: equals)...].drop { $0 == " " }
        guard command.first == "!", command.dropFirst().first.map({ $0 != "=" }) ?? false else { return nil }
        let target = String(text[..<equals]).trimmed
        let name = target.hasPrefix("local ") ? target.dropFirst(6) : target[...]
        let isName = name.utf8.allSatisfy {
            (48...57).contains($0) || (97...122).contains($0 | 0x20) || $0 == 95 || $0 == 46
        }
        guard isName, let first = name.first, !first.isNumber else { return nil }
        return ("\(target) = ", String(command.drop { $0 == "!" }).trimmed)
    }

    /// The lines that a command writes, as Lua that makes a list of them.
    static func lines(of command: String) -> String {
        "(function() local lines = {} for line in io.popen(\(JSON.lua(.string(command.trimmed)))):lines() do "
            + "lines[#lines + 1] = line end return lines end)()"
    }

    package static let environment: (String) -> String? = { getenv($0).map { String(cString: $0) } }
}
