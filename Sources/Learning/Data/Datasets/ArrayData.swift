import BSSCodecs
import BSSCore

/// Datasets from NumPy files of one's own.
enum ArrayData {
    private static let label = Argument<String>(
        "label", default: "label", "the array of labels: integers or text, one a sample")
    private static let labelFile = Argument<String>(
        "label", default: "label.npy", "the file of labels: integers or text, one a sample")
    private static let splits = SplitOptions("array")
    private static let splitFiles = SplitOptions("file", usual: "split.npy")
    private static let ids = Argument<String?>(
        "id", default: nil, "the array (or file) of sample ids: text or integers; without it 1, 2, …")
    private static let path = Argument<String>("path", "the .npz file")
    private static let modalities = Argument<Value>(
        "modalities", default: .null,
        "names of arrays, or {name = \"array\"} or {name = {array = \"x\", kind = \"audio\"}}; without it, every "
            + "other array of numbers"
    )
    private static let modalityFiles = Argument<Table>(
        "modalities", "files by modality: {text = \"text.npy\"} or {text = {file = \"text.npy\", kind = \"sequence\"}}")

    static let npz = Part<Dataset>(
        "npz",
        "Your own arrays in one .npz file: [n, columns], [n, steps, columns] or [n, channels, height, width] a "
            + "modality.",
        [path, label, splits.split, modalities, ids, splits.seed, splits.group, DataArgument.standardise],
        example:
            "local found, data = pcall(bss.data.npz, {path = \"mine.npz\", modalities = {\"text\", \"audio\"}}) "
            + "print(found and data or \"no such file\")",
        build: buildNpz)

    static let npy = Part<Dataset>(
        "npy", "Your own arrays in .npy files: one a modality, one of labels, one of splits.",
        [
            modalityFiles, labelFile, splitFiles.split, ids, splitFiles.seed, DataArgument.root,
            DataArgument.standardise, splitFiles.group,
        ],
        example:
            "local found, data = pcall(bss.data.npy, {root = \"mine\", modalities = {text = \"text.npy\"}}) "
            + "print(found and data or \"no such folder\")",
        build: buildNpy)

    // MARK: Building

    private static func buildNpz(_ a: Arguments) throws -> Dataset {
        let (folder, file) = DataFolder.of(file: a[path], a.operation)
        let archive = try folder.npz(file)
        let reserved = Set([a[label], splits.usual, a[splits.split].string, a[splits.group], a[ids]].compactMap { $0 })
        let sources: [ModalitySource]
        if case .null = a[modalities] {
            sources = try archive.names.filter { !reserved.contains($0) }.compactMap { name in
                let array = try folder.explained { try archive.array(name) }
                return array.isText || array.shape.isEmpty ? nil : ModalitySource(name: name, place: name, kind: nil)
            }
        } else {
            sources = try ModalitySource.list(a[modalities], key: "array", operation: a.operation)
        }
        return try build(
            a, folder, name: file.hasSuffix(".npz") ? String(file.dropLast(4)) : file, sources, label: a[label],
            splits, hasUsual: archive.contains(splits.usual)
        ) { name in
            (try folder.explained { try archive.array(name) }, "\(file)/\(name)")
        }
    }

    private static func buildNpy(_ a: Arguments) throws -> Dataset {
        let folder = DataFolder(DataFolder.found(a[DataArgument.root] ?? ""), a.operation)
        let sources = try ModalitySource.list(.table(a[modalityFiles]), key: "file", operation: a.operation)
        let name = folder.path.split(separator: "/").last.map(String.init) ?? "npy"
        return try build(
            a, folder, name: name, sources, label: a[labelFile], splitFiles,
            hasUsual: Files.exists(folder.full(splitFiles.usual))
        ) { file in
            (try folder.npy(file), file)
        }
    }

    private static func build(
        _ a: Arguments, _ folder: DataFolder, name: String, _ sources: [ModalitySource], label: String,
        _ splits: SplitOptions, hasUsual: Bool,
        read: (String) throws -> (NpyArray, String)
    ) throws -> Dataset {
        var draft = DatasetDraft(a.operation, name: name)
        for source in sources {
            try DatasetDraft.refuse(source.place, of: source.name, asLabelOf: [label], a)
            let (array, origin) = try read(source.place)
            draft.add(
                try ArrayColumn.modality(source.name, array, origin, a.operation, kind: source.kind), from: origin)
        }
        let (labels, labelOrigin) = try read(label)
        try draft.setLabels(labels, from: labelOrigin)
        draft.numberIds()
        if let ids = a[ids] {
            let (array, origin) = try read(ids)
            draft.ids = try ArrayColumn.names(array, origin, "ids", a.operation)
        }
        try splits.apply(a, to: &draft, hasUsual: hasUsual) { name in
            let (array, origin) = try read(name)
            let isGroup = name == a[splits.group]
            let texts =
                try isGroup
                ? ArrayColumn.names(array, origin, "groups", a.operation)
                : ArrayColumn.texts(array, origin, a.operation)
            return (texts, origin)
        }
        draft.files = folder.records
        draft.root = folder.path.isEmpty ? nil : folder.path
        return try Dataset(draft, standardise: a[DataArgument.standardise])
    }
}

/// Where a modality's numbers are found.
struct ModalitySource {
    let name: String
    /// An array's or file's name.
    let place: String
    let kind: Modality.Kind?

    /// `{"text", "audio"}`, `{text = "t"}` or `{text = {array = "t", kind = "sequence"}}`; `key` is "array" or "file".
    static func list(_ value: Value, key: String, operation: String) throws -> [ModalitySource] {
        func wrong(_ what: Value) -> BSSError {
            BSSError(
                operation,
                "option 'modalities' expects names, {name = \"\(key)\"} or {name = {\(key) = \"…\", kind = \"…\"}}, "
                    + "got \(what.described)",
                kind: .usage)
        }
        guard case .table(let table) = value, !table.isEmpty else { throw wrong(value) }
        var list = try table.items.map { item -> ModalitySource in
            guard let name = item.string else { throw wrong(item) }
            let stem = name.hasSuffix(".npy") ? String(name.dropLast(4)) : name
            return ModalitySource(name: String(stem.split(separator: "/").last ?? ""), place: name, kind: nil)
        }
        for (name, item) in table.fields {
            if let place = item.string {
                list.append(ModalitySource(name: name, place: place, kind: nil))
                continue
            }
            let kinds = Modality.Kind.allCases.map(\.rawValue)
            let place = Argument<String>(key, "the \(key)")
            let kind = Argument<String?>(
                "kind", default: nil, kinds.joined(separator: ", "),
                check: Check("one of \(kinds.joined(separator: ", ")), or nil") { $0.map(kinds.contains) ?? true })
            guard case .table(let options) = item else { throw wrong(item) }
            let decoded = try Arguments(
                operation: "\(operation): modality '\(name)'", declared: [place, kind], named: options)
            list.append(
                ModalitySource(
                    name: name, place: decoded[place], kind: decoded[kind].flatMap(Modality.Kind.init(rawValue:))))
        }
        return list
    }
}

extension DataFolder {
    /// A relative path that is not there from the working folder is looked for beside the script and in the data
    /// folders; not there either, it stays as it is.
    static func found(_ path: String) -> String {
        guard !path.isEmpty, !path.hasPrefix("/"), !Files.exists(path) else { return path }
        let places = [SearchPath.scriptFolder].compactMap { $0 } + SearchPath.allDataFolders
        return places.map { "\($0)/\(path)" }.first(where: Files.exists) ?? path
    }

    /// A single file's folder and its name there.
    static func of(file path: String, _ operation: String) -> (DataFolder, String) {
        let path = found(path)
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let file = parts.last, parts.count > 1 else { return (DataFolder("", operation), path) }
        let folder = parts.dropLast().joined(separator: "/")
        return (DataFolder(folder.isEmpty ? "/" : folder, operation), file)
    }
}
