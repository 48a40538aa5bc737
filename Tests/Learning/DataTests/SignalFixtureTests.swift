import BSSCodecs
import BSSCore
import BSSData
import Testing
import _BSSTestSupport

/// The `signal` group of the reference numbers.
@Suite struct SignalFixtureTests {
    @Test func signal() throws {
        for failure in try FixtureGroup.run("signal", { try outputs($0) }) { Issue.record("\(failure)") }
    }

    private func outputs(_ item: FixtureCase) throws -> [String: NpyArray] {
        switch item.op {
        case "wav_decode": return try wave(item)
        case "resample": return try resample(item)
        case "log_spectrogram": return try spectrogram(item)
        case "mel_mfcc": return try mel(item)
        case "rfft": return try fourier(item)
        case "hann_window":
            let n = try item.int("n")
            return [
                "y": NpyArray(
                    ShortTimeTransform.hann(n, periodic: try item.bool("periodic", default: true)), shape: [n])
            ]
        case "png_decode", "jpeg_decode":
            let image = try RasterImage.read(item.path(try item.string("file")))
            return ["rgb": NpyArray(image.pixels, shape: [image.height, image.width, 3])]
        case "image_preprocess": return try preprocess(item)
        case "interpolate": return try interpolate(item)
        default: throw BSSError(item.id, "unknown operation \(item.op)")
        }
    }

    private func wave(_ item: FixtureCase) throws -> [String: NpyArray] {
        let wav = try WAV.read(item.path(try item.string("file")))
        #expect(try wav.sampleRate == item.int("sample_rate") && wav.channels == item.int("channels"))
        return ["samples": NpyArray(wav.mono)]
    }

    private func resample(_ item: FixtureCase) throws -> [String: NpyArray] {
        let resampler = try Resampler(from: try item.int("from"), to: try item.int("to"))
        #expect(try resampler.up == item.int("up") && resampler.down == item.int("down"))
        let out = NpyArray(resampler.resample(try item.floats("samples")))
        return ["resample_poly": out, "soxr_hq": out]
    }

    private func transform(_ item: FixtureCase) throws -> ShortTimeTransform {
        #expect(try item.string("window", default: "hann (periodic)") == "hann (periodic)")
        let padding = try #require(
            ShortTimeTransform.Padding(rawValue: try item.string("pad_mode", default: "constant")))
        return try ShortTimeTransform(
            fftLength: try item.int("n_fft"), windowLength: item.attrs["win_length"]?.int,
            hop: try item.int("hop_length"),
            isCentred: try item.bool("center", default: true), padding: padding)
    }

    private func spectrogram(_ item: FixtureCase) throws -> [String: NpyArray] {
        let stft = try transform(item)
        let samples = Recording.tiled(try item.floats("samples"), length: try item.int("length"))
        let frames = try item.has("frames") ? item.integers("frames") : Array(0..<stft.frames(samples.count))
        func chosen(_ matrix: SignalMatrix) throws -> NpyArray {
            #expect(try [matrix.rows, matrix.columns] == item.ints("shape"))
            var values: [Float] = []
            for row in 0..<matrix.rows { for t in frames { values.append(matrix.values[row * matrix.columns + t]) } }
            return NpyArray(values, shape: [matrix.rows, frames.count])
        }
        return [
            "magnitude": try chosen(try stft.spectrum(samples)),
            "log_magnitude": try chosen(try stft.logMagnitude(samples, offset: try item.double("log_offset"))),
        ]
    }

    private func mel(_ item: FixtureCase) throws -> [String: NpyArray] {
        let stft = try transform(item)
        let bands = try item.int("n_mels")
        let filters = MelScale.filters(
            sampleRate: try item.double("sample_rate"), fftLength: stft.fftLength, bands: bands,
            low: try item.double("fmin"),
            high: try item.double("fmax"), htk: try item.bool("htk"), normalised: item.attrs["norm"]?.string == "slaney"
        )
        let exponent = try item.double("power", default: 2)
        #expect(exponent == 1 || exponent == 2)
        let power = MelScale.apply(
            filters, try stft.spectrum(try item.floats("samples"), exponent == 1 ? .magnitude : .power))
        let decibels = MelScale.decibels(
            power, floor: try item.double("amin", default: 1e-10), range: item.attrs["top_db"]?.double)
        let cepstrum = MelScale.cepstrum(decibels, count: try item.int("n_mfcc"))
        func array(_ m: SignalMatrix) -> NpyArray { NpyArray(m.values, shape: [m.rows, m.columns]) }
        return [
            "mel_filters": NpyArray(filters.flatMap { $0 }, shape: [bands, stft.bins]), "mel_power": array(power),
            "mel_db": array(decibels),
            "mfcc": array(cepstrum),
        ]
    }

    private func fourier(_ item: FixtureCase) throws -> [String: NpyArray] {
        let x = try item.array("x")
        let n = try item.int("n")
        let plan = FourierTransform(n)
        let samples = try #require(x.doubles)
        var out: [Double] = []
        for row in 0..<(n == 0 ? 0 : samples.count / n) {
            var real = [Double](repeating: 0, count: plan.bins)
            var imaginary = real
            plan.transform(Array(samples[row * n..<(row + 1) * n]), real: &real, imaginary: &imaginary)
            for k in 0..<plan.bins { out += [real[k], imaginary[k]] }
        }
        return ["y": NpyArray(out, shape: Array(x.shape.dropLast()) + [plan.bins, 2])]
    }

    private func preprocess(_ item: FixtureCase) throws -> [String: NpyArray] {
        var image = try RasterImage.read(item.path(try item.string("file")))
        if let box = try item.attrs["crop_top_left_height_width"].map({ _ in try item.ints("crop_top_left_height_width")
        }) {
            image = image.cropped(top: box[0], left: box[1], height: box[2], width: box[3])
        }
        if let resize = item.attrs["resize"] {
            let interpolation = try #require(Interpolation(rawValue: try item.string("interpolation")))
            if let short = resize.int {
                image = image.resized(shortSide: short, interpolation)
            } else {
                let size = try item.ints("resize")
                image = image.resized(width: size[1], height: size[0], interpolation)
            }
        }
        if item.attrs["center_crop"] != nil {
            let size = try item.ints("center_crop")
            image = image.centreCropped(height: size[0], width: size.last ?? size[0])
        }
        if try item.bool("horizontal_flip", default: false) { image = image.flippedHorizontally }
        let values = image.normalised(
            mean: try item.doubles("mean").map { Float($0) }, std: try item.doubles("std").map { Float($0) })
        return [
            "resized": NpyArray(image.pixels, shape: [image.height, image.width, 3]),
            "normalized": NpyArray(values, shape: [3, image.height, image.width]),
        ]
    }

    private func interpolate(_ item: FixtureCase) throws -> [String: NpyArray] {
        let x = try item.array("x")
        let height = x.shape[2]
        let width = x.shape[3]
        let mode = try #require(Interpolate.Mode(rawValue: try item.string("mode")))
        var scales: (height: Double, width: Double)?
        var size: [Int]
        if item.attrs["size"]?.isNull ?? true {
            let factor = try item.doubles("scale_factor")
            scales = (factor[0], factor.last!)
            size = [Int(Double(height) * factor[0]), Int(Double(width) * factor.last!)]
        } else {
            size = try item.ints("size")
            if size.count == 1 { size.append(size[0]) }
        }
        let y = try Interpolate.planes(
            try item.floats("x"), planes: x.shape[0] * x.shape[1], height: height, width: width, toHeight: size[0],
            toWidth: size[1], mode: mode,
            alignCorners: item.attrs["align_corners"]?.bool ?? false, antialias: item.attrs["antialias"]?.bool ?? false,
            scales: scales)
        return ["y": NpyArray(y, shape: Array(x.shape.prefix(2)) + size)]
    }
}
