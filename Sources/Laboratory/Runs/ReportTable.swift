import BSSCore
import BSSStatistics

/// Results over seeds as a table: mean ± standard deviation, the number of seeds, the difference to a control and its
/// p.
///
/// A cell is bold if its row cannot be told from the best of its column (Holm-corrected permutation tests at `alpha`);
/// where the seeds are too few for any test to reach `alpha`, nothing is bold and a note says how many it would take.
public struct ReportTable {
    public struct Row {
        public var name: String
        /// Seeds in the order of the values; rows are paired by them. `nil`: paired by position.
        public var seeds: [Int]?
        /// One value per seed, by metric.
        public var values: [String: [Double]]
        /// Plain texts beside the results, by column.
        public var facts: [String: String]
        /// Ids of the runs behind the values, if they are recorded.
        public var runs: [String]

        public init(
            name: String, seeds: [Int]? = nil, values: [String: [Double]], facts: [String: String] = [:],
            runs: [String] = []
        ) {
            self.name = name
            self.seeds = seeds
            self.values = values
            self.facts = facts
            self.runs = runs
        }
    }

    public struct Cell {
        public var values: [Double]
        public var mean: Double
        public var sd: Double
        /// mean - mean of the control.
        public var difference: Double?
        public var p: Double?
        /// Corrected for the comparisons of this column.
        public var adjustedP: Double?
        public var isPaired = false
        public var isBold = false
    }

    public var title: String
    public var rows: [Row]
    public var metrics: [String]
    /// Columns of plain texts after the metrics: costs, cited figures. No statistics.
    public var facts: [String] = []
    /// Name of the row that others are compared with.
    public var control: String?
    public var alpha = 0.05
    /// Show 0.7425 as 74.25.
    public var isPercent = false
    public var lowerIsBetter: Set<String> = []
    /// Decimals; `nil`: from the spread, two digits of the largest standard deviation.
    public var digits: Int?
    /// Lines below the table (run ids, data).
    public var notes: [String] = []
    /// Tests made before: every form of the table needs the same ones.
    var tests = KnownTests()

    public init(title: String, rows: [Row], metrics: [String], control: String? = nil) {
        self.title = title
        self.rows = rows
        self.metrics = metrics
        self.control = control
    }

    /// `[row][metric]`; `nil` where a row lacks the metric.
    public func cells() throws -> [[Cell?]] {
        if let control, !rows.contains(where: { $0.name == control }) {
            throw BSSError(
                "bss.report.table", "there is no row '\(control)' to be the control",
                hint: "rows: " + rows.map(\.name).joined(separator: ", "), kind: .usage)
        }
        var table = rows.map { row in
            metrics.map { metric in
                row.values[metric].map {
                    Cell(values: $0, mean: Statistics.mean($0), sd: Statistics.standardDeviation($0))
                }
            }
        }
        for column in metrics.indices {
            if let control { try compare(column, with: rows.firstIndex { $0.name == control } ?? 0, &table) }
            try markBest(column, &table)
        }
        return table
    }

    private func compare(_ column: Int, with base: Int, _ table: inout [[Cell?]]) throws {
        guard table[base][column] != nil else { return }
        let others = rows.indices.filter { $0 != base && table[$0][column] != nil }
        let tests = try others.map { try test($0, base, metrics[column]) }
        let adjusted = Statistics.holm(tests.map(\.result.p))
        for (k, row) in others.enumerated() {
            table[row][column]?.difference = tests[k].result.difference
            table[row][column]?.isPaired = tests[k].isPaired
            // One value on a side is a difference, not a test.
            guard min(rows[row].values[metrics[column]]?.count ?? 0, rows[base].values[metrics[column]]?.count ?? 0) > 1
            else { continue }
            table[row][column]?.p = tests[k].result.p
            table[row][column]?.adjustedP = adjusted[k]
        }
    }

    private func markBest(_ column: Int, _ table: inout [[Cell?]]) throws {
        let present = rows.indices.filter { table[$0][column].map { !$0.mean.isNaN } ?? false }
        let sign = lowerIsBetter.contains(metrics[column]) ? -1.0 : 1.0
        guard present.count > 1,
            let best = present.max(by: { sign * (table[$0][column]?.mean ?? 0) < sign * (table[$1][column]?.mean ?? 0) }
            )
        else { return }
        let others = present.filter { $0 != best }
        let tests = try others.map { try test($0, best, metrics[column]).result }
        guard tests.allSatisfy({ $0.smallestP <= alpha / Double(tests.count) }) else { return }
        let adjusted = Statistics.holm(tests.map(\.p))
        table[best][column]?.isBold = true
        for (k, row) in others.enumerated() where adjusted[k] > alpha { table[row][column]?.isBold = true }
    }

    /// Paired where the rows share seeds (all of them, or as many values without seeds), two-sample otherwise.
    private func test(
        _ row: Int, _ base: Int, _ metric: String
    ) throws -> (result: Statistics.TestResult, isPaired: Bool) {
        let (x, y, isPaired) = sides(row, base, metric)
        return (try tests.result(x, y, isPaired: isPaired), isPaired)
    }

    private func sides(_ row: Int, _ base: Int, _ metric: String) -> (x: [Double], y: [Double], isPaired: Bool) {
        let x = rows[row].values[metric] ?? []
        let y = rows[base].values[metric] ?? []
        switch (rows[row].seeds, rows[base].seeds) {
        case (let a?, let b?):
            guard Set(a) == Set(b), Set(a).count == a.count, a.count == x.count, b.count == y.count else { break }
            let other = Dictionary(uniqueKeysWithValues: zip(b, y))
            return (x, a.map { other[$0] ?? .nan }, true)
        case (nil, nil) where x.count == y.count: return (x, y, true)
        default: break
        }
        return (x, y, false)
    }

    /// Differences of the other rows to the control with their t intervals: paired (Student 1908), else Welch's.
    public func differences(_ metric: String, to control: String, level: Double) -> [Difference] {
        guard let base = rows.firstIndex(where: { $0.name == control }) else { return [] }
        return rows.indices.filter { $0 != base && rows[$0].values[metric] != nil }.map { row in
            let (x, y, isPaired) = sides(row, base, metric)
            let test = isPaired ? Statistics.pairedTest(x, y) : Statistics.welchTest(x, y)
            let difference = Statistics.mean(x) - Statistics.mean(y)
            let (low, high) = test.interval(level)
            return Difference(
                name: rows[row].name, value: difference, low: low, high: high, count: min(x.count, y.count),
                isPaired: isPaired)
        }
    }

    /// Of a row to the control; without an interval (NaN) where a side has one value.
    public struct Difference {
        public let name: String
        public let value: Double, low: Double, high: Double
        public let count: Int
        public let isPaired: Bool
    }

    // MARK: What may be claimed

    /// Lines under the table: what the spread means, which test, and whether the seeds suffice to claim anything.
    public func remarks() throws -> [String] {
        let cells = try cells()
        let counts = Set(cells.joined().compactMap { $0?.values.count }).sorted()
        guard let fewest = counts.first, let most = counts.last else { return notes }
        let seeds = fewest == most ? "\(most) \(most == 1 ? "seed" : "seeds")" : "\(fewest) to \(most) seeds"
        var lines = ["\(seeds); ± is the standard deviation over seeds."]
        for (row, list) in zip(rows, cells) {
            for (metric, cell) in zip(metrics, list) {
                let wrong = (cell?.values ?? []).indices.filter { !(cell?.values[$0].isFinite ?? true) }
                guard !wrong.isEmpty else { continue }
                let which = wrong.map { i in
                    row.seeds.map { $0.indices.contains(i) ? "seed \($0[i])" : "value \(i + 1)" } ?? "value \(i + 1)"
                }
                lines.append(
                    "Not finite: '\(metric)' of '\(row.name)', \(which.joined(separator: ", ")); no test can use it.")
            }
        }
        if let control, rows.count > 1 {
            let comparisons = rows.count - 1
            let tested = cells.joined().compactMap { $0 }.filter { $0.p != nil }
            let isPaired = tested.allSatisfy(\.isPaired)
            let correction = comparisons > 1 ? " (Holm-corrected over \(comparisons) rows in parentheses)" : ""
            lines.append(
                "Difference to '\(control)' with the two-sided \(isPaired ? "paired " : "")exact "
                    + "permutation p\(correction)."
            )
            let smallest = isPaired ? Statistics.smallestPairedP(fewest) : Statistics.smallestP(fewest, fewest)
            if smallest > alpha / Double(max(1, comparisons)) {
                let needed = Statistics.seedsNeeded(alpha: alpha, paired: isPaired, comparisons: comparisons)
                let level = Text.number(alpha)
                let family = comparisons == 1 ? "\(level) needs" : "\(comparisons) comparisons at \(level) need"
                lines.append(
                    "Too few seeds to claim anything: \(fewest) can reach p = "
                        + "\(Text.format("%.3g", smallest)) at best, \(family) at least \(needed) seeds.")
            }
        }
        if cells.joined().contains(where: { $0?.isBold ?? false }) {
            lines.append("Bold: not distinguishable from the best of its column at \(Text.number(alpha)).")
        }
        return lines + notes
    }

    /// Decimals of a column: none of counts.
    public func decimals(_ column: Int, _ cells: [[Cell?]]) -> Int {
        if let digits { return digits }
        let largest = cells.compactMap { $0[column]?.sd }.filter { $0.isFinite && $0 > 0 }.max()
        guard let largest else {
            let means = cells.compactMap { $0[column]?.mean }
            let isCount = means.allSatisfy { $0 == $0.rounded() } && means.contains { abs($0) > 1 }
            return isCount ? 0 : isPercent ? 2 : 4
        }
        let scaled = isPercent ? largest * 100 : largest
        return min(8, max(0, 1 - Int(saturating: (Math.log(scaled) / Math.log(10)).rounded(.down))))
    }
}
