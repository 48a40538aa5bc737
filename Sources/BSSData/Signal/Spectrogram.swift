import BSSCore

/// A matrix in row-major order: rows are frequency bins, bands or coefficients, columns are frames.
public struct SignalMatrix {
    public let rows, columns: Int
    public var values: [Float]
    public init(rows: Int, columns: Int, values: [Float]) {
        self.rows = rows
        self.columns = columns
        self.values = values
    }
}

/// Short-time Fourier transform: which samples make a frame, and how a frame is weighted.
public struct ShortTimeTransform {
    public enum Padding: String { case constant, reflect }

    public let fftLength, windowLength, hop: Int
    /// Frame t is centred on sample t · hop: the signal is padded by half a transform on both sides.
    public let isCentred: Bool
    public let padding: Padding
    /// The Hann window, zero-padded to the transform length on both sides.
    private let window: [Double]
    private let plan: FourierTransform

    /// - Parameter windowLength: at most `fftLength`; the window stands in the middle of the frame.
    public init(fftLength: Int, windowLength: Int? = nil, hop: Int, isCentred: Bool = true, padding: Padding = .constant) throws {
        let windowLength = windowLength ?? fftLength
        guard fftLength > 0, hop > 0, windowLength > 0, windowLength <= fftLength else {
            throw BSSError("spectrogram", "needs n_fft ≥ window length > 0 and hop > 0, got n_fft \(fftLength), window \(windowLength), hop \(hop)", kind: .usage)
        }
        self.fftLength = fftLength
        self.windowLength = windowLength
        self.hop = hop
        self.isCentred = isCentred
        self.padding = padding
        let left = (fftLength - windowLength) / 2
        let hann = ShortTimeTransform.hann(windowLength)
        window = (0..<fftLength).map { $0 >= left && $0 < left + windowLength ? hann[$0 - left] : 0 }
        plan = FourierTransform(fftLength)
    }

    public var bins: Int { plan.bins }

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

    /// |X[k, t]|^power, mapped by `finish`: [bins, frames].
    ///
    /// - Throws: for no samples; for fewer than a frame without centring; for reflection about fewer samples than are padded.
    public func spectrum(_ samples: [Float], power: Double = 1, finish: (Double) -> Double = { $0 }) throws -> SignalMatrix {
        let pad = isCentred ? fftLength / 2 : 0, count = samples.count
        let frames = self.frames(count)
        guard count > 0, frames > 0 else { throw BSSError("spectrogram", "\(count) samples do not fill a frame of \(fftLength)", kind: .data) }
        guard padding == .constant || pad < count else {
            throw BSSError("spectrogram", "reflecting \(pad) samples needs more than \(pad) of them, got \(count)", kind: .data)
        }
        let bins = self.bins
        var values = [Float](repeating: 0, count: bins * frames)
        var frame = [Double](repeating: 0, count: fftLength), real = [Double](repeating: 0, count: bins), imaginary = real
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
                    let magnitude = power == 2 ? square : power == 1 ? square.squareRoot() : Math.pow(square, power / 2)
                    values[k * frames + t] = Float(finish(magnitude))
                }
            }
        }
        return SignalMatrix(rows: bins, columns: frames, values: values)
    }

    /// log(|X| + offset), the input of the paper's audio encoders.
    ///
    /// Source: the released training code of balance-aware sequence sampling (CREMA-D loader): librosa STFT with
    /// n_fft 512, hop 353, offset 1e-7.
    public func logMagnitude(_ samples: [Float], offset: Double = 1e-7) throws -> SignalMatrix {
        try spectrum(samples) { Math.log($0 + offset) }
    }
}

/// Fitting recordings of any length to one length, as the paper's loaders do.
public enum Recording {
    /// Repeats the samples until `length` is reached, cuts there, and clips to [-1, 1].
    public static func tiled(_ samples: [Float], length: Int) -> [Float] {
        guard !samples.isEmpty else { return [Float](repeating: 0, count: length) }
        return (0..<length).map { min(1, max(-1, samples[$0 % samples.count])) }
    }
}
