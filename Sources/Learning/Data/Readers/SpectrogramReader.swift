import BSSCodecs
import BSSCore

/// Recordings to spectrograms of one size: the paper's pipeline with its sizes as options.
///
/// Sound file → mono → `rate` → repeated or cut to `length`, clipped to [-1, 1] → STFT (periodic Hann window, centred,
/// zeros at the edges) → log(|X| + offset), mel decibels or cepstral coefficients → resized. [1, frequency, time]
struct SpectrogramReader: SampleReader {
    enum Fit: String, CaseIterable, Sendable {
        /// Repeated and cut to the length.
        case tile
        /// Doubled until the length is reached, then cut (the released KS and VGGSound loaders; the same numbers as
        /// `tile`).
        case pad, stretch
    }
    enum Scale: String, CaseIterable, Sendable { case log, mel, mfcc }

    let rate: Int
    let fit: Fit
    /// Samples, for `tile` and `pad`.
    let length: Int
    let offset: Double
    let transform: ShortTimeTransform
    let size: (height: Int, width: Int)?
    var scale = Scale.log
    /// Mel bands, and cepstral coefficients.
    var bands = 64, coefficients = 20

    var cacheKey: String? {
        "spectrogram \(rate) \(fit.rawValue) \(length) \(offset) \(transform.fftLength) \(transform.hop) "
            + "\(size.map { "\($0.height)x\($0.width)" } ?? "-") \(scale.rawValue) \(bands) \(coefficients)"
    }

    private var rows: Int { scale == .log ? transform.bins : scale == .mel ? bands : coefficients }

    func shape(augments: Bool) -> [Int]? {
        if let size { return [1, size.height, size.width] }
        return [1, rows, transform.frames(length)]
    }

    func read(_ medium: Medium, _ use: SampleUse) throws -> SampleBlock {
        guard let cache = use.cache else { return try decode(medium) }
        return try cache.block(medium.path) { try decode(medium) }
    }

    private func decode(_ medium: Medium) throws -> SampleBlock {
        let sound = try Sound(bytes: try medium.contents(), source: medium.name)
        guard sound.frames > 0 else { throw BSSError("read sound", "\(medium.name): holds no samples", kind: .data) }
        var samples = sound.mono
        if let bad = samples.firstIndex(where: { !$0.isFinite }) {
            throw BSSError("read sound", "\(medium.name): sample \(bad + 1) is not finite", kind: .data)
        }
        if sound.sampleRate != rate {
            do { samples = try Resampler.shared(from: sound.sampleRate, to: rate).resample(samples) } catch var error
                as BSSError
            {
                error.message = "\(medium.name): \(error.message)"
                throw error
            }
        }
        try Memory.reserve(fit == .stretch ? 0 : length, of: 8, "read \(medium.name)", "\(length) samples")
        switch fit {
        case .tile: samples = Recording.tiled(samples, length: length)
        case .stretch: samples = samples.map { min(1, max(-1, $0)) }
        case .pad:
            samples = samples.prefix(length).map { min(1, max(-1, $0)) }
            samples += [Float](repeating: 0, count: max(0, length - samples.count))
        }
        let spectrum = try spectrum(samples)
        guard let size else {
            return SampleBlock(shape: [1, spectrum.rows, spectrum.columns], values: spectrum.values)
        }
        let values = try Interpolate.planes(
            spectrum.values, planes: 1, height: spectrum.rows, width: spectrum.columns, toHeight: size.height,
            toWidth: size.width, mode: .bilinear, antialias: true)
        return SampleBlock(shape: [1, size.height, size.width], values: values)
    }

    private func spectrum(_ samples: [Float]) throws -> SignalMatrix {
        if scale == .log { return try transform.logMagnitude(samples, offset: offset) }
        let filters = MelScale.filters(
            sampleRate: Double(rate), fftLength: transform.fftLength, bands: bands, low: 0, high: Double(rate) / 2,
            htk: false, normalised: true)
        let decibels = MelScale.decibels(MelScale.apply(filters, try transform.spectrum(samples, .power)))
        return scale == .mel ? decibels : MelScale.cepstrum(decibels, count: coefficients)
    }
}

extension Resampler {
    nonisolated(unsafe) private static var made: [String: Resampler] = [:]
    /// Numbers in all filters that are kept.
    private static let most = 1 << 24
    private static let lock = Lock()

    /// One filter a pair of rates, made on first use.
    static func shared(from: Int, to: Int) throws -> Resampler {
        let key = "\(from) \(to)"
        if let found = lock.withLock({ made[key] }) { return found }
        let new = try Resampler(from: from, to: to)
        lock.withLock {
            if made.values.reduce(new.size, { $0 + $1.size }) > most { made = [:] }
            made[key] = new
        }
        return new
    }
}
