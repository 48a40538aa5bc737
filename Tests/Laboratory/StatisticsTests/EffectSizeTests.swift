import BSSStatistics
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct EffectSizeTests {
    @Test("Cohen, Hedges, P(A > B), Cliff")
    func sizes() {
        let found = Statistics.effectSizes(Seeds.a, Seeds.b)
        #expect(Seeds.agree(found.cohen, 1.5561616376) && Seeds.agree(found.hedges, 1.4710205008))
        #expect(Seeds.agree(Statistics.hedgesCorrection(14), 0.9452877293))
        #expect(found.superiority == 0.84375 && found.cliff == 0.6875)
        #expect(Seeds.agree(Statistics.pairedEffect(Seeds.a, Seeds.b), 1.4064984807))
    }

    @Test("violation of stochastic order, both ways round")
    func order() {
        let (f, g) = ([0.71, 0.68, 0.74, 0.69, 0.73], [0.72, 0.69, 0.70, 0.71])
        #expect(Seeds.agree(Statistics.orderViolation(f, g), 0.1842105263))
        #expect(Seeds.agree(Statistics.orderViolation(g, f), 0.8157894737))
        #expect(Statistics.orderViolation([2, 3], [0, 1, 1]) == 0 && Statistics.orderViolation([1], [1]).isNaN)
    }

    @Test func notFinite() {
        for wrong in [Double.nan, .infinity] {
            let found = Statistics.effectSizes([1, wrong], [0, 2])
            #expect(found.cohen.isNaN && found.hedges.isNaN && found.cliff.isNaN)
            #expect(Statistics.orderViolation([1, wrong], [0, 2]).isNaN)
        }
        #expect(Statistics.effectSizes([1], [2]).cohen.isNaN)
    }
}
