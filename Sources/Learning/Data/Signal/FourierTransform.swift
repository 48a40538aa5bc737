import BSSCore

/// The discrete Fourier transform of real samples, for any length, in double precision.
///
/// ```
/// X[k] = Σ_j x[j] exp(-2πi jk / n),   k = 0 … n/2
/// ```
/// Powers of two: radix 2 on n/2 complex values (even and odd samples), then untangled. Other lengths: Bluestein's
/// chirp convolution (L. I. Bluestein, "A linear filtering approach to the computation of discrete Fourier transform",
/// IEEE Trans. Audio and Electroacoustics 18, 1970).
///
/// A plan holds its tables and work space; make one a length and use it for every frame.
public final class FourierTransform {
    public let length: Int
    /// n/2 + 1
    public var bins: Int { length / 2 + 1 }

    private let engine: RadixTwo
    private let isPowerOfTwo: Bool
    /// Powers of two: exp(-2πi k / n). Otherwise the chirp exp(-πi j² / n).
    private let turn: [(re: Double, im: Double)]
    /// Bluestein: the transform of the conjugate chirp.
    private var chirp: (re: [Double], im: [Double]) = ([], [])
    /// Work space of the engine's size.
    private let re: UnsafeMutablePointer<Double>
    private let im: UnsafeMutablePointer<Double>

    public init(_ n: Int) {
        precondition(n > 0)
        length = n
        isPowerOfTwo = n & (n - 1) == 0
        if isPowerOfTwo {
            engine = RadixTwo(max(1, n / 2))
            turn = (0...n / 2).map { FourierTransform.unit($0, n) }
        } else {
            var size = 1
            while size < 2 * n - 1 { size *= 2 }
            engine = RadixTwo(size)
            // j² modulo 2n keeps the angle exact for long transforms.
            turn = (0..<n).map { FourierTransform.unit($0 * $0 % (2 * n), 2 * n) }
        }
        re = .allocate(capacity: engine.size)
        im = .allocate(capacity: engine.size)
        re.initialize(repeating: 0, count: engine.size)
        im.initialize(repeating: 0, count: engine.size)
        if !isPowerOfTwo {
            for j in 0..<n {
                for place in [j, (engine.size - j) % engine.size] { (re[place], im[place]) = (turn[j].re, -turn[j].im) }
            }
            engine.transform(re, im)
            chirp = (
                Array(UnsafeBufferPointer(start: re, count: engine.size)),
                Array(UnsafeBufferPointer(start: im, count: engine.size))
            )
        }
    }

    deinit {
        re.deallocate()
        im.deallocate()
    }

    /// exp(-2πi k / n), exact at the quarter turns.
    static func unit(_ k: Int, _ n: Int) -> (re: Double, im: Double) {
        switch (4 * k % (4 * n), n) {
        case (0, _): return (1, 0)
        case (n, _): return (0, -1)
        case (2 * n, _): return (-1, 0)
        case (3 * n, _): return (0, 1)
        default:
            let angle = 2 * Double.pi * Double(k) / Double(n)
            return (Math.cos(angle), -Math.sin(angle))
        }
    }

    /// Positions of 0 ..< size (a power of two) with their bits in reverse order.
    static func bitReversed(_ size: Int) -> [Int32] {
        var bits = 0
        while 1 << bits < size { bits += 1 }
        return (0..<size).map { i in
            var reversed = 0
            for bit in 0..<bits where i >> bit & 1 == 1 { reversed |= 1 << (bits - 1 - bit) }
            return Int32(reversed)
        }
    }

    /// Transforms `length` samples; `real` and `imaginary` receive `bins` values each.
    public func transform(
        _ samples: UnsafePointer<Double>, real: UnsafeMutablePointer<Double>, imaginary: UnsafeMutablePointer<Double>
    ) {
        if isPowerOfTwo { powerOfTwo(samples, real, imaginary) } else { bluestein(samples, real, imaginary) }
    }

    private func powerOfTwo(
        _ x: UnsafePointer<Double>, _ real: UnsafeMutablePointer<Double>, _ imaginary: UnsafeMutablePointer<Double>
    ) {
        let n = length
        let half = n / 2
        guard n > 1 else {
            (real[0], imaginary[0]) = (x[0], 0)
            return
        }
        let zr = re
        let zi = im
        for j in 0..<half { (zr[j], zi[j]) = (x[2 * j], x[2 * j + 1]) }
        engine.transform(zr, zi)
        turn.withUnsafeBufferPointer { turn in
            for k in 0...half {
                let a = k == half ? 0 : k
                let b = k == 0 ? 0 : half - k
                // even = (Z[k] + conj Z[-k]) / 2, odd = (Z[k] - conj Z[-k]) / 2i
                let evenRe = (zr[a] + zr[b]) / 2
                let evenIm = (zi[a] - zi[b]) / 2
                let oddRe = (zi[a] + zi[b]) / 2
                let oddIm = (zr[b] - zr[a]) / 2
                let w = turn[k]
                real[k] = evenRe + w.re * oddRe - w.im * oddIm
                imaginary[k] = evenIm + w.re * oddIm + w.im * oddRe
            }
        }
        (imaginary[0], imaginary[half]) = (0, 0)
    }

    private func bluestein(
        _ x: UnsafePointer<Double>, _ real: UnsafeMutablePointer<Double>, _ imaginary: UnsafeMutablePointer<Double>
    ) {
        let n = length
        let size = engine.size
        for j in 0..<n { (re[j], im[j]) = (x[j] * turn[j].re, x[j] * turn[j].im) }
        for j in n..<size { (re[j], im[j]) = (0, 0) }
        engine.transform(re, im)
        // The inverse transform is the forward one of the conjugate: multiply, conjugate, transform, conjugate.
        for j in 0..<size {
            let productRe = re[j] * chirp.re[j] - im[j] * chirp.im[j]
            let productIm = re[j] * chirp.im[j] + im[j] * chirp.re[j]
            (re[j], im[j]) = (productRe, -productIm)
        }
        engine.transform(re, im)
        let scale = 1 / Double(size)
        for k in 0..<bins {
            let sumRe = re[k] * scale
            let sumIm = -im[k] * scale
            real[k] = sumRe * turn[k].re - sumIm * turn[k].im
            imaginary[k] = sumRe * turn[k].im + sumIm * turn[k].re
        }
        imaginary[0] = 0
        if n % 2 == 0 { imaginary[n / 2] = 0 }
    }
}

/// In-place complex transform of a power of two (decimation in time).
private final class RadixTwo {
    let size: Int
    private let order: [Int32]
    private let cosines, sines: [Double]

    init(_ size: Int) {
        self.size = size
        order = FourierTransform.bitReversed(size)
        cosines = (0..<max(1, size / 2)).map { Math.cos(2 * .pi * Double($0) / Double(size)) }
        sines = (0..<max(1, size / 2)).map { -Math.sin(2 * .pi * Double($0) / Double(size)) }
    }

    func transform(_ re: UnsafeMutablePointer<Double>, _ im: UnsafeMutablePointer<Double>) {
        cosines.withUnsafeBufferPointer { c in
            sines.withUnsafeBufferPointer { s in
                if let c = c.baseAddress, let s = s.baseAddress { run(re, im, c, s) }
            }
        }
    }

    private func run(
        _ re: UnsafeMutablePointer<Double>, _ im: UnsafeMutablePointer<Double>, _ c: UnsafePointer<Double>,
        _ s: UnsafePointer<Double>
    ) {
        for i in 0..<size {
            let j = Int(order[i])
            if i < j {
                (re[i], re[j]) = (re[j], re[i])
                (im[i], im[j]) = (im[j], im[i])
            }
        }
        // The first stage turns by 1 only.
        var first = 0
        while first &+ 1 < size {
            let (ar, ai, br, bi) = (re[first], im[first], re[first &+ 1], im[first &+ 1])
            (re[first], im[first], re[first &+ 1], im[first &+ 1]) = (ar + br, ai + bi, ar - br, ai - bi)
            first &+= 2
        }
        var half = 2
        while half < size {
            let step = size / (2 * half)
            var start = 0
            while start < size {
                var k = 0
                for a in start..<start &+ half {
                    let b = a &+ half
                    let tr = re[b] * c[k] - im[b] * s[k]
                    let ti = re[b] * s[k] + im[b] * c[k]
                    (re[b], im[b]) = (re[a] - tr, im[a] - ti)
                    (re[a], im[a]) = (re[a] + tr, im[a] + ti)
                    k &+= step
                }
                start &+= 2 &* half
            }
            half *= 2
        }
    }
}
