/// What is kept of many numbers when a result is written down to be checked later.
public enum ResultDigest {
    /// Count, mean, standard deviation (n - 1), extremes, NaN and infinity counts, the first values, and a weighted sum
    /// that notices exchanged values. Moments are over the finite values.
    /// - Throws: cancelled, soon after Ctrl-C.
    public static func statistics(_ values: [Double]) throws -> Table {
        var (count, sum, weighted, nan) = (0, 0.0, 0.0, 0)
        var (low, high) = (Double.infinity, -Double.infinity)
        var squares = 0.0
        var mean = Double.nan
        try values.withUnsafeBufferPointer { values in
            for i in values.indices {
                if i & 0xFFFFF == 0 { try Cancellation.check("result") }
                let value = values[i]
                if value != value { nan += 1 }
                // Not so of NaN and infinities.
                guard value - value == 0 else { continue }
                count += 1
                sum += value
                weighted += value * Double(i % 97 + 1)
                if value < low { low = value }
                if value > high { high = value }
            }
            if count > 0 { mean = sum / Double(count) }
            for i in values.indices {
                if i & 0xFFFFF == 0 { try Cancellation.check("result") }
                let difference = values[i] - mean
                if difference - difference == 0 { squares += difference * difference }
            }
        }
        return Table(fields: [
            ("count", .int(values.count)), ("mean", .number(mean)),
            ("std", .number(count > 1 ? (squares / Double(count - 1)).squareRoot() : .nan)),
            ("min", .number(count == 0 ? .nan : low)), ("max", .number(count == 0 ? .nan : high)),
            ("nan", .int(nan)), ("inf", .int(values.count - count - nan)), ("first", .list(Array(values.prefix(4)))),
            ("weighted_mean", .number(weighted / Double(max(count, 1)))),
        ])
    }
}
