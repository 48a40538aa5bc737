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
            "Zadeh, Zellers, Pincus, Morency, MOSI, IEEE Intelligent Systems 31, 2016; features of Poria et al., ACL 2017",
        example:
            "local found, data = pcall(bss.data.mosi, {modalities = {\"text\", \"audio\"}}) print(found and data or \"not on the data path\")",
        build: build)

    /// Reads `<modality>.npy` [n, columns], `label.npy`, `split.npy`, and the ids of `utterances.csv` where it exists.
    private static func build(_ a: Arguments) throws -> Dataset {
        let folder = try DataPath.find(
            ["mosi-trimodal", "mosi"], marker: "utterances.csv", root: a[DataArgument.root], operation: a.operation)
        var draft = DatasetDraft(a.operation, name: "mosi")
        for name in a[modalities] {
            draft.add(
                try ArrayColumn.modality(name, try folder.npy("\(name).npy"), "\(name).npy", &draft),
                from: "\(name).npy")
        }
        try draft.setLabels(try folder.npy("label.npy"), from: "label.npy")
        try draft.setSplits(try ArrayColumn.texts(try folder.npy("split.npy"), "split.npy", &draft), from: "split.npy")
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
                "utterances.csv: line \(table.lines[wrong]) has the label \(texts[wrong]), label.npy has \(labels[wrong]) there"
            )
        }
    }
}

/// Turning arrays of files into parts of a draft.
enum ArrayColumn {
    /// A numeric array [n, …] as a modality. Its kind is given or told by its rank: [n, d] features, [n, steps, d]
    /// sequence, [n, channels, height, width] image.
    static func modality(
        _ name: String, _ array: NpyArray, _ origin: String, _ draft: inout DatasetDraft, kind: Modality.Kind? = nil
    ) throws -> Modality {
        guard let values = array.floats else {
            throw draft.failure("\(origin): holds text; numbers were expected for modality '\(name)'")
        }
        guard array.shape.count >= 1 else {
            throw draft.failure("\(origin): a single number; one row a sample was expected for modality '\(name)'")
        }
        var shape = Array(array.shape.dropFirst())
        if shape.isEmpty { shape = [1] }
        let told: Modality.Kind? = [1: .features, 2: .sequence, 3: .image, 4: .video][shape.count]
        guard let kind = kind ?? told else {
            throw draft.failure(
                "\(origin): shape \(array.shape) has too many axes for modality '\(name)'; [n, d], [n, steps, d], [n, channels, height, width] or [n, frames, channels, height, width] was expected"
            )
        }
        let rank = kind.rank
        if shape.count == 2, rank == 3 { shape = [1] + shape }
        if kind == .features { shape = [shape.reduce(1, *)] }
        guard shape.count == rank else {
            throw draft.failure(
                "\(origin): shape \(array.shape) does not suit modality '\(name)' of kind \(kind.rawValue)")
        }
        return Modality(name, kind, shape: shape, values: values)
    }

    static func texts(_ array: NpyArray, _ origin: String, _ draft: inout DatasetDraft) throws -> [String] {
        guard array.shape.count == 1, let texts = array.strings else {
            throw draft.failure("\(origin): \(array.described); one text a sample was expected")
        }
        return texts
    }
}

extension DatasetDraft {
    /// One integer or text a sample.
    mutating func setLabels(_ array: NpyArray, from origin: String) throws {
        guard array.shape.count == 1 || (array.shape.count == 2 && array.shape[1] == 1) else {
            throw failure("\(origin): \(array.described); one label a sample was expected")
        }
        labelOrigin = origin
        if let texts = array.strings {
            labels = .texts(texts)
        } else if let integers = array.integers {
            labels = .integers(integers)
        } else {
            let values = array.doubles ?? []
            let bad = values.firstIndex { Int(exactly: $0) == nil } ?? 0
            throw failure("\(origin): \(rowName(bad)): label \(Text.number(values[bad])) is not an integer")
        }
    }

    /// Ids 1, 2, … for files that have none.
    mutating func numberIds() { ids = labels.count == 0 ? [] : (1...labels.count).map(String.init) }
}
