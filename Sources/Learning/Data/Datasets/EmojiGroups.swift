import BSSCore

/// Emoji of nine groups: two drawings and a text.
enum EmojiGroups {
    private static let modalities = DataArgument.modalities(["twemoji", "noto", "text"])
    private static let text = Argument<String>(
        "text", default: "name", "which words: name, or name_keywords (some items have no keywords)",
        check: .oneOf(["name", "name_keywords"]))
    private static let leastCount = Argument<Int>(
        "min_count", default: 2, "words in fewer training samples are left out", check: .atLeast(1))
    private static let form = Argument<String>(
        "text_form", default: "tf_idf",
        "tf_idf: weighted words [columns]; tokens: ids, mask and segments [3, text_length], for text encoders",
        check: .oneOf(["tf_idf", "tokens"]))
    private static let tokens = TextOptions(words: 50)
    private static let size = Argument<Value>(
        "image_size", default: .list([32, 32].map { Value.int($0) }), "{height, width} to resize images to")

    static let part = Part<Dataset>(
        "emoji_groups",
        "Emoji in nine groups: Twemoji and Noto drawings (RGB over white) and their names; classes and splits come from its files.",
        [
            modalities, text, leastCount, form, tokens.tokenizer, tokens.length, size, DataArgument.root,
            DataArgument.standardise,
        ],
        source: "Unicode emoji-test and CLDR; Twemoji, Noto Emoji",
        example:
            "local found, data = pcall(bss.data.emoji_groups, {text = \"name_keywords\"}) print(found and data or \"not on the data path\")",
        build: build)

    private static func build(_ a: Arguments) throws -> Dataset {
        let folder = try DataPath.find(
            ["emoji-groups", "emoji_groups"], marker: "image_twemoji", root: a[DataArgument.root],
            operation: a.operation)
        let image = ImageFront.make(
            size: try MediaSize.read(a[size], "image_size", a.operation), isGrey: false, alpha: .onWhite)
        let more = a[text] == "name_keywords" ? ["keywords"] : []
        let words: any MediaFront =
            a[form] == "tokens"
            ? TokenFront(tokenizer: a[tokens.tokenizer], length: a[tokens.length], more: more)
            : TextFront(more: more, leastCount: a[leastCount])
        let sources = a[modalities].map { name in
            name == "text"
                ? MediaSource(name: name, column: "name", front: words)
                : MediaSource(name: name, column: "image_\(name)", front: image)
        }
        let draft = try DatasetDraft.listed(
            a.operation, name: "emoji_groups", folder, list: "index.csv", id: "id", label: "label",
            labelName: "label_name", split: "split", sources)
        return try Dataset(draft, standardise: a[DataArgument.standardise])
    }
}
