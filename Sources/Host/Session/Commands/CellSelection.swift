import BSSCore

/// Which cells `%save` writes: those named, and what they depend on.
enum CellSelection {
    /// - Parameter words: `3-9`, `5`, or names of variables; nothing: every cell.
    /// - Throws: usage error for a word that selects nothing.
    static func cells(_ cells: [Cell], _ words: [String]) throws -> [Cell] {
        if words.isEmpty { return cells }
        // As the log has them: there an expression sets `_`, which a later cell may read.
        let keeps = cells.map { SessionLog.Kept($0.executed) }.max() ?? .last
        let codes = cells.map {
            SessionLog.cell($0.executed, $0.outcome, outputs: [], keeps: keeps, number: $0.number)?.source ?? ""
        }
        var positions: Set<Int> = []
        for word in words {
            let found: [Int]
            if let range = range(word) {
                found = Slice.dependencies(
                    ofCells: cells.indices.filter { range.contains(cells[$0].number) }, in: codes)
            } else {
                found = Slice.dependencies(of: [word], in: codes)
            }
            if found.isEmpty { throw BSSError("%save", "no cell that ran sets or is '\(word)'", kind: .usage) }
            positions.formUnion(found)
        }
        return cells.indices.filter(positions.contains).map { cells[$0] }
    }

    private static func range(_ word: String) -> ClosedRange<Int>? {
        let parts = word.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        if parts.count == 1, let n = parts[0] { return n...n }
        if parts.count == 2, let low = parts[0], let high = parts[1], low <= high { return low...high }
        return nil
    }
}
