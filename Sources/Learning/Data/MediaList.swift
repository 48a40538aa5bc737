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

    func failure(_ row: Int, _ reason: String) -> BSSError {
        BSSError(operation, "\(name): line \(table.lines[row]): \(reason)", kind: .data)
    }

    func column(_ column: String) throws -> [String] { try folder.explained { try table.strings(column) } }

    /// Reads one file a sample, several at once; all must come out in one shape.
    /// - Throws: the first file that is wrong, in the order of the list, and how many more are.
    func decoded(
        _ modality: String, _ kind: Modality.Kind, column: String, _ reader: any SampleReader
    ) throws -> Modality {
        let files = try self.column(column)
        if let row = files.firstIndex(of: "") { throw failure(row, "no file is named for '\(modality)'") }
        let clock = LoadingClock("reading \(modality) of \(name)", of: files.count)
        let folder = self.folder
        let read = try Parallel.map(files.count, operation: operation, progress: clock.report) {
            row -> Result<(SampleBlock, FileRecord), any Error> in
            Result {
                let medium = Medium(root: folder.path, name: files[row])
                let bytes = try medium.contents()
                let record = FileRecord(path: files[row], size: bytes.count, sha256: Checksum.sha256(bytes))
                return (
                    try reader.read(Medium(root: medium.root, name: medium.name, bytes: bytes), SampleUse()), record
                )
            }
        }
        let wrong = read.indices.filter { if case .failure = read[$0] { return true } else { return false } }
        if let first = wrong.first, case .failure(let error) = read[first] {
            if let error = error as? BSSError, error.kind == .cancelled { throw error }
            let more = wrong.count == 1 ? "" : " (and \(wrong.count - 1) more files are wrong)"
            guard let error = error as? BSSError else { throw error }
            throw failure(first, error.message + more)
        }
        var shape: [Int] = []
        var values: [Float] = []
        for (row, result) in read.enumerated() {
            let (block, record) = try result.get()
            folder.add(record)
            if row == 0 {
                shape = block.shape
                values.reserveCapacity(files.count * block.values.count)
            }
            guard block.shape == shape else {
                throw failure(
                    row, "\(files[row]) gives shape \(block.shape), the first file of '\(modality)' gives \(shape)")
            }
            values += block.values
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

/// A column of files, one a sample.
struct ReaderFront: MediaFront {
    let kind: Modality.Kind
    let reader: any SampleReader
    func load(_ modality: String, column: String, _ list: MediaList) throws -> Modality {
        try list.decoded(modality, kind, column: column, reader)
    }
}

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
        _ operation: String, name: String, _ folder: DataFolder, list: String, id: String?, label: String,
        labelName: String?, split: String,
        _ sources: [MediaSource]
    ) throws -> DatasetDraft {
        var draft = DatasetDraft(operation, name: name)
        let table = try folder.csv(list)
        let lines = table.lines
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
                throw failure(
                    "\(list): \(rowName(row)): label \(label) is called '\(name)', before it was '\(earlier)'")
            }
        }
    }
}
