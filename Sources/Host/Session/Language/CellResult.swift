import BSSLua

/// The last statement of a cell as its result: `x + 1`, `f(x)`, `_ = x`, behind other statements or alone.
public struct CellResult {
    enum Form {
        /// No statement of Lua.
        case expressions
        /// A statement that may have a value.
        case call
        /// `_ = …`
        case assignment
        /// `_3, _2, _ = _2, _, …`: the results of a prompt move on.
        case shift
    }

    let form: Form
    /// The cell is nothing else.
    let isWhole: Bool
    /// The statement, in bytes.
    let start: Int
    /// The expressions in it.
    let values: Range<Int>

    /// Values are shown even where there is only nil.
    var isExpression: Bool { form == .expressions || (form == .call && isWhole) }
    var assigns: Bool { form == .assignment || form == .shift }

    /// The cell reads a value of a name by indices, and runs nothing.
    func isRead(in code: String) -> Bool {
        let tokens = LuaLexer(code).tokens.dropLast()
        let signs: Set<String> = [".", "[", "]"]
        return isWhole && form == .expressions && tokens.first?.kind == .name
            && tokens.allSatisfy { [.name, .number, .string].contains($0.kind) || signs.contains($0.text) }
    }

    /// The cell returns its result. Not as a tail call: the cell stays in the tracebacks of what it calls.
    func returned(in code: String) -> String { parts(code, "return (function(...) return ... end)(", ")").before }

    /// The result becomes `_` in a chunk of plain Lua, where a call without a value leaves `_` as it is.
    func assigned(in code: String) -> String {
        guard form == .call else { return replacingOpening(by: "_ = ", in: code) }
        let (before, after) = parts(code, ";(function(...) if (...) ~= nil then _ = ... end end)(", ")")
        return before + after
    }

    /// `opening` stands before the expressions, in the place of an assignment's own.
    func replacingOpening(by opening: String, closing: String = "", in code: String) -> String {
        let (before, after) = parts(code, opening, closing)
        return before + after
    }

    /// The code up to the end of the expressions, with `opening` and `closing` around these; and the rest.
    private func parts(_ code: String, _ opening: String, _ closing: String) -> (before: String, after: String) {
        let bytes = Array(code.utf8)
        let text = { (part: ArraySlice<UInt8>) in String(decoding: part, as: UTF8.self) }
        return (text(bytes[..<start]) + opening + text(bytes[values]) + closing, text(bytes[values.upperBound...]))
    }
}
