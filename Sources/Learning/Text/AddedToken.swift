/// A token that a text may spell out, found before the text is cut into words: marks such as `[MASK]`, words added
/// later.
///
/// Source: `AddedToken` of the Hugging Face tokenizers library, whose rules these are.
public struct AddedToken: Hashable, Sendable {
    public var content: String
    public var id: Int
    /// A mark: left out when ids become text again.
    public var isSpecial = true
    /// Found in the normalised text (lower case, …), as its own normalised content; else in the text as it is.
    public var isNormalized = false
    /// Not found inside a longer word.
    public var isSingleWord = false
    /// White space before and after it belongs to it.
    public var stripsLeft = false
    public var stripsRight = false
}

/// Finds added tokens in a text: from left to right, the longest first.
struct AddedTokens {
    enum Piece {
        case text([UnicodeScalar])
        case token(Int)
    }

    private let byFirst: [UnicodeScalar: [(content: [UnicodeScalar], token: AddedToken)]]

    /// `spelled`: how a token's content stands in the texts that are searched.
    init(_ tokens: [AddedToken], spelled: (String) -> [UnicodeScalar]) {
        let entries = tokens.map { (content: spelled($0.content), token: $0) }.filter { !$0.content.isEmpty }
        byFirst = Dictionary(grouping: entries) { $0.content[0] }.mapValues {
            $0.sorted { $0.content.count > $1.content.count }
        }
    }

    func split(_ text: [UnicodeScalar]) -> [Piece] {
        guard !byFirst.isEmpty else { return text.isEmpty ? [] : [.text(text)] }
        var pieces: [Piece] = []
        var from = 0
        var at = 0
        while at < text.count {
            guard let found = byFirst[text[at]]?.first(where: { text[at...].starts(with: $0.content) }) else {
                at += 1
                continue
            }
            var start = at
            var end = at + found.content.count
            at = end
            if found.token.isSingleWord, start > 0 && text[start - 1].isWord || end < text.count && text[end].isWord {
                continue
            }
            if found.token.stripsLeft { while start > from, text[start - 1].isSpace { start -= 1 } }
            if found.token.stripsRight { while end < text.count, text[end].isSpace { end += 1 } }
            start = max(start, from)
            if from < start { pieces.append(.text(Array(text[from..<start]))) }
            pieces.append(.token(found.token.id))
            from = end
        }
        if from < text.count { pieces.append(.text(Array(text[from...]))) }
        return pieces
    }
}
