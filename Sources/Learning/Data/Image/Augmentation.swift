import BSSCodecs
import BSSCore

/// The random rectangle of Inception training: an area share and a ratio of sides, as torchvision's RandomResizedCrop
/// draws them.
///
/// Ten attempts at area = share · W · H with share uniform in `scale` and ratio log-uniform in [3/4, 4/3]; if none
/// fits, the largest rectangle in the middle whose ratio lies in those bounds. Sizes and law are torchvision's; the
/// numbers come from our own streams.
struct RandomCrop: Sendable {
    var scale: ClosedRange<Double> = 0.08...1
    var ratio: ClosedRange<Double> = 3.0 / 4...4.0 / 3

    func rectangle(width: Int, height: Int, _ random: inout RandomStream) -> RasterImage.Part {
        let area = Double(width * height)
        let low = Math.log(ratio.lowerBound)
        let high = Math.log(ratio.upperBound)
        for _ in 0..<10 {
            let target = area * (scale.lowerBound + (scale.upperBound - scale.lowerBound) * random.uniform())
            let sides = Math.exp(low + (high - low) * random.uniform())
            let w = Int(saturating: (target * sides).squareRoot().rounded(.toNearestOrEven))
            let h = Int(saturating: (target / sides).squareRoot().rounded(.toNearestOrEven))
            if w > 0, w <= width, h > 0, h <= height {
                let top = random.integer(below: height - h + 1)
                return .init(top: top, left: random.integer(below: width - w + 1), height: h, width: w)
            }
        }
        let sides = Double(width) / Double(height)
        let w =
            sides > ratio.upperBound
            ? Int(saturating: (Double(height) * ratio.upperBound).rounded(.toNearestOrEven)) : width
        let h =
            sides < ratio.lowerBound
            ? Int(saturating: (Double(width) / ratio.lowerBound).rounded(.toNearestOrEven)) : height
        return .init(top: (height - h) / 2, left: (width - w) / 2, height: h, width: w)
    }
}

/// How a decoded picture becomes planes of numbers: cropped, resized, flipped, altered, normalised.
struct PicturePipeline: Sendable {
    /// ImageNet's channel means and deviations.
    static let imageNet = (mean: [Float(0.485), 0.456, 0.406], std: [Float(0.229), 0.224, 0.225])
    /// Those of OpenAI's CLIP.
    static let clip = (
        mean: [Float(0.48145466), 0.4578275, 0.40821073], std: [Float(0.26862954), 0.26130258, 0.27577711]
    )

    /// Height and width of the result; nil keeps the picture's own.
    var size: (height: Int, width: Int)?
    var interpolation = Interpolation.bilinear
    var isGrey = false
    /// Training only.
    var crop: RandomCrop?
    var flips = false
    var augmentation: RandAugment?
    var mean: [Float] = [], std: [Float] = []

    var channels: Int { isGrey ? 1 : 3 }
    var draws: Bool { crop != nil || flips || augmentation != nil }

    /// Reads the part of a picture that the crop takes, and makes of it what is asked for.
    func read(
        _ medium: Medium, _ use: SampleUse, alpha: RasterImage.Alpha = .dropped, _ random: inout RandomStream
    )
        throws -> RasterImage
    {
        let image = try use.picture(medium, alpha: alpha) { width, height in
            use.augments ? crop?.rectangle(width: width, height: height, &random) : nil
        }
        return apply(image, augments: use.augments, &random)
    }

    /// All that follows the crop.
    private func apply(_ image: RasterImage, augments: Bool, _ random: inout RandomStream) -> RasterImage {
        var image = isGrey ? image.grey : image
        if let size { image = image.resized(width: size.width, height: size.height, interpolation) }
        if augments, flips, random.uniform() < 0.5 { image = image.flippedHorizontally }
        if augments, let augmentation { image = augmentation.apply(image, &random) }
        return image
    }
}
