/// CLIP's words: the matches, from left to right, of
/// `<|startoftext|>  <|endoftext|>  's 't 're 've 'm 'll 'd  letters+  one number  others+`
/// in normalised text, where "others" are neither white space nor letter nor number.
enum CLIPWords {
    private static let marks = ["<|startoftext|>", "<|endoftext|>"].map { Array($0.unicodeScalars) }
    private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map { Array($0.unicodeScalars) }

    /// NFC, runs of white space as one blank, lower case.
    static func normalized(_ text: [UnicodeScalar]) -> [UnicodeScalar] {
        var out: [UnicodeScalar] = []
        for scalar in text.string.composed {
            if !scalar.isSpace { out.append(scalar) } else if out.last != " " { out.append(" ") }
        }
        return out.lowercased
    }

    static func split(_ scalars: [UnicodeScalar]) -> [[UnicodeScalar]] {
        var words: [[UnicodeScalar]] = []
        var at = 0
        func run(_ belongs: (UnicodeScalar) -> Bool) {
            let start = at
            while at < scalars.count, belongs(scalars[at]) { at += 1 }
            words.append(Array(scalars[start..<at]))
        }
        while at < scalars.count {
            let scalar = scalars[at]
            let rest = scalars[at...]
            if scalar.isSpace {
                at += 1
            } else if let mark = marks.first(where: { rest.starts(with: $0) }) {
                // The byte-level step splits a mark that was not taken as a special token.
                words += [Array(mark[..<2]), Array(mark[2..<mark.count - 2]), Array(mark[(mark.count - 2)...])]
                at += mark.count
            } else if let contraction = contractions.first(where: { rest.starts(with: $0) }) {
                words.append(contraction)
                at += contraction.count
            } else if scalar.isLetter {
                run(\.isLetter)
            } else if scalar.isNumber {
                words.append([scalar])
                at += 1
            } else {
                run { !$0.isSpace && !$0.isLetter && !$0.isNumber }
            }
        }
        return words
    }
}
