/// What a user can cause, explained: which operation, what was expected and what came, and what to try.
///
/// Everything reachable from Lua with bad input throws one of these; traps are for our own broken invariants only.
public struct BSSError: Error, CustomStringConvertible {
    /// Decides the process exit code (surface.md section 2, host.md section F).
    public enum Kind: Sendable {
        case usage  // wrong option, argument, configuration: exit 2 on the command line, 1 inside a script
        case runtime  // everything else in a script: exit 1
        case data  // data missing or damaged: exit 8
        case device  // device or backend unavailable: exit 9
        case output  // output could not be written: exit 74
        case cancelled  // interrupted: exit 130
    }

    public var operation: String
    public var message: String
    public var hint: String?
    public var kind: Kind

    public init(_ operation: String, _ message: String, hint: String? = nil, kind: Kind = .runtime) {
        self.operation = operation
        self.message = message
        self.hint = hint
        self.kind = kind
    }

    /// `operation: message (hint)`
    public var description: String {
        let head = operation.isEmpty ? message : "\(operation): \(message)"
        return hint.map { "\(head) (\($0))" } ?? head
    }

    /// Ctrl-C arrived while `operation` ran.
    public static func cancelled(_ operation: String) -> BSSError {
        BSSError(operation, "interrupted", kind: .cancelled)
    }
}
