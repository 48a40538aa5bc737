import BSSCore

/// Random orders in which the next sample is drawn with probability proportional to its weight among those left: what
/// Eq. 11's sequential sampling means, for any n.
///
/// Keys `log(-log u_i) - log w_i` ascending (Efraimidis & Spirakis, IPL 2006, algorithm A; the Gumbel trick in other
/// words). u_i is the 53-bit uniform of element i of the stream: words 2(i mod 2) and 2(i mod 2) + 1 of block i / 2.
public enum WeightedOrder {
    /// An order of 0 ..< n under weights exp(logWeights); -inf is weight zero: last, in index order.
    public static func drawn(logWeights: [Double], from stream: inout RandomStream) -> [Int] {
        let first = stream.reserve(blocks: (logWeights.count + 1) / 2)
        let keys = logWeights.indices.map { i -> Double in
            logWeights[i] == -.infinity ? .infinity : Math.log(-Math.log(uniform(i, first, stream.key))) - logWeights[i]
        }
        return Ranking.ascending(keys)
    }

    /// An order of 0 ..< n under weights >= 0; weight zero comes last, in index order.
    public static func drawn(weights: [Double], from stream: inout RandomStream) -> [Int] {
        drawn(logWeights: weights.map { $0 > 0 ? Math.log($0) : -.infinity }, from: &stream)
    }

    /// `count` independent draws, with replacement.
    public static func drawnWithReplacement(weights: [Double], count: Int, from stream: inout RandomStream) -> [Int] {
        var cumulative = weights
        var sum = 0.0
        for i in cumulative.indices {
            sum += cumulative[i]
            cumulative[i] = sum
        }
        return (0..<count).map { _ in
            // The first index whose cumulative weight is above the target.
            let target = stream.uniform() * sum
            var low = 0, high = cumulative.count - 1
            while low < high {
                let middle = (low + high) / 2
                if cumulative[middle] > target { high = middle } else { low = middle + 1 }
            }
            return low
        }
    }

    private static func uniform(_ i: Int, _ first: UInt64, _ key: UInt64) -> Double {
        let block = RandomStream.philox(counter: first + UInt64(i / 2), key: key)
        let word = i % 2 == 0 ? UInt64(block.1) << 32 | UInt64(block.0) : UInt64(block.3) << 32 | UInt64(block.2)
        return Double(word >> 11) * 0x1p-53
    }
}
