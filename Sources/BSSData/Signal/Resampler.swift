import BSSCore

/// Changes a sampling rate by a ratio of integers: zero-stuff by `up`, low-pass, keep every `down`-th sample.
///
/// The filter is that of `scipy.signal.resample_poly`: 2·10·max(up, down) + 1 taps, cut-off 1/max(up, down) of the
/// Nyquist frequency, Kaiser window with beta 5, gain `up`, centred on the first sample; zeros outside the signal.
public struct Resampler {
    public let up, down: Int
    /// Tap m of phase p, in the order in which the samples are read (newest first).
    private let phases: [[Double]]
    private let half: Int

    public init(from: Int, to: Int) throws {
        guard from > 0, to > 0 else { throw BSSError("resample", "rates must be positive, got \(from) to \(to)", kind: .usage) }
        let divisor = Resampler.gcd(from, to)
        let up = to / divisor, down = from / divisor
        self.up = up
        self.down = down
        let widest = max(up, down)
        let half = 10 * widest
        self.half = half
        let beta = 5.0, last = 2 * half
        var taps = (0...last).map { j -> Double in
            let x = Double(j - half) / Double(widest)
            let sinc = j == half ? 1 : Math.sin(.pi * x) / (.pi * x)
            let r = Double(j - half) / Double(half)
            return sinc * Resampler.bessel(beta * max(0, 1 - r * r).squareRoot())
        }
        let gain = Double(up) / taps.reduce(0, +)
        for j in taps.indices { taps[j] *= gain }
        phases = (0..<up).map { phase in stride(from: phase, through: last, by: up).map { taps[$0] } }
    }

    private static func gcd(_ a: Int, _ b: Int) -> Int { b == 0 ? a : gcd(b, a % b) }

    /// Modified Bessel function of the first kind, order 0 (power series; the terms of beta 5 vanish after about 25).
    private static func bessel(_ x: Double) -> Double {
        var sum = 1.0, term = 1.0, k = 1.0
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
        let count = samples.count
        return samples.withUnsafeBufferPointer { x in
            (0..<(count * up + down - 1) / down).map { i in
                let position = i * down + half
                return phases[position % up].withUnsafeBufferPointer { taps in
                    // y[i] = Σ_m taps[m] x[position / up - m]
                    let newest = position / up
                    let first = max(0, newest - count + 1), end = min(taps.count, newest + 1)
                    var sum = 0.0, m = first
                    while m < end {
                        sum += taps[m] * Double(x[newest - m])
                        m += 1
                    }
                    return Float(sum)
                }
            }
        }
    }
}
