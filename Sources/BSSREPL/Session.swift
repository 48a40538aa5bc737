import BSSCore
import BSSLuaHost
import Glibc

/// One evaluated input.
public struct Cell {
    public let number: Int
    public let code: String
    /// What it printed, as lines.
    public var printed: [String] = []
    /// What it returned, as the prompt shows it, as lines.
    public var shown: [String] = []
    /// Results that can draw themselves, as SVG.
    public var pictures: [String] = []
    public var output: [String] { printed + shown }
    public var error: BSSError?
    public var milliseconds = 0.0
    /// The part that is an expression, whose values are the cell's results.
    var expression = Expression.none
}

/// Which part of a cell is an expression.
enum Expression { case none, lastLine, whole }

/// Cells evaluated one after the other in one Lua state: behind the prompt and behind `nb check`.
public final class Session {
    public let state: LuaState
    public private(set) var cells: [Cell] = []
    public var printer = Printer()
    /// Results of the last expressions, newest first: `_`, `_2`, `_3`.
    private var results: [LuaValue] = []
    /// Prints are kept but not written.
    private let isSilent: Bool

    public init(_ state: LuaState, isSilent: Bool = false) {
        self.state = state
        self.isSilent = isSilent
    }

    public var nextNumber: Int { (cells.last?.number ?? 0) + 1 }

    /// Whether Enter should evaluate `text`; false while Lua's parser stops at its end.
    public func isComplete(_ text: String) -> Bool {
        let trimmed = text.trimmed
        if trimmed.isEmpty || "%?!".contains(trimmed.first!) { return true }
        for form in ["return " + text, text] {
            do {
                _ = try state.function(form, name: "=input")
                return true
            } catch {
                let message = "\(error)"
                // An unfinished short string ends at the end as well, but no further line can repair it.
                if message.hasSuffix("near <eof>"), message.range(of: "unfinished string") == nil { return false }
            }
        }
        return true
    }

    /// Evaluates `code`; every error ends up in the cell.
    /// - Parameter show: told each result's text unless the code ends with `;`.
    public func evaluate(_ code: String, show: (String) -> Void = { _ in }) -> Cell {
        var cell = Cell(number: nextNumber, code: code)
        let start = Session.now()
        PrintTap.begin(only: isSilent)
        do {
            let (function, expression) = try compile(code, number: cell.number)
            cell.expression = expression
            let values = try state.evaluate(function)
            cell.printed = PrintTap.end()
            if !values.isEmpty { remember(values) }
            if expression != .none, !code.trimmed.hasSuffix(";") {
                for value in values where !(values.count == 1 && value.type == "nil") {
                    let text = printer.text(value, in: state)
                    cell.shown += text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
                    if let picture = picture(value) { cell.pictures.append(picture) }
                    show(text)
                }
            }
        } catch {
            cell.printed = PrintTap.end()
            cell.error = error as? BSSError ?? BSSError("", "\(error)")
        }
        cell.milliseconds = (Session.now() - start) * 1e3
        cells.append(cell)
        return cell
    }

    /// Compiles the form that shows most: the whole as an expression, its last line as one, or statements only.
    /// Exactly one of them will run.
    /// - Throws: the syntax error of the statements.
    func compile(_ code: String, number: Int) throws -> (function: LuaFunction, expression: Expression) {
        let name = "=cell \(number)"
        let body = Session.withoutSemicolons(code)
        if !body.isEmpty, let function = try? state.function("return " + body, name: name) { return (function, .whole) }
        if let (head, last) = Session.split(body), !last.isEmpty,
            let function = try? state.function(LuaLexer.sessionLocals(head) + "\nreturn " + last, name: name)
        {
            return (function, .lastLine)
        }
        return (try state.function(LuaLexer.sessionLocals(code), name: name), .none)
    }

    static func withoutSemicolons(_ code: String) -> String {
        var text = code.trimmed
        while text.hasSuffix(";") { text = String(text.dropLast()) }
        return text
    }

    /// The lines before the last and the last; nil for a single line.
    static func split(_ code: String) -> (head: String, last: String)? {
        guard let newline = code.lastIndex(of: "\n") else { return nil }
        return (String(code[..<newline]), String(code[code.index(after: newline)...]))
    }

    /// Sources of all cells for error reports.
    public var sources: [String: String] { Dictionary(cells.map { ("cell \($0.number)", $0.code) }, uniquingKeysWith: { $1 }) }

    /// An object with a method `svg` is a figure.
    private func picture(_ value: LuaValue) -> String? {
        guard isSilent, let object = state.object(of: value), let method = object.objectType.method("svg") else { return nil }
        return (try? method.call([], receiver: object))?.first?.string
    }

    private func remember(_ values: [LuaValue]) {
        results = Array((Array(values.prefix(1)) + results).prefix(3))
        for (name, value) in zip(["_", "_2", "_3"], results) { try? state.setGlobal(name, value) }
    }

    /// Forgets results, so that they can be collected.
    func forgetResults() {
        results = []
        for name in ["_", "_2", "_3"] { try? state.removeGlobal(name) }
    }

    static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

extension StringProtocol {
    var trimmed: String {
        let isBlank = { (c: Character) in c == " " || c == "\n" || c == "\t" || c == "\r" }
        var rest = drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
        return String(rest)
    }

    func range(of needle: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}
