import BSSCodecs
import BSSCore

/// One picture: [channels, height, width].
struct PictureReader: SampleReader {
    let pipeline: PicturePipeline
    var alpha = RasterImage.Alpha.dropped

    var cacheKey: String? { "picture \(alpha)" }
    func shape(augments: Bool) -> [Int]? { pipeline.size.map { [pipeline.channels, $0.height, $0.width] } }
    var draws: Bool { pipeline.draws }

    func read(_ medium: Medium, _ use: SampleUse) throws -> SampleBlock {
        var random = use.random
        let image = try pipeline.read(medium, use, alpha: alpha, &random)
        return SampleBlock(
            shape: [image.channels, image.height, image.width],
            values: image.normalised(mean: pipeline.mean, std: pipeline.std))
    }
}

/// A short video as one picture of frames, top to bottom; each grey frame becomes a channel, or a frame of one channel.
struct FrameStackReader: SampleReader {
    let frames: Int
    let size: (height: Int, width: Int)?
    /// [frames, 1, height, width] instead of [frames, height, width].
    var hasTime = false

    var cacheKey: String? { nil }
    func shape(augments: Bool) -> [Int]? { nil }

    func read(_ medium: Medium, _ use: SampleUse) throws -> SampleBlock {
        let stack = try use.picture(medium).grey
        if let size {
            let bytes = 4 * size.height * size.width
            try Memory.reserve(frames, of: bytes, "read \(medium.name)", "\(frames) frames")
        }
        guard stack.height % frames == 0, stack.height > 0 else {
            throw medium.damage("\(stack.height) rows do not divide into \(frames) frames")
        }
        let height = stack.height / frames
        var shape: [Int] = []
        var values: [Float] = []
        for frame in 0..<frames {
            var image = stack.cropped(top: frame * height, left: 0, height: height, width: stack.width)
            if let size { image = image.resized(width: size.width, height: size.height) }
            shape = (hasTime ? [frames, 1] : [frames]) + [image.height, image.width]
            values += image.normalised(mean: [], std: [])
        }
        return SampleBlock(shape: shape, values: values)
    }
}

/// Some frames of a folder of pictures: [3, height, width] for one, [frames, 3, height, width] for several. Each frame
/// draws its own crop and flip.
struct FrameFolderReader: SampleReader {
    /// Which frames are taken.
    enum Pick: String, CaseIterable, Sendable {
        /// The first ones by name. The released loaders take the first of an unsorted listing, which is any order.
        case first
        /// Training: different ones drawn anew in every epoch, in ascending order; else evenly spaced.
        case random
        /// The middles of equally long parts.
        case even
    }

    let frames: Int
    let pick: Pick
    let pipeline: PicturePipeline

    var cacheKey: String? { "picture \(RasterImage.Alpha.dropped)" }
    var draws: Bool { pick == .random || pipeline.draws }
    func shape(augments: Bool) -> [Int]? {
        pipeline.size.map { (frames > 1 ? [frames] : []) + [pipeline.channels, $0.height, $0.width] }
    }

    func read(_ medium: Medium, _ use: SampleUse) throws -> SampleBlock {
        let names = try Medium.pictures(in: medium.path)
        guard names.count >= frames else { throw medium.damage("holds \(names.count) pictures, \(frames) are needed") }
        var random = use.random
        var shape: [Int] = []
        var values: [Float] = []
        if let known = self.shape(augments: use.augments) {
            try Memory.reserve(known.reduce(4, *), "read \(medium.name)", "\(frames) frames \(known)")
        }
        for index in chosen(names.count, augments: use.augments, &random) {
            let image = try pipeline.read(medium.file(names[index]), use, &random)
            shape = [image.channels, image.height, image.width]
            let planes = image.normalised(mean: pipeline.mean, std: pipeline.std)
            if values.isEmpty { values = planes } else { values += planes }
        }
        return SampleBlock(shape: (frames > 1 ? [frames] : []) + shape, values: values)
    }

    func check(_ medium: Medium) throws {
        for name in try Medium.pictures(in: medium.path) { _ = try SampleUse().picture(medium.file(name)) }
    }

    func chosen(_ count: Int, augments: Bool, _ random: inout RandomStream) -> [Int] {
        switch pick {
        case .first: return Array(0..<frames)
        case .random where augments: return random.permutation(count).prefix(frames).sorted()
        case .random, .even: return (0..<frames).map { (2 * $0 + 1) * count / (2 * frames) }
        }
    }
}
