import BSSCodecs
import BSSCore

/// What a column of one's own list may hold: its options, their defaults, and how it becomes a modality.
struct ColumnKind: Sendable {
    let name: String
    /// "sound files", "numbers".
    let holds: String
    let arguments: [any AnyArgument]
    /// Further columns that belong to it.
    var more: Argument<[String]>?
    /// How the file names of such a column end.
    var endings: [String] = []
    let form: @Sendable (Arguments, _ isFile: Bool) throws -> ColumnForm

    /// In the order of the help.
    static let all = [audio, image, frames, array, text, tokens, numbers]

    private static let size = Argument<Value>("size", default: .bool(false), "{height, width}, or false")
    private static let audioSize = Argument<Value>(
        "size", default: SoundColumn.size.defaultPlain, "{frequency, time}, or false")
    private static let grey = Argument<Bool>("grey", default: false, "one channel instead of three")
    private static let alpha = Argument<String>(
        "alpha", default: "white", "transparency: white (blended over it) or drop", check: .oneOf(["white", "drop"]))
    private static let frameCount = Argument<Int>(
        "frames", "frames in a picture, one above the other", check: .range(1...1024))
    private static let moreText = Argument<[String]>("more", default: [], "further columns of text")
    private static let moreNumbers = Argument<[String]>("more", default: [], "further columns of numbers")
    private static let tokenOptions = TextOptions(words: 50)
    private static let leastCount = Argument<Int>(
        "min_count", default: 2, "words in fewer training samples are left out", check: .atLeast(1))

    private static let audio = ColumnKind(
        name: "audio", holds: "sound files", arguments: SoundColumn.arguments + [audioSize],
        endings: ["wav", "wave", "flac", "ogg", "oga", "opus", "mp3", "aiff", "aif", "au", "caf", "w64"]
    ) { a, _ in try SoundColumn.form(a, size: audioSize) }
    private static let image = ColumnKind(
        name: "image", holds: "pictures", arguments: [size, grey, alpha], endings: ["png", "jpg", "jpeg"]
    ) { a, _ in
        PictureColumn.form(
            size: try MediaSize.read(a[size], "size", a.operation), isGrey: a[grey],
            alpha: a[alpha] == "white" ? .onWhite : .dropped)
    }
    private static let frames = ColumnKind(
        name: "frames", holds: "pictures of frames, one above the other", arguments: [frameCount, size]
    ) { a, _ in
        let size = try MediaSize.read(a[size], "size", a.operation)
        return .media(.image, FrameStackReader(frames: a[frameCount], size: size))
    }
    private static let array = ColumnKind(
        name: "array", holds: "NumPy files, one a sample", arguments: [], endings: ["npy"]
    ) { _, _ in .media(nil, ArrayReader()) }
    private static let text = ColumnKind(
        name: "text", holds: "text, as weighted words", arguments: [leastCount], more: moreText, endings: ["txt"]
    ) { a, isFile in .text(WordWeights(leastCount: a[leastCount]), isFile: isFile) }
    private static let tokens = ColumnKind(
        name: "tokens", holds: "text, as token ids", arguments: [tokenOptions.tokenizer, tokenOptions.length],
        more: moreText
    ) { a, isFile in
        .text(TokenIds(tokenizer: a[tokenOptions.tokenizer], length: a[tokenOptions.length]), isFile: isFile)
    }
    private static let numbers = ColumnKind(
        name: "numbers", holds: "numbers", arguments: [], more: moreNumbers
    ) { _, _ in .numbers }

    /// Every kind with its options and their defaults, for help.
    static var described: String {
        all.map { kind in
            let options = kind.arguments + (kind.more.map { [$0] } ?? [])
            let list = options.map { $0.isRequired ? $0.name : "\($0.name) = \(JSON.lua($0.defaultPlain))" }
            return "\(kind.name) (\(kind.holds)\(list.isEmpty ? "" : ": \(list.joined(separator: ", "))"))"
        }.joined(separator: "; ")
    }
}

extension ColumnKind {
    private static func ofFile(_ name: String) -> ColumnKind? {
        guard let dot = name.lastIndex(of: ".") else { return nil }
        let ending = name[name.index(after: dot)...].lowercased()
        return all.first { $0.endings.contains(ending) }
    }

    /// Whether every entry of a column names a text file.
    static func areTextFiles(_ entries: [String]) -> Bool {
        let named = entries.filter { !$0.isEmpty }
        return !named.isEmpty && named.allSatisfy { ofFile($0)?.name == text.name }
    }

    /// What a column of no stated kind is taken for: files by how their names end, else numbers, else text.
    /// - Throws: entries of several kinds of files.
    static func told(by entries: [String], _ column: String, _ operation: String) throws -> ColumnKind {
        let named = entries.filter { !$0.isEmpty }
        guard let first = named.first, let kind = ofFile(first) else {
            return !named.isEmpty && named.allSatisfy { Text.double($0) != nil } ? numbers : text
        }
        if let other = named.first(where: { ofFile($0)?.name != kind.name }) {
            throw BSSError(
                operation, "column '\(column)' names '\(first)', which would be \(kind.holds), and '\(other)'",
                hint: "say what it holds: {kind = \"\(kind.name)\", column = \"\(column)\"}", kind: .data)
        }
        return kind
    }
}
