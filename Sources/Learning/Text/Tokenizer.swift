import BSSCore

/// The token rows of one text, or of a pair of texts: three rows of one length.
public struct EncodedText: Equatable {
    /// Token ids, counted from 0 as vocabularies do.
    public var ids: [Int]
    /// 1 where a token stands, 0 where the row is padded.
    public var mask: [Int]
    /// 0 for the first text, its marks and the padding, 1 for the second text.
    public var types: [Int]

    /// [3, L] in C order, as a text modality stores a sample: ids, mask, types (exact in float32 for ids below 2^24).
    public var rows: [Float] { (ids + mask + types).map { Float($0) } }

    mutating func pad(to length: Int, with id: Int) {
        let missing = max(0, length - ids.count)
        ids += repeatElement(id, count: missing)
        mask += repeatElement(0, count: missing)
        types += repeatElement(0, count: missing)
    }
}

/// Text to token ids and back, with the marks that a model expects around them.
///
/// The two kinds are `WordPiece` (BERT) and `BytePairEncoding` (CLIP); `Tokenizer.load` tells them apart by their
/// files. Ids are those of the Hugging Face tokenizers library for the same files.
open class Tokenizer {
    public let vocabulary: Vocabulary
    /// Marks by purpose: `"unknown"`, `"start"`, `"end"`, `"padding"`, `"mask"`.
    public let marks: [String: Int]
    /// What stands between two texts of a pair: BERT one end mark, CLIP two.
    let pairSeparators: Int
    /// Ids that are left out when ids become text.
    private let specials: Set<Int>
    /// Tokens to be found in the text as it is, and those to be found in the normalised text.
    private let plain: AddedTokens
    private let folded: AddedTokens

    /// `normalize`: what the kind does with a text before it cuts it into words.
    init(
        vocabulary: Vocabulary, marks: [String: Int], added: [AddedToken], pairSeparators: Int,
        normalize: ([UnicodeScalar]) -> [UnicodeScalar]
    ) {
        self.vocabulary = vocabulary
        self.marks = marks
        self.pairSeparators = pairSeparators
        let described = Set(added.map(\.id))
        let tokens =
            added
            + Set(marks.values).subtracting(described).sorted().map { AddedToken(content: vocabulary.text($0), id: $0) }
        specials = Set(tokens.filter(\.isSpecial).map(\.id))
        plain = AddedTokens(tokens.filter { !$0.isNormalized }) { Array($0.unicodeScalars) }
        folded = AddedTokens(tokens.filter(\.isNormalized)) { normalize(Array($0.unicodeScalars)) }
    }

    var start: Int { marks["start"] ?? 0 }
    var end: Int { marks["end"] ?? 0 }
    var padding: Int { marks["padding"] ?? 0 }
    var unknown: Int { marks["unknown"] ?? 0 }

    /// A stretch of text without added tokens as the kind wants it: cleaned, in lower case, …
    func normalized(_ text: [UnicodeScalar]) -> [UnicodeScalar] { text }

    /// Ids of a normalised stretch of text without added tokens.
    func pieces(_ normalized: [UnicodeScalar]) -> [Int] { [] }

    /// The text of ordinary tokens.
    open func text(of ids: [Int]) -> String { "" }

    /// The ids of a text without marks around it; added tokens that it spells out are kept whole.
    public func tokenize(_ text: String) -> [Int] {
        plain.split(Array(text.unicodeScalars)).flatMap { part -> [Int] in
            guard case .text(let stretch) = part else { return part.ids }
            return folded.split(normalized(stretch)).flatMap { part -> [Int] in
                guard case .text(let words) = part else { return part.ids }
                return pieces(words)
            }
        }
    }

    /// Ids with marks, mask and types; with `length`, cut (the longer text of a pair first) and padded to it.
    ///
    /// `truncates` false: padded to at least `length`, never cut, as `padding="longest", max_length=…` does in the BSS
    /// authors' code.
    /// - Throws: a `length` that has no room for the marks.
    public func encode(
        _ text: String, pair: String? = nil, length: Int? = nil, truncates: Bool = true
    ) throws -> EncodedText {
        var first = tokenize(text)
        var second = pair.map { tokenize($0) }
        let marks = pair == nil ? 2 : 2 + pairSeparators
        if let length, truncates {
            guard length >= marks else {
                throw BSSError(
                    "encode", "length = \(length) has no room for \(marks) marks", hint: "give at least \(marks)",
                    kind: .usage)
            }
            let kept = Tokenizer.share(length - marks, first.count, second?.count)
            first = Array(first.prefix(kept.first))
            second = second.map { Array($0.prefix(kept.second)) }
        }
        var row = EncodedText(ids: [start] + first + [end], mask: [], types: [])
        row.types = row.ids.map { _ in 0 }
        if let second {
            let tail = Array(repeating: end, count: pairSeparators - 1) + second + [end]
            row.ids += tail
            row.types += tail.map { _ in pairSeparators == 1 ? 1 : 0 }
        }
        row.mask = row.ids.map { _ in 1 }
        if let length { row.pad(to: length, with: padding) }
        return row
    }

    /// Many texts at one length: `length`, or that of the longest.
    public func encode(_ texts: [String], length: Int? = nil, truncates: Bool = true) throws -> [EncodedText] {
        var rows = try texts.map { try encode($0, length: length, truncates: truncates) }
        let longest = rows.map(\.ids.count).max() ?? 0
        for i in rows.indices { rows[i].pad(to: longest, with: padding) }
        return rows
    }

    /// How many tokens of two texts stay when `room` is left: "longest first" of the tokenizers library, which shares
    /// evenly.
    static func share(_ room: Int, _ first: Int, _ second: Int?) -> (first: Int, second: Int) {
        guard let second else { return (min(room, first), 0) }
        guard first + second > room else { return (first, second) }
        let isSwapped = first > second
        var short = min(first, second)
        var long = short > room ? short : max(short, room - short)
        if short + long > room {
            short = room / 2
            long = short + room % 2
        }
        return isSwapped ? (long, short) : (short, long)
    }

    /// The text of token ids; special tokens are left out unless `keepsSpecial`.
    /// - Throws: an id outside the vocabulary.
    public func decode(_ ids: [Int], keepsSpecial: Bool = false) throws -> String {
        for id in ids where !vocabulary.contains(id) {
            throw BSSError(
                "decode", "token id \(id) is not in the vocabulary, which has \(vocabulary.count) tokens",
                hint: "ids count from 0", kind: .usage)
        }
        var out: [String] = []
        var run: [Int] = []
        func flush() {
            if !run.isEmpty { out.append(text(of: run)) }
            run = []
        }
        for id in ids {
            guard specials.contains(id) else {
                run.append(id)
                continue
            }
            flush()
            if keepsSpecial { out.append(vocabulary.text(id)) }
        }
        flush()
        return out.joined(separator: " ")
    }
}

extension AddedTokens.Piece {
    fileprivate var ids: [Int] { if case .token(let id) = self { return [id] } else { return [] } }
}
