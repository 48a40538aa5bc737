import BSSCore

/// Spoken digits with pictures of handwritten ones: WAV → log-spectrogram, PNG → grey image.
enum SpokenDigits {
    private static let split = Argument<String>(
        "split", default: "split",
        "the column of pairs.csv that names the splits: split (known speakers) or split_speaker (new ones)")
    private static let modalities = DataArgument.modalities(["audio", "image"])

    static let part = Part<Dataset>(
        "av_digits",
        "Spoken digits (WAV → log-spectrogram) paired with handwritten ones (PNG); classes and splits come from its files.",
        [split, modalities] + AudioFront.arguments + [
            AudioFront.size, ImageFront.size, DataArgument.root, DataArgument.standardise,
        ],
        source:
            "Jackson et al., Free Spoken Digit Dataset; LeCun, Bottou, Bengio, Haffner, Proc. IEEE 86, 1998 (MNIST)",
        example:
            "local found, data = pcall(bss.data.av_digits, {split = \"split_speaker\"}) print(found and data or \"not on the data path\")",
        build: build)

    /// Reads `pairs.csv` (id, label, audio, image, and the split column) and the media that it names.
    private static func build(_ a: Arguments) throws -> Dataset {
        let folder = try DataPath.find(
            ["av-digits", "av_digits"], marker: "pairs.csv", root: a[DataArgument.root], operation: a.operation)
        let audio = try AudioFront.make(a)
        let image = ImageFront.make(
            size: try MediaSize.read(a[ImageFront.size], "image_size", a.operation), isGrey: true, alpha: .dropped)
        let sources = a[modalities].map { MediaSource(name: $0, column: $0, front: $0 == "audio" ? audio : image) }
        let draft = try DatasetDraft.listed(
            a.operation, name: "av_digits", folder, list: "pairs.csv", id: "id", label: "label", labelName: nil,
            split: a[split], sources)
        return try Dataset(draft, standardise: a[DataArgument.standardise])
    }
}
