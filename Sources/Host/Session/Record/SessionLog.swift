import BSSLua
import BSSCore

/// A session's log: each executed cell as a cell of a notebook that runs unchanged as a plain script.
public enum SessionLog {
    /// The cell to append for code typed at a prompt; nil: nothing to keep (a syntax error, an interrupt before
    /// anything ran).
    ///
    /// Expressions become `_ = …`, because plain Lua has no expression statements; code that failed runs under `pcall`,
    /// and code that was interrupted is kept as text only.
    /// - Parameters:
    ///   - keeps: which results before the last are kept up to date as well.
    ///   - number: the cell's own.
    public static func cell(
        _ code: String, _ outcome: CellRunner.Outcome, outputs: [CellOutput], keeps: Kept = .last, number: Int = 0
    ) -> NotebookFile.Cell? {
        guard outcome.didRun else { return nil }
        if outcome.wasInterrupted { return NotebookFile.Cell(.raw, header: " [raw] interrupted", source: code) }
        let result = CellParser.names(in: code).result
        if outcome.error != nil {
            let body = result?.form == .expressions ? result?.returned(in: code) : code
            return NotebookFile.Cell(
                .code, source: "if pcall(function()\n\(body ?? code)\nend) then end",
                outputs: outputs.filter { $0.kind == .stream })
        }
        let source = result.map { $0.logged(code, gaveValues: outcome.gaveValues, keeps, number) }
        return NotebookFile.Cell(.code, source: source ?? code, outputs: outputs)
    }

    /// The results that a log keeps: `_`; `_2` and `_3` as well; also `Out[n]`.
    public enum Kept: Int, Comparable {
        case last, older, all
        public static func < (a: Kept, b: Kept) -> Bool { a.rawValue < b.rawValue }

        /// What `code` asks for.
        public init(_ code: String) {
            let names = CellParser.names(in: code).mentioned
            self = names.contains("Out") ? .all : names.isDisjoint(with: ["_2", "_3"]) ? .last : .older
        }
    }

    /// Stands before the cells of a log that keeps `Out`.
    static let table = NotebookFile.Cell(source: "Out = {}")

    /// All cells of a session; older results are kept only if some cell uses them.
    public static func notebook(
        _ cells: [(code: String, outcome: CellRunner.Outcome, outputs: [CellOutput])], numbers: [Int] = []
    ) -> NotebookFile {
        let keeps = cells.map { Kept($0.code) }.max() ?? .last
        let made = cells.enumerated().compactMap { at, cell in
            self.cell(
                cell.code, cell.outcome, outputs: cell.outputs, keeps: keeps,
                number: at < numbers.count ? numbers[at] : at + 1)
        }
        return NotebookFile(cells: (keeps == .all ? [table] : []) + made)
    }
}

extension CellResult {
    /// The cell's code as plain Lua in which the result becomes `_`.
    fileprivate func logged(
        _ code: String, gaveValues: Bool, _ keeps: SessionLog.Kept, _ number: Int
    ) -> String {
        guard form != .shift, form != .call || gaveValues, form != .assignment || keeps > .last else { return code }
        switch keeps {
        case .last: return replacingOpening(by: "_ = ", in: code)
        case .older: return replacingOpening(by: "_3, _2, _ = _2, _, ", in: code)
        case .all:
            let opening = "_ = (function(...) _3, _2, Out[\(number)] = _2, _, ... return ... end)("
            return replacingOpening(by: opening, closing: ")", in: code)
        }
    }
}
