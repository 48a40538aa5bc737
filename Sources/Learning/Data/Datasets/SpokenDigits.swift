import BSSCore

/// Spoken digits with pictures of handwritten ones: WAV → log-spectrogram, PNG → grey image.
enum SpokenDigits: MediaCollection {
    static let name = "av_digits"
    private static let split = Argument<String>(
        "split", default: "split",
        "the column of pairs.csv that names the splits: split (known speakers) or split_speaker (new ones)")
    private static let modalities = DataArgument.modalities(["audio", "image"])
    private static let media = MediaOptions.listed

    static let part = Part<Dataset>(
        "av_digits",
        "Spoken digits (WAV → log-spectrogram) paired with handwritten ones (PNG); "
            + "classes and splits come from its files.",
        [split, modalities] + SoundColumn.arguments + [SoundColumn.size, PictureColumn.size] + media.arguments + [
            DataArgument.root, DataArgument.standardise,
        ],
        source:
            "Jackson et al., Free Spoken Digit Dataset; LeCun, Bottou, Bengio, Haffner, Proc. IEEE 86, 1998 (MNIST)",
        example: "local found, data = pcall(bss.data.av_digits, {split = \"split_speaker\"}) "
            + "print(found and data or \"not on the data path\")",
        build: { a in try annotated(a).dataset(a, media, standardise: a[DataArgument.standardise]) })

    /// Reads `pairs.csv`: id, label, audio, image, and the split column.
    static func annotated(_ a: Arguments) throws -> AnnotatedSet {
        let folder = try DataPath.find(
            ["av-digits", "av_digits"], marker: "pairs.csv", root: a[DataArgument.root], operation: a.operation)
        let audio = try SoundColumn.form(a)
        let size = try MediaSize.read(a[PictureColumn.size], "image_size", a.operation)
        let image = PictureColumn.form(size: size, isGrey: true, alpha: .dropped)
        let list = MediaList(file: "pairs.csv", labelName: nil, splits: MediaList.named(a[split]))
        return try AnnotatedSet.listed(a, name: name, folder, list) { _ in
            a[modalities].map { ListedColumn($0, column: $0, $0 == "audio" ? audio : image) }
        }
    }
}
