import BSSCore
import Testing

@testable import BSSRuns

/// What the runs of an experiment say of its claims.
@Suite struct ClaimVerdictTests {
    private static let a = [0.7710, 0.7685, 0.7802, 0.7741, 0.7699, 0.7760, 0.7733, 0.7792]
    private static let b = [0.7653, 0.7690, 0.7711, 0.7688, 0.7702, 0.7671, 0.7645, 0.7720]

    private func experiment(
        _ claims: [StatedClaim], runs count: Int = 8, hasRuns: Bool = true
    ) -> ExperimentRecord {
        func row(_ name: String, _ values: [Double]) -> ExperimentRecord.Row {
            let answers = values.prefix(count).enumerated().map { seed, value in
                ExperimentRecord.Answer(
                    seed: seed + 1, runs: hasRuns ? ["\(name)\(seed)"] : [], isRun: hasRuns, values: ["y": value],
                    facts: ["n": 40])
            }
            return .init(name: name, arm: Table(), answers: answers)
        }
        var record = ExperimentRecord(
            name: "e", title: "e", metrics: ["y"], facts: ["n"], rows: [row("a", Self.a), row("b", Self.b)])
        record.claims = claims
        return record
    }

    private func claim(
        _ statement: StatedClaim.Statement, _ kind: ClaimClass, metric: String = "y", id: String = "c"
    ) -> StatedClaim {
        StatedClaim(id: id, text: "", place: "", metric: metric, kind: kind, statement: statement)
    }

    private func word(_ record: ExperimentRecord) throws -> ClaimVerdict.Word { try record.verdicts()[0].word }

    @Test("a value within its margin: by the 90 % interval, not by the mean alone")
    func value() throws {
        func word(_ count: Int, _ expect: Double, _ margin: Double) throws -> ClaimVerdict.Word {
            try self.word(experiment([claim(.value(arm: "a", expect: expect, margin: margin), .stat)], runs: count))
        }
        #expect(try word(8, 0.774, 0.005) == .holds)
        #expect(try word(2, 0.774, 0.005) == .fewRuns)
        #expect(try word(3, 0.774, 0.005) == .fewRuns)  // its interval is wider than the margin
        #expect(try word(8, 0.79, 0.005) == .fails)
    }

    @Test("better: the exact test at 0.05; seven pairs can tell, five cannot; several claims share the level")
    func order() throws {
        let order = claim(.order(better: "a", worse: "b", isSignificant: true), .order)
        #expect(try word(experiment([order])) == .holds)  // p = 8/256
        #expect(try word(experiment([order], runs: 5)) == .fewRuns)
        #expect(try experiment([order], runs: 5).verdicts()[0].needed == 6)
        let reverse = claim(.order(better: "b", worse: "a", isSignificant: true), .order, id: "r")
        #expect(try word(experiment([reverse])) == .fails)
        // Holm: 0.03125 × 2 is above 0.05.
        #expect(try word(experiment([order, reverse])) == .fails)
        let inMean = claim(.order(better: "a", worse: "b", isSignificant: false), .order)
        #expect(try word(experiment([inMean], runs: 3)) == .holds && word(experiment([inMean], runs: 2)) == .fewRuns)
        var less = experiment([order])
        less.lowerIsBetter = ["y"]
        #expect(try word(less) == .fails)
    }

    @Test("equivalent arms: TOST of experiments.md; exact counts; what no run is behind is never supported")
    func others() throws {
        let close = claim(.equivalent("a", "b", margin: 0.01), .stat)
        #expect(try word(experiment([close])) == .holds)  // its 90 % interval: 0.00289 to 0.00816
        #expect(try word(experiment([claim(.equivalent("a", "b", margin: 0.008), .stat)])) == .fewRuns)
        #expect(try word(experiment([claim(.equivalent("a", "b", margin: 0.004), .stat)])) == .fails)
        let count = claim(.value(arm: "a", expect: 40, margin: 0), .exact, metric: "n")
        #expect(try word(experiment([count])) == .holds)
        #expect(try word(experiment([claim(.value(arm: "a", expect: 41, margin: 0), .exact, metric: "n")])) == .fails)
        #expect(try word(experiment([close], hasRuns: false)) == .noRuns)
        #expect(try word(experiment([claim(.reproduces(["a"]), .bits, metric: "z")])) == .fails)
    }

    @Test("the record and its table come back from JSON as they were")
    func roundTrip() throws {
        var record = experiment([
            claim(.value(arm: "a", expect: 0.774, margin: 0.005), .stat, id: "1"),
            claim(.order(better: "a", worse: "b", isSignificant: false), .order, id: "2"),
            claim(.equivalent("a", "b", margin: 0.01), .stat, id: "3"), claim(.reproduces(["b", "a"]), .bits, id: "4"),
        ])
        (record.control, record.lowerIsBetter, record.notes) = ("b", ["y"], ["n"])
        record.rows[0].answers[2].values["y"] = .nan
        let text = JSON.text(.table(record.record))
        let again = try ExperimentRecord(JSON.parse(text).table ?? Table(), source: "test")
        #expect(JSON.text(.table(again.record)) == text)
        #expect(try again.table.csv() == record.table.csv())
        #expect(try again.claimsText() == record.claimsText() && again.claimsText().contains("does not hold"))
    }
}
