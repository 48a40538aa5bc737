import BSSStatistics
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct MeanTestTests {
    @Test("paired t: statistic, p and interval of scipy")
    func paired() {
        let test = Statistics.pairedTest(Seeds.a, Seeds.b)
        let (low, high) = test.interval(0.95)
        #expect(Seeds.agree(test.difference, 0.0055250000) && Seeds.agree(test.t, 3.9781784537))
        #expect(Seeds.agree(test.p, 0.0053362865))
        #expect(Seeds.agree(low, 0.0022409470) && Seeds.agree(high, 0.0088090530))
    }

    @Test("Welch: statistic, degrees of freedom and p of scipy")
    func welch() {
        let test = Statistics.welchTest(Seeds.a, Seeds.b)
        #expect(Seeds.agree(test.t, 3.1123232752) && Seeds.agree(test.df, 11.8293886811))
        #expect(Seeds.agree(test.p, 0.0091225954))
    }

    @Test("two one-sided tests within ±0.01, paired and Welch, and the 90 % interval")
    func equivalence() {
        let test = Statistics.pairedTest(Seeds.a, Seeds.b)
        let (lower, upper, p) = test.equivalence(margin: 0.01)
        #expect(Seeds.agree(lower, 0.0000051095) && Seeds.agree(upper, 0.0073049538) && p == upper)
        let (low, high) = test.interval(0.9)
        #expect(Seeds.agree(low, 0.0028937589) && Seeds.agree(high, 0.0081562411))
        #expect(Seeds.agree(Statistics.welchTest(Seeds.a, Seeds.b).equivalence(margin: 0.01).p, 0.0135571530))
        #expect(Statistics.pairedTest(Seeds.a, Seeds.a).equivalence(margin: 0.01).p == 0)
    }

    @Test("Nadeau and Bengio's corrected t, Dietterich's 5x2cv t, McNemar's exact test")
    func others() {
        let corrected = Statistics.correctedTest(Seeds.a, Seeds.b, testShare: 0.25)
        #expect(Seeds.agree(corrected.t, 2.2968024011) && Seeds.agree(corrected.p, 0.0552508297))
        let folds = [[0.021, 0.013], [0.018, 0.025], [0.009, 0.016], [0.022, 0.011], [0.015, 0.019]]
        let five = Statistics.fiveByTwo(folds)
        #expect(Seeds.agree(five.t, 3.8404640188) && Seeds.agree(five.p, 0.0121179694))
        #expect(Seeds.agree(Statistics.mcnemar(5, 15), 0.0413894653))
        #expect(Statistics.mcnemar(0, 0) == 1 && Statistics.mcnemar(7, 7) == 1)
        #expect(Seeds.agree(Statistics.mcnemar(0, 5), 0.0625))
    }

    @Test("too few values and values that are no number: nan, never a p")
    func nothing() {
        let few = Statistics.pairedTest([1], [2])
        #expect(few.p.isNaN && few.interval(0.95).low.isNaN && few.equivalence(margin: 1).p.isNaN)
        #expect(Statistics.welchTest([1], [2, 3]).p.isNaN)
        for wrong in [Double.nan, .infinity, -.infinity] {
            var a = Seeds.a
            a[3] = wrong
            for test in [
                Statistics.pairedTest(a, Seeds.b), Statistics.welchTest(Seeds.b, a),
                Statistics.correctedTest(a, Seeds.b, testShare: 0.25),
            ] { #expect(test.p.isNaN && test.equivalence(margin: 1).p.isNaN, "\(wrong)") }
            #expect(Statistics.fiveByTwo(Array(repeating: [wrong, 1], count: 5)).p.isNaN)
        }
        // Without spread a difference is certain, and none is no evidence.
        #expect(Statistics.pairedTest([2, 3], [1, 2]).p == 0 && Statistics.pairedTest([1, 2], [1, 2]).p.isNaN)
        #expect(Statistics.welchTest([2, 2], [1, 1]).p == 0)
    }
}
