import BSSCore

/// A table of text read from a CSV file (RFC 4180: quoted fields, doubled quotes, line breaks inside quotes; lines end
/// with LF, CRLF or CR). UTF-8, or UTF-16 as spreadsheets export it; other bytes stand as `\xff`.
///
/// The first record names the columns. Rows are addressed by data row; messages name the line of the file.
public struct CSVTable {
    public let source: String
    public let columns: [String]
    /// `rows[i][c]`
    public let rows: [[String]]
    /// The line on which each row starts, counted from 1.
    public let lines: [Int]

    private let places: [String: Int]

    public var count: Int { rows.count }

    public init(_ path: String, separator: Character = ",") throws {
        try self.init(text: try Files.readData(path), source: path, separator: separator)
    }

    /// - Throws: kind `.data` for an open quote, an empty file, a repeated column name, or a row with another number of
    ///   fields.
    public init(text bytes: [UInt8], source: String, separator: Character = ",") throws {
        self.source = source
        let (records, starts) = try CSVTable.records(bytes, source, separator.asciiValue ?? UInt8(ascii: ","))
        guard let header = records.first else {
            throw CSVTable.damage(source, "is empty; a line of column names was expected")
        }
        columns = header
        places = try Dictionary(header.enumerated().map { ($1, $0) }) { [header] first, _ in
            throw CSVTable.damage(source, "column '\(header[first])' is named twice")
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

    public func has(_ column: String) -> Bool { places[column] != nil }

    /// - Throws: with the nearest column name when there is none of that name.
    public func index(of column: String) throws -> Int {
        if let index = places[column] { return index }
        let near = Text.nearest(to: column, in: columns).map { "did you mean '\($0)'? " } ?? ""
        throw BSSError(
            "read csv", "\(source): no column '\(column)'", hint: near + "it has \(columnsListed)", kind: .data)
    }

    /// The names of the columns, of many the first.
    public var columnsListed: String {
        let more = columns.count - 20
        return columns.prefix(20).joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
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
        try typed(column, "a number") { Text.double($0) }
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
        func isBlank(_ byte: UInt8?) -> Bool { byte == 0x20 || byte == 0x09 }
        guard isBlank(text.utf8.first) || isBlank(text.utf8.last) else { return text }
        return String(text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }

    /// The records of a file without a line of names, of any number of fields each, with the line on which each starts.
    public static func rows(
        text bytes: [UInt8], source: String, separator: Character = ","
    ) throws -> [(fields: [String], line: Int)] {
        let (records, starts) = try CSVTable.records(bytes, source, separator.asciiValue ?? UInt8(ascii: ","))
        return Array(zip(records, starts)).map { (fields: $0.0, line: $0.1) }
    }

    private static func records(_ bytes: [UInt8], _ source: String, _ separator: UInt8) throws -> ([[String]], [Int]) {
        var parser = CSVParser(bytes: UTF16Text.asUTF8(bytes) ?? bytes, source: source, separator: separator)
        try parser.run()
        return (parser.records, parser.starts)
    }
}
