import BSSCodecs
import BSSCore

/// Options of recordings.
enum SoundColumn {
    static let sampleRate = Argument<Int>(
        "sample_rate", default: 8000, "hertz; recordings of another rate are resampled", check: .range(100...1_000_000))
    static let fit = Argument<String>(
        "fit", default: "stretch",
        "how recordings become equally long: tile (repeated and cut to `seconds`, as the paper's code does), pad "
            + "(zeros), stretch (the spectrogram is resized in time)",
        check: .oneOf(SpectrogramReader.Fit.allCases.map(\.rawValue)))
    static let seconds = Argument<Double>(
        "seconds", default: 1, "length for tile and pad", check: .above(0, upTo: 3600))
    static let fftLength = Argument<Int>("n_fft", default: 256, "samples in a frame", check: .range(2...65536))
    static let hop = Argument<Int>("hop", default: 64, "samples between frames", check: .range(1...65536))
    static let offset = Argument<Double>(
        "log_offset", default: 1e-3, "added to magnitudes before the logarithm (the paper's code: 1e-7)",
        check: .above(0))
    static let scale = Argument<String>(
        "spectrum", default: "log", "log (magnitudes), mel (decibels of mel bands) or mfcc",
        check: .oneOf(SpectrogramReader.Scale.allCases.map(\.rawValue)))
    static let bands = Argument<Int>("mel_bands", default: 64, "mel bands, for mel and mfcc", check: .range(1...1024))
    static let coefficients = Argument<Int>(
        "coefficients", default: 20, "for mfcc; at most as many as bands", check: .range(1...1024))
    static let size = Argument<Value>(
        "audio_size", default: .list([24, 24].map { Value.int($0) }),
        "{frequency, time} to resize spectrograms to; false keeps their own size")
    static let arguments: [any AnyArgument] = [
        sampleRate, fit, seconds, fftLength, hop, offset, scale, bands, coefficients,
    ]

    static func form(_ a: Arguments, size sizeArgument: Argument<Value> = SoundColumn.size) throws -> ColumnForm {
        .media(.audio, try reader(a, size: sizeArgument))
    }

    static func reader(_ a: Arguments, size sizeArgument: Argument<Value>) throws -> SpectrogramReader {
        let fit = SpectrogramReader.Fit(rawValue: a[fit]) ?? .tile
        let scale = SpectrogramReader.Scale(rawValue: a[scale]) ?? .log
        let size = try MediaSize.read(a[sizeArgument], sizeArgument.name, a.operation)
        guard fit != .stretch || size != nil else {
            throw BSSError(
                a.operation,
                "option '\(sizeArgument.name)' = false keeps each recording's own length; with fit = \"stretch\" a "
                    + "size is needed",
                kind: .usage)
        }
        guard scale != .mfcc || a[coefficients] <= a[bands] else {
            throw BSSError(
                a.operation, "option 'coefficients' expects at most mel_bands = \(a[bands]), got \(a[coefficients])",
                kind: .usage)
        }
        guard a[seconds] * Double(a[sampleRate]) <= Double(1 << 27) else {
            throw BSSError(
                a.operation, "\(Text.number(a[seconds])) seconds at \(a[sampleRate]) Hz are more than 2^27 samples",
                kind: .usage)
        }
        return SpectrogramReader(
            rate: a[sampleRate], fit: fit,
            length: max(1, Int(saturating: (a[seconds] * Double(a[sampleRate])).rounded())),
            offset: a[offset],
            transform: try ShortTimeTransform(fftLength: a[fftLength], hop: a[hop]), size: size, scale: scale,
            bands: a[bands], coefficients: a[coefficients])
    }
}
