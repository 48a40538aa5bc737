import BSSCore

extension ReportTable {
    struct Texts {
        /// Metrics and facts: each a group of columns that stay together.
        struct Group {
            var title: String
            var header: [String]
            /// By row.
            var cells: [[String]]
            /// Of the first column.
            var isBold: [Bool]
        }
        var names: [String]
        var groups: [Group] = []

        var header: [String] { [""] + groups.flatMap(\.header) }
        func row(_ row: Int) -> [String] { [names[row]] + groups.flatMap { $0.cells[row] } }
        func boldness(_ row: Int) -> [Bool] {
            [false] + groups.flatMap { [$0.isBold[row]] + $0.header.dropFirst().map { _ in false } }
        }
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

    func texts(plusMinus: String, label: (String) -> String = { $0 }) throws -> Texts {
        let cells = try cells()
        var out = Texts(names: rows.map { label($0.name) })
        for column in metrics.indices {
            let decimals = decimals(column, cells)
            let title = label(metrics[column] + (isPercent ? " (%)" : ""))
            out.groups.append(
                Texts.Group(
                    title: title, header: [title] + (control == nil ? [] : [label("difference"), "p"]),
                    cells: cells.map { texts($0[column], decimals, plusMinus) },
                    isBold: cells.map { $0[column]?.isBold ?? false }))
        }
        for fact in facts {
            out.groups.append(
                Texts.Group(
                    title: label(fact), header: [label(fact)], cells: rows.map { [label($0.facts[fact] ?? "-")] },
                    isBold: rows.map { _ in false }))
        }
        return out
    }

    /// Mean and spread; with a control the difference and its p, corrected in parentheses.
    private func texts(_ cell: Cell?, _ decimals: Int, _ plusMinus: String) -> [String] {
        guard let cell else { return control == nil ? ["-"] : ["-", "", ""] }
        let spread = cell.values.count > 1 ? " \(plusMinus) \(number(cell.sd, decimals))" : ""
        let mean = number(cell.mean, decimals) + spread
        guard control != nil else { return [mean] }
        let adjusted = cell.adjustedP.map { rows.count > 2 ? " (\(ReportTable.pText($0)))" : "" } ?? ""
        return [
            mean, cell.difference.map { number($0, decimals, signed: true) } ?? "",
            cell.p.map { ReportTable.pText($0) + adjusted } ?? "",
        ]
    }

    public func markdown() throws -> String {
        let texts = try texts(plusMinus: "±") { $0.map { $0 == "|" ? "\\|" : String($0) }.joined() }
        var lines = title.isEmpty ? [] : ["**\(title)**", ""]
        lines.append("| " + texts.header.joined(separator: " | ") + " |")
        lines.append("|" + texts.header.indices.map { $0 == 0 ? "---" : "---:" }.joined(separator: "|") + "|")
        for row in rows.indices {
            lines.append(
                "| " + zip(texts.row(row), texts.boldness(row)).map { $1 ? "**\($0)**" : $0 }.joined(separator: " | ")
                    + " |")
        }
        return (lines + [""] + (try remarks() + runLines()).map { "- \($0)" }).joined(separator: "\n") + "\n"
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
        for row in rows.indices {
            lines.append(
                zip(texts.row(row), texts.boldness(row)).map { $1 ? "\\textbf{\($0)}" : $0 }.joined(separator: " & ")
                    + " \\\\")
        }
        lines += ["\\bottomrule", "\\end{tabular}"]
        return
            ("% \(title)\n" + lines.joined(separator: "\n") + "\n"
            + (try remarks() + runLines()).map { "% \($0)" }.joined(separator: "\n")) + "\n"
    }

    /// One line a row and metric, full precision: what the other forms are made of.
    public func csv() throws -> String {
        func quoted(_ text: String) -> String {
            text.contains { $0 == "," || $0 == "\"" || $0 == "\n" }
                ? "\"" + text.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\"" : text
        }
        let cells = try cells()
        let isNamed = rows.contains { !$0.runs.isEmpty }
        func runs(_ row: Row) -> String { isNamed ? "," + row.runs.joined(separator: ";") : "" }
        var lines = ["row,metric,seeds,mean,sd,difference,p,p_holm,paired,bold,values" + (isNamed ? ",runs" : "")]
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
                    ].joined(separator: ",") + runs(row))
            }
            for fact in facts {
                if let text = row.facts[fact] {
                    lines.append("\(quoted(row.name)),\(quoted(fact)),,,,,,,,,\(quoted(text))\(runs(row))")
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
