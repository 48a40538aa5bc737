import BSSStatistics
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct ScoreMatrixTests {
    private let s = ScoreMatrix(runs: 5, tasks: 3, Seeds.s)
    private let t = ScoreMatrix(runs: 5, tasks: 3, Seeds.t)

    @Test("interquartile mean, mean, median, optimality gap, improvement and profile of rliable")
    func values() {
        #expect(Seeds.agree(s.interquartileMean, 0.6) && Seeds.agree(s.mean, 0.5866666667))
        #expect(Seeds.agree(s.median, 0.65) && Seeds.agree(s.optimalityGap(), 0.42))
        #expect(Seeds.agree(s.improvement(over: t), 0.6933333333))
        #expect([0.3, 0.6, 0.9].map { s.profile($0) } == [0.8, 7.0 / 15, 2.0 / 15])
    }

    @Test("stratified: a task's column is resampled from itself alone; the seed decides")
    func strata() throws {
        let columns = ScoreMatrix(runs: 4, tasks: 2, [1, 10, 2, 20, 3, 30, 4, 40])
        let sums = try columns.intervals(resamples: 500) { m in
            [Double((0..<4).filter { m.values[$0 * 2] > 9 }.count), m.mean]
        }
        #expect(sums[0].low == 0 && sums[0].high == 0 && sums[1].low < 13.75 && sums[1].high > 13.75)
        let again = try columns.intervals(resamples: 500) { [$0.mean] }
        let other = try columns.intervals(resamples: 500, seed: 2) { [$0.mean] }
        #expect(again[0] == sums[1] && other[0] != sums[1])
    }

    @Test func notFinite() throws {
        var values = Seeds.s
        values[4] = .nan
        let wrong = ScoreMatrix(runs: 5, tasks: 3, values)
        #expect(wrong.interquartileMean.isNaN && wrong.optimalityGap().isNaN && wrong.profile(0.5).isNaN)
        #expect(wrong.improvement(over: t).isNaN && wrong.median.isNaN)
        #expect(try wrong.intervals { [$0.mean] }[0].low.isNaN)
    }
}
