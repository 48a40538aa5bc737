/// A function or method as scripts see it: one declaration gives the call, its checks, help and completion.
/// Sendable as every declaration is (see `Argument`).
public struct Function: @unchecked Sendable {
    /// How arguments arrive.
    public enum Style: Sendable {
        /// One table of named options, whose list part fills the declared arguments in order; or plain positional
        /// values, after which a table may name further options.
        case options
        /// Positional values only (for functions whose first argument is itself a table).
        case positional
    }

    public let name: String
    public let summary: String
    public let arguments: [any AnyArgument]
    public let returns: String
    /// A runnable example; the tests run it.
    public let example: String?
    /// Authors, venue, year, equation.
    public let source: String?
    public let style: Style
    /// Fields beyond the declared ones are allowed and land in `Arguments.rest`; the text says what they mean.
    public let restHelp: String?
    /// More positional values than declared are allowed and land in `Arguments.extra`.
    public let isVariadic: Bool
    public let body: (Arguments) throws -> [Value]
    /// Taken without decoding when called with exactly two numbers; must agree with `body`.
    public let numeric: (@convention(c) (Double, Double) -> Double)?

    public init(
        _ name: String, _ summary: String, _ arguments: [any AnyArgument] = [], returns: String = "",
        example: String? = nil,
        source: String? = nil, style: Style = .options, rest restHelp: String? = nil, isVariadic: Bool = false,
        numeric: (@convention(c) (Double, Double) -> Double)? = nil, body: @escaping (Arguments) throws -> [Value]
    ) {
        self.name = name
        self.summary = summary
        self.arguments = arguments
        self.returns = returns
        self.example = example
        self.source = source
        self.style = style
        self.restHelp = restHelp
        self.isVariadic = isVariadic
        self.numeric = numeric
        self.body = body
    }

    /// Decodes `values` by the declaration and runs the body. `path` is the full name for messages (`bss.pace.root`).
    public func call(_ values: [Value], receiver: (any HostObject)? = nil, path: String? = nil) throws -> [Value] {
        try body(decode(values, receiver: receiver, path: path))
    }

    public func decode(_ values: [Value], receiver: (any HostObject)? = nil, path: String? = nil) throws -> Arguments {
        var positional = values
        var named = Table()
        if style == .options, values.count == 1, case .table(let table) = values[0] {
            named = table
            positional = table.items
            if let first = arguments.first, first.takesList, !positional.isEmpty { positional = [.list(positional)] }
            named.items = []
        } else if style == .options, values.count > 1, case .table(let table)? = values.last, names(table) {
            // `model:predict(data, { missing = "audio" })`
            named = table
            positional.removeLast()
        }
        while let last = positional.last, last.isNull { positional.removeLast() }
        return try Arguments(
            operation: path ?? name, declared: arguments, positional: positional, named: named,
            allowsRest: restHelp != nil, isVariadic: isVariadic, receiver: receiver)
    }

    /// Whether a table names options of this function, well or nearly so.
    private func names(_ table: Table) -> Bool {
        let known = arguments.flatMap { [$0.name] + $0.aliases }
        return table.items.isEmpty
            && table.keys.contains { known.contains($0) || Text.nearest(to: $0, in: known) != nil }
    }

    /// `name{ option = default, … } → returns`
    public var signature: String { callForm + (returns.isEmpty ? "" : " → \(returns)") }

    /// `name{ option = default, … }`
    public var callForm: String {
        let parts =
            arguments.map { $0.isRequired ? $0.name : "\($0.name) = \(JSON.lua($0.defaultPlain))" }
            + (restHelp == nil ? [] : ["…"])
        let open = style == .options ? "{" : "("
        let close = style == .options ? "}" : ")"
        return name + open + parts.joined(separator: ", ") + close
    }
}
