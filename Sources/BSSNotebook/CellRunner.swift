import BSSCore
import BSSLuaHost
import Glibc

/// Runs cells one after the other in one Lua state.
///
/// A cell is compiled as an expression first and as statements otherwise, and runs once. `local` at its top level is visible in
/// later cells (see `CellScope`), so the cells do what the whole file does as one chunk. `_ = x` as the last statement shows `x`:
/// the form in which a value stands in a file that plain Lua runs.
public final class CellRunner {
    public let state: LuaState
    public let scope: CellScope
    /// What `...` is in every cell.
    public var arguments: [Value] = []
    /// Whether an expression's value becomes `_`, as at a prompt.
    public var keepsLast = false
    /// Whether output also goes to standard output while the cell runs.
    public var tee = false
    /// Whether output is captured at all.
    public var captures = true
    /// How a value is shown to a reader.
    public var show: (LuaReference, LuaState) -> String = { ShownValue.text($0, in: $1) }

    public init(_ state: LuaState) {
        self.state = state
        scope = CellScope(state)
    }

    /// What came of a cell.
    public struct Outcome {
        /// Results of an expression or of `_ = …`; of statements what they return.
        public var values: [LuaReference] = []
        /// Standard output as it stands on a screen.
        public var printed = ""
        public var error: BSSError?
        /// The code ends with `;`: values are not for showing.
        public var isSilent = false
        /// It was compiled as an expression.
        public var isExpression = false
        public var seconds = 0.0
        /// False: a syntax error; nothing ran.
        public var didRun = false
        public var wasInterrupted: Bool { error?.kind == .cancelled }
    }

    /// - Parameters:
    ///   - name: chunk name as in `load`.
    ///   - line: number of the code's first line, for messages.
    public func run(_ code: String, name: String, line: Int = 1) -> Outcome {
        var outcome = Outcome()
        let names = CellParser.names(in: code)
        outcome.isSilent = names.isSilent
        let function: LuaFunction
        var assignsLast = false
        do {
            var source = CellScope.Source(code: code, name: name, line: line, mentioned: names.mentioned)
            if (try? state.function("return " + code, name: name)) != nil, !names.isEmpty {
                source.code = "return " + code
                outcome.isExpression = true
            } else {
                source.declarations = names.declarations.map { .init(names: $0.names, constants: $0.constants, end: $0.end) }
                if let range = names.shownResult, !scope.names.contains("_"), !names.declarations.contains(where: { $0.names.contains("_") }) {
                    var bytes = Array(code.utf8)
                    bytes.replaceSubrange(range, with: Array("return ".utf8))
                    source.code = String(decoding: bytes, as: UTF8.self)
                    assignsLast = true
                }
            }
            function = try scope.compile(source)
        } catch {
            outcome.error = error as? BSSError ?? BSSError("", "\(error)")
            return outcome
        }
        outcome.didRun = true
        let start = CellRunner.now()
        let body = { [self] in
            do { outcome.values = try state.results(of: function, arguments) } catch {
                outcome.error = CellRunner.tidied(error as? BSSError ?? BSSError("", "\(error)"), line: line)
            }
        }
        if captures { outcome.printed = StandardOutput.capture(tee: tee, body) } else { body() }
        outcome.seconds = CellRunner.now() - start
        if outcome.error != nil || state.isStopping { state.regainControl() }
        if assignsLast || (keepsLast && outcome.isExpression), outcome.error == nil {
            if let first = outcome.values.first {
                state.setGlobal("_", to: first)
            } else if assignsLast {
                try? state.setGlobal("_", .null)
            }
        }
        return outcome
    }

    /// The outputs of a cell as a notebook keeps them.
    /// - Parameter path: the notebook's path; places in it are left out of messages, because outputs move them.
    public func outputs(of outcome: Outcome, path: String = "") -> [CellOutput] {
        var outputs: [CellOutput] = []
        if !outcome.printed.isEmpty {
            outputs.append(CellOutput(.stream, text: outcome.printed.hasSuffix("\n") ? String(outcome.printed.dropLast()) : outcome.printed))
        }
        if !outcome.isSilent, outcome.error == nil {
            for value in outcome.values where !(outcome.values.count == 1 && isNil(value) && !outcome.isExpression) {
                outputs.append(CellOutput(.value, text: StableText.masked(StableText.plain(show(value, state)), times: false), typed: TypedValue.json(value, in: state), svg: drawing(value)))
            }
        }
        if let error = outcome.error {
            let message = CellRunner.withoutPlaces(error.located, path)
            outputs.append(CellOutput(.error, text: "error: " + StableText.plain(message), typed: TypedValue.error(StableText.masked(message))))
        }
        return outputs
    }

    private func isNil(_ value: LuaReference) -> Bool { (try? state.value(of: value))?.isNull ?? false }

    /// The SVG of objects that have a method `svg`.
    private func drawing(_ value: LuaReference) -> String? {
        guard case .object(let object)? = try? state.value(of: value), let svg = object.objectType.method("svg") else { return nil }
        return (try? svg.call([], receiver: object))?.first?.string
    }

    /// The cell's own frame is its main chunk.
    private static func tidied(_ error: BSSError, line: Int) -> BSSError {
        var error = error
        var frames = (error.traceback ?? "").split(separator: "\n").map(String.init)
        if let last = frames.last, let note = Bytes.find(": in a function defined at line", in: last) {
            frames[frames.count - 1] = String(decoding: last.utf8.prefix(note), as: UTF8.self) + ": in the cell"
        }
        error.traceback = frames.joined(separator: "\n")
        return error
    }

    /// Places in the notebook itself are left out: its lines move when outputs are filled in.
    private static func withoutPlaces(_ message: String, _ path: String) -> String {
        guard !path.isEmpty else { return message }
        var rest = message, out = ""
        while let at = Bytes.find(path + ":", in: rest) {
            out += String(decoding: rest.utf8.prefix(at), as: UTF8.self)
            var tail = rest.utf8.dropFirst(at + path.utf8.count + 1).drop { (48...57).contains($0) }
            if tail.first == UInt8(ascii: ":") { tail = tail.dropFirst() }
            if tail.first == UInt8(ascii: " ") { tail = tail.dropFirst() }
            rest = String(decoding: tail, as: UTF8.self)
        }
        return out + rest
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

/// The plain way to show a value: a table with its entries in order, an object by its summary, anything else by `tostring`.
public enum ShownValue {
    static let width = 88, lines = 60

    public static func text(_ reference: LuaReference, in state: LuaState) -> String {
        guard let value = try? state.value(of: reference) else { return StableText.masked(state.text(of: reference)) }
        switch value {
        case .table(let table): return limited(layout(.table(table), indent: ""))
        case .object(let object): return object.summary
        case .function: return "function"
        default: return state.text(of: reference)
        }
    }

    private static func limited(_ text: String) -> String {
        let all = text.split(separator: "\n", omittingEmptySubsequences: false)
        return all.count <= lines ? text : all.prefix(lines).joined(separator: "\n") + "\n… \(all.count - lines) more lines"
    }

    private static func layout(_ value: Value, indent: String) -> String {
        guard case .table(let table) = value, !table.isEmpty else { return atom(value) }
        let line = short(value)
        if indent.count + line.count <= width { return line }
        let inner = indent + "  "
        if table.keys.isEmpty, !table.items.contains(where: { $0.table != nil }) { return filled(table.items.map(atom), indent) }
        let rows = table.items.map { layout($0, indent: inner) } + table.fields.map { "\($0.key) = " + layout($0.value, indent: inner) }
        return "{\n" + rows.map { inner + $0 }.joined(separator: ",\n") + "\n\(indent)}"
    }

    /// A long list, as many entries a line as fit.
    private static func filled(_ items: [String], _ indent: String) -> String {
        var rows = [""]
        for item in items.prefix(1000) {
            if !rows[rows.count - 1].isEmpty, indent.count + rows[rows.count - 1].count + item.count + 4 > width { rows.append("") }
            rows[rows.count - 1] += (rows[rows.count - 1].isEmpty ? "" : " ") + item + ","
        }
        if items.count > 1000 { rows.append("… \(items.count - 1000) more") }
        return "{\n" + rows.map { indent + "  " + $0 }.joined(separator: "\n") + "\n\(indent)}"
    }

    private static func short(_ value: Value) -> String {
        guard case .table(let table) = value else { return atom(value) }
        if table.items.count > 50 { return String(repeating: " ", count: width + 1) }  // too long in any case
        return "{" + (table.items.map(short) + table.fields.map { "\($0.key) = \(short($0.value))" }).joined(separator: ", ") + "}"
    }

    private static func atom(_ value: Value) -> String {
        switch value {
        case .number(let d): return d == d.rounded() && abs(d) < 1e15 ? Text.fixed(d, 1) : Text.format("%.14g", d)
        case .object(let object): return object.summary.split(separator: "\n").first.map(String.init) ?? object.objectType.name
        case .function: return "function"
        default: return JSON.lua(value)
        }
    }
}
