import BSSCore
import BSSText

/// Text as weighted words: tf-idf over the words of the training split.
///
/// Words are runs of letters and digits in lower case. Weight: (1 + ln tf) · (ln((1 + n)/(1 + df)) + 1), each sample
/// scaled to length 1, then all by one factor so that the mean square on the training split is 1, as for standardised
/// features.
struct WordWeights: TextForm {
    /// Words seen in fewer training samples are left out.
    let leastCount: Int
    var shape: [Int]? { nil }

    func modality(
        _ name: String, _ texts: [(String, String?)], _ splits: [SplitName], _ operation: String
    ) throws -> Modality {
        let words = texts.map { WordWeights.words($0.0) }
        let train = splits.indices.filter { splits[$0] == .train }
        var documents: [String: Int] = [:]
        for row in train { for word in Set(words[row]) { documents[word, default: 0] += 1 } }
        let vocabulary = documents.filter { $0.value >= leastCount }.sorted {
            $0.key.utf8.lexicographicallyPrecedes($1.key.utf8)
        }
        guard !vocabulary.isEmpty else {
            throw BSSError(operation, "no word of '\(name)' occurs in \(leastCount) training samples", kind: .data)
        }
        let place = Dictionary(uniqueKeysWithValues: vocabulary.enumerated().map { ($1.key, $0) })
        let inverse = vocabulary.map { Math.log(Double(1 + train.count) / Double(1 + $0.value)) + 1 }
        let d = vocabulary.count
        var values = try Memory.array(repeating: Float(0), count: words.count * d, operation)
        for (row, list) in words.enumerated() {
            var counts: [Int: Int] = [:]
            for word in list { if let column = place[word] { counts[column, default: 0] += 1 } }
            let weights = counts.sorted { $0.key < $1.key }.map {
                ($0.key, (1 + Math.log(Double($0.value))) * inverse[$0.key])
            }
            let length = weights.reduce(0) { $0 + $1.1 * $1.1 }.squareRoot()
            for (column, weight) in weights { values[row * d + column] = Float(weight / length) }
        }
        let filled = Double(train.count { row in values[row * d..<(row + 1) * d].contains { $0 != 0 } })
        let scale = Float((Double(d * train.count) / max(1, filled)).squareRoot())
        for i in values.indices { values[i] *= scale }
        return Modality(name, .features, shape: [d], values: values)
    }

    static func words(_ text: String) -> [String] {
        text.lowercased().split { !($0.isLetter || $0.isNumber) }.map(String.init)
    }
}

/// Texts as token ids, attention mask and segments: [3, length].
struct TokenIds: TextForm {
    /// A vocabulary file or folder; nil: the words of the training texts.
    let tokenizer: String?
    let length: Int
    var shape: [Int]? { [3, length] }

    func modality(
        _ name: String, _ texts: [(String, String?)], _ splits: [SplitName], _ operation: String
    ) throws -> Modality {
        let tokenizer =
            try self.tokenizer.map { try Tokenizer.load($0) }
            ?? TokenIds.wordTokenizer(zip(splits, texts).filter { $0.0 == .train }.map(\.1))
        try Memory.reserve(texts.count, of: 4 * 3 * length, operation, "\(texts.count) texts of \(length) tokens")
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
            for word in WordWeights.words(first) + WordWeights.words(second ?? "") { counts[word, default: 0] += 1 }
        }
        let words = counts.filter { $0.value >= 2 }.sorted {
            $0.value != $1.value ? $0.value > $1.value : $0.key.utf8.lexicographicallyPrecedes($1.key.utf8)
        }
        let lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + words.prefix(30_000).map(\.key)
        return try WordPiece(
            Vocabulary(lines: Array(lines.joined(separator: "\n").utf8)), source: "words of the training texts")
    }
}
