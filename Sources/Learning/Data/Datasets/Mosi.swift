import BSSCodecs
import BSSCore

/// CMU-MOSI as utterance features of three modalities.
enum Mosi {
    private static let modalities = DataArgument.modalities(["text", "audio", "video"])

    static let part = Part<Dataset>(
        "mosi",
        "CMU-MOSI: text, audio and video features of film-review utterances; classes and splits come from its files.",
        [modalities, DataArgument.root, DataArgument.standardise],
        source:
            "Zadeh, Zellers, Pincus, Morency, MOSI, IEEE Intelligent Systems 31, 2016; features of Poria et al., ACL "
            + "2017",
        example:
            "local found, data = pcall(bss.data.mosi, {modalities = {\"text\", \"audio\"}}) print(found and data or "
            + "\"not on the data path\")",
        build: build)

    /// Reads `<modality>.npy` [n, columns], `label.npy`, `split.npy`, and the ids of `utterances.csv` where it exists.
    private static func build(_ a: Arguments) throws -> Dataset {
        let folder = try DataPath.find(
            ["mosi-trimodal", "mosi"], marker: "utterances.csv", root: a[DataArgument.root], operation: a.operation)
        var draft = DatasetDraft(a.operation, name: "mosi")
        for name in a[modalities] {
            draft.add(
                try ArrayColumn.modality(name, try folder.npy("\(name).npy"), "\(name).npy", draft.operation),
                from: "\(name).npy")
        }
        try draft.setLabels(try folder.npy("label.npy"), from: "label.npy")
        try draft.setSplits(
            try ArrayColumn.texts(try folder.npy("split.npy"), "split.npy", a.operation), from: "split.npy")
        draft.numberIds()
        if Files.exists(folder.full("utterances.csv")) { try addUtterances(folder, &draft) }
        draft.files = folder.records
        draft.root = folder.path
        return try Dataset(draft, standardise: a[DataArgument.standardise])
    }

    private static func addUtterances(_ folder: DataFolder, _ draft: inout DatasetDraft) throws {
        let table = try folder.csv("utterances.csv")
        guard table.count == draft.labels.count else {
            throw draft.failure("utterances.csv has \(table.count) rows, label.npy has \(draft.labels.count)")
        }
        draft.ids = try folder.explained { try table.strings("utterance_id") }
        guard table.has("label"), case .integers(let labels) = draft.labels else { return }
        let texts = try table.strings("label")
        if let wrong = labels.indices.first(where: { Int(texts[$0]) != labels[$0] }) {
            throw draft.failure(
                "utterances.csv: line \(table.lines[wrong]) has the label \(texts[wrong]), label.npy has "
                    + "\(labels[wrong]) there"
            )
        }
    }
}
