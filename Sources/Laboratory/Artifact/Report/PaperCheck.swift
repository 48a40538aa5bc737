import BSSCore

/// Numbers in a LaTeX text that no experiment gave. Decimal numbers and percentages are looked at; comments, lengths,
/// arguments of references, and numbers from `\bssnum` are not. A line that ends in `% cited` is not ours to check.
public struct PaperCheck {
    public struct Literal {
        public let line: Int
        public let text: String
        public let value: Double
        let decimals: Int
    }

    public struct Finding {
        public let line: Int
        public let text: String
    }

    public let checked: Int
    public let findings: [Finding]

    public init(_ text: String, _ numbers: ReportedNumbers) {
        var findings: [Finding] = []
        var checked = 0
        let known = Set(numbers.numbers.map(\.key))
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let (body, keys) = PaperCheck.body(String(line))
            for key in keys {
                checked += 1
                if known.contains(key) { continue }
                let near = Text.nearest(to: key, in: Array(known)).map { "; did you mean '\($0)'?" } ?? ""
                findings.append(Finding(line: index + 1, text: "\\bssnum{\(key)} is no number of these results\(near)"))
            }
            for literal in PaperCheck.literals(body, line: index + 1) {
                checked += 1
                guard !numbers.hasSource(literal) else { continue }
                findings.append(Finding(line: literal.line, text: "\(literal.text) has no source"))
            }
        }
        (self.findings, self.checked) = (findings, checked)
    }

    // MARK: LaTeX

    /// Commands whose arguments hold no results.
    private static let silent: Set<String> = [
        "label", "ref", "eqref", "autoref", "cref", "Cref", "cite", "citep", "citet", "includegraphics", "input",
        "include",
        "url", "href", "vspace", "hspace", "setlength", "begin", "end", "documentclass", "usepackage", "scalebox",
        "bibliography", "newcommand", "definecolor", "rule", "cline", "cmidrule", "multicolumn", "multirow",
    ]

    /// A line without comments, arguments of silent commands and `\bssnum`s, whose keys come beside it.
    private static func body(_ line: String) -> (text: String, keys: [String]) {
        var out = ""
        var keys: [String] = []
        var rest = Substring(line)
        while let character = rest.first {
            if character == "%" {
                if rest.dropFirst().drop(while: { $0 == " " }).hasPrefix("cited") { return ("", keys) }
                break
            }
            guard character == "\\" else {
                out.append(character)
                rest.removeFirst()
                continue
            }
            let name = rest.dropFirst().prefix { $0.isLetter }
            guard !name.isEmpty else {
                if rest.dropFirst().first == "%" { out += "%" }
                rest = rest.dropFirst(2)
                continue
            }
            rest = rest.dropFirst(1 + name.count)
            guard silent.contains(String(name)) || name == "bssnum" else { continue }
            if name == "bssnum", rest.first == "{" {
                keys.append(String(rest.dropFirst().prefix { $0 != "}" }))
            }
            rest = withoutArguments(rest)
            out += " "
        }
        return (out, keys)
    }

    private static func withoutArguments(_ text: Substring) -> Substring {
        var rest = text
        while let open = rest.first, open == "{" || open == "[" || open == "*" || open == "(" {
            if open == "*" {
                rest = rest.dropFirst()
                continue
            }
            let close: Character = open == "{" ? "}" : open == "[" ? "]" : ")"
            guard let end = rest.firstIndex(of: close) else { return "" }
            rest = rest[rest.index(after: end)...]
        }
        return rest
    }

    private static let units = ["pt", "cm", "mm", "em", "ex", "in", "bp", "sp", "pc"]

    /// Decimal numbers, and whole ones before a percent sign; no lengths, no versions such as 1.2.3.
    private static func literals(_ text: String, line: Int) -> [Literal] {
        var found: [Literal] = []
        var rest = Substring(text)
        var before: Character = " "
        while let first = rest.first {
            guard first.isASCII, first.isNumber || (first == "." && rest.dropFirst().first?.isNumber == true) else {
                before = first
                rest.removeFirst()
                continue
            }
            let word = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(word.count)
            var number = String(word)
            if number.hasSuffix(".") { number.removeLast() }
            let dots = number.filter { $0 == "." }.count
            let after = rest.drop { $0 == " " || $0 == "~" || $0 == "," }
            let isLength = units.contains { unit in
                rest.hasPrefix(unit) && !(rest.dropFirst(unit.count).first?.isLetter ?? false)
            }
            let isName = before.isLetter || before == "_" || before == "^" || rest.first?.isLetter == true
            let isPercent = after.first == "%"
            guard dots < 2, !isLength, !isName, dots == 1 || isPercent, let value = Double(number) else {
                before = "0"
                continue
            }
            let decimals = number.split(separator: ".", omittingEmptySubsequences: false).dropFirst().first?.count ?? 0
            found.append(Literal(line: line, text: number + (isPercent ? "%" : ""), value: value, decimals: decimals))
            before = "0"
        }
        return found
    }
}
