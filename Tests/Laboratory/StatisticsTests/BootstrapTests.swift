import BSSStatistics
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct BootstrapTests {
    @Test("every resample of five values: error and interval of the mean and of the interquartile mean")
    func exact() throws {
        let mean = try Statistics.exactBootstrap(Seeds.five)
        #expect(Seeds.agree(mean.error, 0.0018608815))
        #expect(Seeds.agree(mean.low, 0.7695600000) && Seeds.agree(mean.high, 0.7766400000))
        let iqm = try Statistics.exactBootstrap(Seeds.five, statistic: Statistics.interquartileMean)
        #expect(Seeds.agree(iqm.error, 0.0022698106))
        #expect(Seeds.agree(iqm.low, 0.7689666667) && Seeds.agree(iqm.high, 0.7781666667))
        let random = try Statistics.bootstrap(Seeds.five, resamples: 20_000)
        #expect(abs(random.error - mean.error) < 3e-5 && abs(random.low - mean.low) < 2e-4)
    }

    @Test("a bootstrap interval holds the mean, narrows with the level, and repeats")
    func bootstrap() throws {
        let values = [0.71, 0.74, 0.69, 0.75, 0.72]
        let wide = try Statistics.bootstrap(values, level: 0.95, seed: 1)
        let narrow = try Statistics.bootstrap(values, level: 0.5, seed: 1)
        #expect(
            wide.low < narrow.low && narrow.low < Statistics.mean(values) && Statistics.mean(values) < narrow.high
                && narrow.high < wide.high)
        #expect(try Statistics.bootstrap(values, level: 0.95, seed: 1) == wide)
        #expect(wide.low >= 0.69 && wide.high <= 0.75)
    }
}
