import BSSCore

/// Options of the image-text collections: a text as token ids, mask and segments, [3, length].
struct TextOptions: Sendable {
    let modalities = DataArgument.modalities(["image", "text"])
    let tokenizer = Argument<String?>(
        "tokenizer", default: nil,
        "vocab.txt, tokenizer.json, or the folder of a pretrained model; without it the words of the training texts "
            + "are the vocabulary (seen twice or more)"
    )
    let length = Argument<Int>(
        "text_length", default: 64, "tokens of a text, marks included; longer ones are cut", check: .range(4...4096))
    let words: Argument<Int>

    init(words: Int) {
        self.words = Argument(
            "words", default: words, "words that are kept of a cleaned text, as released", check: .range(1...4096))
    }

    var arguments: [any AnyArgument] { [modalities, tokenizer, length, words] }

    /// - Parameter texts: the text of a row, and its second text for a pair.
    func modality(_ a: Arguments, _ texts: @escaping (AnnotatedRow) -> (String, String?)) -> AnnotatedSet.Modality {
        let path = a[tokenizer]
        let length = a[self.length]
        let operation = a.operation
        return .init(
            name: "text", kind: .text,
            content: .whole(shape: [3, length]) { rows in
                try TokenIds(tokenizer: path, length: length).modality(
                    "text", rows.map(texts), rows.map(\.split), operation)
            }, isScaled: true)
    }
}

/// How the released loaders clean texts.
enum TextCleaning {
    /// Twitter: runs of ASCII letters that no letter, digit or underscore touches, in lower case; the first `words` of
    /// them.
    static func letters(_ text: String, words: Int) -> String {
        var found: [String] = []
        var word: [UInt8] = []
        var isPure = true
        func end() {
            if !word.isEmpty, isPure { found.append(String(decoding: word, as: UTF8.self).lowercased()) }
            (word, isPure) = ([], true)
        }
        for character in text {
            let isLetter = character.isASCII && character.isLetter
            if isLetter || character.isLetter || character.isNumber || character == "_" {
                word += Array(String(character).utf8)
                if !isLetter { isPure = false }
            } else {
                end()
            }
        }
        end()
        return found.prefix(words).joined(separator: " ")
    }

    /// Sarcasm: lower case, without , . ' ! ? " ( ) * # : ; ~, with spaces for - and /, the first `words` words.
    static func caption(_ text: String, words: Int) -> String {
        let dropped = Set(",.'!?\"()*#:;~")
        let kept = text.lowercased().compactMap { character -> Character? in
            if dropped.contains(character) { return nil }
            return character == "-" || character == "/" || character.isWhitespace ? " " : character
        }
        return String(kept).split(separator: " ").prefix(words).joined(separator: " ")
    }
}
