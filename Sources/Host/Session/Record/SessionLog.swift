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
        if outcome.error != nil {
            let body = outcome.isExpression ? "return \(code)" : code
            return NotebookFile.Cell(
                .code, source: "pcall(function()\n\(body)\nend);", outputs: outputs.filter { $0.kind == .stream })
        }
        guard outcome.isExpression, outcome.gaveValues else {
            return NotebookFile.Cell(.code, source: keepsOlder ? shifting(code) : code, outputs: outputs)
        }
        return NotebookFile.Cell(
            .code, source: (keepsOlder ? shift : "_ = ") + withoutLastSemicolon(code) + (outcome.isSilent ? ";" : ""),
            outputs: outputs)
    }

    private static let shift = "_3, _2, _ = _2, _, "

    /// A last statement `_ = …` that also moves the older results on.
    private static func shifting(_ code: String) -> String {
        let names = CellParser.names(in: code)
        guard let range = names.shownResult, !names.shiftsResults else { return code }
        var bytes = Array(code.utf8)
        bytes.replaceSubrange(range, with: Array(shift.dropLast().utf8))
        return String(decoding: bytes, as: UTF8.self)
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

    private static func withoutLastSemicolon(_ code: String) -> String {
        guard let last = LuaLexer(code).tokens.dropLast().last, last.text == ";" else { return code }
        let bytes = Array(code.utf8)
        return String(decoding: bytes[..<last.start] + bytes[last.end...], as: UTF8.self)
    }
}
