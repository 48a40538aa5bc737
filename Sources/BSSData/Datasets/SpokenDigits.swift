import BSSCodecs
import BSSCore

/// Spoken digits with pictures of handwritten ones: WAV → log-spectrogram, PNG → grey image.
enum SpokenDigits {
    private static let split = Argument<String>("split", default: "split", "the column of pairs.csv that names the splits: split (known speakers) or split_speaker (new ones)")
    private static let modalities = Argument<[String]>(
        "modalities", default: ["audio", "image"], "which of audio and image, in which order",
        check: Check("out of audio and image, each once") { !$0.isEmpty && Set($0).count == $0.count && $0.allSatisfy(["audio", "image"].contains) })

    static let part = Part<Dataset>(
        "av_digits", "Spoken digits (WAV → log-spectrogram) paired with handwritten ones (PNG); classes and splits come from its files.",
        [split, modalities] + AudioFront.arguments + [ImageFront.size, DataArgument.root, DataArgument.standardise],
        source: "Jackson et al., Free Spoken Digit Dataset; LeCun, Bottou, Bengio, Haffner, Proc. IEEE 86, 1998 (MNIST)",
        example: "local found, data = pcall(bss.data.av_digits, {split = \"split_speaker\"}) print(found and data or \"not on the data path\")", build: build)

    /// Reads `pairs.csv` (id, label, audio, image, and the split column) and the media that it names.
    private static func build(_ a: Arguments) throws -> Dataset {
        let folder = try DataPath.find(["av-digits", "av_digits"], marker: "pairs.csv", root: a[DataArgument.root], operation: a.operation)
        var draft = DatasetDraft(a.operation, name: "av_digits")
        let table = try folder.csv("pairs.csv")
        let lines = table.lines
        draft.rowName = { $0 < lines.count ? "line \(lines[$0])" : "row \($0 + 1)" }
        draft.labelOrigin = "pairs.csv"
        draft.ids = try folder.explained { try table.strings("id") }
        draft.labels = .integers(try folder.explained { try table.integers("label") })
        try draft.setSplits(try folder.explained { try table.strings(a[split]) }, from: "pairs.csv")
        for name in a[modalities] {
            let files = try folder.explained { try table.strings(name) }
            let modality = name == "audio"
                ? try AudioFront(a).load(files, name, folder, lines, "pairs.csv") : try ImageFront(a).load(files, name, folder, lines, "pairs.csv")
            draft.add(modality, from: "pairs.csv")
        }
        draft.files = folder.records
        draft.root = folder.path
        return try Dataset(draft, standardise: a[DataArgument.standardise])
    }
}
