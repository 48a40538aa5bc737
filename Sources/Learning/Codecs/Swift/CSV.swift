import BSSCore

/// A table of text read from a CSV file (RFC 4180: quoted fields, doubled quotes, line breaks inside quotes, CRLF or LF).
///
/// The first record names the columns. Rows are addressed by data row; messages name the line of the file.
public struct CSVTable {
    public let source: String
    public let columns: [String]
    /// `rows[i][c]`
    public let rows: [[String]]
    /// The line on which each row starts, counted from 1.
    public let lines: [Int]

    public var count: Int { rows.count }

    public init(_ path: String, separator: Character = ",") throws {
        try self.init(text: try Files.read(path), source: path, separator: separator)
    }

    /// - Throws: kind `.data` for an open quote, an empty file, a repeated column name, or a row with another number of fields.
    public init(text bytes: [UInt8], source: String, separator: Character = ",") throws {
        self.source = source
        let (records, starts) = try CSVTable.records(bytes, source, separator.asciiValue ?? UInt8(ascii: ","))
        guard let header = records.first else {
            throw CSVTable.damage(source, "is empty; a line of column names was expected")
        }
        columns = header
        if let repeated = Dictionary(grouping: header, by: { $0 }).first(where: { $1.count > 1 }) {
            throw CSVTable.damage(source, "column '\(repeated.key)' is named twice")
        }
        for (index, record) in records.enumerated() where record.count != header.count {
            throw CSVTable.damage(
                source, "line \(starts[index]) has \(record.count) fields, the header has \(header.count)")
        }
        rows = Array(records.dropFirst())
        lines = Array(starts.dropFirst())
    }

    public func damage(_ reason: String) -> BSSError { CSVTable.damage(source, reason) }
    private static func damage(_ source: String, _ reason: String) -> BSSError {
        BSSError("read csv", "\(source): \(reason)", kind: .data)
    }

    public func has(_ column: String) -> Bool { columns.contains(column) }

    /// - Throws: with the nearest column name when there is none of that name.
    public func index(of column: String) throws -> Int {
        if let index = columns.firstIndex(of: column) { return index }
        let near = Text.nearest(to: column, in: columns).map { "did you mean '\($0)'? " } ?? ""
        throw BSSError(
            "read csv", "\(source): no column '\(column)'", hint: near + "it has \(columns.joined(separator: ", "))",
            kind: .data)
    }

    public func strings(_ column: String) throws -> [String] {
        let c = try index(of: column)
        return rows.map { $0[c] }
    }

    public func integers(_ column: String) throws -> [Int] {
        try typed(column, "an integer") { Int($0) }
    }

    /// Finite or not: `nan` and `inf` parse, whoever uses the numbers decides about them.
    public func doubles(_ column: String) throws -> [Double] {
        try typed(column, "a number") { Double($0) }
    }

    private func typed<T>(_ column: String, _ expected: String, _ parse: (String) -> T?) throws -> [T] {
        let c = try index(of: column)
        return try rows.indices.map { row in
            let text = rows[row][c]
            guard let value = parse(CSVTable.trimmed(text)) else {
                throw damage("line \(lines[row]), column '\(column)': \(expected) was expected, got '\(text)'")
            }
            return value
        }
    }

    private static func trimmed(_ text: String) -> String {
        guard text.first == " " || text.last == " " || text.last == "\t" || text.first == "\t" else { return text }
        return String(text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }

    /// The records of a file without a line of names, of any number of fields each, with the line on which each starts.
    public static func rows(
        text bytes: [UInt8], source: String, separator: Character = ","
    ) throws -> [(fields: [String], line: Int)] {
        let (records, starts) = try CSVTable.records(bytes, source, separator.asciiValue ?? UInt8(ascii: ","))
        return Array(zip(records, starts)).map { (fields: $0.0, line: $0.1) }
    }

    // MARK: Parsing

    private static func records(_ bytes: [UInt8], _ source: String, _ separator: UInt8) throws -> ([[String]], [Int]) {
        var records: [[String]] = []
        var starts: [Int] = []
        var record: [String] = []
        var field: [UInt8] = []
        var line = 1
        var start = 1
        var at = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        var fieldWasQuoted = false
        func finishField() {
            record.append(String(decoding: field, as: UTF8.self))
            field.removeAll(keepingCapacity: true)
            fieldWasQuoted = false
        }
        func finishRecord() {
            let isBlank = record.isEmpty && field.isEmpty && !fieldWasQuoted
            if !isBlank {
                finishField()
                records.append(record)
                starts.append(start)
            }
            record = []
        }
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\"") where field.isEmpty && !fieldWasQuoted:
                fieldWasQuoted = true
                let opened = line
                while true {
                    guard at < bytes.count else {
                        throw damage(source, "line \(opened): a quote is opened and never closed")
                    }
                    let inner = bytes[at]
                    at += 1
                    if inner == UInt8(ascii: "\"") {
                        guard at < bytes.count, bytes[at] == inner else { break }
                        at += 1
                    }
                    if inner == 0x0A { line += 1 }
                    field.append(inner)
                }
            case separator: finishField()
            case 0x0D where at == bytes.count || bytes[at] == 0x0A: break
            case 0x0A:
                finishRecord()
                line += 1
                start = line
            default:
                if fieldWasQuoted { throw damage(source, "line \(line): text after a closing quote") }
                field.append(byte)
            }
        }
        finishRecord()
        return (records, starts)
    }
}
