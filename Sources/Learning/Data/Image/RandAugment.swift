import BSSCodecs
import BSSCore

/// A few random alterations of a picture, each drawn with replacement and done with probability ½.
///
/// Source: Cubuk, Zoph, Shlens, Le, "RandAugment", NeurIPS 2020, in the variant of the released Sarcasm loader: 2
/// operations of magnitude 7 out of 10, after which ten ops remain (identity, autocontrast, equalize, brightness,
/// sharpness, shears, translations, rotation); what moves in from outside is grey 128. Deviation: geometric ops
/// interpolate with exact positions, OpenCV rounds them to 1/32 pixel.
struct RandAugment: Sendable {
    enum Operation: String, CaseIterable, Sendable {
        case identity, autocontrast, equalize, brightness, sharpness
        case shearX = "shear_x"
        case shearY = "shear_y"
        case translateX = "translate_x"
        case translateY = "translate_y"
        case rotate
    }

    var count = 2
    /// From 0 to 10.
    var magnitude = 7.0
    var probability = 0.5

    func apply(_ image: RasterImage, _ random: inout RandomStream) -> RasterImage {
        let operations = Operation.allCases
        var image = image
        for chosen in (0..<count).map({ _ in operations[random.integer(below: operations.count)] })
        where random.uniform() < probability {
            image = apply(chosen, image, isNegative: random.uniform() < 0.5)
        }
        return image
    }

    /// One operation at this magnitude; `isNegative` turns the direction of those that have one.
    func apply(_ operation: Operation, _ image: RasterImage, isNegative: Bool) -> RasterImage {
        let level = magnitude / 10
        let sign = isNegative ? -1.0 : 1.0
        let factor = level * 1.8 + 0.1
        let shear = sign * level * 0.3
        let shift = sign * level * 10
        switch operation {
        case .identity: return image
        case .autocontrast: return RandAugment.mapped(image) { RandAugment.stretched($0) }
        case .equalize: return RandAugment.mapped(image) { RandAugment.equalised($0) }
        case .brightness:
            return RandAugment.mapped(image) { _ in (0..<256).map { UInt8(min(255, Double($0) * factor)) } }
        case .sharpness: return RandAugment.sharpened(image, factor)
        case .shearX: return RandAugment.warped(image, (1, shear, 0, 0, 1, 0))
        case .shearY: return RandAugment.warped(image, (1, 0, 0, shear, 1, 0))
        case .translateX: return RandAugment.warped(image, (1, 0, -shift, 0, 1, 0))
        case .translateY: return RandAugment.warped(image, (1, 0, 0, 0, 1, -shift))
        case .rotate:
            let angle = sign * level * 30 * .pi / 180
            let c = Math.cos(angle)
            let s = Math.sin(angle)
            let x = Double(image.width) / 2
            let y = Double(image.height) / 2
            // Positions turn about the centre.
            return RandAugment.warped(image, (c, -s, x - c * x + s * y, s, c, y - s * x - c * y))
        }
    }

    // MARK: Tables of values

    /// Replaces every value of a channel through a table made from the channel's histogram.
    private static func mapped(_ image: RasterImage, _ table: ([Int]) -> [UInt8]) -> RasterImage {
        var out = image.pixels
        for c in 0..<image.channels {
            var histogram = [Int](repeating: 0, count: 256)
            for i in stride(from: c, to: out.count, by: image.channels) { histogram[Int(out[i])] += 1 }
            let values = table(histogram)
            for i in stride(from: c, to: out.count, by: image.channels) { out[i] = values[Int(out[i])] }
        }
        return RasterImage(width: image.width, height: image.height, channels: image.channels, pixels: out)
    }

    /// The darkest value becomes 0, the lightest 255.
    private static func stretched(_ histogram: [Int]) -> [UInt8] {
        guard let low = histogram.firstIndex(where: { $0 > 0 }), let high = histogram.lastIndex(where: { $0 > 0 }),
            high > low
        else { return (0..<256).map { UInt8($0) } }
        let scale = 255 / Double(high - low)
        return (0..<256).map { UInt8(max(0, min(255, Double($0 - low) * scale))) }
    }

    /// A flat histogram, as Pillow's ImageOps.equalize.
    private static func equalised(_ histogram: [Int]) -> [UInt8] {
        let filled = histogram.filter { $0 > 0 }
        let step = (filled.reduce(0, +) - (filled.last ?? 0)) / 255
        guard filled.count > 1, step > 0 else { return (0..<256).map { UInt8($0) } }
        var sum = step / 2
        return histogram.map { count in
            defer { sum += count }
            return UInt8(min(255, sum / step))
        }
    }

    // MARK: Neighbourhoods

    /// Blends with the smoothed picture (3 × 3, weights 1, centre 5, over 13); factor 1 changes nothing. Edges stay.
    private static func sharpened(_ image: RasterImage, _ factor: Double) -> RasterImage {
        let (w, h, n) = (image.width, image.height, image.channels)
        guard w > 2, h > 2 else { return image }
        var out = image.pixels
        for y in 1..<h - 1 {
            for x in 1..<w - 1 {
                for c in 0..<n {
                    func at(_ dy: Int, _ dx: Int) -> Int { Int(image.pixels[((y + dy) * w + x + dx) * n + c]) }
                    let around =
                        at(-1, -1) + at(-1, 0) + at(-1, 1) + at(0, -1) + at(0, 1) + at(1, -1) + at(1, 0) + at(1, 1)
                    let smooth = Double((2 * (around + 5 * at(0, 0)) + 13) / 26)
                    out[(y * w + x) * n + c] = UInt8(max(0, min(255, smooth + factor * (Double(at(0, 0)) - smooth))))
                }
            }
        }
        return RasterImage(width: w, height: h, channels: n, pixels: out)
    }

    /// out(x, y) = in(a x + b y + c, d x + e y + f), bilinear, grey 128 outside.
    private static func warped(
        _ image: RasterImage, _ m: (Double, Double, Double, Double, Double, Double)
    ) -> RasterImage {
        let (w, h, n) = (image.width, image.height, image.channels)
        let out = [UInt8](unsafeUninitializedCapacity: w * h * n) { to, filled in
            image.pixels.withUnsafeBufferPointer { from in
                var at = 0
                for y in 0..<h {
                    for x in 0..<w {
                        let px = m.0 * Double(x) + m.1 * Double(y) + m.2
                        let py = m.3 * Double(x) + m.4 * Double(y) + m.5
                        let fx = px.rounded(.down)
                        let fy = py.rounded(.down)
                        let sx = px - fx
                        let sy = py - fy
                        for c in 0..<n {
                            func value(_ ix: Int, _ iy: Int) -> Double {
                                ix >= 0 && ix < w && iy >= 0 && iy < h ? Double(from[(iy * w + ix) * n + c]) : 128
                            }
                            let isInside = fx >= -1 && fy >= -1 && fx < Double(w) && fy < Double(h)
                            let x0 = isInside ? Int(fx) : -2
                            let y0 = isInside ? Int(fy) : -2
                            let top = value(x0, y0) * (1 - sx) + value(x0 + 1, y0) * sx
                            let bottom = value(x0, y0 + 1) * (1 - sx) + value(x0 + 1, y0 + 1) * sx
                            to[at] = UInt8(max(0, min(255, (top * (1 - sy) + bottom * sy).rounded())))
                            at += 1
                        }
                    }
                }
                filled = at
            }
        }
        return RasterImage(width: w, height: h, channels: n, pixels: out)
    }
}
