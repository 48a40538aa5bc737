import BSSCore
import BSSLua
import BSSSession
import CBSSLua
import Glibc

/// A Jupyter kernel: a front end of a session that talks over sockets. Runs on Lua's thread; what must be heard while a
/// cell runs is heard by `Channels`.
final class Kernel {
    let session: Session
    private let connection: Connection
    private let id = Message.identifier()
    private let channels: Channels
    private let shell, input: Socket
    /// The request that is being answered.
    private(set) var request: Message?
    /// Of the cell that runs.
    var count = 0
    var failure: Table?
    var pages: [Value] = []
    /// Results are not shown: of silent requests and user expressions.
    var isSilent = false
    /// Requests that came before the error of the one that is answered.
    var toAbort: [Message] = []
    private var isEnded = false

    init(_ connection: Connection, _ session: Session) throws {
        self.connection = connection
        self.session = session
        shell = try Socket(.router)
        try shell.bind(connection.address("shell"))
        input = try Socket(.router)
        try input.bind(connection.address("stdin"))
        channels = try Channels(connection, session: id)
        session.front = self
    }

    /// Until the client asks for the end, or is gone; the exit code.
    func run() -> Int32 {
        StandardOutput.buffersLines()
        channels.start()
        publish("status", Table(fields: [("execution_state", .string("starting"))]))
        session.state.replaceInput { [unowned self] in try readInput($0) }
        while !isEnded, !channels.isShutDown {
            bss_lua_signals_at_prompt(true)
            let isReady = Socket.wait([shell], milliseconds: 200)[0]
            bss_lua_signals_at_prompt(false)
            if bss_lua_signal_pending() != 0 { break }  // TERM and the like
            guard isReady else { continue }
            while !isEnded, !channels.isShutDown, let parts = shell.receive() {
                if let message = Message(parts: parts, key: connection.key) { handle(message) }
            }
        }
        channels.end()
        let signal = bss_lua_signal_pending()
        return signal == 0 || channels.isShutDown ? 0 : ErrorReport.exitCode(BSSError.cancelled(""), signal: signal)
    }

    // MARK: Requests

    private func handle(_ message: Message) {
        begin(message)
        switch message.type {
        case "kernel_info_request": reply("kernel_info_reply", KernelInfo.content)
        case "execute_request": execute(message)
        case "complete_request": reply("complete_reply", complete(message.content))
        case "inspect_request": reply("inspect_reply", inspect(message.content))
        case "is_complete_request": reply("is_complete_reply", isComplete(message.content))
        case "history_request": reply("history_reply", history(message.content))
        case "comm_info_request":
            reply("comm_info_reply", Table(fields: [("status", .string("ok")), ("comms", .table(Table()))]))
        case "comm_open":  // there is nothing on this side
            publish("comm_close", Table(fields: [("comm_id", message.content["comm_id"] ?? .string(""))]))
        case "comm_msg", "comm_close": break
        case "shutdown_request":
            let restart = message.content["restart"] ?? .bool(false)
            reply("shutdown_reply", Table(fields: [("status", .string("ok")), ("restart", restart)]))
            isEnded = true
        default:
            let name = message.type.hasSuffix("_request") ? String(message.type.dropLast(8)) : message.type
            reply("\(name)_reply", KernelInfo.error("ProtocolError", "unknown request \(message.type)"))
        }
        fflush(nil)
        session.regainControl()
        publish("status", Table(fields: [("execution_state", .string("idle"))]))
        request = nil
        let given = toAbort
        toAbort = []
        abort(given)
    }

    /// What the client has sent already.
    func waitingRequests() -> [Message] {
        var waiting: [Message] = []
        while let parts = shell.receive() {
            if let message = Message(parts: parts, key: connection.key) { waiting.append(message) }
        }
        return waiting
    }

    /// After an error what had been sent before is not run; what is no cell is answered.
    func abort(_ waiting: [Message]) {
        for message in waiting {
            guard message.type == "execute_request" else {
                handle(message)
                continue
            }
            begin(message)
            reply("execute_reply", Table(fields: [("status", .string("aborted"))]))
            publish("status", Table(fields: [("execution_state", .string("idle"))]))
        }
    }

    // MARK: Sending

    /// From now on what is published and written answers `message`.
    private func begin(_ message: Message) {
        request = message
        let busy = Table(fields: [("execution_state", .string("busy"))])
        channels.publish("status", busy, answering: message.header, begins: true)
    }

    func reply(_ type: String, _ content: Table) {
        guard let request else { return }
        fflush(nil)
        let message = Message(type, content, to: request.identities, parent: request.header, session: id)
        shell.send(message.parts(key: connection.key))
    }

    func publish(_ type: String, _ content: Table) {
        channels.publish(type, content, answering: request?.header ?? Message.empty)
    }

    // MARK: io.read

    /// A line that the user types, asked for as `io.read` with these formats asks.
    private func readInput(_ formats: [Value]) throws -> [Value] {
        guard let request, request.content["allow_stdin"]?.bool ?? true else {
            throw BSSError("io.read", "the client takes no input here (allow_stdin is false)")
        }
        let asked = formats.isEmpty ? [Value.string("l")] : formats
        return try asked.map { format in
            let line = try ask(request)
            switch format.string?.drop(while: { $0 == "*" }).first {
            case "n":
                let text = line.trimmed
                return Int(text).map(Value.int) ?? Double(text).map(Value.number) ?? .null
            case "L", "a": return .string(line + "\n")
            case "l": return .string(line)
            default:
                guard let bytes = format.int else {
                    throw BSSError("io.read", "bad format \(format.described)", kind: .usage)
                }
                return .string(String(decoding: Array(line.utf8).prefix(max(0, bytes)), as: UTF8.self))
            }
        }
    }

    private func ask(_ request: Message) throws -> String {
        while input.receive() != nil {}  // late answers to earlier questions
        fflush(nil)
        let question = Table(fields: [("prompt", .string("")), ("password", .bool(false))])
        let message = Message("input_request", question, to: request.identities, parent: request.header, session: id)
        input.send(message.parts(key: connection.key))
        while true {
            try Cancellation.check("io.read")
            if channels.isShutDown { throw BSSError.cancelled("io.read") }
            guard Socket.wait([input], milliseconds: 100)[0], let parts = input.receive() else { continue }
            if let answer = Message(parts: parts, key: connection.key), answer.type == "input_reply" {
                return answer.content["value"]?.string ?? ""
            }
        }
    }
}
