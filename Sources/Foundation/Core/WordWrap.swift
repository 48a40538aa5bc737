/// Lines of help that are wider than the terminal, broken between words; what follows stands below the text of its
/// line, in a row of two columns below the second.
public enum WordWrap {
    /// - Parameter hang: blanks before what follows; by default where the text of its line begins.
    public static func text(_ text: String, columns: Int, hang: Int? = nil) -> String {
        guard columns > 20, text.utf8.contains(UInt8(ascii: " ")) else { return text }
        return text.split(separator: "\n", omittingEmptySubsequences: false).map {
            line($0, columns: columns, hang)
        }
        .joined(separator: "\n")
    }

    private static func line(_ line: Substring, columns: Int, _ hang: Int?) -> String {
        guard line.utf8.count > columns, Text.columns(String(line)) > columns else { return String(line) }
        let hang = min(hang ?? indent(of: line), columns / 2)
        var out = String(line.prefix { $0 == " " })
        var width = out.count
        var isFirst = true
        var gap = 0
        for word in line.drop(while: { $0 == " " }).split(separator: " ", omittingEmptySubsequences: false) {
            if word.isEmpty {  // several blanks stay several
                gap += 1
                continue
            }
            let size = Text.columns(String(word)), blanks = isFirst ? 0 : gap + 1
            if !isFirst, width + blanks + size > columns {
                out += "\n" + String(repeating: " ", count: hang)
                width = hang
            } else {
                out += String(repeating: " ", count: blanks)
                width += blanks
            }
            out += word
            width += size
            (gap, isFirst) = (0, false)
        }
        return out
    }

    /// Where the text of a line begins: after its blanks, or after `name` and a gap of two blanks or more.
    private static func indent(of line: Substring) -> Int {
        let blanks = line.prefix { $0 == " " }.count
        let name = line.dropFirst(blanks).prefix { $0 != " " }
        let gap = line.dropFirst(blanks + name.count).prefix { $0 == " " }.count
        return blanks > 0 && gap > 1 ? blanks + Text.columns(String(name)) + gap : blanks
    }
}
