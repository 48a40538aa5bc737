import BSSCore
import CBSSCodecs

/// Zip archives as numpy.savez and numpy.savez_compressed write them: stored or deflated entries, zip64.
///
/// Sizes come from the central directory (numpy's local headers hold placeholders); every entry's CRC is checked.
public struct ZipArchive {
    struct Entry {
        let name: String
        let method, crc, packed, size, header: Int
    }

    private let file: Bytes
    private let entries: [String: Entry]
    /// In the order of the central directory.
    public let names: [String]

    public init(_ path: String) throws { try self.init(bytes: try Files.readData(path), source: path) }

    public init(bytes: [UInt8], source: String) throws {
        file = Bytes(all: bytes, source: source, format: "zip")
        let list = try ZipArchive.directory(file)
        names = list.map(\.name)
        entries = try Dictionary(list.map { ($0.name, $0) }) { [file] first, _ in
            throw file.damage("holds two entries called \(first.name)")
        }
    }

    public func contains(_ name: String) -> Bool { entries[name] != nil }

    /// The unpacked bytes of an entry.
    public func read(_ name: String) throws -> [UInt8] {
        guard let entry = entries[name] else {
            throw BSSError(
                "read zip", "\(file.source): no entry \(name)",
                hint: "it holds \(names.prefix(20).joined(separator: ", "))", kind: .data)
        }
        guard try file.u32(entry.header, "local header of \(name)") == 0x0403_4b50 else {
            throw file.damage("entry \(name) has no local header")
        }
        let data =
            entry.header + 30 + (try file.u16(entry.header + 26, "local header of \(name)"))
            + (try file.u16(entry.header + 28, "local header of \(name)"))
        try file.need(entry.packed, at: data, "entry \(name)")
        let out: [UInt8]
        switch entry.method {
        case 0:
            guard entry.packed == entry.size else {
                throw file.damage("entry \(name): stored size \(entry.packed) is not its size \(entry.size)")
            }
            out = Array(file.all[data..<data + entry.size])
        case 8:
            out = try file.inflated(at: data, entry.packed, to: entry.size, "entry \(name)")
        default:
            throw file.damage(
                "entry \(name) uses compression method \(entry.method); stored (0) and deflate (8) are read")
        }
        guard Int(Checksum.crc32(out)) == entry.crc else {
            throw file.damage("entry \(name): checksum (CRC-32) differs, the file is damaged")
        }
        return out
    }

    // MARK: Directory

    private static func directory(_ file: Bytes) throws -> [Entry] {
        var at = file.count - 22
        let lowest = max(0, at - 0xFFFF)
        while at >= lowest, try file.u32(at, "end record") != 0x0605_4b50 { at -= 1 }
        guard at >= lowest else { throw file.damage("not a zip archive, or truncated (it has no end record)") }
        var count = try file.u16(at + 10, "end record")
        var start = try file.u32(at + 16, "end record")
        if count == 0xFFFF || start == 0xFFFF_FFFF, at >= 20, try file.u32(at - 20, "zip64 locator") == 0x0706_4b50 {
            let record = try file.u64(at - 12, "zip64 locator")
            guard try file.u32(record, "zip64 end record") == 0x0606_4b50 else {
                throw file.damage("its zip64 end record is missing")
            }
            count = try file.u64(record + 32, "zip64 end record")
            start = try file.u64(record + 48, "zip64 end record")
        }
        var entries: [Entry] = []
        for number in 0..<count {
            let what = "directory entry \(number + 1)"
            guard try file.u32(start, what) == 0x0201_4b50 else { throw file.damage("\(what) is damaged") }
            let nameLength = try file.u16(start + 28, what)
            let extraLength = try file.u16(start + 30, what)
            var sizes = [
                try file.u32(start + 24, what), try file.u32(start + 20, what), try file.u32(start + 42, what),
            ]
            try widen(&sizes, file, at: start + 46 + nameLength, extraLength, what)
            if try file.u16(start + 8, what) & 1 != 0 { throw file.damage("\(what) is encrypted") }
            entries.append(
                Entry(
                    name: try file.ascii(start + 46, nameLength, what), method: try file.u16(start + 10, what),
                    crc: try file.u32(start + 16, what),
                    packed: sizes[1], size: sizes[0], header: sizes[2]))
            start += 46 + nameLength + extraLength + (try file.u16(start + 32, what))
        }
        try checkClaims(entries, file)
        return entries
    }

    /// Entries lie beside each other, and their sum keeps to the budget.
    private static func checkClaims(_ entries: [Entry], _ file: Bytes) throws {
        func sum(_ sizes: [Int]) -> Int { sizes.reduce(0) { $0.addingReportingOverflow($1).overflow ? .max : $0 + $1 } }
        guard sum(entries.map(\.packed)) <= file.count else {
            throw file.damage("its entries claim more bytes than it has: they overlap, or it is truncated")
        }
        try DecodingBudget(fileBytes: file.count).claim(
            sum(entries.map(\.size)), by: "unpacked, its \(entries.count) entries", in: file,
            hint: "numpy.savez stores without compression")
    }

    /// Replaces 32-bit placeholders of size, packed size and position by the values of the zip64 extra field.
    private static func widen(_ sizes: inout [Int], _ file: Bytes, at start: Int, _ length: Int, _ what: String) throws
    {
        var at = start
        while at + 4 <= start + length {
            let kind = try file.u16(at, what)
            let size = try file.u16(at + 2, what)
            if kind == 1 {
                var field = at + 4
                for i in sizes.indices where sizes[i] == 0xFFFF_FFFF {
                    sizes[i] = try file.u64(field, what)
                    field += 8
                }
            }
            at += 4 + size
        }
    }

    // MARK: Writing

    /// An archive of the given entries.
    /// - Throws: kind `.output` when an entry or the whole is 4 GiB or larger.
    public static func bytes(_ entries: [(name: String, bytes: [UInt8])], deflated: Bool = false) throws -> [UInt8] {
        var out: [UInt8] = []
        var directory: [UInt8] = []
        for (name, data) in entries {
            let packed = deflated ? deflate(data) : nil
            let body = packed ?? data
            let position = out.count
            let text = Array(name.utf8)
            guard data.count < 0xFFFF_FFFF, position + body.count < 0xFFFF_FFFF else {
                throw BSSError("write zip", "entry \(name) would pass 4 GiB", kind: .output)
            }
            var common: [UInt8] = []
            // Version 2.0; names are UTF-8; method; the fixed date 1980-01-01, so that equal content gives equal bytes.
            for value in [20, 0x800, packed == nil ? 0 : 8, 0, 0x21] { common.append(littleEndian: UInt16(value)) }
            for value in [Checksum.crc32(data), UInt32(body.count), UInt32(data.count)] {
                common.append(littleEndian: value)
            }
            for value in [text.count, 0] { common.append(littleEndian: UInt16(value)) }
            out.append(littleEndian: UInt32(0x0403_4b50))
            out += common + text + body
            directory.append(littleEndian: UInt32(0x0201_4b50))
            directory.append(littleEndian: UInt16(20))
            directory += common + [UInt8](repeating: 0, count: 10)
            directory.append(littleEndian: UInt32(position))
            directory += text
        }
        let start = out.count
        out += directory
        out.append(littleEndian: UInt32(0x0605_4b50))
        for value in [0, 0, entries.count, entries.count] { out.append(littleEndian: UInt16(value)) }
        for value in [directory.count, start] { out.append(littleEndian: UInt32(value)) }
        out.append(littleEndian: UInt16(0))
        return out
    }

    private static func deflate(_ data: [UInt8]) -> [UInt8]? {
        let packed = [UInt8](unsafeUninitializedCapacity: data.count + 64) { to, filled in
            guard let target = to.baseAddress else { return }
            filled = data.withUnsafeBufferPointer {
                max(0, Int(bss_deflate($0.baseAddress, $0.count, target, to.count)))
            }
        }
        return packed.isEmpty || packed.count >= data.count ? nil : packed
    }
}
