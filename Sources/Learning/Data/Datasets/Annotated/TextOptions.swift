import BSSCore
import BSSText

/// Options of the image-text collections: a text as token ids, mask and segments, [3, length].
struct TextOptions {
    let modalities = DataArgument.modalities(["image", "text"])
    let tokenizer = Argument<String?>(
        "tokenizer", default: nil,
        "vocab.txt, tokenizer.json, or the folder of a pretrained model; without it the words of the training texts are the vocabulary (seen twice or more)"
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
            content: .text(shape: [3, length]) { rows in
                try TokenFront(tokenizer: path, length: length).modality(
                    "text", rows.map(texts), rows.map(\.split), operation)
            })
    }
}

/// Texts as token ids, attention mask and segments: [3, length].
struct TokenFront: MediaFront {
    /// A vocabulary file or folder; nil: the words of the training texts.
    let tokenizer: String?
    let length: Int
    /// Further columns whose text is appended.
    var more: [String] = []
    var isScaled: Bool { true }

    func load(_ modality: String, column: String, _ list: MediaList) throws -> Modality {
        let columns = try ([column] + more).map { try list.column($0) }
        let texts = list.table.rows.indices.map { row in (columns.map { $0[row] }.joined(separator: " "), String?.none)
        }
        return try self.modality(modality, texts, list.splits, list.operation)
    }

    func modality(
        _ name: String, _ texts: [(String, String?)], _ splits: [SplitName], _ operation: String
    ) throws -> Modality {
        let tokenizer =
            try self.tokenizer.map { try Tokenizer.load($0) }
            ?? TokenFront.wordTokenizer(zip(splits, texts).filter { $0.0 == .train }.map(\.1))
        var values: [Float] = []
        values.reserveCapacity(texts.count * 3 * length)
        for (row, pair) in texts.enumerated() {
            if row % 256 == 0 { try Cancellation.check(operation) }
            values += try tokenizer.encode(pair.0, pair: pair.1, length: length).rows
        }
        return Modality(name, .text, shape: [3, length], values: values)
    }

    /// Words of the training texts that occur twice or more, the most frequent first, as a WordPiece vocabulary without
    /// pieces.
    private static func wordTokenizer(_ texts: [(String, String?)]) throws -> Tokenizer {
        var counts: [String: Int] = [:]
        for (first, second) in texts {
            for word in TextFront.words(first) + TextFront.words(second ?? "") { counts[word, default: 0] += 1 }
        }
        let words = counts.filter { $0.value >= 2 }.sorted {
            $0.value != $1.value ? $0.value > $1.value : $0.key.utf8.lexicographicallyPrecedes($1.key.utf8)
        }
        let lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + words.prefix(30_000).map(\.key)
        return try WordPiece(
            Vocabulary(lines: Array(lines.joined(separator: "\n").utf8)), source: "words of the training texts")
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
