import BSSCore

/// Spoken digits with the speaker's lips: WAV → log-spectrogram, PNG stacks of frames → one channel a frame.
enum GridDigits: MediaCollection {
    static let name = "grid_digit_av"
    private static let modalities = DataArgument.modalities(["audio", "video"])
    private static let frames = Argument<Int>(
        "frames", default: 8, "frames in a picture, one above the other", check: .range(1...1024))
    private static let size = Argument<Value>(
        "video_size", default: .list([32, 48].map { Value.int($0) }),
        "{height, width} to resize frames to; false keeps their own size")
    private static let layout = Argument<String>(
        "video_layout", default: "channels",
        "channels: [frames, height, width], a channel a frame; frames: [frames, 1, height, width], "
            + "for encoders that fold frames into the batch",
        check: .oneOf(["channels", "frames"]))
    private static let media = MediaOptions.listed

    static let part = Part<Dataset>(
        "grid_digit_av",
        "GRID: spoken digits (WAV) with 8 frames of the speaker's lips (PNG); classes and splits come from its files.",
        [modalities] + SoundColumn.arguments + [SoundColumn.size, frames, size, layout] + media.arguments + [
            DataArgument.root, DataArgument.standardise,
        ],
        source: "Cooke, Barker, Cunningham, Shao, JASA 120, 2006",
        example: "local found, data = pcall(bss.data.grid_digit_av) print(found and data or \"not on the data path\")",
        build: { a in try annotated(a).dataset(a, media, standardise: a[DataArgument.standardise]) })

    static func annotated(_ a: Arguments) throws -> AnnotatedSet {
        let folder = try DataPath.find(
            ["grid-digit-av", "grid_digit_av"], marker: "video", root: a[DataArgument.root], operation: a.operation)
        let hasTime = a[layout] == "frames"
        let frameSize = try MediaSize.read(a[size], "video_size", a.operation)
        let audio = try SoundColumn.form(a)
        let reader = FrameStackReader(frames: a[frames], size: frameSize, hasTime: hasTime)
        let video = ColumnForm.media(hasTime ? .video : .image, reader)
        let list = MediaList(file: "index.csv", splits: MediaList.named("split"))
        return try AnnotatedSet.listed(a, name: name, folder, list) { _ in
            a[modalities].map { ListedColumn($0, column: $0, $0 == "audio" ? audio : video) }
        }
    }
}
