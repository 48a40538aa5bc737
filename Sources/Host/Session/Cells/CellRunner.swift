import BSSCore
import BSSLua
import Glibc

/// Runs cells one after the other in one Lua state.
///
/// A cell is compiled as an expression first and as statements otherwise, and runs once. `local` at its top level is
/// visible in later cells (see `CellScope`), so the cells do what the whole file does as one chunk. `_ = x` as the last
/// statement shows `x`: the form in which a value stands in a file that plain Lua runs.
public final class CellRunner {
    public let state: LuaState
    public let scope: CellScope
    /// What `...` is in every cell.
    public var arguments: [Value] = []
    /// Whether a result becomes `_`.
    var keepsLast = true
    /// Whether output also goes to standard output while the cell runs.
    public var tee = false
    /// Whether output is captured at all.
    public var captures = true
    /// Whether `os.exit` ends the cell, and with it the notebook, or the whole program.
    public var endsCellOnExit = false
    /// How a value is shown to a reader.
    public var show: (LuaValue, LuaState) -> String = CellRunner.shown

    /// Always for the same display, so that every terminal gives the same notebook.
    public static func shown(_ value: LuaValue, in state: LuaState) -> String {
        if let object = state.object(of: value) as? any Displayable { return object.drawn(on: Display(columns: 80)) }
        return Printer(width: 88).text(value, in: state)
    }

    public init(_ state: LuaState) {
        self.state = state
        scope = CellScope(state)
    }

    /// What came of a cell.
    public struct Outcome {
        /// Results of an expression or of `_ = …`; of statements what they return.
        public var values: [LuaValue] = [] { didSet { gaveValues = gaveValues || !values.isEmpty } }
        /// There were values, released or not.
        public private(set) var gaveValues = false
        /// Standard output as it stands on a screen.
        public var printed = ""
        public var error: BSSError?
        /// The code ends with `;`: values are not for showing.
        public var isSilent = false
        /// The result is an expression: nil is shown, too.
        public var isExpression = false
        public var seconds = 0.0
        /// False: a syntax error; nothing ran.
        public var didRun = false
        /// `os.exit(code)` was called: nothing after this cell runs.
        public var exitCode: Int32?
        public var wasInterrupted: Bool { error?.kind == .cancelled }

        /// The same without its values: a list of cells must not keep every result alive.
        public var released: Outcome {
            var outcome = self
            outcome.values = []
            return outcome
        }
    }

    /// - Parameters:
    ///   - name: chunk name as in `load`.
    ///   - line: number of the code's first line, for messages.
    public func run(_ code: String, name: String, line: Int = 1) -> Outcome {
        let code = CellRunner.withoutEqualSign(code)
        var outcome = Outcome()
        let names = CellParser.names(in: code)
        outcome.isSilent = names.isSilent
        // A variable `_` of the user's own is no result.
        let ownsResult = scope.names.contains("_") || names.declarations.contains { $0.names.contains("_") }
        let result = names.result.flatMap { ownsResult && $0.assigns ? nil : $0 }
        outcome.isExpression = result?.isExpression ?? false
        let source = CellScope.Source(
            code: result?.returned(in: code) ?? code, name: name, line: line,
            declarations: names.declarations.map { .init(names: $0.names, constants: $0.constants, end: $0.end) },
            mentioned: names.mentioned)
        let function: LuaFunction
        do { function = try scope.compile(source) } catch {
            outcome.error = BSSError.of(error)
            return outcome
        }
        outcome.didRun = true
        state.sources.add(Array(code.utf8), name: name)
        state.exitAsked = nil
        state.exitEndsCell = endsCellOnExit
        defer { state.exitEndsCell = false }
        let start = Clock.seconds()
        let body = { [self] in
            do {
                let values = try state.results(of: function, arguments)
                let isNothing = result?.form == .call && !outcome.isExpression && values.allSatisfy(isNil)
                outcome.values = isNothing ? [] : values
            } catch {
                outcome.error = CellRunner.tidied(BSSError.of(error), line: line)
            }
        }
        if captures { outcome.printed = StandardOutput.capture(tee: tee, body) } else { body() }
        outcome.seconds = Clock.seconds() - start
        outcome.exitCode = state.exitAsked
        if outcome.error != nil || state.isStopping { state.regainControl() }
        if let result, outcome.error == nil { keep(result, outcome.values.first) }
        return outcome
    }

    /// The result becomes `_`. Only a full stack throws, and the cell went well: results then stay where they are.
    private func keep(_ result: CellResult, _ value: LuaValue?) {
        if result.form == .shift {
            _ = try? state.run("_3, _2 = _2, _", name: "=results")  // as said above
        }
        if let value, keepsLast || result.assigns {
            try? state.setGlobal("_", value)  // as said above
        } else if result.assigns {
            try? state.removeGlobal("_")  // here too
        }
    }

    /// `=x` shows `x`, as in the prompts of Lua up to 5.2.
    public static func withoutEqualSign(_ code: String) -> String {
        let rest = code.drop { $0 == " " || $0 == "\t" || $0 == "\n" }
        return rest.first == "=" ? String(rest.dropFirst()) : code
    }

    /// The outputs of a cell as a notebook keeps them; Ctrl-C meanwhile becomes the cell's error.
    /// - Parameter path: the notebook's path; places in it are left out of messages, because outputs move them.
    public func outputs(of outcome: inout Outcome, path: String = "") -> [CellOutput] {
        do { return try outputs(outcome, path) } catch {
            outcome.error = BSSError.of(error)
            state.regainControl()
            return outputs(of: &outcome, path: path)
        }
    }

    private func outputs(_ outcome: Outcome, _ path: String) throws -> [CellOutput] {
        var outputs: [CellOutput] = []
        if !outcome.printed.isEmpty {
            outputs.append(
                CellOutput(
                    .stream,
                    text: outcome.printed.hasSuffix("\n") ? String(outcome.printed.dropLast()) : outcome.printed))
        }
        if !outcome.isSilent, outcome.error == nil {
            for value in outcome.values where !(outcome.values.count == 1 && isNil(value) && !outcome.isExpression) {
                outputs.append(
                    CellOutput(
                        .value, text: StableText.masked(StableText.plain(show(value, state)), times: false),
                        typed: try TypedValue.json(value, in: state), svg: drawing(value)))
            }
        }
        if let error = outcome.error {
            let message = CellRunner.withoutPlaces(error.located, path)
            outputs.append(
                CellOutput(
                    .error, text: "error: " + StableText.plain(message),
                    typed: TypedValue.error(StableText.masked(message))))
        }
        return outputs
    }

    // What has no plain form is not nil.
    private func isNil(_ value: LuaValue) -> Bool { (try? state.value(of: value))?.isNull ?? false }

    /// The SVG of objects that have a method `svg`.
    private func drawing(_ value: LuaValue) -> String? {
        // What has no plain form is no object and has no drawing.
        guard case .object(let object)? = try? state.value(of: value), let svg = object.objectType.method("svg") else {
            return nil
        }
        // An object that cannot be drawn is shown as text.
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
        var rest = message
        var out = ""
        while let at = Bytes.find(path + ":", in: rest) {
            out += String(decoding: rest.utf8.prefix(at), as: UTF8.self)
            var tail = rest.utf8.dropFirst(at + path.utf8.count + 1).drop { (48...57).contains($0) }
            if tail.first == UInt8(ascii: ":") { tail = tail.dropFirst() }
            if tail.first == UInt8(ascii: " ") { tail = tail.dropFirst() }
            rest = String(decoding: tail, as: UTF8.self)
        }
        return out + rest
    }
}
