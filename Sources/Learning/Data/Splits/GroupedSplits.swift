import BSSCore

extension Splitting {
    /// Shares groups out so that no group is in two splits: the largest first, equal ones in an order drawn from
    /// `seed`, each to the split where it brings the numbers of samples by split and class closest to their fractions
    /// (least squares). A split of a fraction above 0 gets one group at least.
    ///
    /// - Throws: fewer groups than splits.
    static func grouped(
        _ classes: [Int], _ groups: [String], val: Double, test: Double, seed: Int, _ operation: String
    ) throws -> [SplitName] {
        var members: [String: [Int]] = [:]
        for (index, group) in groups.enumerated() { members[group, default: []].append(index) }
        let shares = [(SplitName.train, 1 - val - test), (.val, val), (.test, test)].filter { $0.1 > 1e-9 }
        guard members.count >= shares.count else {
            throw BSSError(
                operation, "\(members.count) groups cannot be shared out over \(shares.count) splits", kind: .data)
        }
        let totals = Dictionary(classes.map { ($0, 1.0) }, uniquingKeysWith: +)
        var open = shares.map { name, share in OpenSplit(name, totals.mapValues { $0 * share }) }
        var stream = RandomStream(seed: UInt64(bitPattern: Int64(seed)), name: "split groups")
        let names = members.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let drawn = stream.permutation(names.count).map { members[names[$0]] ?? [] }
        let order = drawn.enumerated().sorted { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }
        var splits = [SplitName](repeating: .train, count: classes.count)
        for (place, (_, group)) in order.enumerated() {
            let counts = Dictionary(group.map { (classes[$0], 1.0) }, uniquingKeysWith: +)
            let isScarce = order.count - place <= open.count { $0.isEmpty }
            let offered = open.indices.filter { !isScarce || open[$0].isEmpty }
            guard let best = offered.min(by: { open[$0].cost(counts) < open[$1].cost(counts) }) else { continue }
            open[best].take(counts)
            for index in group { splits[index] = open[best].name }
        }
        return splits
    }

    private struct OpenSplit {
        let name: SplitName
        /// Samples of each class that it is still short of.
        private var short: [Int: Double]
        private(set) var isEmpty = true

        init(_ name: SplitName, _ wanted: [Int: Double]) { (self.name, short) = (name, wanted) }

        /// What taking so many of each class adds to the sum of squared shortfalls.
        func cost(_ counts: [Int: Double]) -> Double {
            counts.sorted { $0.key < $1.key }.reduce(0) { $0 + $1.value * ($1.value - 2 * (short[$1.key] ?? 0)) }
        }

        mutating func take(_ counts: [Int: Double]) {
            isEmpty = false
            for (key, count) in counts { short[key, default: 0] -= count }
        }
    }
}
