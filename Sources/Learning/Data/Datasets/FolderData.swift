import BSSCodecs
import BSSCore

/// A folder of media of one's own, listed in a CSV file.
enum FolderData: MediaCollection {
    static let name = "folder"
    private static let root = Argument<String>(
        "root", "the folder; files in the list are relative to it; or the CSV file itself, in its folder")
    private static let list = Argument<String>("list", default: "index.csv", "the CSV file that lists the samples")
    private static let label = Argument<String>("label", default: "label", "the column of labels: integers or text")
    private static let labelName = Argument<String>(
        "label_name", default: "label_name", "the column of class names for integer labels, where there is one")
    private static let splits = SplitOptions("column")
    private static let id = Argument<String?>("id", default: nil, "the column of sample ids; without it 1, 2, …")
    private static let modalities = Argument<Table>(
        "modalities",
        "columns, {\"wav\", \"picture\"} or {sound = \"wav\"}, whose kind their entries tell (files by their ending: "
            + "it is said which kind that is; else numbers, else text; a list of columns is numbers); or "
            + "{sound = {kind = …, column = \"wav\", …}}. "
            + "Kinds, with their options and defaults: " + ColumnKind.described)
    private static let media = MediaOptions.listed

    static let part = Part<Dataset>(
        "folder", "Your own media (WAV, FLAC, Ogg, PNG, JPEG, NumPy, text), listed in a CSV file.",
        [root, modalities, list, label, labelName, id] + splits.arguments + media.arguments + [
            DataArgument.standardise
        ],
        example: "local found, data = pcall(bss.data.folder, {root = \"mine\", modalities = {sound = \"wav\", "
            + "picture = {kind = \"image\", size = {32, 32}}}}) print(found and data or \"no such folder\")",
        build: { a in try annotated(a).dataset(a, media, standardise: a[DataArgument.standardise]) })

    static func annotated(_ a: Arguments) throws -> AnnotatedSet {
        let (root, file) = try place(a)
        let folder = try DataPath.find([], marker: "", root: root, operation: a.operation)
        let name = folder.path.split(separator: "/").last.map(String.init) ?? "folder"
        let list = MediaList(file: file, id: a[id], label: a[label], labelName: a[labelName]) {
            draft, table, folder in
            try splits.apply(a, to: &draft, hasUsual: table.has(splits.usual)) { column in
                (try folder.explained { try table.strings(column) }, table.source)
            }
        }
        return try AnnotatedSet.listed(a, name: name, folder, list) { table in
            let listed = try columns(a[modalities], table, folder, a.operation)
            for one in listed {
                for column in one.columns {
                    try DatasetDraft.refuse(column, of: one.name, asLabelOf: [a[label], a[labelName]], a)
                }
            }
            return listed
        }
    }

    /// The folder and the list in it.
    private static func place(_ a: Arguments) throws -> (root: String, list: String) {
        let given = a[root]
        guard Files.exists(given), !Files.isFolder(given) else { return (given, a[list]) }
        guard a[list] == list.defaultValue else {
            throw BSSError(a.operation, "root is a file, \(given), and list names another", kind: .usage)
        }
        guard let slash = given.lastIndex(of: "/") else { return (".", given) }
        return (String(given[..<slash]), String(given[given.index(after: slash)...]))
    }

    // MARK: Modalities

    private static let kind = Argument<String>(
        "kind", default: "", "what the column holds", check: .oneOf(ColumnKind.all.map(\.name)))
    private static let column = Argument<String?>(
        "column", default: nil, "the column of files (or text); without it the one of the modality's name")

    private static func columns(
        _ given: Table, _ table: CSVTable, _ folder: DataFolder, _ operation: String
    ) throws -> [ListedColumn] {
        let entries = given.items.map { ($0.string ?? "", $0) } + given.fields.map { ($0.key, $0.value) }
        guard !entries.isEmpty else {
            throw BSSError(operation, "option 'modalities' is empty; one column or more was expected", kind: .usage)
        }
        return try entries.map { name, value in
            if let column = value.string {
                return try folder.explained { try guessed(name, column, Table(), table, operation) }
            }
            if let columns = columns(value) {
                return try folder.explained { try listed(name, columns, table, operation) }
            }
            guard case .table(let options) = value, options.items.isEmpty else {
                throw BSSError(
                    operation,
                    "option 'modalities': '\(name)' expects a column or a table {kind = \"image\", …}, "
                        + "got \(value.described)", kind: .usage)
            }
            return try folder.explained { try listed(name, options, table, operation) }
        }
    }

    /// A list of columns holds numbers, as in `bss.data.csv`.
    private static func columns(_ value: Value) -> Table? {
        guard case .table(let list) = value, list.keys.isEmpty, let first = list.items.first?.string,
            list.items.allSatisfy({ $0.string != nil })
        else { return nil }
        return Table(fields: [
            ("kind", .string("numbers")), ("column", .string(first)), ("more", .list(Array(list.items.dropFirst()))),
        ])
    }

    private static func listed(
        _ name: String, _ options: Table, _ table: CSVTable, _ operation: String
    ) throws -> ListedColumn {
        guard let given = options["kind"] else {
            return try guessed(name, options["column"]?.string ?? name, options, table, operation)
        }
        guard let kind = ColumnKind.all.first(where: { $0.name == given.string }) else {
            throw BSSError(
                "\(operation): modality '\(name)'", "option 'kind' expects \(kind.expected), got \(given.described)",
                kind: .usage)
        }
        return try made(name, kind, options, table, operation)
    }

    /// A column whose kind its entries tell.
    private static func guessed(
        _ name: String, _ column: String, _ options: Table, _ table: CSVTable, _ operation: String
    ) throws -> ListedColumn {
        let kind = try ColumnKind.told(by: try table.strings(column), column, operation)
        var options = options
        options["column"] = .string(column)
        var made = try made(name, kind, options, table, operation)
        made.origin = "column '\(column)' was taken for \(kind.holds)"
        LoadingReport.note?("\(operation): modality '\(name)': \(made.origin ?? "") (kind = \"\(kind.name)\")")
        return made
    }

    private static func made(
        _ name: String, _ kind: ColumnKind, _ options: Table, _ table: CSVTable, _ operation: String
    ) throws -> ListedColumn {
        let more = kind.more.map { [$0] } ?? []
        let a = try Arguments(
            operation: "\(operation): modality '\(name)'", declared: [self.kind, column] + kind.arguments + more,
            named: options)
        let column = a[column] ?? name
        let isText = ColumnKind.areTextFiles(try table.strings(column))
        return ListedColumn(
            name, column: column, more: kind.more.map { a[$0] } ?? [], try kind.form(a, isText))
    }
}
