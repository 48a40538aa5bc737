/// What is kept of many numbers when a result is written down to be checked later.
public enum ResultDigest {
    /// Count, mean, standard deviation (n - 1), extremes, NaN and infinity counts, the first values, and a weighted sum
    /// that notices exchanged values. Moments are over the finite values.
    public static func statistics(_ values: [Double]) -> Table {
        let finite = values.filter(\.isFinite)
        let mean = finite.isEmpty ? Double.nan : finite.reduce(0, +) / Double(finite.count)
        let squares = finite.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        var weighted = 0.0
        for (i, value) in values.enumerated() where value.isFinite { weighted += value * Double(i % 97 + 1) }
        return Table(fields: [
            ("count", .int(values.count)), ("mean", .number(mean)),
            ("std", .number(finite.count > 1 ? (squares / Double(finite.count - 1)).squareRoot() : .nan)),
            ("min", .number(finite.min() ?? .nan)), ("max", .number(finite.max() ?? .nan)),
            ("nan", .int(values.count { $0.isNaN })),
            ("inf", .int(values.count { $0.isInfinite })), ("first", .list(Array(values.prefix(4)))),
            ("weighted_mean", .number(weighted / Double(max(finite.count, 1)))),
        ])
    }
}
