import BSSCodecs
import BSSCore

/// A list of samples in a CSV file: what it is called and what its columns are.
struct MediaList {
    let file: String
    /// The column of ids; nil: 1, 2, …
    var id: String? = "id"
    var label = "label"
    /// The column of class names for integer labels, where there is one.
    var labelName: String? = "label_name"
    /// Finds the splits of a draft that has its labels.
    var splits: (inout DatasetDraft, CSVTable, DataFolder) throws -> Void

    /// Splits by a column.
    static func named(_ column: String) -> (inout DatasetDraft, CSVTable, DataFolder) throws -> Void {
        { draft, table, folder in
            try draft.setSplits(try folder.explained { try table.strings(column) }, from: table.source)
        }
    }
}

extension AnnotatedSet {
    /// Reads a list of samples; its columns become modalities.
    static func listed(
        _ a: Arguments, name: String, _ folder: DataFolder, _ list: MediaList,
        columns: (CSVTable) throws -> [ListedColumn]
    ) throws -> AnnotatedSet {
        let table = try folder.csv(list.file)
        var draft = DatasetDraft(a.operation, name: name)
        let lines = table.lines
        draft.rowName = { $0 < lines.count ? "line \(lines[$0])" : "row \($0 + 1)" }
        draft.labelOrigin = list.file
        draft.labels = try folder.explained { try DatasetDraft.Labels(table, column: list.label) }
        if let column = list.labelName, table.has(column) {
            try draft.nameLabels(try table.strings(column), from: list.file)
        }
        draft.numberIds()
        if let id = list.id { draft.ids = try folder.explained { try table.strings(id) } }
        try list.splits(&draft, table, folder)
        try draft.checkIds()
        let classes = try draft.checkedClasses()
        var set = AnnotatedSet(a.operation, name: name, folder)
        set.classes = classes.names
        set.labels = draft.labels
        set.labelNames = draft.labelNames
        set.rows = table.rows.indices.map { row in
            AnnotatedRow(
                id: draft.ids[row], label: classes.indices[row], split: draft.splits[row],
                place: "\(list.file): line \(lines[row])", fields: table.rows[row])
        }
        set.modalities = try columns(table).map { try $0.modality(table, folder, a.operation) }
        return set
    }
}

extension DatasetDraft {
    /// One name a label, the same in every row.
    fileprivate mutating func nameLabels(_ names: [String], from list: String) throws {
        guard case .integers(let values) = labels else { return }
        for (row, (label, name)) in zip(values, names).enumerated() {
            if let earlier = labelNames.updateValue(name, forKey: label), earlier != name {
                throw failure(
                    "\(list): \(rowName(row)): label \(label) is called '\(name)', before it was '\(earlier)'")
            }
        }
    }
}
