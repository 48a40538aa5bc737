import BSSCore

/// A folder of media of one's own, listed in a CSV file.
enum FolderData {
    private static let root = Argument<String>("root", "the folder; files in the list are relative to it")
    private static let list = Argument<String>("list", default: "index.csv", "the CSV file that lists the samples")
    private static let label = Argument<String>("label", default: "label", "the column of labels: integers or text")
    private static let labelName = Argument<String>(
        "label_name", default: "label_name", "the column of class names for integer labels, where there is one")
    private static let split = Argument<String>("split", default: "split", "the column of splits: train, val, test")
    private static let id = Argument<String?>("id", default: nil, "the column of sample ids; without it 1, 2, …")
    private static let modalities = Argument<Table>(
        "modalities",
        "by name {kind = \"audio\" | \"image\" | \"frames\" | \"text\" | \"tokens\", column =, …}; audio: sample_rate, fit, seconds, n_fft, hop, log_offset, size; image: size, grey, alpha; frames: frames, size; text: more, min_count; tokens: tokenizer, text_length, more"
    )

    static let part = Part<Dataset>(
        "folder", "Your own media (WAV, FLAC, Ogg, PNG, JPEG, text), listed in a CSV file.",
        [root, modalities, list, label, labelName, split, id, DataArgument.standardise],
        example:
            "local found, data = pcall(bss.data.folder, {root = \"mine\", modalities = {sound = {kind = \"audio\", column = \"wav\"}, picture = {kind = \"image\", size = {32, 32}}}}) print(found and data or \"no such folder\")",
        build: build)

    // MARK: Options of one modality

    private static let kinds = ["audio", "image", "frames", "text", "tokens"]
    private static let kind = Argument<String>("kind", "what the column holds", check: .oneOf(kinds))
    private static let column = Argument<String?>(
        "column", default: nil, "the column of files (or text); without it the one of the modality's name")
    private static let size = Argument<Value>("size", default: .bool(false), "{height, width}, or false")
    private static let audioSize = Argument<Value>(
        "size", default: AudioFront.size.defaultPlain, "{frequency, time}, or false")
    private static let grey = Argument<Bool>("grey", default: false, "one channel instead of three")
    private static let alpha = Argument<String>(
        "alpha", default: "white", "transparency: white (blended over it) or drop", check: .oneOf(["white", "drop"]))
    private static let frames = Argument<Int>(
        "frames", "frames in a picture, one above the other", check: .range(1...1024))
    private static let more = Argument<[String]>("more", default: [], "further columns of text")
    private static let tokens = TextOptions(words: 50)
    private static let leastCount = Argument<Int>(
        "min_count", default: 2, "words in fewer training samples are left out", check: .atLeast(1))

    private static func source(_ name: String, _ value: Value, _ operation: String) throws -> MediaSource {
        guard case .table(let options) = value, options.items.isEmpty else {
            throw BSSError(
                operation,
                "option 'modalities': '\(name)' expects a table {kind = \"image\", …}, got \(value.described)",
                kind: .usage)
        }
        let path = "\(operation): modality '\(name)'"
        guard let known = options["kind"]?.string, kinds.contains(known) else {
            throw BSSError(
                path, "option 'kind' expects \(kind.expected), got \((options["kind"] ?? .null).described)",
                kind: .usage)
        }
        func decoded(_ own: [any AnyArgument]) throws -> Arguments {
            try Arguments(operation: path, declared: [kind, column] + own, named: options)
        }
        let front: any MediaFront
        let a: Arguments
        switch known {
        case "audio":
            a = try decoded(AudioFront.arguments + [audioSize])
            front = try AudioFront.make(a, size: audioSize)
        case "image":
            a = try decoded([size, grey, alpha])
            front = ImageFront.make(
                size: try MediaSize.read(a[size], "size", path), isGrey: a[grey],
                alpha: a[alpha] == "white" ? .onWhite : .dropped)
        case "frames":
            a = try decoded([frames, size])
            front = ReaderFront(
                kind: .image,
                reader: FrameStackReader(frames: a[frames], size: try MediaSize.read(a[size], "size", path)))
        case "tokens":
            a = try decoded([tokens.tokenizer, tokens.length, more])
            front = TokenFront(tokenizer: a[tokens.tokenizer], length: a[tokens.length], more: a[more])
        default:
            a = try decoded([more, leastCount])
            front = TextFront(more: a[more], leastCount: a[leastCount])
        }
        return MediaSource(name: name, column: a[column] ?? name, front: front)
    }

    private static func build(_ a: Arguments) throws -> Dataset {
        guard a[modalities].items.isEmpty, !a[modalities].keys.isEmpty else {
            throw BSSError(
                a.operation,
                "option 'modalities' expects {name = {kind = …}}, got \(Value.table(a[modalities]).described)",
                kind: .usage)
        }
        let sources = try a[modalities].fields.map { try source($0.key, $0.value, a.operation) }
        let folder = try DataPath.find([], marker: "", root: a[root], operation: a.operation)
        let name = folder.path.split(separator: "/").last.map(String.init) ?? "folder"
        let draft = try DatasetDraft.listed(
            a.operation, name: name, folder, list: a[list], id: a[id], label: a[label], labelName: a[labelName],
            split: a[split], sources)
        return try Dataset(draft, standardise: a[DataArgument.standardise])
    }
}
