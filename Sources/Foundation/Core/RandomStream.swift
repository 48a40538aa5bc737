/// Counter-based random numbers in named streams: adding a draw in one place moves no other.
///
/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
/// Block `c` of a stream is `philox(counter: c, key: key)`, four 32-bit words; word `i` of the stream is word
/// `i mod 4` of block `i / 4`. Kernels fill tensors from the same definition, so any split gives the same bits.
public struct RandomStream: Sendable {
    /// Derived from the root seed and the stream's name.
    public let key: UInt64
    /// The next unused block.
    public private(set) var block: UInt64
    private var buffer: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
    private var used = 4
    private let counter: DrawCounter?

    /// The stream `name` of the root `seed`. `counter` counts its draws and those of the streams below it.
    public init(seed: UInt64, name: String, counter: DrawCounter? = nil) {
        self.init(key: RandomStream.mix(seed, name), counter: counter)
    }

    /// Continues a stream at a block, as a checkpoint recorded it.
    public init(key: UInt64, block: UInt64 = 0, counter: DrawCounter? = nil) {
        self.key = key
        self.block = block
        self.counter = counter
    }

    /// An independent stream below this one (`stream.child("epoch 3")`).
    public func child(_ name: String) -> RandomStream {
        RandomStream(key: RandomStream.mix(key, name), counter: counter)
    }

    /// 64-bit FNV-1a of the name, mixed with the seed by the SplitMix64 finaliser.
    private static func mix(_ seed: UInt64, _ name: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        var z = hash ^ (seed &* 0x9e37_79b9_7f4a_7c15 &+ 0x9e37_79b9_7f4a_7c15)
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// Takes `count` whole blocks for a bulk kernel and returns the first one's counter.
    public mutating func reserve(blocks count: Int) -> UInt64 {
        used = 4
        counter?.add(UInt64(count))
        defer { block += UInt64(count) }
        return block
    }

    public mutating func nextWord() -> UInt32 {
        if used == 4 {
            buffer = RandomStream.philox(counter: block, key: key)
            counter?.add(1)
            block += 1
            used = 0
        }
        defer { used += 1 }
        switch used {
        case 0: return buffer.0
        case 1: return buffer.1
        case 2: return buffer.2
        default: return buffer.3
        }
    }

    /// Uniform in [0, 1) with 53 random bits.
    public mutating func uniform() -> Double {
        let high = UInt64(nextWord() >> 5)
        let low = UInt64(nextWord() >> 6)
        return Double(high << 26 | low) * 0x1p-53
    }

    /// Uniform in 0 ..< bound, without modulo bias.
    public mutating func integer(below bound: Int) -> Int {
        let range = UInt64(bound)
        let limit = UInt64.max - UInt64.max % range
        while true {
            let word = UInt64(nextWord()) << 32 | UInt64(nextWord())
            if word < limit { return Int(word % range) }
        }
    }

    /// Standard normal (Box and Muller 1958; the cosine branch).
    public mutating func normal() -> Double {
        let radius = (-2 * Math.log(1 - uniform())).squareRoot()
        return radius * Math.cos(2 * .pi * uniform())
    }

    /// A random order of 0 ..< count (Fisher and Yates).
    public mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for i in stride(from: count - 1, to: 0, by: -1) { order.swapAt(i, integer(below: i + 1)) }
        return order
    }

    /// Ten Philox rounds on (counter, 0) under key.
    public static func philox(counter: UInt64, key: UInt64) -> (UInt32, UInt32, UInt32, UInt32) {
        var c0 = UInt32(truncatingIfNeeded: counter)
        var c1 = UInt32(truncatingIfNeeded: counter >> 32)
        var c2: UInt32 = 0
        var c3: UInt32 = 0
        var k0 = UInt32(truncatingIfNeeded: key)
        var k1 = UInt32(truncatingIfNeeded: key >> 32)
        for _ in 0..<10 {
            let p0 = UInt64(c0) * 0xD251_1F53
            let p1 = UInt64(c2) * 0xCD9E_8D57
            (c0, c1, c2, c3) = (
                UInt32(truncatingIfNeeded: p1 >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: p1),
                UInt32(truncatingIfNeeded: p0 >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: p0)
            )
            k0 = k0 &+ 0x9E37_79B9
            k1 = k1 &+ 0xBB67_AE85
        }
        return (c0, c1, c2, c3)
    }
}
