import BSSCore
import CBSSKernels

/// Random orders in which the next sample is drawn with probability proportional to its weight among those left: what
/// Eq. 11's sequential sampling means, for any n.
///
/// Keys `log(-log u_i) - log w_i` ascending (Efraimidis & Spirakis, IPL 2006, algorithm A; the Gumbel trick in other
/// words). u_i is the 53-bit uniform of element i of the stream, so the order depends on nothing but stream and
/// weights.
public enum WeightedOrder {
    /// An order of 0 ..< n under weights exp(logWeights); -inf is weight zero: last, in an order of its own drawn from
    /// the stream.
    /// - Throws: NaN or +inf, naming the sample; interrupted, or no memory for n.
    public static func drawn(logWeights: [Double], from stream: inout RandomStream) throws -> [Int] {
        let zeros = try zeros(logWeights, of: -.infinity, "log weight")
        let first = stream.reserve(blocks: (logWeights.count + 1) / 2)
        let key = stream.key
        var order = try order(logWeights.count) {
            bss_weighted_order_log(logWeights, Int64(logWeights.count), key, first, $0)
        }
        try order.withUnsafeMutableBufferPointer { try shuffleTail($0, zeros, from: &stream) }
        return order
    }

    /// An order of 0 ..< n under weights >= 0; weight zero comes last, in an order of its own drawn from the stream.
    /// - Throws: a negative, infinite or NaN weight, naming the sample; interrupted, or no memory for n.
    public static func drawn(weights: [Double], from stream: inout RandomStream) throws -> [Int] {
        try Memory.reserve(weights.count, of: 8, "sample order", "\(weights.count) positions")
        var order = [Int](repeating: 0, count: weights.count)
        try weights.withUnsafeBufferPointer { weights in
            try order.withUnsafeMutableBufferPointer { try draw(weights: weights, from: &stream, into: $0) }
        }
        return order
    }

    /// The same into memory of the caller's, as large as `weights`: for orders of 10^8 and more.
    public static func draw(
        weights: UnsafeBufferPointer<Double>, from stream: inout RandomStream,
        into order: UnsafeMutableBufferPointer<Int>
    ) throws {
        guard let start = weights.baseAddress, let out = order.baseAddress, weights.count > 0 else { return }
        let zeros = try zeros(weights, of: 0, "weight")
        let first = stream.reserve(blocks: (weights.count + 1) / 2)
        let key = stream.key
        let status = out.withMemoryRebound(to: Int64.self, capacity: weights.count) {
            bss_weighted_order(start, Int64(weights.count), key, first, $0)
        }
        try check(status, weights.count)
        try shuffleTail(order, zeros, from: &stream)
    }

    /// The last `count` entries, equal in weight zero, in a uniform random order.
    private static func shuffleTail(
        _ order: UnsafeMutableBufferPointer<Int>, _ count: Int, from stream: inout RandomStream
    ) throws {
        guard count > 1 else { return }
        let start = order.count - count
        let tail = Array(order[start...])
        for (place, chosen) in try shuffled(count, from: &stream).enumerated() { order[start + place] = tail[chosen] }
    }

    /// How many weights are `least`, the one that stands for zero.
    /// - Throws: naming the first sample whose weight is less, infinite or NaN.
    private static func zeros(_ weights: some Collection<Double>, of least: Double, _ what: String) throws -> Int {
        var zeros = 0
        var wrong = 0
        for weight in weights {
            zeros += weight == least ? 1 : 0
            wrong += weight >= least && weight < .infinity ? 0 : 1
        }
        if wrong == 0 { return zeros }
        for (sample, weight) in weights.enumerated() where !(weight >= least && weight < .infinity) {
            throw BSSError(
                "sample order", "the \(what) of sample \(sample + 1) is \(Text.number(weight))",
                hint: "weights are finite and at least 0")
        }
        return zeros
    }

    /// A uniform random order of 0 ..< n.
    public static func shuffled(_ n: Int, from stream: inout RandomStream) throws -> [Int] {
        let first = stream.reserve(blocks: (n + 1) / 2)
        let key = stream.key
        return try order(n) { bss_permutation(Int64(n), key, first, $0) }
    }

    /// The elements of `list` in a uniform random order.
    static func shuffled(_ list: some RandomAccessCollection<Int>, from stream: inout RandomStream) throws -> [Int] {
        let elements = Array(list)
        return try shuffled(elements.count, from: &stream).map { elements[$0] }
    }

    private static func order(_ n: Int, _ kernel: (UnsafeMutablePointer<Int64>) -> Int32) throws -> [Int] {
        guard n > 0 else { return [] }
        try Memory.reserve(n, of: 24, "sample order", "an order of \(n) samples")
        var status: Int32 = 0
        let order = [Int](unsafeUninitializedCapacity: n) { out, filled in
            guard let start = out.baseAddress else { return }
            status = start.withMemoryRebound(to: Int64.self, capacity: n) { kernel($0) }
            filled = status == 0 ? n : 0
        }
        try check(status, n)
        return order
    }

    private static func check(_ status: Int32, _ n: Int) throws {
        if status == Int32(BSS_OUT_OF_MEMORY) {
            throw BSSError("sample order", "there is not enough memory to order \(n) samples")
        }
        try Cancellation.checkKernel(status, "sample order")
    }

    /// `count` independent draws, with replacement; of weights that are all zero, uniform ones.
    /// - Throws: a negative, infinite or NaN weight, naming the sample; more draws than memory holds.
    public static func drawnWithReplacement(
        weights: [Double], count: Int, from stream: inout RandomStream
    ) throws -> [Int] {
        // Where all are zero, each is as likely.
        var cumulative =
            try zeros(weights, of: 0, "weight") < weights.count ? weights : weights.map { _ in 1 }
        var sum = 0.0
        for i in cumulative.indices {
            sum += cumulative[i]
            cumulative[i] = sum
        }
        return try Memory.array(count, "sample order") { _ in
            // The first index whose cumulative weight is above the target.
            let target = stream.uniform() * sum
            var low = 0
            var high = cumulative.count - 1
            while low < high {
                let middle = (low + high) / 2
                if cumulative[middle] > target { high = middle } else { low = middle + 1 }
            }
            return low
        }
    }
}

/// Orders of indices by value; equal values keep index order. No NaN.
public enum Ranking {
    public static func ascending(_ values: [Double]) -> [Int] { order(values, descending: false) }
    public static func descending(_ values: [Double]) -> [Int] { order(values, descending: true) }

    private static func order(_ values: [Double], descending: Bool) -> [Int] {
        let n = values.count
        guard n > 0 else { return [] }
        var status: Int32 = 0
        let order = [Int](unsafeUninitializedCapacity: n) { out, filled in
            guard let start = out.baseAddress else { return }
            status = start.withMemoryRebound(to: Int64.self, capacity: n) {
                bss_argsort(BSS_F64, values, Int64(n), descending, $0)
            }
            filled = status == 0 ? n : 0
        }
        if status == 0 { return order }
        // Interrupted or short of memory: the standard library's sort; whoever polls the interrupt next stops.
        return values.indices.sorted {
            values[$0] == values[$1] ? $0 < $1 : descending ? values[$0] > values[$1] : values[$0] < values[$1]
        }
    }
}
