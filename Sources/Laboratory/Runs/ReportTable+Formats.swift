import BSSCore

extension ReportTable {
    private struct Texts {
        var header: [String]
        /// name, then for every metric: "mean ± sd", difference, p
        var body: [[String]]
        var isBold: [[Bool]]
    }

    private func number(_ value: Double, _ decimals: Int, signed: Bool = false) -> String {
        if value.isNaN { return "nan" }
        let text = Text.fixed(isPercent ? value * 100 : value, decimals)
        return signed && !text.hasPrefix("-") ? "+" + text : text
    }

    private static func pText(_ p: Double) -> String {
        if p.isNaN { return "nan" }
        return p < 0.001 ? Text.format("%.1e", p) : Text.format("%.3g", p)
    }

    private func texts(plusMinus: String, label: (String) -> String = { $0 }) throws -> Texts {
        let cells = try cells()
        var out = Texts(header: [""], body: rows.map { [label($0.name)] }, isBold: rows.map { _ in [false] })
        for column in metrics.indices {
            let decimals = decimals(column, cells)
            out.header.append(label(metrics[column] + (isPercent ? " (%)" : "")))
            if control != nil { out.header += [label("difference"), "p"] }
            for row in rows.indices {
                guard let cell = cells[row][column] else {
                    out.body[row] += control == nil ? ["-"] : ["-", "", ""]
                    out.isBold[row] += control == nil ? [false] : [false, false, false]
                    continue
                }
                out.body[row].append(
                    number(cell.mean, decimals)
                        + (cell.values.count > 1 ? " \(plusMinus) \(number(cell.sd, decimals))" : ""))
                out.isBold[row].append(cell.isBold)
                guard control != nil else { continue }
                let p =
                    cell.p.map { p in
                        ReportTable.pText(p)
                            + (cell.adjustedP.map { rows.count > 2 ? " (\(ReportTable.pText($0)))" : "" } ?? "")
                    } ?? ""
                out.body[row] += [cell.difference.map { number($0, decimals, signed: true) } ?? "", p]
                out.isBold[row] += [false, false]
            }
        }
        for fact in facts {
            out.header.append(label(fact))
            for row in rows.indices {
                out.body[row].append(label(rows[row].facts[fact] ?? "-"))
                out.isBold[row].append(false)
            }
        }
        return out
    }

    /// Aligned columns for a terminal; bold cells carry a `*`.
    public func text() throws -> String {
        let texts = try texts(plusMinus: "±")
        let hasBold = texts.isBold.joined().contains(true)
        let body = zip(texts.body, texts.isBold).map { row, bold in
            zip(row, bold).enumerated().map { column, cell in
                cell.0 + (column > 0 && hasBold && cell.0.contains("±") ? (cell.1 ? "*" : " ") : "")
            }
        }
        let widths = texts.header.indices.map { column in ([texts.header] + body).map { $0[column].count }.max() ?? 0 }
        func line(_ row: [String]) -> String {
            var text = row.enumerated().map { Text.padded($1, to: widths[$0], right: $0 > 0) }.joined(separator: "  ")
            while text.hasSuffix(" ") { text.removeLast() }
            return text
        }
        let rule = String(repeating: "-", count: widths.reduce(0, +) + 2 * (widths.count - 1))
        let remarks = try remarks().map { hasBold ? $0.hasPrefix("Bold:") ? "*" + $0.dropFirst(4) : $0 : $0 }
        return ([title].filter { !$0.isEmpty } + [line(texts.header), rule] + body.map(line) + [rule] + remarks).joined(
            separator: "\n") + "\n"
    }

    public func markdown() throws -> String {
        let texts = try texts(plusMinus: "±") { $0.map { $0 == "|" ? "\\|" : String($0) }.joined() }
        var lines = title.isEmpty ? [] : ["**\(title)**", ""]
        lines.append("| " + texts.header.joined(separator: " | ") + " |")
        lines.append("|" + texts.header.indices.map { $0 == 0 ? "---" : "---:" }.joined(separator: "|") + "|")
        for (row, bold) in zip(texts.body, texts.isBold) {
            lines.append("| " + zip(row, bold).map { $1 ? "**\($0)**" : $0 }.joined(separator: " | ") + " |")
        }
        return (lines + [""] + (try remarks()).map { "- \($0)" }).joined(separator: "\n") + "\n"
    }

    /// A booktabs table.
    public func latex() throws -> String {
        func escaped(_ text: String) -> String {
            text.map { c -> String in
                switch c {
                case "%", "&", "_", "#", "$", "{", "}": return "\\\(c)"
                case "\\": return "\\textbackslash{}"
                case "~": return "\\textasciitilde{}"
                case "^": return "\\textasciicircum{}"
                case "±": return "$\\pm$"
                default: return String(c)
                }
            }.joined()
        }
        let texts = try texts(plusMinus: "$\\pm$", label: escaped)
        var lines = ["\\begin{tabular}{l" + String(repeating: "r", count: texts.header.count - 1) + "}", "\\toprule"]
        lines.append(texts.header.joined(separator: " & ") + " \\\\")
        lines.append("\\midrule")
        for (row, bold) in zip(texts.body, texts.isBold) {
            lines.append(zip(row, bold).map { $1 ? "\\textbf{\($0)}" : $0 }.joined(separator: " & ") + " \\\\")
        }
        lines += ["\\bottomrule", "\\end{tabular}"]
        return
            ("% \(title)\n" + lines.joined(separator: "\n") + "\n"
            + (try remarks()).map { "% \($0)" }.joined(separator: "\n")) + "\n"
    }

    /// One line a row and metric, full precision: what the other forms are made of.
    public func csv() throws -> String {
        func quoted(_ text: String) -> String {
            text.contains { $0 == "," || $0 == "\"" || $0 == "\n" }
                ? "\"" + text.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\"" : text
        }
        let cells = try cells()
        var lines = ["row,metric,seeds,mean,sd,difference,p,p_holm,paired,bold,values"]
        for (row, list) in zip(rows, cells) {
            for (metric, cell) in zip(metrics, list) {
                guard let cell else { continue }
                func optional(_ value: Double?) -> String { value.map(Text.number) ?? "" }
                lines.append(
                    [
                        quoted(row.name), quoted(metric), String(cell.values.count), Text.number(cell.mean),
                        Text.number(cell.sd), optional(cell.difference),
                        optional(cell.p), optional(cell.adjustedP), cell.p == nil ? "" : String(cell.isPaired),
                        String(cell.isBold),
                        cell.values.map(Text.number).joined(separator: ";"),
                    ].joined(separator: ","))
            }
            for fact in facts {
                if let text = row.facts[fact] {
                    lines.append("\(quoted(row.name)),\(quoted(fact)),,,,,,,,,\(quoted(text))")
                }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Writes `path.csv`, `path.md` and `path.tex`; folders are made.
    public func save(_ path: String) throws {
        if let slash = path.lastIndex(of: "/") { try Files.makeFolder(String(path[..<slash])) }
        try Files.write(csv(), to: path + ".csv")
        try Files.write(markdown(), to: path + ".md")
        try Files.write(latex(), to: path + ".tex")
    }
}
