import BSSCodecs
import BSSCore

/// Where a clip is cut: `length` frames from a start in 0 ... available - length, and one square of the resized frame.
/// Training draws both from what the modalities of a sample share; otherwise the window is the whole clip or its
/// middle, the square the centre.
struct ClipCut: Sendable {
    /// Frames that the list names.
    let available: Int
    /// Frames of a training sample, and of an evaluated one.
    let length, evaluationLength: Int
    /// Frames are resized to side × side, then cut to crop × crop.
    let side, crop: Int

    /// Training sees other windows or squares than evaluation.
    var draws: Bool { length < available || evaluationLength != length || crop < side }

    func window(_ use: SampleUse) -> Range<Int> {
        var random = use.shared.child("window")
        let length = use.augments ? self.length : evaluationLength
        let start = use.augments ? random.integer(below: available - length + 1) : (available - length) / 2
        return start..<start + length
    }

    func corner(_ use: SampleUse) -> (top: Int, left: Int) {
        var random = use.shared.child("crop")
        let room = side - crop
        return use.augments ? (random.integer(below: room + 1), random.integer(below: room + 1)) : (room / 2, room / 2)
    }
}

/// A colour or depth recording as [channels, frames, height, width], from a folder of frames or a Motion JPEG AVI file.
struct ClipReader: SampleReader {
    let cut: ClipCut
    /// The first channel alone, in [0, 1].
    var isDepth = false
    /// Blue, green, red, as OpenCV reads frames; mean and deviation stay in the order red, green, blue.
    var isBGR = false

    var cacheKey: String? { "picture \(RasterImage.Alpha.dropped)" }
    var draws: Bool { cut.draws }
    private var channels: Int { isDepth ? 1 : 3 }
    func shape(augments: Bool) -> [Int]? {
        [channels, augments ? cut.length : cut.evaluationLength, cut.crop, cut.crop]
    }

    func read(_ medium: Medium, _ use: SampleUse) throws -> SampleBlock {
        let window = cut.window(use)
        let corner = cut.corner(use)
        let area = cut.crop * cut.crop
        let frames = try self.frames(medium, window, use)
        let mean = isDepth ? [0] : PicturePipeline.imageNet.mean
        let std = isDepth ? [1] : PicturePipeline.imageNet.std
        var values = try Memory.array(
            repeating: Float(0), count: channels * window.count * area, "read \(medium.name)")
        for t in 0..<window.count {
            let frame = try frames(t).resized(width: cut.side, height: cut.side).cropped(
                top: corner.top, left: corner.left, height: cut.crop, width: cut.crop)
            for c in 0..<channels {
                let from = isBGR ? 2 - c : c
                let table = (0..<256).map { (Float($0) / 255 - mean[c]) / std[c] }
                let start = (c * window.count + t) * area
                for i in 0..<area { values[start + i] = table[Int(frame.pixels[3 * i + from])] }
            }
        }
        return SampleBlock(shape: [channels, window.count, cut.crop, cut.crop], values: values)
    }

    /// Frame t of the window, decoded.
    private func frames(_ medium: Medium, _ window: Range<Int>, _ use: SampleUse) throws -> (Int) throws -> RasterImage
    {
        let first = (medium.range?.lowerBound ?? 0) + window.lowerBound
        if medium.path.hasSuffix(".avi") {
            let avi = try AVI(bytes: try medium.contents(), source: medium.name)
            guard first + window.count <= avi.frames.count else {
                throw medium.damage("holds \(avi.frames.count) frames; frame \(first + window.count) is needed")
            }
            return { t in
                func decoded() throws -> RasterImage {
                    try RasterImage.decode(
                        Array(avi.frames[first + t]), source: "\(medium.name), frame \(first + t + 1)")
                }
                guard let cache = use.cache else { return try decoded() }
                let block = try cache.block(medium.path, part: String(first + t)) { SampleBlock(try decoded()) }
                guard case .picture(let image) = block.content else {
                    throw medium.damage("its cached copy in \(cache.path) is no picture")
                }
                return image
            }
        }
        // Files called by their frame's number hold a part of the recording, others all of it in order.
        let names = try Medium.pictures(in: medium.path)
        let numbers = names.map { Int($0.prefix { $0 != "." }) }
        let byNumber = Dictionary(
            zip(numbers, names).compactMap { n, name in n.map { ($0, name) } }, uniquingKeysWith: { a, _ in a })
        let isNumbered = byNumber.count == names.count && !names.isEmpty
        return { t in
            let name = isNumbered ? byNumber[first + t] : first + t < names.count ? names[first + t] : nil
            guard let name else { throw medium.damage("frame \(first + t) is missing; it holds \(names.count) frames") }
            return try use.picture(medium.file(name))
        }
    }
}

/// Optical flow from a float32 array [height, width, 2, frames] in an .npy file: [2, frames, height, width], values as
/// stored.
struct FlowReader: SampleReader {
    let cut: ClipCut
    /// All frames in training too, as released: they are then not those of the other modalities.
    var takesAllFrames = false

    var cacheKey: String? { nil }
    var draws: Bool { cut.draws }
    func shape(augments: Bool) -> [Int]? {
        [
            2, augments && !takesAllFrames ? cut.length : takesAllFrames ? cut.available : cut.evaluationLength,
            cut.crop, cut.crop,
        ]
    }

    func read(_ medium: Medium, _ use: SampleUse) throws -> SampleBlock {
        let array = try Npy.parse(try medium.contents(), source: medium.name)
        guard array.shape.count == 4, array.shape[2] == 2, let flow = array.floats else {
            throw medium.damage("\(array.described); float32 [height, width, 2, frames] was expected")
        }
        let (height, width, count) = (array.shape[0], array.shape[1], array.shape[3])
        let window = takesAllFrames ? 0..<cut.available : cut.window(use)
        let corner = cut.corner(use)
        let crop = cut.crop
        guard window.upperBound <= count else {
            throw medium.damage("holds \(count) frames; frame \(window.upperBound) is needed")
        }
        var values = try Memory.array(
            repeating: Float(0), count: 2 * window.count * crop * crop, "read \(medium.name)")
        var plane = [Float](repeating: 0, count: height * width)
        for c in 0..<2 {
            for (t, frame) in window.enumerated() {
                for i in 0..<height * width { plane[i] = flow[(i * 2 + c) * count + frame] }
                let isResized = height != cut.side || width != cut.side
                let full =
                    isResized
                    ? try Interpolate.planes(
                        plane, planes: 1, height: height, width: width, toHeight: cut.side, toWidth: cut.side,
                        mode: .bilinear) : plane
                for y in 0..<crop {
                    let from = (corner.top + y) * cut.side + corner.left
                    let to = ((c * window.count + t) * crop + y) * crop
                    for x in 0..<crop { values[to + x] = full[from + x] }
                }
            }
        }
        if let bad = values.firstIndex(where: { !$0.isFinite }) {
            throw medium.damage("value \(bad + 1) of the window is not finite")
        }
        return SampleBlock(shape: [2, window.count, crop, crop], values: values)
    }
}
