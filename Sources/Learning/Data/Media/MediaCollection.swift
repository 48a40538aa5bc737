import BSSCore

/// A dataset of media that annotation files list.
protocol MediaCollection {
    static var name: String { get }
    static var part: Part<Dataset> { get }
    /// What its lists say, before any medium is looked for.
    static func annotated(_ a: Arguments) throws -> AnnotatedSet
}

/// A collection of raw media whose annotation files have one known form.
protocol AnnotatedCollection: MediaCollection {
    /// What its folder may be called on the data path, and a file or folder that tells the folder itself.
    static var folderNames: [String] { get }
    static var marker: String { get }
    /// Modalities, and the classes as far as they do not depend on the files.
    static func outline(_ a: Arguments, _ folder: DataFolder) throws -> AnnotatedSet
    /// Reads the annotation files: rows, and rows that are wrong.
    static func addRows(_ set: inout AnnotatedSet, _ a: Arguments) throws
}

extension AnnotatedCollection {
    static func annotated(_ a: Arguments) throws -> AnnotatedSet {
        let folder = try DataPath.find(folderNames, marker: marker, root: a[DataArgument.root], operation: a.operation)
        var set = try outline(a, folder)
        try addRows(&set, a)
        return set
    }

    static func dataset(_ a: Arguments) throws -> Dataset {
        if DataOutline.isOn { return try outline(a, DataFolder("", a.operation)).outlined() }
        var set = try annotated(a)
        set.holdout = (a[HoldoutArgument.val], a[HoldoutArgument.seed])
        return try set.dataset(a, .collection)
    }
}

/// `--check`: datasets have their shapes and classes, and no files are looked for.
public enum DataOutline {
    nonisolated(unsafe) public static var isOn = false
}

extension AnnotatedSet {
    /// A stand-in with the right names, shapes and classes: a sample a class and split, whose media nobody reads.
    func outlined() throws -> Dataset {
        var draft = DatasetDraft(operation, name: name)
        let labels = SplitName.allCases.flatMap { _ in Array(classes.indices) }
        draft.labels = .integers(labels)
        draft.declaredClasses = Array(classes.indices)
        draft.labelNames = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($0, $1) })
        draft.numberIds()
        draft.splits = SplitName.allCases.flatMap { split in classes.map { _ in split } }
        let media = labels.map { _ in Medium(root: "", name: "(outline)") }
        for modality in modalities {
            let kind = modality.kind ?? .features
            switch modality.content {
            case .whole(let shape, _, _):
                let shape = shape ?? [1]
                let values = [Float](repeating: 0, count: labels.count * shape.reduce(1, *))
                draft.add(.init(modality.name, kind, shape: shape, values: values), from: modality.name)
            case .media(let reader, _):
                let stream = ModalityStream(modality.name, reader, media)
                let shape = reader.shape(augments: false) ?? [1]
                draft.add(.init(modality.name, kind, shape: shape, stream: stream), from: modality.name)
            }
        }
        return try Dataset(draft, standardise: false)
    }
}
