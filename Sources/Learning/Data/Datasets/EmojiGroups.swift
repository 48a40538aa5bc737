import BSSCore

/// Emoji of nine groups: two drawings and a text.
enum EmojiGroups: MediaCollection {
    static let name = "emoji_groups"
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

    private static let media = MediaOptions.listed

    static let part = Part<Dataset>(
        "emoji_groups",
        "Emoji in nine groups: Twemoji and Noto drawings (RGB over white) and their names; classes and splits come "
            + "from its files.",
        [
            modalities, text, leastCount, form, tokens.tokenizer, tokens.length, size,
        ] + media.arguments + [DataArgument.root, DataArgument.standardise],
        source: "Unicode emoji-test and CLDR; Twemoji, Noto Emoji",
        example:
            "local found, data = pcall(bss.data.emoji_groups, {text = \"name_keywords\"}) print(found and data or "
            + "\"not on the data path\")",
        build: { a in try annotated(a).dataset(a, media, standardise: a[DataArgument.standardise]) })

    static func annotated(_ a: Arguments) throws -> AnnotatedSet {
        let folder = try DataPath.find(
            ["emoji-groups", "emoji_groups"], marker: "image_twemoji", root: a[DataArgument.root],
            operation: a.operation)
        let size = try MediaSize.read(a[size], "image_size", a.operation)
        let image = PictureColumn.form(size: size, isGrey: false, alpha: .onWhite)
        let more = a[text] == "name_keywords" ? ["keywords"] : []
        let words: any TextForm =
            a[form] == "tokens"
            ? TokenIds(tokenizer: a[tokens.tokenizer], length: a[tokens.length])
            : WordWeights(leastCount: a[leastCount])
        let list = MediaList(file: "index.csv", splits: MediaList.named("split"))
        return try AnnotatedSet.listed(a, name: name, folder, list) { _ in
            a[modalities].map { modality in
                modality == "text"
                    ? ListedColumn(modality, column: "name", more: more, .text(words, isFile: false))
                    : ListedColumn(modality, column: "image_\(modality)", image)
            }
        }
    }
}
