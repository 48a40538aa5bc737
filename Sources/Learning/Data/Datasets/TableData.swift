import BSSCodecs
import BSSCore

/// A dataset from one CSV file: a row a sample, a modality a group of columns.
enum TableData {
    private static let path = Argument<String>("path", "the .csv file; its first line names the columns")
    private static let label = Argument<String>("label", default: "label", "the column of labels: integers or text")
    private static let splits = SplitOptions("column")
    private static let ids = Argument<String?>(
        "id", default: nil, "the column of sample ids; without it 'id' where there is one, else 1, 2, …")
    private static let modalities = Argument<Table>(
        "modalities",
        "columns by modality: {a = {\"x\", \"y\"}, b = \"pixel_\"}; text is a prefix of column names (of labels, ids, "
            + "splits and groups never)")
    private static let separator = Argument<String>(
        "separator", default: ",", "what stands between fields",
        check: Check("of one ASCII character") { $0.utf8.count == 1 })

    static let part = Part<Dataset>(
        "csv", "Your own numbers in a CSV file: modalities are groups of columns.",
        [
            path, label, splits.split, modalities, ids, separator, splits.seed, DataArgument.standardise, splits.group,
        ],
        example:
            "local found, data = pcall(bss.data.csv, {path = \"mine.csv\", modalities = {a = {\"x\", \"y\"}, b = "
            + "\"pixel_\"}}) print(found and data or \"no such file\")",
        build: build)

    private static func build(_ a: Arguments) throws -> Dataset {
        let (folder, file) = DataFolder.of(file: a[path], a.operation)
        let table = try folder.csv(file, separator: a[separator].first ?? ",")
        var draft = DatasetDraft(a.operation, name: file.hasSuffix(".csv") ? String(file.dropLast(4)) : file)
        let lines = table.lines
        draft.rowName = { $0 < lines.count ? "line \(lines[$0])" : "row \($0 + 1)" }
        guard a[modalities].items.isEmpty else {
            throw BSSError(
                a.operation,
                "option 'modalities' expects {name = columns}, got \(Value.table(a[modalities]).described)",
                kind: .usage)
        }
        for (name, value) in a[modalities].fields {
            let columns = try self.columns(value, of: name, table, a)
            try Memory.reserve(
                table.count, of: 12 * columns.count, a.operation, "\(columns.count) columns of '\(name)'")
            var values = [Double](repeating: 0, count: table.count * columns.count)
            for (place, column) in columns.enumerated() {
                let numbers = try folder.explained { try table.doubles(column) }
                for row in 0..<table.count { values[row * columns.count + place] = numbers[row] }
            }
            draft.add(Modality(name, .features, shape: [columns.count], exact: values), from: file)
        }
        draft.labels = try folder.explained { try DatasetDraft.Labels(table, column: a[label]) }
        draft.labelOrigin = file
        draft.numberIds()
        if let column = a[ids] ?? (table.has("id") ? "id" : nil) {
            draft.ids = try folder.explained { try table.strings(column) }
        }
        try splits.apply(a, to: &draft, hasUsual: table.has(splits.usual)) { column in
            (try folder.explained { try table.strings(column) }, file)
        }
        draft.files = folder.records
        draft.root = a[path]
        return try Dataset(draft, standardise: a[DataArgument.standardise])
    }

    /// Columns that say what a sample is, and so are no features of it.
    private static func reserved(_ a: Arguments) -> Set<String> {
        let named = [a[label], "label_name", a[ids] ?? "id", a[splits.split].string ?? splits.usual, a[splits.group]]
        return Set(named.compactMap { $0 })
    }

    /// A list of columns, or all whose names start with a prefix.
    private static func columns(_ value: Value, of name: String, _ table: CSVTable, _ a: Arguments) throws -> [String] {
        if let text = value.string {
            // As shells write it, too.
            let prefix = text.hasSuffix("*") ? String(text.dropLast()) : text
            let reserved = reserved(a)
            let found = table.columns.filter { $0.hasPrefix(prefix) && !reserved.contains($0) }
            guard !found.isEmpty else {
                throw BSSError(
                    a.operation, "\(a[path]): no column starts with '\(prefix)' (modality '\(name)')",
                    hint: "it has \(table.columnsListed)", kind: .data)
            }
            return found
        }
        guard case .table(let list) = value, list.isList, list.items.allSatisfy({ $0.string != nil }) else {
            throw BSSError(
                a.operation,
                "option 'modalities': '\(name)' expects a list of columns or a prefix, got \(value.described)",
                kind: .usage)
        }
        let columns = list.items.compactMap(\.string)
        for column in columns { try DatasetDraft.refuse(column, of: name, asLabelOf: [a[label], "label_name"], a) }
        return columns
    }
}
