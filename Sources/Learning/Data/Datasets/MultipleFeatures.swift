import BSSCodecs
import BSSCore

/// UCI Multiple Features: six views of handwritten digits.
enum MultipleFeatures {
    /// The order of the collection's own documentation; other views of a file follow.
    private static let order = ["fou", "fac", "kar", "pix", "zer", "mor"]
    private static let views = Argument<[String]?>(
        "views", default: nil,
        "which views, in which order (fou, fac, kar, pix, zer, mor); without it, every view of the file")

    static let part = Part<Dataset>(
        "mfeat",
        "UCI Multiple Features: Fourier, profile, Karhunen-Loève, pixel, Zernike and morphological views of digits.",
        [views, DataArgument.root, DataArgument.standardise],
        source:
            "van Breukelen, Duin, Tax, den Hartog, Handwritten digit recognition by combined classifiers, "
            + "Kybernetika 34, 1998",
        example:
            "local found, data = pcall(bss.data.mfeat, {views = {\"fou\", \"mor\"}}) print(found and data or \"not "
            + "on the data path\")",
        build: build)

    /// Reads `mfeat.npz`: a float array [2000, columns] a view, `label` and `split`.
    private static func build(_ a: Arguments) throws -> Dataset {
        let folder = try DataPath.find(
            ["uci-mfeat", "mfeat"], marker: "mfeat.npz", root: a[DataArgument.root], operation: a.operation)
        var draft = DatasetDraft(a.operation, name: "mfeat")
        let archive = try folder.npz("mfeat.npz")
        let stored = archive.names.filter { $0 != "label" && $0 != "split" }
        let every = order.filter(stored.contains) + stored.filter { !order.contains($0) }
        let chosen = a[views] ?? every
        guard !chosen.isEmpty, Set(chosen).count == chosen.count else {
            throw BSSError(
                a.operation, "option 'views' expects names out of \(every.joined(separator: ", ")), each once",
                kind: .usage)
        }
        for name in chosen {
            guard every.contains(name) else {
                let near = Text.nearest(to: name, in: every).map { "did you mean '\($0)'? " } ?? ""
                throw BSSError(
                    a.operation, "option 'views': no view '\(name)' in mfeat.npz",
                    hint: near + "it has \(every.joined(separator: ", "))", kind: .usage)
            }
            let origin = "mfeat.npz/\(name)"
            draft.add(
                try ArrayColumn.modality(name, try folder.explained { try archive.array(name) }, origin, a.operation),
                from: origin)
        }
        try draft.setLabels(try folder.explained { try archive.array("label") }, from: "mfeat.npz/label")
        let split = try folder.explained { try archive.array("split") }
        try draft.setSplits(try ArrayColumn.texts(split, "mfeat.npz/split", a.operation), from: "mfeat.npz/split")
        draft.numberIds()
        draft.files = folder.records
        draft.root = folder.path
        return try Dataset(draft, standardise: a[DataArgument.standardise])
    }
}
