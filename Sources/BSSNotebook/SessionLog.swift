import BSSCore

/// A session's log: each executed cell as a cell of a notebook that runs unchanged as a plain script.
public enum SessionLog {
    /// The cell to append for code typed at a prompt; nil: nothing to keep (a syntax error, an interrupt before anything ran).
    ///
    /// Expressions become `_ = …`, because plain Lua has no expression statements; code that failed runs under `pcall`, and code
    /// that was interrupted is kept as text only.
    public static func cell(_ code: String, _ outcome: CellRunner.Outcome, outputs: [CellOutput]) -> NotebookFile.Cell? {
        guard outcome.didRun else { return nil }
        if outcome.wasInterrupted { return NotebookFile.Cell(.raw, header: " [raw] interrupted", source: code) }
        if outcome.error != nil {
            let body = outcome.isExpression ? "return \(code)" : code
            return NotebookFile.Cell(.code, source: "pcall(function()\n\(body)\nend);", outputs: outputs.filter { $0.kind == .stream })
        }
        guard outcome.isExpression, !outcome.values.isEmpty else { return NotebookFile.Cell(.code, source: code, outputs: outputs) }
        return NotebookFile.Cell(.code, source: "_ = " + withoutLastSemicolon(code) + (outcome.isSilent ? ";" : ""), outputs: outputs)
    }

    private static func withoutLastSemicolon(_ code: String) -> String {
        guard let last = LuaLexer(code).tokens.dropLast().last, last.text == ";" else { return code }
        let bytes = Array(code.utf8)
        return String(decoding: bytes[..<last.start] + bytes[last.end...], as: UTF8.self)
    }
}
