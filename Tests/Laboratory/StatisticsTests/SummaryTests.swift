import BSSCore
import BSSStatistics
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct SummaryTests {
    @Test func moments() {
        #expect(Statistics.mean([1, 2, 6]) == 3)
        #expect(abs(Statistics.standardDeviation([1, 2, 6]) - 7.0.squareRoot()) < 1e-15)
        #expect(Statistics.standardDeviation([1]).isNaN)
        #expect(Statistics.interquartileMean([0, 1, 2, 3, 100, 4, 5, 6]) == 3.5)
        #expect(abs(Statistics.rankCorrelation([1, 2, 3, 4], [1, 4, 9, 16]) - 1) < 1e-15)
        #expect(abs(Statistics.rankCorrelation([1, 2, 3], [3, 2, 1]) + 1) < 1e-15)
    }

    @Test("NaN and infinity in: NaN out, in every place and statistic; never p = 0")
    func notFinite() throws {
        for wrong in [Double.nan, -.nan, .infinity, -.infinity] {
            for place in 0..<4 {
                var a = [0.1, 0.4, 0.2, 0.3]
                let b = [0.2, 0.1, 0.5, 0.4]
                a[place] = wrong
                for (x, y) in [(a, b), (b, a)] {
                    #expect(
                        try Statistics.pairedPermutationTest(x, y).p.isNaN && Statistics.permutationTest(x, y).p.isNaN)
                    let long = Array(repeating: a, count: 8).flatMap { $0 }
                    #expect(try Statistics.pairedPermutationTest(long, Array(repeating: 0, count: 32)).p.isNaN)
                    #expect(try Statistics.permutationTest(long, long).p.isNaN)
                }
                #expect(try Statistics.bootstrap(a).low.isNaN)
                guard wrong.isNaN else { continue }
                for value in [
                    Statistics.mean(a), Statistics.standardDeviation(a), Statistics.quantile(a, 0.5),
                    Statistics.quantile(a, 0), Statistics.interquartileMean(a), Statistics.correlation(a, b),
                    Statistics.rankCorrelation(a, b), Statistics.rankCorrelation(b, a),
                ] { #expect(value.isNaN, "\(place)") }
            }
        }
        let adjusted = Statistics.holm([0.01, .nan, 0.03])
        #expect(adjusted[0] == 0.03 && adjusted[1].isNaN && adjusted[2] == 0.06)
    }
}
