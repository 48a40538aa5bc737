import BSSCore

extension StringProtocol {
    /// Without the blanks and line ends at both ends.
    package var trimmed: String {
        let isBlank = { (c: Character) in c == " " || c == "\n" || c == "\t" || c == "\r" }
        var rest = drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
        return String(rest)
    }

    /// The first place of `needle`; Foundation has this, the standard library has not.
    package func range(of needle: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            let rest = self[start...]
            if rest.hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}

extension BSSError {
    /// Whatever was thrown, as an error that users see.
    package static func of(_ error: any Error) -> BSSError { error as? BSSError ?? BSSError("", "\(error)") }
}

/// Byte search in strings.
package enum Bytes {
    /// Offset of the first `needle` in UTF-8 bytes.
    package static func find(_ needle: String, in text: String) -> Int? {
        let n = Array(needle.utf8)
        let t = Array(text.utf8)
        guard n.count <= t.count else { return nil }
        return (0...(t.count - n.count)).first { t[$0] == n[0] && Array(t[$0..<$0 + n.count]) == n }
    }
}
