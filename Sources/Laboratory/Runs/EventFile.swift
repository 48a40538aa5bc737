import BSSCore
import Glibc

/// Numbers of epochs as TensorBoard reads them: a file of TFRecords (length, its masked CRC-32C, message, its masked
/// CRC-32C; little-endian), each message an `Event` of protocol buffers with one scalar.
///
/// Source: TensorFlow, core/util/event.proto and core/lib/io/record_writer.
public final class EventFile {
    private let file: Int32
    private let path: String

    /// Begins a file in `folder`; the numbers of epochs from `step` on in earlier files of the folder are void.
    /// - Throws: kind `.output`.
    public init(_ folder: String, from step: Int) throws {
        try Files.makeFolder(folder)
        // Files are read in the order of their names.
        let now = Text.format("%010ld.%09ld", Int(EventFile.time()), EventFile.nanoseconds())
        path = "\(folder)/events.out.tfevents.\(now).\(ProcessIdentity.current.pid)"
        file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw StoreFiles.failure("write", path, errno) }
        try write(EventFile.event(step: 0, Proto.text(3, "brain.Event:2")))
        if step > 1 { try write(EventFile.event(step: step, Proto.message(7, Proto.integer(1, 1)))) }
    }

    deinit { close(file) }

    /// One number of an epoch: `val.total.accuracy` becomes the tag `val/total/accuracy`.
    public func log(step: Int, _ name: String, _ value: Double) throws {
        let tag = name.split(separator: ".", omittingEmptySubsequences: false).joined(separator: "/")
        let scalar = Proto.text(1, tag) + Proto.float(2, Float(value))
        try write(EventFile.event(step: step, Proto.message(5, Proto.message(1, scalar))))
    }

    private func write(_ message: [UInt8]) throws {
        let length = EventFile.bytes(UInt64(message.count))
        let record =
            length + EventFile.bytes(CRC32C.masked(length)) + message + EventFile.bytes(CRC32C.masked(message))
        let written = record.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        guard written == record.count else { throw StoreFiles.failure("write", path, errno) }
    }

    // MARK: Event: wall_time = 1 (double), step = 2, file_version = 3, summary = 5, session_log = 7

    private static func event(step: Int, _ what: [UInt8]) -> [UInt8] {
        Proto.double(1, time()) + (step == 0 ? [] : Proto.integer(2, UInt64(step))) + what
    }

    private static func time() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
    }

    private static func nanoseconds() -> Int {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return now.tv_nsec
    }

    static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}

/// Fields of a protocol-buffer message.
private enum Proto {
    static func varint(_ value: UInt64) -> [UInt8] {
        var (rest, bytes) = (value, [UInt8]())
        while rest > 0x7F {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
    private static func key(_ field: UInt64, _ kind: UInt64) -> [UInt8] { varint(field << 3 | kind) }

    static func integer(_ field: UInt64, _ value: UInt64) -> [UInt8] { key(field, 0) + varint(value) }
    static func double(_ field: UInt64, _ value: Double) -> [UInt8] {
        key(field, 1) + EventFile.bytes(value.bitPattern)
    }
    static func float(_ field: UInt64, _ value: Float) -> [UInt8] { key(field, 5) + EventFile.bytes(value.bitPattern) }
    static func message(_ field: UInt64, _ bytes: [UInt8]) -> [UInt8] {
        key(field, 2) + varint(UInt64(bytes.count)) + bytes
    }
    static func text(_ field: UInt64, _ text: String) -> [UInt8] { message(field, Array(text.utf8)) }
}

/// CRC-32C (Castagnoli), polynomial 0x1EDC6F41 reflected.
enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
    }

    static func of(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { crc, byte in crc >> 8 ^ table[Int((crc ^ UInt32(byte)) & 0xFF)] }
    }

    /// As TFRecord stores it, so that the checksum of a text that holds checksums stays meaningful.
    static func masked(_ bytes: [UInt8]) -> UInt32 {
        let crc = of(bytes)
        return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
    }
}
