import BSSCore

extension ReportTable {
    /// Aligned columns for a terminal; bold cells carry a `*`. Metrics that do not fit beside each other become blocks
    /// of rows.
    /// - Parameter columns: those of the terminal; nil: as wide as it is.
    public func text(columns: Int? = nil) throws -> String {
        var texts = try texts(plusMinus: "±")
        if texts.groups.contains(where: { $0.isBold.contains(true) }) {
            for g in texts.groups.indices where g < metrics.count {
                for row in rows.indices where texts.groups[g].cells[row][0].contains("±") {
                    texts.groups[g].cells[row][0] += texts.groups[g].isBold[row] ? "*" : " "
                }
            }
        }
        let blocks = blocks(texts, columns)
        let width = min(columns ?? .max, blocks.map(\.width).max() ?? 0)
        let rule = String(repeating: "-", count: width)
        var lines = title.isEmpty ? [] : [title]
        for block in blocks { lines += block.lines(rule) }
        let hasBold = texts.groups.contains { $0.isBold.contains(true) }
        let remarks = try remarks().map { hasBold && $0.hasPrefix("Bold:") ? "*" + $0.dropFirst(4) : $0 }
        lines += [rule] + remarks + runLines(isShort: true)
        guard let columns else { return lines.joined(separator: "\n") + "\n" }
        return lines.map { WordWrap.text($0, columns: columns, hang: 2) }.joined(separator: "\n") + "\n"
    }

    /// `runs of BSS-L: 0fe33ed51b8a 41f20a9c77de`
    func runLines(isShort: Bool = false) -> [String] {
        rows.filter { !$0.runs.isEmpty }.map { row in
            "runs of \(row.name): " + row.runs.map { isShort ? String($0.prefix(8)) : $0 }.joined(separator: " ")
        }
    }

    // MARK: Blocks

    /// Columns side by side.
    private struct Block {
        /// Above the header, where a metric's columns are cut apart from its name.
        var title: String?
        var cells: [[String]]
        var widths: [Int]
        var width: Int { max(widths.reduce(0, +) + 2 * (widths.count - 1), Text.columns(title ?? "")) }

        /// - Parameter cells: the header and every row, names first.
        init(_ cells: [[String]], title: String? = nil) {
            (self.cells, self.title) = (cells, title)
            widths = cells[0].indices.map { column in cells.map { Text.columns($0[column]) }.max() ?? 0 }
        }

        func lines(_ rule: String) -> [String] {
            let rows = cells.map { row -> String in
                let cells = row.indices.map { column -> String in
                    let blank = String(repeating: " ", count: widths[column] - Text.columns(row[column]))
                    return column > 0 ? blank + row[column] : row[column] + blank
                }
                let line = cells.joined(separator: "  ")
                return String(line[..<(line.lastIndex { $0 != " " }.map(line.index(after:)) ?? line.startIndex)])
            }
            return (title.map { [$0] } ?? []) + [rows[0], rule] + rows.dropFirst()
        }
    }

    /// As many groups beside each other as fit; a group that is too wide alone has its name above it and, if need be,
    /// its columns below each other.
    private func blocks(_ texts: Texts, _ columns: Int?) -> [Block] {
        func block(_ groups: ArraySlice<Texts.Group>, names: [String], title: String? = nil) -> Block {
            let header = [""] + groups.flatMap(\.header)
            return Block(
                [header] + rows.indices.map { row in [names[row]] + groups.flatMap { $0.cells[row] } }, title: title)
        }
        let groups = texts.groups[...]
        guard let columns, block(groups, names: texts.names).width > columns, !groups.isEmpty else {
            return [block(groups, names: texts.names)]
        }
        let widest = groups.flatMap(\.cells).joined().map(Text.columns).max() ?? 0
        let limit = max(4, min(max(8, columns / 3), columns - widest - 2))
        let names = texts.names.map { Text.columns($0) > limit ? Text.cut($0, to: limit) : $0 }
        var blocks: [Block] = []
        var begin = 0
        while begin < groups.count {
            var end = begin + 1
            while end < groups.count, block(groups[begin...end], names: names).width <= columns { end += 1 }
            let whole = block(groups[begin..<end], names: names)
            blocks += whole.width <= columns ? [whole] : cut(groups[begin], names, columns)
            begin = end
        }
        return blocks
    }

    private func cut(_ group: Texts.Group, _ names: [String], _ columns: Int) -> [Block] {
        var left = Array(group.header.indices)
        var blocks: [Block] = []
        while !left.isEmpty {
            func block(_ count: Int) -> Block {
                let part = left.prefix(count)
                let header = [""] + part.map { $0 == 0 ? "mean" : group.header[$0] }
                let body = rows.indices.map { row in [names[row]] + part.map { group.cells[row][$0] } }
                return Block([header] + body, title: group.title)
            }
            let count = left.indices.reversed().first { block($0 + 1).width <= columns } ?? 0
            blocks.append(block(count + 1))
            left.removeFirst(count + 1)
        }
        return blocks
    }
}
