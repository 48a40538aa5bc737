import BSSCore

extension Figure {
    /// All values behind the drawing, one a line. Columns by kind: `series,x,y,low,high` (with `category` after
    /// `series` where there are categories), `series,from,to,count` (histogram), `row,column,value` (heat map, with
    /// `low,high` where they are known), `series,value` (box).
    public func csv() throws -> String {
        try check()
        var out = ""
        func line(_ cells: String...) { out += cells.joined(separator: ",") + "\n" }
        switch kind {
        case .line, .scatter, .bar, .forest:
            line(categories.isEmpty ? "series,x,y,low,high" : "series,category,x,y,low,high")
            for one in series {
                let name = Figure.cell(one.name)
                for i in one.y.indices {
                    let category = categories.isEmpty ? "" : "," + Figure.cell(categoryName(one.x[i]))
                    line(
                        name + category, Text.number(one.x[i]), Text.number(one.y[i]),
                        one.low.map { Text.number($0[i]) } ?? "", one.high.map { Text.number($0[i]) } ?? "")
                }
            }
        case .histogram:
            line("series,from,to,count")
            for one in series {
                for i in one.y.indices {
                    line(Figure.cell(one.name), Text.number(edges[i]), Text.number(edges[i + 1]), Text.number(one.y[i]))
                }
            }
        case .heatmap:
            let hasIntervals = series.contains { $0.low != nil }
            line("row,column,value" + (hasIntervals ? ",low,high" : ""))
            for one in series {
                for i in one.y.indices {
                    let cells = [Figure.cell(one.name), Figure.cell(columnName(i)), Text.number(one.y[i])]
                    let interval = hasIntervals ? [one.low, one.high].map { $0.map { Text.number($0[i]) } ?? "" } : []
                    out += (cells + interval).joined(separator: ",") + "\n"
                }
            }
        case .box:
            line("series,value")
            for one in series { for value in one.y { line(Figure.cell(one.name), Text.number(value)) } }
        }
        return out
    }

    func categoryName(_ x: Double) -> String {
        Int(exactly: x).flatMap { categories.indices.contains($0 - 1) ? categories[$0 - 1] : nil } ?? Text.number(x)
    }
    func columnName(_ i: Int) -> String { categories.indices.contains(i) ? categories[i] : Text.number(series[0].x[i]) }

    /// Quoted where commas, quotes or line ends would break the row.
    private static func cell(_ text: String) -> String {
        let needsQuotes = text.unicodeScalars.contains { $0 == "," || $0 == "\"" || $0 == "\n" || $0 == "\r" }
        return needsQuotes
            ? "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
            : text
    }
}
