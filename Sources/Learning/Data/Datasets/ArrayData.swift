import BSSCodecs
import BSSCore

/// Datasets from NumPy files of one's own.
enum ArrayData {
    private static let label = Argument<String>(
        "label", default: "label", "the array of labels: integers or text, one a sample")
    private static let labelFile = Argument<String>(
        "label", default: "label.npy", "the file of labels: integers or text, one a sample")
    private static let splitHelp =
        "(text: train, val, test), or fractions {train = 0.7, val = 0.1, test = 0.2} drawn by class; without it 'split' where there is one, else those fractions"
    private static let split = Argument<Value>("split", default: .null, "the array of splits " + splitHelp)
    private static let splitFile = Argument<Value>("split", default: .null, "the file of splits " + splitHelp)
    private static let ids = Argument<String?>(
        "id", default: nil, "the array (or file) of sample ids: text or integers; without it 1, 2, …")
    private static let seed = Argument<Int>("seed", default: 1, "seed of drawn splits", check: .anyInteger)
    private static let path = Argument<String>("path", "the .npz file")
    private static let modalities = Argument<Value>(
        "modalities", default: .null,
        "names of arrays, or {name = \"array\"} or {name = {array = \"x\", kind = \"audio\"}}; without it, every other array of numbers"
    )
    private static let modalityFiles = Argument<Table>(
        "modalities", "files by modality: {text = \"text.npy\"} or {text = {file = \"text.npy\", kind = \"sequence\"}}")

    static let npz = Part<Dataset>(
        "npz",
        "Your own arrays in one .npz file: [n, columns], [n, steps, columns] or [n, channels, height, width] a modality.",
        [path, label, split, modalities, ids, seed, DataArgument.standardise],
        example:
            "local found, data = pcall(bss.data.npz, {path = \"mine.npz\", modalities = {\"text\", \"audio\"}}) print(found and data or \"no such file\")",
        build: buildNpz)

    static let npy = Part<Dataset>(
        "npy", "Your own arrays in .npy files: one a modality, one of labels, one of splits.",
        [modalityFiles, labelFile, splitFile, ids, seed, DataArgument.root, DataArgument.standardise],
        example:
            "local found, data = pcall(bss.data.npy, {root = \"mine\", modalities = {text = \"text.npy\"}}) print(found and data or \"no such folder\")",
        build: buildNpy)

    // MARK: Building

    private static func buildNpz(_ a: Arguments) throws -> Dataset {
        let (folder, file) = DataFolder.of(file: a[path], a.operation)
        let archive = try folder.npz(file)
        let reserved = Set([a[label], "split", a[split].string, a[ids]].compactMap { $0 })
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
            split: a[split], hasSplit: archive.contains("split"), defaultSplit: "split"
        ) { name in
            (try folder.explained { try archive.array(name) }, "\(file)/\(name)")
        }
    }

    private static func buildNpy(_ a: Arguments) throws -> Dataset {
        let folder = DataFolder(a[DataArgument.root] ?? "", a.operation)
        let sources = try ModalitySource.list(.table(a[modalityFiles]), key: "file", operation: a.operation)
        let name = folder.path.split(separator: "/").last.map(String.init) ?? "npy"
        return try build(
            a, folder, name: name, sources, label: a[labelFile], split: a[splitFile],
            hasSplit: Files.exists(folder.full("split.npy")), defaultSplit: "split.npy"
        ) { file in
            (try folder.npy(file), file)
        }
    }

    private static func build(
        _ a: Arguments, _ folder: DataFolder, name: String, _ sources: [ModalitySource], label: String, split: Value,
        hasSplit: Bool, defaultSplit: String,
        read: (String) throws -> (NpyArray, String)
    ) throws -> Dataset {
        var draft = DatasetDraft(a.operation, name: name)
        for source in sources {
            let (array, origin) = try read(source.place)
            draft.add(try ArrayColumn.modality(source.name, array, origin, &draft, kind: source.kind), from: origin)
        }
        let (labels, labelOrigin) = try read(label)
        try draft.setLabels(labels, from: labelOrigin)
        draft.numberIds()
        if let ids = a[ids] {
            let (array, origin) = try read(ids)
            guard let texts = array.strings ?? array.integers?.map(String.init) else {
                throw draft.failure("\(origin): \(array.described); text or integers were expected as ids")
            }
            draft.ids = texts
        }
        switch split {
        case .table(let fractions): try draft.drawSplits(fractions, seed: a[seed])
        case .null where !hasSplit:
            try draft.drawSplits(
                Table(fields: [("train", .number(0.7)), ("val", .number(0.1)), ("test", .number(0.2))]), seed: a[seed])
        case .null, .string:
            let (array, origin) = try read(split.string ?? defaultSplit)
            try draft.setSplits(try ArrayColumn.texts(array, origin, &draft), from: origin)
        default:
            throw BSSError(
                a.operation, "option 'split' expects a name or a table of fractions, got \(split.described)",
                kind: .usage)
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
                "option 'modalities' expects names, {name = \"\(key)\"} or {name = {\(key) = \"…\", kind = \"…\"}}, got \(what.described)",
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
    /// A single file's folder and its name there.
    static func of(file path: String, _ operation: String) -> (DataFolder, String) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1 else { return (DataFolder("", operation), path) }
        let folder = parts.dropLast().joined(separator: "/")
        return (DataFolder(folder.isEmpty ? "/" : folder, operation), parts.last!)
    }
}

extension DatasetDraft {
    /// Splits drawn by class.
    mutating func drawSplits(_ table: Table, seed: Int) throws {
        let share = try Splitting.fractions(table, operation: operation)
        splits = Splitting.stratified(try checkedClasses().indices, val: share.val, test: share.test, seed: seed)
    }
}
