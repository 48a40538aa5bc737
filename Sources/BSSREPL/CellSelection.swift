import BSSCore

/// Which cells `%save` writes.
enum CellSelection {
    /// `3-9`, `5`, or names: a name stands for the cells that set it and everything these depend on.
    /// - Throws: usage error for a word that selects nothing.
    static func cells(_ cells: [Cell], _ words: [String]) throws -> [Cell] {
        var wanted: Set<Int> = []
        var names: Set<String> = []
        for word in words {
            if let range = range(word) {
                let hits = cells.filter { range.contains($0.number) }
                if hits.isEmpty { throw BSSError("%save", "there are no cells \(word)", kind: .usage) }
                wanted.formUnion(hits.map(\.number))
            } else if cells.contains(where: { LuaLexer.uses($0.code).writes.contains(word) }) {
                names.insert(word)
            } else {
                throw BSSError("%save", "no cell sets '\(word)'", kind: .usage)
            }
        }
        if names.isEmpty { return cells.filter { wanted.contains($0.number) } }
        // Backwards: a cell is needed if it writes a name that something needed reads.
        for cell in cells.reversed() {
            let (reads, writes) = LuaLexer.uses(cell.code)
            if wanted.contains(cell.number) || !writes.isDisjoint(with: names) {
                wanted.insert(cell.number)
                names.formUnion(reads)
            }
        }
        return cells.filter { wanted.contains($0.number) }
    }

    private static func range(_ word: String) -> ClosedRange<Int>? {
        let parts = word.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        if parts.count == 1, let n = parts[0] { return n...n }
        if parts.count == 2, let low = parts[0], let high = parts[1], low <= high { return low...high }
        return nil
    }
}
