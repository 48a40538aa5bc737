import BSSCore
import CBSSLua
import Glibc

/// What the kernel publishes, and the thread beside Lua's: it forwards what code writes, answers heartbeats, and hears
/// interrupts and the end while a cell runs. It knows no Lua: an interrupt is a signal to the other thread.
///
/// Both threads publish, each under the lock. Whoever publishes a message sends what stands in the pipes first: what
/// was written before the message stands before it, what is found later was written after it.
///
/// Sendable: what both threads touch lies behind the lock, the rest is the thread's own once it runs.
final class Channels: @unchecked Sendable {
    private let key: [UInt8]
    private let session: String
    /// The process whose end is the kernel's, whatever runs; nil: it lives on alone.
    private let client: pid_t?
    private let heartbeat, control: Socket
    /// Read ends of the pipes that standard output and standard error are.
    private let pipes: [Int32]
    private static let names = ["stdout", "stderr"]
    private var thread: Threads?

    // What both threads touch.
    private let lock = Lock()
    private let publisher: Socket
    /// What output answers.
    private var parent = Message.empty
    /// Bytes of a character that the next read completes.
    private var rests: [[UInt8]] = [[], []]
    /// Messages for which there was no room: until they are gone no pipe is read, and writers wait.
    private var waiting: [[[UInt8]]] = []
    private var shutdown = false
    private var isEnded = false

    /// Messages that may wait for a slow client.
    private static let room: Int32 = 2000
    /// How long a slow client is given between two tries.
    private static let pauseMilliseconds = 5
    private static let readBytes = 1 << 16

    init(_ connection: Connection, session: String) throws {
        key = connection.key
        self.session = session
        // Set by clients that want the kernel to go with them, as ipykernel reads it.
        client = getenv("JPY_PARENT_PID") == nil ? nil : getppid()
        publisher = try Socket(.publisher)
        publisher.bound(Channels.room)
        try publisher.bind(connection.address("iopub"))
        heartbeat = try Socket(.reply)
        try heartbeat.bind(connection.address("hb"))
        control = try Socket(.router)
        try control.bind(connection.address("control"))
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

    /// Starts the thread, which handles no signals.
    func start() { thread = Threads(1) { [self] in loop() } }

    /// The client asked for the end, or is gone.
    var isShutDown: Bool { lock.withLock { shutdown } }

    /// Ends the thread when all is published.
    func end() {
        lock.withLock {
            drain()
            isEnded = true
        }
        thread?.join()
        thread = nil
    }

    // MARK: Publishing

    /// A message behind what code has written, once a slow client has taken the earlier ones.
    /// - Parameter begins: what is written from now on answers the same request as the message.
    func publish(_ type: String, _ content: Table, answering request: [UInt8], begins: Bool = false) {
        fflush(nil)
        while lock.withLock({ !flush() && !shutdown }) { Channels.pause() }
        lock.withLock {
            drain()
            if begins { parent = request }
            send(type, content, answering: request)
        }
    }

    /// Sends what waits, as far as there is room; whether all of it is gone.
    private func flush() -> Bool {
        while let message = waiting.first, publisher.send(message, waits: false) { waiting.removeFirst() }
        return waiting.isEmpty
    }

    private static func pause() { usleep(UInt32(pauseMilliseconds) * 1000) }

    private func send(_ type: String, _ content: Table, answering request: [UInt8], topic: String? = nil) {
        let topics = [Array((topic ?? type).utf8)]
        let parts = Message(type, content, to: topics, parent: request, session: session).parts(key: key)
        if !flush() || !publisher.send(parts, waits: false) { waiting.append(parts) }
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
        send("stream", content, answering: parent, topic: "stream.\(Channels.names[position])")
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

    // MARK: The thread

    private func loop() {
        while !lock.withLock({ isEnded }) {
            // While a client is slow, nothing that would be published is read.
            let isFull = lock.withLock { !flush() }
            if let client, getppid() != client, !isShutDown { shutDown() }
            let ready = Socket.wait(
                [control, heartbeat], files: isFull ? [] : pipes,
                milliseconds: isFull ? Channels.pauseMilliseconds : 100)
            if ready[0] { while let parts = control.receive() { hear(parts) } }
            if ready[1], let parts = heartbeat.receive() { heartbeat.send(parts) }
            guard !isFull else { continue }
            for position in pipes.indices where ready[2 + position] { lock.withLock { _ = forward(position) } }
        }
        let deadline = time(nil) + 1
        while lock.withLock({ !flush() }), time(nil) < deadline { Channels.pause() }
    }

    private func hear(_ parts: [[UInt8]]) {
        guard let message = Message(parts: parts, key: key) else { return }
        status("busy", message)
        switch message.type {
        case "interrupt_request":
            kill(getpid(), SIGINT)
            reply("interrupt_reply", Table(fields: [("status", .string("ok"))]), to: message)
        case "shutdown_request":
            shutDown()
            let restart = message.content["restart"] ?? .bool(false)
            reply("shutdown_reply", Table(fields: [("status", .string("ok")), ("restart", restart)]), to: message)
        case "kernel_info_request": reply("kernel_info_reply", KernelInfo.content, to: message)
        default:
            let reason = "\(message.type) is for the shell"
            reply("\(message.type.prefix { $0 != "_" })_reply", KernelInfo.error("ProtocolError", reason), to: message)
        }
        status("idle", message)
    }

    private func shutDown() {
        lock.withLock { shutdown = true }
        kill(getpid(), SIGINT)
    }

    private func reply(_ type: String, _ content: Table, to message: Message) {
        control.send(
            Message(type, content, to: message.identities, parent: message.header, session: session).parts(key: key))
    }

    private func status(_ state: String, _ message: Message) {
        let content = Table(fields: [("execution_state", .string(state))])
        lock.withLock { send("status", content, answering: message.header) }
    }
}
