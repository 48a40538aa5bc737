import BSSCore

extension Statistics {
    /// A percentile interval and the standard error of a statistic.
    public struct Interval: Equatable {
        public var low: Double
        public var high: Double
        /// Standard deviation of the statistic over the resamples.
        public var error: Double
        static let none = Interval(low: .nan, high: .nan, error: .nan)

        /// Of the statistic's values over resamples.
        init(_ values: [Double], level: Double) {
            let sorted = values.sorted()
            low = Math.quantile(sorted, (1 - level) / 2)
            high = Math.quantile(sorted, (1 + level) / 2)
            let mean = Math.mean(values)
            error = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
        }

        private init(low: Double, high: Double, error: Double) {
            (self.low, self.high, self.error) = (low, high, error)
        }
    }

    /// Percentile bootstrap interval of a statistic (Efron, Annals of Statistics 1979); `values` are resampled with
    /// replacement.
    /// - Throws: cancellation.
    public static func bootstrap(
        _ values: [Double], level: Double = 0.95, resamples: Int = 10_000, seed: UInt64 = 1,
        statistic: ([Double]) -> Double = mean
    ) throws -> Interval {
        guard values.count > 1, areFinite(values) else { return .none }
        var random = RandomStream(seed: seed, name: "bootstrap")
        var sample = values
        let found = try (0..<resamples).map { k -> Double in
            if k % 1024 == 0 { try Cancellation.check("bootstrap") }
            for i in sample.indices { sample[i] = values[random.integer(below: values.count)] }
            return statistic(sample)
        }
        return Interval(found, level: level)
    }

    /// The most values of which every resample is formed: 7⁷ = 823,543.
    public static let mostExactValues = 7

    /// The same over every one of the nⁿ resamples: what the random ones approach.
    public static func exactBootstrap(
        _ values: [Double], level: Double = 0.95, statistic: ([Double]) -> Double = mean
    ) throws -> Interval {
        let n = values.count
        guard (2...mostExactValues).contains(n), areFinite(values) else { return .none }
        var chosen = [Int](repeating: 0, count: n)
        var found: [Double] = []
        while true {
            if found.count % 1024 == 0 { try Cancellation.check("bootstrap") }
            found.append(statistic(chosen.map { values[$0] }))
            guard let next = chosen.lastIndex(where: { $0 < n - 1 }) else { break }
            chosen[next] += 1
            for i in chosen.indices.dropFirst(next + 1) { chosen[i] = 0 }
        }
        return Interval(found, level: level)
    }
}
