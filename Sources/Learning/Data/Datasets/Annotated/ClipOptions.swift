import BSSCore

/// Options of the audio-visual collections: a sound file and a folder of frames a clip.
///
/// Defaults are those of the released loaders: tiled recordings, log-magnitudes with n_fft 512 and hop 353; frames with
/// RandomResizedCrop, flip, and ImageNet's mean and deviation.
struct ClipOptions: Sendable {
    let modalities = DataArgument.modalities(["audio", "video"])
    let rate: Argument<Int>
    let seconds: Argument<Double>
    let fftLength = Argument<Int>("n_fft", default: 512, "samples in a frame", check: .range(2...65536))
    let hop = Argument<Int>("hop", default: 353, "samples between frames", check: .range(1...65536))
    let offset = Argument<Double>(
        "log_offset", default: 1e-7, "added to magnitudes before the logarithm", check: .above(0))
    let audioSize = Argument<Value>(
        "audio_size", default: .bool(false), "{frequency, time} to resize spectrograms to; false: as they are")
    let frames: Argument<Int>
    let pick = Argument<String>(
        "frame_pick", default: "random",
        "which frames: random (anew in every epoch; evenly spaced in evaluation), first (as released; there of an "
            + "unsorted listing) or even",
        check: .oneOf(FrameFolderReader.Pick.allCases.map(\.rawValue)))
    let least: Argument<Int>
    let imageSize: Argument<Value>
    let augment = Argument<Bool>(
        "augment", default: true,
        "training frames: random crop (area 0.08 to 1, sides 3:4 to 4:3) and flip; false: as in evaluation")

    /// - Parameter least: frames that a folder must hold in the released loader.
    init(rate: Int, seconds: Double, frames: Int, least: Int, side: Int) {
        self.rate = Argument(
            "sample_rate", default: rate, "hertz; recordings of another rate are resampled",
            check: .range(100...1_000_000))
        self.seconds = Argument(
            "seconds", default: seconds, "recordings are repeated and cut to this length", check: .above(0, upTo: 3600))
        self.frames = Argument(
            "frames", default: frames, "frames of a sample; several: [frames, 3, height, width]",
            check: .range(1...1024))
        self.least = Argument(
            "min_frames", default: least, "clips with fewer frames are left out", check: .range(1...100_000))
        imageSize = Argument("image_size", default: .list([.int(side), .int(side)]), "{height, width} of frames")
    }

    var arguments: [any AnyArgument] {
        [modalities, rate, seconds, fftLength, hop, offset, audioSize, frames, pick, least, imageSize, augment]
            + HoldoutArgument.collection
    }

    /// The two modalities; `sound` and `folder` say where a row's media are.
    func modalities(
        _ a: Arguments, sound: @escaping (AnnotatedRow) -> AnnotatedSet.Source,
        folder: @escaping (AnnotatedRow, _ least: Int) -> AnnotatedSet.Source
    ) throws -> [AnnotatedSet.Modality] {
        let audio = SpectrogramReader(
            rate: a[rate], fit: .tile, length: max(1, Int(saturating: (a[seconds] * Double(a[rate])).rounded())),
            offset: a[offset],
            transform: try ShortTimeTransform(fftLength: a[fftLength], hop: a[hop]),
            size: try MediaSize.read(a[audioSize], "audio_size", a.operation))
        guard let size = try MediaSize.read(a[imageSize], "image_size", a.operation) else {
            throw BSSError(
                a.operation, "option 'image_size' expects {height, width}: the frames of a batch need one size",
                kind: .usage)
        }
        let pipeline = PicturePipeline(
            size: size, crop: a[augment] ? RandomCrop() : nil, flips: a[augment], mean: PicturePipeline.imageNet.mean,
            std: PicturePipeline.imageNet.std)
        let video = FrameFolderReader(
            frames: a[frames], pick: FrameFolderReader.Pick(rawValue: a[pick]) ?? .random, pipeline: pipeline)
        let least = max(a[self.least], a[frames])
        return a[modalities].map { name in
            name == "audio"
                ? AnnotatedSet.Modality(name: name, kind: .audio, content: .media(audio, sound))
                : AnnotatedSet.Modality(
                    name: name, kind: a[frames] > 1 ? .video : .image, content: .media(video) { folder($0, least) })
        }
    }
}
