import BSSCore
import BSSStatistics

/// What the runs of an experiment say of a claim.
public struct ClaimVerdict {
    public enum Word: String {
        case holds
        case fails = "does not hold"
        /// Too few for its test, or too few to tell: never taken for "holds".
        case fewRuns = "not enough runs"
        /// The numbers are the script's: no run was recorded behind them.
        case noRuns = "no runs"
    }

    public var word: Word
    /// The numbers behind the word.
    public var numbers: String
    /// Seeds that the claim would need at the least, where they are too few.
    public var needed: Int?

    public init(word: Word, numbers: String, needed: Int? = nil) {
        (self.word, self.numbers, self.needed) = (word, numbers, needed)
    }

    /// Whether a paper may make the claim.
    public var isSupported: Bool { word == .holds }
}

extension ExperimentRecord {
    /// Level of every test of a claim.
    static let alpha = 0.05
    /// Fewest runs of a statement about means.
    static let fewest = 3

    /// Of every claim, in order.
    /// - Throws: cancellation.
    public func verdicts() throws -> [ClaimVerdict] {
        // Claims of significance share the error rate (Holm over the experiment).
        let tested = claims.filter(\.isTested)
        let adjusted = Statistics.holm(try tested.map { try comparison($0)?.test.p ?? .nan })
        let p = Dictionary(zip(tested.map(\.id), adjusted), uniquingKeysWith: { first, _ in first })
        return try claims.map { try verdict($0, adjustedP: p[$0.id], family: tested.count) }
    }

    private func verdict(_ claim: StatedClaim, adjustedP: Double?, family: Int) throws -> ClaimVerdict {
        let answers = claim.arms.flatMap { row($0)?.answers ?? [] }
        let numbers = claim.arms.flatMap { values($0, claim.metric) }
        guard !answers.isEmpty, numbers.count == answers.count else {
            return ClaimVerdict(word: .fails, numbers: "\(numbers.count) of \(answers.count) runs have \(claim.metric)")
        }
        if let wrong = numbers.first(where: { !$0.isFinite }) {
            return ClaimVerdict(word: .fails, numbers: "a run has \(claim.metric) = \(Text.number(wrong))")
        }
        var verdict: ClaimVerdict
        switch claim.statement {
        case .value(_, let expect, let margin): verdict = value(claim, numbers, expect, margin)
        case .order(_, _, let isSignificant): verdict = try order(claim, isSignificant, adjustedP ?? .nan, family)
        case .equivalent(let a, let b, let margin): verdict = try equivalence(claim, a, b, margin)
        case .reproduces: verdict = ClaimVerdict(word: .holds, numbers: "\(numbers.count) runs")
        }
        if answers.contains(where: { $0.runs.isEmpty }) { verdict.word = .noRuns }
        return verdict
    }

    // MARK: A value

    private func value(
        _ claim: StatedClaim, _ values: [Double], _ expect: Double, _ margin: Double
    ) -> ClaimVerdict {
        let mean = Statistics.mean(values)
        let stated = "\(Text.number(expect))\(margin > 0 ? " ± \(Text.number(margin))" : "")"
        let shown = mean == mean.rounded() ? Text.number(mean) : Text.format("%.4g", mean)
        let measured = "\(shown) over \(values.count), stated \(stated)"
        switch claim.kind {
        case .info: return ClaimVerdict(word: .holds, numbers: measured)
        case .exact, .bits, .near:
            let wrong = values.first { abs($0 - expect) > margin }
            return ClaimVerdict(
                word: wrong == nil ? .holds : .fails,
                numbers: wrong.map { "a run has \(Text.number($0)), stated \(stated)" } ?? measured)
        case .stat, .order:
            let test = Statistics.pairedTest(values, values.map { _ in expect })
            return ExperimentRecord.withinMargin(test, margin, runs: values.count, measured)
        }
    }

    /// Equivalence: the interval of level 1 - 2α lies inside the margin. A mean outside it speaks against the claim;
    /// else more runs would tell.
    public static func withinMargin(
        _ test: Statistics.MeanTest, _ margin: Double, runs: Int, _ words: String
    ) -> ClaimVerdict {
        guard runs >= fewest else { return ClaimVerdict(word: .fewRuns, numbers: words, needed: fewest) }
        let (low, high) = test.error == 0 ? (test.difference, test.difference) : test.interval(1 - 2 * alpha)
        let text = words + Text.format(", 90 %% interval %+.4g to %+.4g", low, high)
        if low >= -margin, high <= margin { return ClaimVerdict(word: .holds, numbers: text) }
        return ClaimVerdict(word: abs(test.difference) > margin ? .fails : .fewRuns, numbers: text)
    }

    // MARK: Two arms

    struct Comparison {
        var test: Statistics.TestResult
        var isPaired: Bool
        var x: [Double]
        var y: [Double]
    }

    /// Paired where the arms share their seeds.
    func comparison(_ claim: StatedClaim) throws -> Comparison? {
        guard claim.arms.count == 2 else { return nil }
        let (a, b) = (claim.arms[0], claim.arms[1])
        let (x, y) = (values(a, claim.metric), values(b, claim.metric))
        let isPaired = seeds(a) == seeds(b) && x.count == y.count && Set(seeds(a)).count == x.count
        return Comparison(test: try tests.result(x, y, isPaired: isPaired), isPaired: isPaired, x: x, y: y)
    }

    private func order(
        _ claim: StatedClaim, _ isSignificant: Bool, _ adjustedP: Double, _ family: Int
    ) throws -> ClaimVerdict {
        guard let pair = try comparison(claim) else {
            return ClaimVerdict(word: .fails, numbers: "there are no two arms")
        }
        let runs = min(pair.x.count, pair.y.count)
        let difference = pair.test.difference
        var words =
            Text.format(
                "%.4g against %.4g: %+.4g", Statistics.mean(pair.x), Statistics.mean(pair.y), difference)
        let isRight = lowerIsBetter.contains(claim.metric) ? difference < 0 : difference > 0
        guard isSignificant else {
            guard runs >= ExperimentRecord.fewest else {
                return ClaimVerdict(word: .fewRuns, numbers: words, needed: ExperimentRecord.fewest)
            }
            return ClaimVerdict(word: isRight ? .holds : .fails, numbers: words)
        }
        words += Text.format(", p = %.3g", pair.test.p)
        if family > 1 { words += Text.format(" (%.3g for %d claims)", adjustedP, family) }
        if pair.test.smallestP > ExperimentRecord.alpha / Double(family) {
            let needed = Statistics.seedsNeeded(
                alpha: ExperimentRecord.alpha, paired: pair.isPaired, comparisons: family)
            return ClaimVerdict(word: .fewRuns, numbers: words, needed: needed)
        }
        return ClaimVerdict(word: isRight && adjustedP <= ExperimentRecord.alpha ? .holds : .fails, numbers: words)
    }

    private func equivalence(
        _ claim: StatedClaim, _ a: String, _ b: String, _ margin: Double
    ) throws -> ClaimVerdict {
        guard let pair = try comparison(claim) else {
            return ClaimVerdict(word: .fails, numbers: "there are no two arms")
        }
        let test = pair.isPaired ? Statistics.pairedTest(pair.x, pair.y) : Statistics.welchTest(pair.x, pair.y)
        let words = Text.format("%+.4g, margin ±%.4g", pair.test.difference, margin)
        return ExperimentRecord.withinMargin(test, margin, runs: min(pair.x.count, pair.y.count), words)
    }

    // MARK: As text

    /// What stands under the table; empty without claims.
    public func claimsText() throws -> String {
        guard !claims.isEmpty else { return "" }
        let verdicts = try verdicts()
        let widths = (
            claims.map(\.id.count).max() ?? 0,
            verdicts.map(\.word.rawValue.count).max() ?? 0
        )
        var lines = ["Claims, evaluated from the records of their runs:"]
        if !hasRuns { lines = ["Claims; no runs are recorded, the numbers are what the script's function gave:"] }
        for (claim, verdict) in zip(claims, verdicts) {
            let place = claim.place.isEmpty ? "" : " (\(claim.place))"
            let needed = verdict.needed.map { "; needs \($0) seeds" } ?? ""
            lines.append(
                "  \(Text.padded(claim.id, to: widths.0))  \(Text.padded(verdict.word.rawValue, to: widths.1))  "
                    + "\(claim.text)\(place): \(verdict.numbers)\(needed)")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
