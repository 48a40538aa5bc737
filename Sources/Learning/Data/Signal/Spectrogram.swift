import BSSCore
import CBSSKernels

/// A matrix in row-major order: rows are frequency bins, bands or coefficients, columns are frames.
public struct SignalMatrix: Sendable {
    public let rows, columns: Int
    public var values: [Float]
    public init(rows: Int, columns: Int, values: [Float]) {
        self.rows = rows
        self.columns = columns
        self.values = values
    }
}

/// Short-time Fourier transform: which samples make a frame, and how a frame is weighted.
public struct ShortTimeTransform: Sendable {
    public enum Padding: String, Sendable { case constant, reflect }
    /// What becomes of a magnitude: itself, its square, or log(magnitude + offset).
    public enum Measure: Sendable {
        case magnitude, power
        case log(offset: Double)
    }

    public let fftLength, windowLength, hop: Int
    /// Frame t is centred on sample t · hop: the signal is padded by half a transform on both sides.
    public let isCentred: Bool
    public let padding: Padding
    /// The Hann window, zero-padded to the transform length on both sides.
    private let window: [Double]
    /// For powers of two: bit-reversed positions, and cos, sin of -2πk / n.
    private let order: [Int32]
    private let cosines, sines: [Double]

    /// - Parameter windowLength: at most `fftLength`; the window stands in the middle of the frame.
    public init(
        fftLength: Int, windowLength: Int? = nil, hop: Int, isCentred: Bool = true, padding: Padding = .constant
    ) throws {
        let windowLength = windowLength ?? fftLength
        guard fftLength > 0, hop > 0, windowLength > 0, windowLength <= fftLength else {
            throw BSSError(
                "spectrogram",
                "needs n_fft ≥ window length > 0 and hop > 0, got n_fft \(fftLength), window \(windowLength), hop "
                    + "\(hop)",
                kind: .usage)
        }
        self.fftLength = fftLength
        self.windowLength = windowLength
        self.hop = hop
        self.isCentred = isCentred
        self.padding = padding
        let left = (fftLength - windowLength) / 2
        let hann = ShortTimeTransform.hann(windowLength)
        window = (0..<fftLength).map { $0 >= left && $0 < left + windowLength ? hann[$0 - left] : 0 }
        let half = fftLength / 2
        let isFast = fftLength >= 4 && fftLength & (fftLength - 1) == 0
        order = isFast ? FourierTransform.bitReversed(half) : []
        cosines = isFast ? (0..<half).map { FourierTransform.unit($0, fftLength).re } : []
        sines = isFast ? (0..<half).map { FourierTransform.unit($0, fftLength).im } : []
    }

    public var bins: Int { fftLength / 2 + 1 }

    /// The Hann window w[j] = ½ - ½ cos(2πj / N); N = n (periodic, for spectra) or n - 1 (symmetric).
    public static func hann(_ n: Int, periodic: Bool = true) -> [Double] {
        let period = periodic ? n : n - 1
        guard period > 0, n > 1 else { return [Double](repeating: 1, count: n) }
        return (0..<n).map { 0.5 - 0.5 * Math.cos(2 * .pi * Double($0) / Double(period)) }
    }

    /// 1 + (samples / hop) frames when centred.
    public func frames(_ samples: Int) -> Int {
        let length = isCentred ? samples + fftLength / 2 * 2 : samples
        return length < fftLength ? 0 : 1 + (length - fftLength) / hop
    }

    /// The measure of |X[k, t]|: [bins, frames].
    ///
    /// - Throws: for no samples; for fewer than a frame without centring; for reflection about fewer samples than are
    ///   padded.
    public func spectrum(_ samples: [Float], _ measure: Measure = .magnitude) throws -> SignalMatrix {
        let pad = isCentred ? fftLength / 2 : 0
        let count = samples.count
        let frames = self.frames(count)
        guard count > 0, frames > 0 else {
            throw BSSError("spectrogram", "\(count) samples do not fill a frame of \(fftLength)", kind: .data)
        }
        guard frames.multipliedReportingOverflow(by: bins).overflow == false, frames * bins <= 1 << 29 else {
            throw BSSError(
                "spectrogram", "\(bins) frequencies of \(frames) frames are too many numbers",
                hint: "a longer hop makes fewer",
                kind: .usage)
        }
        try Memory.reserve(frames * bins, of: 4, "spectrogram", "\(bins) frequencies of \(frames) frames")
        guard padding == .constant || pad < count else {
            throw BSSError(
                "spectrogram", "reflecting \(pad) samples needs more than \(pad) of them, got \(count)", kind: .data)
        }
        let values =
            order.isEmpty
            ? anyLength(samples, measure, pad: pad, frames: frames)
            : powerOfTwo(samples, measure, pad: pad, frames: frames)
        return SignalMatrix(rows: bins, columns: frames, values: values)
    }

    private func powerOfTwo(_ samples: [Float], _ measure: Measure, pad: Int, frames: Int) -> [Float] {
        let (kind, offset): (Int32, Double)
        switch measure {
        case .magnitude: (kind, offset) = (Int32(BSS_STFT_MAGNITUDE), 0)
        case .power: (kind, offset) = (Int32(BSS_STFT_POWER), 0)
        case .log(let added): (kind, offset) = (Int32(BSS_STFT_LOG), added)
        }
        return [Float](unsafeUninitializedCapacity: bins * frames) { to, filled in
            window.withUnsafeBufferPointer { window in
                order.withUnsafeBufferPointer { order in
                    cosines.withUnsafeBufferPointer { cosines in
                        sines.withUnsafeBufferPointer { sines in
                            var plan = bss_stft(
                                n: Int64(fftLength), hop: Int64(hop), pad: Int64(pad),
                                reflects: padding == .reflect ? 1 : 0, window: window.baseAddress,
                                order: order.baseAddress, cosines: cosines.baseAddress, sines: sines.baseAddress)
                            withUnsafeTemporaryAllocation(of: Double.self, capacity: Int(bss_stft_work(&plan))) {
                                work in
                                bss_stft_frames(
                                    &plan, samples, Int64(samples.count), Int64(frames), kind, offset, work.baseAddress,
                                    to.baseAddress)
                            }
                        }
                    }
                }
            }
            filled = bins * frames
        }
    }

    private func anyLength(_ samples: [Float], _ measure: Measure, pad: Int, frames: Int) -> [Float] {
        let bins = self.bins
        let count = samples.count
        let plan = FourierTransform(fftLength)
        var values = [Float](repeating: 0, count: bins * frames)
        var frame = [Double](repeating: 0, count: fftLength)
        var real = [Double](repeating: 0, count: bins)
        var imaginary = real
        samples.withUnsafeBufferPointer { x in
            for t in 0..<frames {
                let start = t * hop - pad
                for j in 0..<fftLength {
                    var at = start + j
                    if at < 0 || at >= count {
                        guard padding == .reflect else {
                            frame[j] = 0
                            continue
                        }
                        at = at < 0 ? -at : 2 * (count - 1) - at
                    }
                    frame[j] = window[j] * Double(x[at])
                }
                plan.transform(frame, real: &real, imaginary: &imaginary)
                for k in 0..<bins {
                    let square = real[k] * real[k] + imaginary[k] * imaginary[k]
                    switch measure {
                    case .magnitude: values[k * frames + t] = Float(square.squareRoot())
                    case .power: values[k * frames + t] = Float(square)
                    case .log(let offset): values[k * frames + t] = Float(Math.log(square.squareRoot() + offset))
                    }
                }
            }
        }
        return values
    }

    /// log(|X| + offset), the input of the paper's audio encoders.
    ///
    /// Source: the released training code of balance-aware sequence sampling (CREMA-D loader): librosa STFT with
    /// n_fft 512, hop 353, offset 1e-7.
    public func logMagnitude(_ samples: [Float], offset: Double = 1e-7) throws -> SignalMatrix {
        try spectrum(samples, .log(offset: offset))
    }
}

/// Fitting recordings of any length to one length, as the paper's loaders do.
public enum Recording {
    /// Repeats the samples until `length` is reached, cuts there, and clips to [-1, 1].
    public static func tiled(_ samples: [Float], length: Int) -> [Float] {
        guard !samples.isEmpty else { return [Float](repeating: 0, count: length) }
        let clipped = samples.prefix(length).map { min(1, max(-1, $0)) }
        var tiled: [Float] = []
        tiled.reserveCapacity(length)
        while tiled.count < length { tiled += clipped.prefix(length - tiled.count) }
        return tiled
    }
}
