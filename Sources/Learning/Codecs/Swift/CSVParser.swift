import BSSCore

/// Cuts the bytes of a CSV file into records of fields.
struct CSVParser {
    let bytes: [UInt8]
    let source: String
    let separator: UInt8
    private(set) var records: [[String]] = []
    /// The line on which each record starts, counted from 1.
    private(set) var starts: [Int] = []

    private var record: [String] = []
    private var field: [UInt8] = []
    private var fieldWasQuoted = false
    private var line = 1
    private var start = 1
    private var at = 0

    private static let quote = UInt8(ascii: "\"")

    init(bytes: [UInt8], source: String, separator: UInt8) {
        self.bytes = bytes
        self.source = source
        self.separator = separator
        at = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    mutating func run() throws {
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case CSVParser.quote where field.isEmpty && !fieldWasQuoted: try quoted()
            case separator: finishField()
            case 0x0A, 0x0D:
                if byte == 0x0D, at < bytes.count, bytes[at] == 0x0A { at += 1 }
                try finishRecord()
                line += 1
                start = line
            default:
                if byte == 0 { throw damage("line \(line): a NUL byte, which no text holds") }
                if fieldWasQuoted { throw damage("line \(line): text after a closing quote") }
                field.append(byte)
            }
        }
        try finishRecord()
    }

    private func damage(_ reason: String) -> BSSError {
        BSSError("read csv", "\(source): \(reason)", kind: .data)
    }

    /// Up to the closing quote.
    private mutating func quoted() throws {
        fieldWasQuoted = true
        let opened = line
        while true {
            guard at < bytes.count else { throw damage("line \(opened): a quote is opened and never closed") }
            let byte = bytes[at]
            at += 1
            if byte == CSVParser.quote {
                guard at < bytes.count, bytes[at] == byte else { return }
                at += 1
            }
            if byte == 0 { throw damage("line \(line): a NUL byte, which no text holds") }
            if byte == 0x0A || byte == 0x0D && (at == bytes.count || bytes[at] != 0x0A) { line += 1 }
            field.append(byte)
        }
    }

    private mutating func finishField() {
        record.append(Text.decoded(field))
        field.removeAll(keepingCapacity: true)
        fieldWasQuoted = false
    }

    /// Blank lines are no records.
    private mutating func finishRecord() throws {
        guard !record.isEmpty || !field.isEmpty || fieldWasQuoted else { return }
        finishField()
        records.append(record)
        starts.append(start)
        record.removeAll(keepingCapacity: true)
        if records.count % 4096 == 0 { try Cancellation.check("read csv") }
    }
}

/// Text in UTF-16, as spreadsheets call "Unicode text".
enum UTF16Text {
    /// The same in UTF-8; nil for bytes that are not UTF-16: without a byte order mark, every second one of the first is 0.
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
