import BSSCore
import CBSSKernels

/// Changes a sampling rate by a ratio of integers: zero-stuff by `up`, low-pass, keep every `down`-th sample.
///
/// The filter is that of `scipy.signal.resample_poly`: 2·10·max(up, down) + 1 taps, cut-off 1/max(up, down) of the
/// Nyquist frequency, Kaiser window with beta 5, gain `up`, centred on the first sample; zeros outside the signal.
public struct Resampler: Sendable {
    /// Largest whole number of a ratio, and largest ratio: what recordings have, and no claim of a damaged header.
    public static let longest = 1 << 19, steepest = 256

    public let up, down: Int
    /// The taps of every phase, oldest sample first, with zeros in front up to `width`.
    private let taps: [Double]
    /// Taps a phase, a multiple of 8.
    private let width: Int
    private let half: Int
    /// Numbers that the filter holds.
    var size: Int { taps.count }

    public init(from: Int, to: Int) throws {
        guard from > 0, to > 0 else {
            throw BSSError("resample", "rates must be positive, got \(from) to \(to)", kind: .usage)
        }
        let divisor = Resampler.gcd(from, to)
        let up = to / divisor
        let down = from / divisor
        guard max(up, down) <= Resampler.longest, up <= down * Resampler.steepest, down <= up * Resampler.steepest
        else {
            throw BSSError(
                "resample", "a recording of \(from) Hz cannot be brought to \(to) Hz: \(up) new samples for \(down)",
                hint:
                    "from 1/\(Resampler.steepest) to \(Resampler.steepest) times, in whole ratios up to "
                    + "\(Resampler.longest)",
                kind: .data)
        }
        self.up = up
        self.down = down
        let widest = max(up, down)
        let half = 10 * widest
        self.half = half
        let beta = 5.0
        let last = 2 * half
        var taps = (0...last).map { j -> Double in
            let x = Double(j - half) / Double(widest)
            let sinc = j == half ? 1 : Math.sin(.pi * x) / (.pi * x)
            let r = Double(j - half) / Double(half)
            return sinc * Resampler.bessel(beta * max(0, 1 - r * r).squareRoot())
        }
        let gain = Double(up) / taps.reduce(0, +)
        for j in taps.indices { taps[j] *= gain }
        width = (last / up + 1 + 7) / 8 * 8
        var ordered = [Double](repeating: 0, count: up * width)
        for phase in 0..<up {
            for (m, tap) in stride(from: phase, through: last, by: up).enumerated() {
                ordered[phase * width + width - 1 - m] = taps[tap]
            }
        }
        self.taps = ordered
    }

    private static func gcd(_ a: Int, _ b: Int) -> Int { b == 0 ? a : gcd(b, a % b) }

    /// Modified Bessel function of the first kind, order 0 (power series; the terms of beta 5 vanish after about 25).
    private static func bessel(_ x: Double) -> Double {
        var sum = 1.0
        var term = 1.0
        var k = 1.0
        while term > sum * 1e-18 {
            term *= (x / 2 / k) * (x / 2 / k)
            sum += term
            k += 1
        }
        return sum
    }

    /// ceil(n · up / down) samples.
    public func resample(_ samples: [Float]) -> [Float] {
        if up == 1, down == 1 { return samples }
        // y[i] = Σ_m tap[m] x[newest - m], newest = (i down + half) / up: zeros before the signal and after it.
        let count = (samples.count * up + down - 1) / down
        let newest = count == 0 ? 0 : ((count - 1) * down + half) / up
        let padded = [Double](unsafeUninitializedCapacity: width - 1 + max(newest + 1, samples.count)) { to, filled in
            filled = width - 1 + max(newest + 1, samples.count)
            to.initialize(repeating: 0)
            for (i, sample) in samples.enumerated() { to[width - 1 + i] = Double(sample) }
        }
        return [Float](unsafeUninitializedCapacity: count) { to, filled in
            if count > 0 {
                bss_resample(
                    padded, taps, Int64(up), Int64(down), Int64(half), Int64(width), to.baseAddress, Int64(count))
            }
            filled = count
        }
    }
}
