import BSSCodecs
import BSSCore

/// Recordings to spectrograms of one size: the paper's pipeline with its sizes as options.
///
/// WAV → mono → `sample_rate` → repeated or cut to `seconds`, clipped to [-1, 1] → STFT (periodic Hann window, centred,
/// zeros at the edges) → log(|X| + offset) → resized to `audio_size`.
struct AudioFront {
    static let sampleRate = Argument<Int>("sample_rate", default: 8000, "hertz; recordings of another rate are resampled", check: .range(100...1_000_000))
    static let fit = Argument<String>(
        "fit", default: "stretch",
        "how recordings become equally long: tile (repeated and cut to `seconds`, as the paper's code does), pad (zeros), stretch (the spectrogram is resized in time)",
        check: .oneOf(["tile", "pad", "stretch"]))
    static let seconds = Argument<Double>("seconds", default: 1, "length for tile and pad", check: .above(0))
    static let fftLength = Argument<Int>("n_fft", default: 256, "samples in a frame", check: .range(2...65536))
    static let hop = Argument<Int>("hop", default: 64, "samples between frames", check: .range(1...65536))
    static let offset = Argument<Double>("log_offset", default: 1e-3, "added to magnitudes before the logarithm (the paper's code: 1e-7)", check: .above(0))
    static let size = Argument<Value>("audio_size", default: .list([24, 24].map { Value.int($0) }), "{frequency, time} to resize spectrograms to; false keeps their own size")
    static let arguments: [any AnyArgument] = [sampleRate, fit, seconds, fftLength, hop, offset, size]

    private let rate: Int, length: Int, isTiled: Bool, isStretched: Bool, offset: Double
    private let transform: ShortTimeTransform
    private let size: (height: Int, width: Int)?
    private let operation: String

    init(_ a: Arguments) throws {
        rate = a[AudioFront.sampleRate]
        isStretched = a[AudioFront.fit] == "stretch"
        isTiled = a[AudioFront.fit] == "tile"
        length = Int((a[AudioFront.seconds] * Double(rate)).rounded())
        offset = a[AudioFront.offset]
        transform = try ShortTimeTransform(fftLength: a[AudioFront.fftLength], hop: a[AudioFront.hop])
        size = try mediaSize(a[AudioFront.size], "audio_size", a.operation)
        operation = a.operation
        guard !isStretched || size != nil else {
            throw BSSError(operation, "option 'audio_size' = false keeps each recording's own length; with fit = \"stretch\" a size is needed", kind: .usage)
        }
    }

    func load(_ files: [String], _ name: String, _ folder: DataFolder, _ lines: [Int], _ list: String) throws -> Modality {
        var resamplers: [Int: Resampler] = [:]
        return try loaded(files, name, .audio, folder, lines, list, operation) { bytes, file in
            let wav = try WAV(bytes: bytes, source: file)
            guard wav.frames > 0 else { throw BSSError("read wav", "\(file): holds no samples", kind: .data) }
            var samples = wav.mono
            if wav.sampleRate != rate {
                let resampler = try resamplers[wav.sampleRate] ?? Resampler(from: wav.sampleRate, to: rate)
                resamplers[wav.sampleRate] = resampler
                samples = resampler.resample(samples)
            }
            if isTiled {
                samples = Recording.tiled(samples, length: length)
            } else {
                samples = samples.map { min(1, max(-1, $0)) }
                if !isStretched { samples = Array(samples.prefix(length)) + [Float](repeating: 0, count: max(0, length - samples.count)) }
            }
            let spectrum = try transform.logMagnitude(samples, offset: offset)
            guard let size else { return ([1, spectrum.rows, spectrum.columns], spectrum.values) }
            let values = try Interpolate.planes(
                spectrum.values, planes: 1, height: spectrum.rows, width: spectrum.columns, toHeight: size.height, toWidth: size.width,
                mode: .bilinear, antialias: true)
            return ([1, size.height, size.width], values)
        }
    }
}

/// Pictures to grey or RGB images of one size, values / 255.
struct ImageFront {
    static let size = Argument<Value>("image_size", default: .bool(false), "{height, width} to resize images to; false keeps their own size, which must be one for all")

    private let size: (height: Int, width: Int)?
    private let isGrey: Bool
    private let alpha: RasterImage.Alpha
    private let operation: String

    init(_ a: Arguments, grey: Bool = true, alpha: RasterImage.Alpha = .dropped) throws {
        size = try mediaSize(a[ImageFront.size], "image_size", a.operation)
        isGrey = grey
        self.alpha = alpha
        operation = a.operation
    }

    func load(_ files: [String], _ name: String, _ folder: DataFolder, _ lines: [Int], _ list: String) throws -> Modality {
        try loaded(files, name, .image, folder, lines, list, operation) { bytes, file in
            var image = try RasterImage.decode(bytes, source: file, alpha: alpha)
            if isGrey { image = image.grey }
            if let size { image = image.resized(width: size.width, height: size.height) }
            return ([image.channels, image.height, image.width], image.normalised(mean: [], std: []))
        }
    }
}

/// `{height, width}`, or `nil` for false.
private func mediaSize(_ value: Value, _ option: String, _ operation: String) throws -> (height: Int, width: Int)? {
    if case .bool(false) = value { return nil }
    let sizes = (value.table?.items ?? []).compactMap(\.int)
    guard sizes.count == 2, value.table?.items.count == 2, sizes.allSatisfy({ (1...8192).contains($0) }) else {
        throw BSSError(operation, "option '\(option)' expects {height, width} from 1 to 8192, or false, got \(JSON.lua(value))", kind: .usage)
    }
    return (sizes[0], sizes[1])
}

/// Decodes one file a sample; all must come out in one shape.
private func loaded(
    _ files: [String], _ name: String, _ kind: Modality.Kind, _ folder: DataFolder, _ lines: [Int], _ list: String, _ operation: String,
    _ decode: ([UInt8], String) throws -> (shape: [Int], values: [Float])
) throws -> Modality {
    var shape: [Int] = [], values: [Float] = []
    for (index, file) in files.enumerated() {
        if index % 64 == 0 { try Cancellation.check(operation) }
        func failure(_ reason: String) -> BSSError { BSSError(operation, "\(list): line \(lines[index]): \(reason)", kind: .data) }
        guard !file.isEmpty else { throw failure("no file is named for '\(name)'") }
        let one: (shape: [Int], values: [Float])
        do { one = try decode(try folder.read(file), file) } catch let error as BSSError where error.kind == .data { throw failure(error.message) }
        if index == 0 {
            shape = one.shape
            values.reserveCapacity(files.count * one.values.count)
        }
        guard one.shape == shape else { throw failure("\(file) gives shape \(one.shape), the first file of '\(name)' gives \(shape)") }
        values += one.values
    }
    return Modality(name, kind, shape: shape, values: values)
}
