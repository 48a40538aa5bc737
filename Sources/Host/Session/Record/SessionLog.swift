import BSSLua
import BSSCore

/// A session's log: each executed cell as a cell of a notebook that runs unchanged as a plain script.
public enum SessionLog {
    /// The cell to append for code typed at a prompt; nil: nothing to keep (a syntax error, an interrupt before
    /// anything ran).
    ///
    /// Expressions become `_ = …`, because plain Lua has no expression statements; code that failed runs under `pcall`,
    /// and code that was interrupted is kept as text only.
    /// - Parameter keepsOlder: whether `_2` and `_3`, the results before the last, are kept up to date as well.
    public static func cell(
        _ code: String, _ outcome: CellRunner.Outcome, outputs: [CellOutput], keepsOlder: Bool = false
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
        let source = result.map { $0.logged(code, gaveValues: outcome.gaveValues, keepsOlder: keepsOlder) }
        return NotebookFile.Cell(.code, source: source ?? code, outputs: outputs)
    }

    /// Whether code uses `_2` or `_3`: then the log must keep them.
    public static func usesOlderResults(_ code: String) -> Bool {
        !CellParser.names(in: code).mentioned.isDisjoint(with: ["_2", "_3"])
    }

    /// All cells of a session; `_2` and `_3` are kept only if some cell uses them.
    public static func notebook(
        _ cells: [(code: String, outcome: CellRunner.Outcome, outputs: [CellOutput])]
    ) -> NotebookFile {
        let keepsOlder = cells.contains { usesOlderResults($0.code) }
        return NotebookFile(
            cells: cells.compactMap { cell($0.code, $0.outcome, outputs: $0.outputs, keepsOlder: keepsOlder) })
    }
}

extension CellResult {
    /// The cell's code as plain Lua in which the result becomes `_`.
    fileprivate func logged(_ code: String, gaveValues: Bool, keepsOlder: Bool) -> String {
        let opening = keepsOlder ? "_3, _2, _ = _2, _, " : "_ = "
        switch form {
        case .expressions: return replacingOpening(by: opening, in: code)
        case .call: return gaveValues ? replacingOpening(by: opening, in: code) : code
        case .assignment: return keepsOlder ? replacingOpening(by: opening, in: code) : code
        case .shift: return code
        }
    }
}
