import BSSCore

/// Tables as HTML, for notebooks.
enum TableHTML {
    /// Longer tables are cut, and say so.
    private static let mostRows = 200

    /// The first table of a Markdown text.
    static func ofMarkdown(_ text: String) -> String? {
        let lines = text.split(separator: "\n").map(String.init)
        guard let rule = lines.firstIndex(where: { $0.hasPrefix("|") && $0.contains("---") }), rule > 0 else {
            return nil
        }
        let rows = lines[(rule + 1)...].prefix { $0.hasPrefix("|") }.map(cells)
        let (before, after) = (lines[..<(rule - 1)], lines[(rule + 1 + rows.count)...])
        return prose(before) + html(cells(lines[rule - 1]), rows) + prose(after)
    }

    /// What stands around a table: paragraphs, bold ones, points of a list.
    private static func prose(_ lines: ArraySlice<String>) -> String {
        var out = ""
        var isList = false
        for line in lines where !line.isEmpty {
            let isPoint = line.hasPrefix("- ")
            if isPoint != isList { out += isPoint ? "<ul>" : "</ul>" }
            isList = isPoint
            if isPoint {
                out += "<li>\(escaped(String(line.dropFirst(2))))</li>"
            } else if line.hasPrefix("**"), line.hasSuffix("**"), line.count > 4 {
                out += "<p><strong>\(escaped(String(line.dropFirst(2).dropLast(2))))</strong></p>"
            } else {
                out += "<p>\(escaped(line))</p>"
            }
        }
        return out + (isList ? "</ul>" : "")
    }

    private static func cells(_ line: String) -> [String] {
        var parts = line.split(separator: "|", omittingEmptySubsequences: false).map { part in
            String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        if parts.first == "" { parts.removeFirst() }
        if parts.last == "" { parts.removeLast() }
        return parts
    }

    /// A list of records with plain fields, the same in all.
    static func ofRecords(_ value: Value) -> String? {
        guard case .table(let list) = value, list.keys.isEmpty, list.items.count > 1 else { return nil }
        var columns: [String] = []
        for item in list.items {
            guard let record = item.table, record.items.isEmpty, !record.keys.isEmpty else { return nil }
            for (key, field) in record.fields {
                if field.table != nil { return nil }
                if !columns.contains(key) { columns.append(key) }
            }
        }
        let rows = list.items.map { item in
            columns.map { column -> String in
                guard let field = item.table?[column] else { return "" }
                return field.string ?? JSON.lua(field)
            }
        }
        return html(columns, rows)
    }

    private static func html(_ head: [String], _ rows: [[String]]) -> String {
        func row(_ cells: [String], _ tag: String) -> String {
            "<tr>" + cells.map { "<\(tag)>\(escaped($0))</\(tag)>" }.joined() + "</tr>"
        }
        let shown = rows.prefix(mostRows)
        let rest = rows.count > shown.count ? "<p>… \(rows.count - shown.count) more rows</p>" : ""
        return "<table><thead>\(row(head, "th"))</thead><tbody>" + shown.map { row($0, "td") }.joined()
            + "</tbody></table>" + rest
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for character in text {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            default: out.append(character)
            }
        }
        return out
    }
}
