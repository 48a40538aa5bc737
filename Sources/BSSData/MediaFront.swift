import BSSCodecs
import BSSCore

/// Recordings to spectrograms of one size: the paper's pipeline with its sizes as options.
///
/// WAV → mono → `sample_rate` → repeated or cut to `seconds`, clipped to [-1, 1] → STFT (periodic Hann window, centred,
/// zeros at the edges) → log(|X| + offset) → resized.
struct AudioFront: MediaFront {
    static let sampleRate = Argument<Int>("sample_rate", default: 8000, "hertz; recordings of another rate are resampled", check: .range(100...1_000_000))
    static let fit = Argument<String>(
        "fit", default: "stretch",
        "how recordings become equally long: tile (repeated and cut to `seconds`, as the paper's code does), pad (zeros), stretch (the spectrogram is resized in time)",
        check: .oneOf(["tile", "pad", "stretch"]))
    static let seconds = Argument<Double>("seconds", default: 1, "length for tile and pad", check: .above(0, upTo: 3600))
    static let fftLength = Argument<Int>("n_fft", default: 256, "samples in a frame", check: .range(2...65536))
    static let hop = Argument<Int>("hop", default: 64, "samples between frames", check: .range(1...65536))
    static let offset = Argument<Double>("log_offset", default: 1e-3, "added to magnitudes before the logarithm (the paper's code: 1e-7)", check: .above(0))
    static let size = Argument<Value>("audio_size", default: .list([24, 24].map { Value.int($0) }), "{frequency, time} to resize spectrograms to; false keeps their own size")
    static let arguments: [any AnyArgument] = [sampleRate, fit, seconds, fftLength, hop, offset]

    private let rate: Int, length: Int, isTiled: Bool, isStretched: Bool, offset: Double
    private let transform: ShortTimeTransform
    private let size: (height: Int, width: Int)?

    init(_ a: Arguments, size sizeArgument: Argument<Value> = AudioFront.size) throws {
        rate = a[AudioFront.sampleRate]
        isStretched = a[AudioFront.fit] == "stretch"
        isTiled = a[AudioFront.fit] == "tile"
        length = max(1, Int((a[AudioFront.seconds] * Double(rate)).rounded()))
        offset = a[AudioFront.offset]
        transform = try ShortTimeTransform(fftLength: a[AudioFront.fftLength], hop: a[AudioFront.hop])
        size = try MediaSize.read(a[sizeArgument], sizeArgument.name, a.operation)
        guard !isStretched || size != nil else {
            throw BSSError(a.operation, "option '\(sizeArgument.name)' = false keeps each recording's own length; with fit = \"stretch\" a size is needed", kind: .usage)
        }
    }

    func load(_ modality: String, column: String, _ list: MediaList) throws -> Modality {
        var resamplers: [Int: Resampler] = [:]
        return try list.decoded(modality, .audio, column: column) { bytes, file in
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

/// Pictures to grey or RGB images of one size, values / 255: [channels, height, width].
struct ImageFront: MediaFront {
    static let size = Argument<Value>("image_size", default: .bool(false), "{height, width} to resize images to; false keeps their own size, which must be one for all")

    let size: (height: Int, width: Int)?
    let isGrey: Bool
    let alpha: RasterImage.Alpha

    func load(_ modality: String, column: String, _ list: MediaList) throws -> Modality {
        try list.decoded(modality, .image, column: column) { bytes, file in
            var image = try RasterImage.decode(bytes, source: file, alpha: alpha)
            if isGrey { image = image.grey }
            if let size { image = image.resized(width: size.width, height: size.height) }
            return ([image.channels, image.height, image.width], image.normalised(mean: [], std: []))
        }
    }
}

/// A short video as one picture of frames, top to bottom; each grey frame becomes a channel: [frames, height, width].
struct FrameStackFront: MediaFront {
    let frames: Int
    let size: (height: Int, width: Int)?

    func load(_ modality: String, column: String, _ list: MediaList) throws -> Modality {
        try list.decoded(modality, .image, column: column) { bytes, file in
            let stack = try RasterImage.decode(bytes, source: file).grey
            guard stack.height % frames == 0 else {
                throw BSSError("read png", "\(file): \(stack.height) rows do not divide into \(frames) frames", kind: .data)
            }
            let height = stack.height / frames
            var shape: [Int] = [], values: [Float] = []
            for frame in 0..<frames {
                var image = stack.cropped(top: frame * height, left: 0, height: height, width: stack.width)
                if let size { image = image.resized(width: size.width, height: size.height) }
                shape = [frames, image.height, image.width]
                values += image.normalised(mean: [], std: [])
            }
            return (shape, values)
        }
    }
}

/// Text as weighted words: tf-idf over the words of the training split.
///
/// Words are runs of letters and digits in lower case. Weight: (1 + ln tf) · (ln((1 + n)/(1 + df)) + 1), each sample scaled
/// to length 1, then all by one factor so that the mean square on the training split is 1, as for standardised features.
struct TextFront: MediaFront {
    /// Further columns whose text is appended.
    let more: [String]
    /// Words seen in fewer training samples are left out.
    let leastCount: Int
    var isScaled: Bool { true }

    func load(_ modality: String, column: String, _ list: MediaList) throws -> Modality {
        let columns = try ([column] + more).map { try list.column($0) }
        let words = list.table.rows.indices.map { row in TextFront.words(columns.map { $0[row] }.joined(separator: " ")) }
        let train = list.splits.indices.filter { list.splits[$0] == .train }
        var documents: [String: Int] = [:]
        for row in train { for word in Set(words[row]) { documents[word, default: 0] += 1 } }
        let vocabulary = documents.filter { $0.value >= leastCount }.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        guard !vocabulary.isEmpty else { throw BSSError(list.operation, "\(list.name): no word of '\(column)' occurs in \(leastCount) training samples", kind: .data) }
        let place = Dictionary(uniqueKeysWithValues: vocabulary.enumerated().map { ($1, $0) })
        let inverse = vocabulary.map { Math.log(Double(1 + train.count) / Double(1 + documents[$0]!)) + 1 }
        let d = vocabulary.count
        var values = [Float](repeating: 0, count: words.count * d)
        for (row, list) in words.enumerated() {
            var counts: [Int: Int] = [:]
            for word in list { if let column = place[word] { counts[column, default: 0] += 1 } }
            let weights = counts.sorted { $0.key < $1.key }.map { ($0.key, (1 + Math.log(Double($0.value))) * inverse[$0.key]) }
            let length = weights.reduce(0) { $0 + $1.1 * $1.1 }.squareRoot()
            for (column, weight) in weights { values[row * d + column] = Float(weight / length) }
        }
        let filled = Double(train.count { row in values[row * d..<(row + 1) * d].contains { $0 != 0 } })
        let scale = Float((Double(d * train.count) / max(1, filled)).squareRoot())
        for i in values.indices { values[i] *= scale }
        return Modality(modality, .features, shape: [d], values: values)
    }

    static func words(_ text: String) -> [String] {
        text.lowercased().split { !($0.isLetter || $0.isNumber) }.map(String.init)
    }
}

enum MediaSize {
    /// `{height, width}`, or `nil` for false.
    static func read(_ value: Value, _ option: String, _ operation: String) throws -> (height: Int, width: Int)? {
        if case .bool(false) = value { return nil }
        let sizes = (value.table?.items ?? []).compactMap(\.int)
        guard sizes.count == 2, value.table?.items.count == 2, sizes.allSatisfy({ (1...8192).contains($0) }) else {
            throw BSSError(operation, "option '\(option)' expects {height, width} from 1 to 8192, or false, got \(JSON.lua(value))", kind: .usage)
        }
        return (sizes[0], sizes[1])
    }
}
