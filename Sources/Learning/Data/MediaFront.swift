import BSSCodecs
import BSSCore

/// Options of recordings.
enum AudioFront {
    static let sampleRate = Argument<Int>(
        "sample_rate", default: 8000, "hertz; recordings of another rate are resampled", check: .range(100...1_000_000))
    static let fit = Argument<String>(
        "fit", default: "stretch",
        "how recordings become equally long: tile (repeated and cut to `seconds`, as the paper's code does), pad (zeros), stretch (the spectrogram is resized in time)",
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

    static func make(_ a: Arguments, size sizeArgument: Argument<Value> = AudioFront.size) throws -> ReaderFront {
        ReaderFront(kind: .audio, reader: try reader(a, size: sizeArgument))
    }

    static func reader(_ a: Arguments, size sizeArgument: Argument<Value>) throws -> SpectrogramReader {
        let fit = SpectrogramReader.Fit(rawValue: a[fit]) ?? .tile
        let scale = SpectrogramReader.Scale(rawValue: a[scale]) ?? .log
        let size = try MediaSize.read(a[sizeArgument], sizeArgument.name, a.operation)
        guard fit != .stretch || size != nil else {
            throw BSSError(
                a.operation,
                "option '\(sizeArgument.name)' = false keeps each recording's own length; with fit = \"stretch\" a size is needed",
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

/// Options of pictures.
enum ImageFront {
    static let size = Argument<Value>(
        "image_size", default: .bool(false),
        "{height, width} to resize images to; false keeps their own size, which must be one for all")

    /// Grey or RGB, values / 255.
    static func make(size: (height: Int, width: Int)?, isGrey: Bool, alpha: RasterImage.Alpha) -> ReaderFront {
        ReaderFront(
            kind: .image, reader: PictureReader(pipeline: PicturePipeline(size: size, isGrey: isGrey), alpha: alpha))
    }
}

/// Text as weighted words: tf-idf over the words of the training split.
///
/// Words are runs of letters and digits in lower case. Weight: (1 + ln tf) · (ln((1 + n)/(1 + df)) + 1), each sample
/// scaled to length 1, then all by one factor so that the mean square on the training split is 1, as for standardised
/// features.
struct TextFront: MediaFront {
    /// Further columns whose text is appended.
    let more: [String]
    /// Words seen in fewer training samples are left out.
    let leastCount: Int
    var isScaled: Bool { true }

    func load(_ modality: String, column: String, _ list: MediaList) throws -> Modality {
        let columns = try ([column] + more).map { try list.column($0) }
        let words = list.table.rows.indices.map { row in TextFront.words(columns.map { $0[row] }.joined(separator: " "))
        }
        let train = list.splits.indices.filter { list.splits[$0] == .train }
        var documents: [String: Int] = [:]
        for row in train { for word in Set(words[row]) { documents[word, default: 0] += 1 } }
        let vocabulary = documents.filter { $0.value >= leastCount }.keys.sorted {
            $0.utf8.lexicographicallyPrecedes($1.utf8)
        }
        guard !vocabulary.isEmpty else {
            throw BSSError(
                list.operation, "\(list.name): no word of '\(column)' occurs in \(leastCount) training samples",
                kind: .data)
        }
        let place = Dictionary(uniqueKeysWithValues: vocabulary.enumerated().map { ($1, $0) })
        let inverse = vocabulary.map { Math.log(Double(1 + train.count) / Double(1 + documents[$0]!)) + 1 }
        let d = vocabulary.count
        var values = [Float](repeating: 0, count: words.count * d)
        for (row, list) in words.enumerated() {
            var counts: [Int: Int] = [:]
            for word in list { if let column = place[word] { counts[column, default: 0] += 1 } }
            let weights = counts.sorted { $0.key < $1.key }.map {
                ($0.key, (1 + Math.log(Double($0.value))) * inverse[$0.key])
            }
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
            throw BSSError(
                operation,
                "option '\(option)' expects {height, width} from 1 to 8192, or false, got \(JSON.lua(value))",
                kind: .usage)
        }
        return (sizes[0], sizes[1])
    }
}
