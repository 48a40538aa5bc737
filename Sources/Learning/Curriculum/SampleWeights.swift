import BSSCore

/// Loss weights of the entries of an order, as a script gives them.
public enum SampleWeights {
    /// - Throws: `Mismatch` that names the entry: no number, below 0, NaN or infinite; all of them 0.
    public static func checked(_ items: [Value]) throws -> [Double] {
        let weights = try items.enumerated().map { index, item -> Double in
            guard let weight = item.double, weight.isFinite, weight >= 0 else {
                throw Mismatch("\(item.described) as weight \(index + 1); finite numbers of at least 0 were expected")
            }
            return weight
        }
        guard weights.isEmpty || weights.contains(where: { $0 > 0 }) else {
            throw Mismatch("weights that are all 0: nothing would be trained")
        }
        return weights
    }
}
