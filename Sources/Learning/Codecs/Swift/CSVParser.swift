import BSSCore

/// Cuts the bytes of a CSV file into records of fields.
struct CSVParser {
    private let bytes: [UInt8]
    private let source: String
    private let separator: UInt8
    private(set) var records: [[String]] = []
    /// The line on which each record starts, counted from 1.
    private(set) var starts: [Int] = []

    private var line = 1
    private var at = 0

    private static let quote = UInt8(ascii: "\"")

    init(bytes: [UInt8], source: String, separator: UInt8) {
        self.bytes = bytes
        self.source = source
        self.separator = separator
        at = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    mutating func run() throws {
        let bytes = bytes
        try bytes.withUnsafeBufferPointer { try run($0) }
    }

    private func damage(_ reason: String) -> BSSError {
        BSSError("read csv", "\(source): \(reason)", kind: .data)
    }

    private static func endsLine(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }

    private mutating func run(_ text: UnsafeBufferPointer<UInt8>) throws {
        while at < text.count {
            if CSVParser.endsLine(text[at]) {  // blank lines are no records
                endLine(text)
                continue
            }
            starts.append(line)
            var record: [String] = []
            record.reserveCapacity(records.last?.count ?? 0)
            while true {
                record.append(text[at...].first == CSVParser.quote ? try quoted(text) : try plain(text))
                guard at < text.count, text[at] == separator else { break }
                at += 1
            }
            if at < text.count { endLine(text) }
            records.append(record)
            if records.count % 4096 == 0 { try Cancellation.check("read csv") }
        }
    }

    private mutating func endLine(_ text: UnsafeBufferPointer<UInt8>) {
        at += text[at] == 0x0D && at + 1 < text.count && text[at + 1] == 0x0A ? 2 : 1
        line += 1
    }

    private mutating func plain(_ text: UnsafeBufferPointer<UInt8>) throws -> String {
        let start = at
        while at < text.count, text[at] != separator, !CSVParser.endsLine(text[at]) {
            if text[at] == 0 { throw damage("line \(line): a NUL byte, which no text holds") }
            at += 1
        }
        return Text.decoded(UnsafeBufferPointer(rebasing: text[start..<at]))
    }

    private mutating func quoted(_ text: UnsafeBufferPointer<UInt8>) throws -> String {
        let opened = line
        var field: [UInt8] = []
        at += 1
        while true {
            guard at < text.count else { throw damage("line \(opened): a quote is opened and never closed") }
            let byte = text[at]
            at += 1
            if byte == CSVParser.quote {
                guard at < text.count, text[at] == byte else { break }
                at += 1
            }
            if byte == 0 { throw damage("line \(line): a NUL byte, which no text holds") }
            if byte == 0x0A || byte == 0x0D && text[at...].first != 0x0A { line += 1 }
            field.append(byte)
        }
        guard at == text.count || text[at] == separator || CSVParser.endsLine(text[at]) else {
            throw damage("line \(line): text after a closing quote")
        }
        return Text.decoded(field)
    }
}

/// Text in UTF-16, as spreadsheets call "Unicode text".
enum UTF16Text {
    /// The same in UTF-8; nil for bytes that are not UTF-16: without a byte order mark, every second one of the first
    /// is 0.
    static func asUTF8(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count >= 2, bytes.count % 2 == 0 else { return nil }
        let hasMark = [[0xFF, 0xFE], [0xFE, 0xFF]].contains(Array(bytes.prefix(2)))
        let head = bytes.prefix(64)
        let (even, odd) = (head.enumerated().filter { $0.0 % 2 == 0 }, head.enumerated().filter { $0.0 % 2 == 1 })
        let (evens, odds) = (even.count { $0.1 == 0 }, odd.count { $0.1 == 0 })
        guard hasMark || (evens == even.count && odds == 0) || (odds == odd.count && evens == 0) else { return nil }
        let isBig = hasMark ? bytes[0] == 0xFE : evens > odds
        let units = stride(from: hasMark ? 2 : 0, to: bytes.count, by: 2).map { at -> UInt16 in
            let (first, second) = (UInt16(bytes[at]), UInt16(bytes[at + 1]))
            return isBig ? first << 8 | second : second << 8 | first
        }
        return Array(String(decoding: units, as: UTF16.self).utf8)
    }
}
