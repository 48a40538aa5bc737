import BSSCore
import CBSSZMQ
import Glibc

/// A socket of libzmq; one thread's at a time: two share one behind a lock.
final class Socket {
    enum Kind {
        case router, publisher, reply
        fileprivate var number: Int32 {
            switch self {
            case .router: Int32(BSS_ZMQ_ROUTER)
            case .publisher: Int32(BSS_ZMQ_PUB)
            case .reply: Int32(BSS_ZMQ_REP)
            }
        }
    }

    let pointer: UnsafeMutableRawPointer

    /// Milliseconds that the end of the program waits for messages under way.
    private static let linger: Int32 = 1000

    /// - Throws: libzmq is not there.
    static func openLibrary() throws {
        guard bss_zmq_open() else {
            throw BSSError(
                "kernel", "libzmq is not installed, and Jupyter talks over it",
                hint: "apt-get install libzmq5; BSS_ZMQ names another file", kind: .runtime)
        }
    }

    init(_ kind: Kind) throws {
        guard let made = bss_zmq_socket(kind.number, Socket.linger) else {
            throw BSSError("kernel", "no socket: \(String(cString: bss_zmq_error(errno)))")
        }
        pointer = made
    }

    deinit { bss_zmq_close(pointer) }

    func bind(_ address: String) throws { try check(bss_zmq_bind(pointer, address), address) }
    /// Sends that find as many messages waiting are refused instead of lost.
    func bound(_ messages: Int32) { _ = bss_zmq_bound(pointer, messages) }

    private func check(_ status: Int32, _ address: String) throws {
        if status != 0 { throw BSSError("kernel", "\(address): \(String(cString: bss_zmq_error(status)))") }
    }

    /// - Returns: false: there was no room, and nothing was sent.
    @discardableResult
    func send(_ parts: [[UInt8]], waits: Bool = true) -> Bool {
        for (i, part) in parts.enumerated() {
            let status = part.withUnsafeBytes {
                bss_zmq_send(pointer, $0.baseAddress, $0.count, i < parts.count - 1, waits || i > 0)
            }
            if status != 0 { return false }
        }
        return true
    }

    /// A message that waits; nil: none does.
    func receive() -> [[UInt8]]? {
        var parts: [[UInt8]] = []
        var more = false
        repeat {
            var count = 0
            guard let bytes = bss_zmq_receive(pointer, &count, &more) else { return nil }
            parts.append(Array(UnsafeRawBufferPointer(start: bytes, count: count)))
            free(bytes)
        } while more
        return parts
    }

    /// Waits for what can be read: sockets, then files.
    static func wait(_ sockets: [Socket], files: [Int32] = [], milliseconds: Int) -> [Bool] {
        let pointers: [UnsafeMutableRawPointer?] = sockets.map(\.pointer) + files.map { _ in nil }
        let descriptors = sockets.map { _ in Int32(-1) } + files
        var ready = [Bool](repeating: false, count: pointers.count)
        bss_zmq_poll(pointers, descriptors, Int32(pointers.count), &ready, milliseconds)
        return ready
    }
}
