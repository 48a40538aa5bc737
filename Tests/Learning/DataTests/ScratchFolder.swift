import BSSCodecs
import BSSCore
import Foundation

@testable import BSSData

/// A temporary folder that is removed with its owner.
final class ScratchFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "bss-data-" + UUID().uuidString
        try Files.makeFolder(path)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        if let slash = name.lastIndex(of: "/") { try Files.makeFolder(file(String(name[..<slash]))) }
        try Files.write(bytes, to: file(name))
        return file(name)
    }
    @discardableResult func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }
    @discardableResult func write(_ name: String, _ array: NpyArray) throws -> String {
        try write(name, Npy.bytes(array))
    }
}

/// The message of the error that the body throws; empty if it throws none.
func message(_ body: () throws -> Void) -> String {
    do {
        try body()
        return ""
    } catch { return "\(error)" }
}

func makeDataset(_ part: String, _ options: [(String, Value)] = []) throws -> Dataset {
    try Configured<Dataset>(part, Table(fields: options)).product
}

/// Little-endian bytes of integers.
func little<T: FixedWidthInteger>(_ values: T...) -> [UInt8] {
    values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
}

/// A WAVE file of the given format and sound data.
func wave(
    tag: UInt16 = 1, channels: UInt16 = 1, rate: UInt32 = 8000, bits: UInt16 = 16, data: [UInt8],
    isExtensible: Bool = false, before: [UInt8] = []
) -> [UInt8] {
    let align = channels * bits / 8
    var format =
        little(isExtensible ? 0xFFFE : tag, channels) + little(rate, rate &* UInt32(align)) + little(align, bits)
    if isExtensible {
        format +=
            little(UInt16(22), bits) + little(UInt32(0)) + little(tag) + [
                0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71,
            ]
    }
    let body =
        Array("WAVE".utf8) + before + Array("fmt ".utf8) + little(UInt32(format.count)) + format + Array("data".utf8)
        + little(UInt32(data.count)) + data
    return Array("RIFF".utf8) + little(UInt32(body.count)) + body
}

/// A PNG file without compression: rows of filter byte and packed samples.
func png(
    width: UInt32, height: UInt32, depth: UInt8 = 8, colour: UInt8, rows: [[UInt8]], chunks: [(String, [UInt8])] = []
) -> [UInt8] {
    func big(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
    }
    func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(name.utf8) + data
        return big(UInt32(data.count)) + body + big(Checksum.crc32(body))
    }
    let raw: [UInt8] = rows.flatMap { row -> [UInt8] in [0] + row }
    var a: UInt32 = 1
    var b: UInt32 = 0
    for byte in raw {
        a = (a + UInt32(byte)) % 65521
        b = (b + a) % 65521
    }
    let stored: [UInt8] = [0x78, 0x01, 0x01] + little(UInt16(raw.count), ~UInt16(raw.count)) + raw + big(b << 16 | a)
    var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    file += chunk("IHDR", big(width) + big(height) + [depth, colour, 0, 0, 0])
    for (name, data) in chunks { file += chunk(name, data) }
    return file + chunk("IDAT", stored) + chunk("IEND", [])
}
