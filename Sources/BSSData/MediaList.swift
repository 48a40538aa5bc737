import BSSCodecs
import BSSCore

/// A table of samples whose columns name media files, or hold text.
struct MediaList {
    let folder: DataFolder
    let table: CSVTable
    /// The table's file name, for messages.
    let name: String
    let splits: [SplitName]
    let operation: String

    func failure(_ row: Int, _ reason: String) -> BSSError { BSSError(operation, "\(name): line \(table.lines[row]): \(reason)", kind: .data) }

    func column(_ column: String) throws -> [String] { try folder.explained { try table.strings(column) } }

    /// Decodes one file a sample; all must come out in one shape.
    func decoded(_ modality: String, _ kind: Modality.Kind, column: String, _ decode: ([UInt8], String) throws -> (shape: [Int], values: [Float])) throws -> Modality {
        let files = try self.column(column)
        var shape: [Int] = [], values: [Float] = []
        for (row, file) in files.enumerated() {
            if row % 64 == 0 { try Cancellation.check(operation) }
            guard !file.isEmpty else { throw failure(row, "no file is named for '\(modality)'") }
            let one: (shape: [Int], values: [Float])
            do { one = try decode(try folder.read(file), file) } catch let error as BSSError where error.kind == .data { throw failure(row, error.message) }
            if row == 0 {
                shape = one.shape
                values.reserveCapacity(files.count * one.values.count)
            }
            guard one.shape == shape else { throw failure(row, "\(file) gives shape \(one.shape), the first file of '\(modality)' gives \(shape)") }
            values += one.values
        }
        return Modality(modality, kind, shape: shape, values: values)
    }
}

/// How a column of a media list becomes a modality.
protocol MediaFront {
    func load(_ modality: String, column: String, _ list: MediaList) throws -> Modality
    /// True where the front itself brings numbers to a common scale.
    var isScaled: Bool { get }
}

extension MediaFront { var isScaled: Bool { false } }

/// A modality to be read from a media list.
struct MediaSource {
    let name: String
    let column: String
    let front: any MediaFront
}

extension DatasetDraft {
    /// Reads a list of samples and every medium it names.
    ///
    /// - Parameters:
    ///   - label: a column of integers, or of text.
    ///   - labelName: a column of class names for integer labels, where there is one.
    static func listed(
        _ operation: String, name: String, _ folder: DataFolder, list: String, id: String?, label: String, labelName: String?, split: String,
        _ sources: [MediaSource]
    ) throws -> DatasetDraft {
        var draft = DatasetDraft(operation, name: name)
        let table = try folder.csv(list), lines = table.lines
        draft.rowName = { $0 < lines.count ? "line \(lines[$0])" : "row \($0 + 1)" }
        draft.labelOrigin = list
        draft.labels = try folder.explained { try Labels(table, column: label) }
        if let labelName, table.has(labelName) { try draft.nameLabels(try table.strings(labelName), from: list) }
        draft.numberIds()
        if let id { draft.ids = try folder.explained { try table.strings(id) } }
        try draft.setSplits(try folder.explained { try table.strings(split) }, from: list)
        let media = MediaList(folder: folder, table: table, name: list, splits: draft.splits, operation: operation)
        for source in sources {
            draft.add(try source.front.load(source.name, column: source.column, media), from: list)
            if source.front.isScaled { draft.scaled.insert(source.name) }
        }
        draft.files = folder.records
        draft.root = folder.path
        return draft
    }

    /// One name a label, the same in every row.
    private mutating func nameLabels(_ names: [String], from list: String) throws {
        guard case .integers(let values) = labels else { return }
        for (row, (label, name)) in zip(values, names).enumerated() {
            if let earlier = labelNames.updateValue(name, forKey: label), earlier != name {
                throw failure("\(list): \(rowName(row)): label \(label) is called '\(name)', before it was '\(earlier)'")
            }
        }
    }
}
