import BSSCore
import BSSLua
import Glibc

/// Cells evaluated one after the other in one Lua state.
public final class Session {
    public let runner: CellRunner
    public private(set) var cells: [Cell] = []
    private var results: Results

    /// While a cell runs.
    package private(set) var isEvaluating = false
    /// What the last cell pushed out of `_2` and `_3`, in words for the user.
    private(set) var releasedNote: String?

    /// Of the last cell that failed.
    var debugger = Debugger([])

    /// The `bss` table, for help and completion.
    package let root: Namespace
    /// Globals at start: `%who` shows what came later.
    let initialGlobals: Set<String>
    /// A clean state like this session's at its start, for replays.
    package var fresh: (() throws -> LuaState)?
    /// What results are drawn for.
    package let display: () -> Display
    /// Who shows what comes of inputs.
    package weak var front: (any FrontEnd)?
    package var log: LogFile?
    package var history = History(path: nil, session: "")
    /// Set when the session is to end: the exit code.
    package var leaves: Int32?
    /// The session whose cell runs: what `bss.repl` acts on.
    nonisolated(unsafe) package static weak var current: Session?

    public var state: LuaState { runner.state }

    public init(_ state: LuaState, root: Namespace, display: @escaping () -> Display = { Display(columns: 80) }) {
        self.root = root
        self.display = display
        results = Results(state)
        initialGlobals = Set(state.globalNames)
        runner = CellRunner(state)
        // Prints are tapped, not redirected: code sees the terminal as it is.
        runner.captures = false
        runner.show = { value, state in
            if let object = state.object(of: value) as? any Displayable { return object.drawn(on: display()) }
            return Printer(width: display().columns).text(value, in: state)
        }
        state.cellScope = runner.scope
        state.sourceOf = { [weak self] definition, whole in
            Source.text(definition, whole: whole, cells: self?.sources ?? [:])
        }
        Session.current = self
    }

    /// Candidates for what stands before a cursor.
    public var completion: Completion { Completion(state: state, root: root, commands: Command.all.map(\.name)) }

    /// A front end that counts more than cells says which number comes next at least.
    package var leastNumber = 1
    public var nextNumber: Int { max(leastNumber, (cells.last?.number ?? 0) + 1) }

    public enum Completeness: String { case complete, incomplete, invalid }

    /// Whether Enter should evaluate `text`; false while Lua's parser stops at its end.
    public func isComplete(_ text: String) -> Bool { completeness(of: text) != .incomplete }

    /// What Lua's parser says of `text`; commands and help are complete.
    public func completeness(of text: String) -> Completeness {
        let trimmed = text.trimmed
        if trimmed.hasPrefix("%%") {
            // The command of a whole cell: its code follows.
            guard let end = trimmed.firstIndex(of: "\n") else { return .incomplete }
            return completeness(of: String(trimmed[end...]))
        }
        guard let first = trimmed.first, !"%?!".contains(first), Session.askedBehind(trimmed) == nil,
            Session.shellAssignment(trimmed) == nil
        else { return .complete }
        let text = CellRunner.withoutEqualSign(text)
        let names = CellParser.names(in: text)
        do {
            _ = try state.function(names.result?.returned(in: text) ?? text, name: "=input")
            return .complete
        } catch {
            // An unfinished short string ends at the end as well, but no further line can repair it.
            let message = "\(error)"
            guard message.range(of: "unfinished string") == nil else { return .invalid }
            return names.isCut || message.hasSuffix("near <eof>") ? .incomplete : .invalid
        }
    }

    /// Evaluates `code` and keeps nothing of it: no cell, no `_`.
    package func evaluateAside(_ code: String) -> Cell {
        runner.keepsLast = false
        defer { runner.keepsLast = true }
        var outcome = runner.run(code, name: "=input")
        let outputs = runner.outputs(of: &outcome)
        return Cell(number: 0, code: code, executed: code, outcome: outcome, outputs: outputs)
    }

    /// Evaluates `code`; every error ends up in the cell.
    /// - Parameter typed: what the user wrote, where that is no Lua: `x = !ls`.
    public func evaluate(_ code: String, typed: String? = nil) -> Cell {
        isEvaluating = true
        releasedNote = nil
        state.leftBehind = nil
        state.keepFrames()
        defer { isEvaluating = false }
        PrintTap.begin()
        let executed = CellRunner.withoutEqualSign(code)
        var outcome = runner.run(executed, name: "=cell \(nextNumber)")
        outcome.printed = PrintTap.end()
        let outputs = runner.outputs(of: &outcome)
        let cell = Cell(
            number: nextNumber, code: typed ?? code, executed: executed, outcome: outcome, outputs: outputs)
        if outcome.error == nil, let first = outcome.values.first {
            releasedNote = results.remember(first, number: cell.number)
        }
        if outcome.wasInterrupted { rememberLeftBehind() }
        // Only a full stack throws: then there are no frames to look at.
        if outcome.error != nil, outcome.didRun { debugger = Debugger((try? state.errorFrames()) ?? []) }
        cells.append(cell.released)
        return cell
    }

    /// The code as a function that sees the session's variables, for timing.
    /// - Throws: the syntax error.
    func compile(_ code: String) throws -> LuaFunction {
        let name = "=cell \(nextNumber)"
        let expression = "return " + Session.withoutSemicolons(code)
        // What is no expression is compiled as statements, whose error is the one to tell.
        let isExpression = (try? state.function(expression, name: name)) != nil
        return try runner.scope.compile(
            .init(code: isExpression ? expression : code, name: name, mentioned: CellParser.names(in: code).mentioned))
    }

    static func withoutSemicolons(_ code: String) -> String {
        var text = code.trimmed
        while text.hasSuffix(";") { text = String(text.dropLast()) }
        return text
    }

    /// Sources of all cells for error reports.
    public var sources: [String: String] {
        Dictionary(cells.map { ("cell \($0.number)", $0.code) }, uniquingKeysWith: { $1 })
    }

    /// Of an interrupted training: the run as far as it came.
    private func rememberLeftBehind() {
        guard let object = state.leftBehind else { return }
        state.leftBehind = nil
        // Only a full stack throws: then there is no partial result, and the interrupt is told all the same.
        guard (try? state.withValue(.object(object)) { _ = results.remember($0, number: nextNumber) }) != nil else {
            return
        }
        let words = object.summary.split(separator: "\n").first ?? ""
        releasedNote = "_ is what there is so far: \(words)"
    }

    /// Forgets results and cell variables, so that they can be collected.
    func forget() {
        results.forget()
        runner.scope.reset()
    }

    /// The cells as a notebook.
    func notebook(_ cells: [Cell]) -> NotebookFile {
        SessionLog.notebook(cells.map { ($0.executed, $0.outcome, $0.outputs) }, numbers: cells.map(\.number))
    }
}
