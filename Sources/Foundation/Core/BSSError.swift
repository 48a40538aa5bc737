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
        case checked  // no mistake: --check has come to its end: exit 0
        case failedRuns  // a sweep ended with runs that came to no result: exit 6
        case left  // stopped with work left: exit 75
        case damaged  // an artifact that is not what was packed: exit 5
        case busy  // a run is in the hands of another process: exit 1
    }

    public var operation: String
    public var message: String
    public var hint: String?
    public var kind: Kind
    /// `file:line` of the script that was running, set by the script host; empty when the message holds it already.
    public var position: String?
    /// The script's frames, one `file:line: in …` a line, set by the script host.
    public var traceback: String?
    /// The script's own error value when it raised something else than a text.
    public var payload: AnyObject?

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

    /// `description` after the place in the script: `file:line: operation: message (hint)`
    public var located: String {
        guard let position, !position.isEmpty else { return description }
        return "\(position): \(description)"
    }

    /// Ctrl-C arrived while `operation` ran.
    public static func cancelled(_ operation: String) -> BSSError {
        BSSError(operation, "interrupted", kind: .cancelled)
    }
}
