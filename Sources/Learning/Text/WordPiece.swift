import BSSCore

/// Greedy longest-match pieces of words, as BERT's vocabularies are made for.
///
/// Cleaning (controls dropped, every white space a blank), ideographs set apart, accents stripped (NFD without Mn) and
/// lower case where the model is uncased; words split at white space and punctuation; pieces after the first carry
/// `##`. A word of more than 100 characters, or one that cannot be pieced together, is `[UNK]`.
///
/// Source: Schuster and Nakajima, ICASSP 2012; Wu et al., arXiv 1609.08144, 2016; the procedure of Devlin et al., NAACL
/// 2019. Deviation: lower case without final sigma, as the tokenizers library does and the original Python procedure
/// does not.
public final class WordPiece: Tokenizer {
    public struct Options {
        public var lowercases = true
        /// `nil`: as `lowercases`.
        public var stripsAccents: Bool?
        public var separatesIdeographs = true
        public var cleans = true
        public var longestWord = 100
        public var prefix = "##"
        public init() {}

        /// A text as it is, but for lower case.
        static func plain(lowercases: Bool) -> Options {
            var options = Options()
            (options.lowercases, options.stripsAccents, options.separatesIdeographs, options.cleans) = (
                lowercases, false, false, false
            )
            return options
        }
    }

    public let options: Options
    private let prefix: [UInt8]

    /// - Throws: a vocabulary without the marks, by default `[UNK]`, `[CLS]`, `[SEP]`, `[PAD]` (and `[MASK]`, if it is
    ///   there).
    public init(
        _ vocabulary: Vocabulary, options: Options = Options(), markNames: [String: String] = [:],
        added: [AddedToken] = [],
        source: String
    ) throws {
        self.options = options
        prefix = Array(options.prefix.utf8)
        let defaults = ["unknown": "[UNK]", "start": "[CLS]", "end": "[SEP]", "padding": "[PAD]", "mask": "[MASK]"]
        super.init(
            vocabulary: vocabulary,
            marks: try vocabulary.marks(
                markNames.merging(defaults) { own, _ in own }, needed: ["unknown", "start", "end", "padding"],
                source: source),
            added: added, pairSeparators: 1, normalize: options.normalized)
    }

    override func normalized(_ text: [UnicodeScalar]) -> [UnicodeScalar] { options.normalized(text) }
    override func pieces(_ normalized: [UnicodeScalar]) -> [Int] { words(normalized).flatMap(pieces(ofWord:)) }

    public override func text(of ids: [Int]) -> String {
        ids.reduce(into: "") { out, id in
            let bytes = vocabulary.bytes(id)
            if bytes.starts(with: prefix), !prefix.isEmpty, !out.isEmpty {
                out += String(decoding: bytes.dropFirst(prefix.count), as: UTF8.self)
            } else {
                out += (out.isEmpty ? "" : " ") + String(decoding: bytes, as: UTF8.self)
            }
        }
    }

    /// Runs between white space, and every punctuation character on its own.
    private func words(_ scalars: [UnicodeScalar]) -> [[UnicodeScalar]] {
        var words: [[UnicodeScalar]] = []
        var current: [UnicodeScalar] = []
        func flush() {
            if !current.isEmpty { words.append(current) }
            current = []
        }
        for scalar in scalars {
            if scalar.isSpace {
                flush()
            } else if scalar.isTokenPunctuation {
                flush()
                words.append([scalar])
            } else {
                current.append(scalar)
            }
        }
        flush()
        return words
    }

    private func pieces(ofWord word: [UnicodeScalar]) -> [Int] {
        guard word.count <= options.longestWord else { return [unknown] }
        let bytes = word.map { Array(String($0).utf8) }
        var ids: [Int] = []
        var from = 0
        while from < word.count {
            var to = word.count
            var found: Int?
            while to > from {
                found = vocabulary.id((from > 0 ? prefix : []) + bytes[from..<to].joined())
                if found != nil { break }
                to -= 1
            }
            guard let found else { return [unknown] }
            ids.append(found)
            from = to
        }
        return ids
    }
}

extension WordPiece.Options {
    fileprivate func normalized(_ text: [UnicodeScalar]) -> [UnicodeScalar] {
        var scalars = text
        if cleans { scalars = scalars.compactMap { $0.isDroppedByCleaning ? nil : $0.isSpace ? " " : $0 } }
        if separatesIdeographs { scalars = scalars.flatMap { $0.isIdeograph ? [" ", $0, " "] : [$0] } }
        if stripsAccents ?? lowercases { scalars = scalars.string.decomposed.filter { !$0.isNonspacingMark } }
        return lowercases ? scalars.lowercased : scalars
    }
}

extension Vocabulary {
    /// The ids of marks by purpose.
    func marks(_ names: [String: String], needed: [String], source: String) throws -> [String: Int] {
        let missing = needed.compactMap { names[$0] }.filter { id($0) == nil }
        guard missing.isEmpty else {
            throw BSSError(
                "tokenizer", "\(source): the vocabulary of \(count) tokens lacks \(missing.joined(separator: ", "))",
                kind: .data)
        }
        return names.compactMapValues { id($0) }
    }
}
