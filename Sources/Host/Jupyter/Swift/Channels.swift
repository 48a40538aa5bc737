import BSSCore
import CBSSLua
import Glibc

/// The thread beside Lua's: it publishes what the kernel says and what code writes, answers heartbeats, and hears
/// interrupts and the end while a cell runs. It knows no Lua: an interrupt is a signal to the other thread.
///
/// Sendable: what both threads touch lies behind the lock, the rest is the thread's own once it runs.
final class Channels: @unchecked Sendable {
    private let key: [UInt8]
    private let session: String
    private let publisher, heartbeat, control, inbox: Socket
    /// Read ends of the pipes that standard output and standard error are.
    private let pipes: [Int32]
    private static let names = ["stdout", "stderr"]
    /// Bytes of a character that the next read completes.
    private var rests: [[UInt8]] = [[], []]
    /// A message for which there was no room: until it is gone nothing else is read, and writers wait.
    private var waiting: [[[UInt8]]] = []
    private var isEnded = false
    private var thread: Threads?

    /// What the running cell answers to; the only thing both threads touch.
    private var parent = Message.empty
    private var shutdown = false
    private let lock = Lock()

    private static let inboxAddress = "inproc://kernel"
    /// Messages that may wait for a slow client.
    private static let room: Int32 = 2000
    private static let readBytes = 1 << 16

    init(_ connection: Connection, session: String) throws {
        key = connection.key
        self.session = session
        publisher = try Socket(.publisher)
        publisher.bound(Channels.room)
        try publisher.bind(connection.address("iopub"))
        heartbeat = try Socket(.reply)
        try heartbeat.bind(connection.address("hb"))
        control = try Socket(.router)
        try control.bind(connection.address("control"))
        inbox = try Socket(.pull)
        try inbox.bind(Channels.inboxAddress)
        pipes = try [STDOUT_FILENO, STDERR_FILENO].map(Channels.replace)
    }

    /// Standard output or error becomes a pipe; its read end.
    private static func replace(_ file: Int32) throws -> Int32 {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw BSSError("kernel", "no pipe: \(String(cString: strerror(errno)))") }
        fflush(nil)
        dup2(ends[1], file)
        close(ends[1])
        for flag in [FD_CLOEXEC] { _ = fcntl(ends[0], F_SETFD, flag) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        return ends[0]
    }

    /// The kernel's side: messages for iopub, in order with what code has written before.
    func outbox() throws -> Socket {
        let socket = try Socket(.push)
        try socket.connect(Channels.inboxAddress)
        return socket
    }

    /// Starts the thread, which handles no signals.
    func start() { thread = Threads(1) { [self] in loop() } }

    // MARK: Shared

    /// What is written from now on answers `header`.
    func answer(_ header: [UInt8]) { lock.withLock { parent = header } }
    /// The client asked for the end.
    var isShutDown: Bool { lock.withLock { shutdown } }

    /// Ends the thread when all is published.
    func end(_ outbox: Socket) {
        outbox.send([[]])
        thread?.join()
        thread = nil
    }

    // MARK: The thread

    private func loop() {
        let sockets = [control, heartbeat, inbox]
        while !isEnded {
            while let message = waiting.first, publisher.send(message, waits: false) { waiting.removeFirst() }
            // While a client is slow, nothing that would be published is read.
            let isFull = !waiting.isEmpty
            let ready = Socket.wait(
                isFull ? Array(sockets[..<2]) : sockets, files: isFull ? [] : pipes, milliseconds: isFull ? 5 : 200)
            if ready[0] { while let parts = control.receive() { hear(parts) } }
            if ready[1], let parts = heartbeat.receive() { heartbeat.send(parts) }
            guard !isFull else { continue }
            for position in pipes.indices where ready[3 + position] { forward(position) }
            // What was written before a message was sent is in the pipes by now.
            while waiting.isEmpty, let parts = inbox.receive() {
                drain()
                if parts == [[]] { isEnded = true } else { publish(parts) }
            }
        }
        let deadline = time(nil) + 1
        while let message = waiting.first, time(nil) < deadline {
            if publisher.send(message, waits: false) { waiting.removeFirst() } else { usleep(5000) }
        }
    }

    private func publish(_ parts: [[UInt8]]) {
        if !waiting.isEmpty || !publisher.send(parts, waits: false) { waiting.append(parts) }
    }

    /// What is in the pipes now, and not what a running child writes after.
    private func drain() {
        for position in pipes.indices {
            var left: Int32 = 0
            guard ioctl(pipes[position], UInt(FIONREAD), &left) == 0 else { continue }
            while left > 0 {
                let count = forward(position)
                if count == 0 { break }
                left -= Int32(count)
            }
            if !rests[position].isEmpty { stream(position, []) }
        }
    }

    @discardableResult
    private func forward(_ position: Int) -> Int {
        var bytes = [UInt8](repeating: 0, count: Channels.readBytes)
        let count = read(pipes[position], &bytes, bytes.count)
        guard count > 0 else { return 0 }
        let all = rests[position] + bytes[..<count]
        let whole = Channels.lengthOfWholeCharacters(all)
        rests[position] = Array(all[whole...])
        if whole > 0 { stream(position, Array(all[..<whole]), keepsRest: true) }
        return count
    }

    /// Bytes that are no UTF-8 become replacement characters.
    private func stream(_ position: Int, _ bytes: [UInt8], keepsRest: Bool = false) {
        var all = bytes
        if !keepsRest {
            all = rests[position] + bytes
            rests[position] = []
        }
        let content = Table(fields: [
            ("name", .string(Channels.names[position])), ("text", .string(String(decoding: all, as: UTF8.self))),
        ])
        let header = lock.withLock { parent }
        let topic = Array("stream.\(Channels.names[position])".utf8)
        publish(Message("stream", content, to: [topic], parent: header, session: session).parts(key: key))
    }

    /// Without the beginning of a character at the end.
    static func lengthOfWholeCharacters(_ bytes: [UInt8]) -> Int {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xC0 == 0x80 { continue }
            let length = byte >= 0xF5 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return length > back ? bytes.count - back : bytes.count
        }
        return bytes.count
    }

    // MARK: Control

    private func hear(_ parts: [[UInt8]]) {
        guard let message = Message(parts: parts, key: key) else { return }
        status("busy", message)
        switch message.type {
        case "interrupt_request":
            kill(getpid(), SIGINT)
            reply("interrupt_reply", Table(fields: [("status", .string("ok"))]), to: message)
        case "shutdown_request":
            lock.withLock { shutdown = true }
            kill(getpid(), SIGINT)
            let restart = message.content["restart"] ?? .bool(false)
            reply("shutdown_reply", Table(fields: [("status", .string("ok")), ("restart", restart)]), to: message)
        case "kernel_info_request": reply("kernel_info_reply", KernelInfo.content, to: message)
        default:
            let reason = "\(message.type) is for the shell"
            reply("\(message.type.prefix { $0 != "_" })_reply", KernelInfo.error("ProtocolError", reason), to: message)
        }
        status("idle", message)
    }

    private func reply(_ type: String, _ content: Table, to message: Message) {
        control.send(
            Message(type, content, to: message.identities, parent: message.header, session: session).parts(key: key))
    }

    private func status(_ state: String, _ message: Message) {
        let content = Table(fields: [("execution_state", .string(state))])
        publish(
            Message("status", content, to: [Array("status".utf8)], parent: message.header, session: session)
                .parts(key: key))
    }
}
