import BSSCodecs
import BSSCore
import CBSSKernels

/// How pixels between pixels are made up.
public enum Interpolation: String, CaseIterable, Sendable { case nearest, bilinear, bicubic }

extension RasterImage {
    /// Resizes as Pillow does: the filter is widened when shrinking (antialiasing), 8-bit fixed-point passes
    /// (22 fraction bits), each rounded to 8 bits. Bicubic has a = -0.5.
    ///
    /// Pillow 13 shrinks the height first when that removes more than twice as many rows as the width loses columns
    /// (measured against it over 800 sizes); otherwise the width goes first.
    public func resized(
        width newWidth: Int, height newHeight: Int, _ interpolation: Interpolation = .bilinear
    ) -> RasterImage {
        if newWidth == width, newHeight == height { return self }
        if interpolation == .nearest { return nearest(newWidth, newHeight) }
        let isHeightFirst = newHeight < height && height - newHeight > 2 * (width - newWidth)
        var image = self
        for isHorizontal in [!isHeightFirst, isHeightFirst] {
            let size = isHorizontal ? width : height
            let newSize = isHorizontal ? newWidth : newHeight
            if newSize != size {
                image = image.pass(.init(from: size, to: newSize, interpolation), isHorizontal: isHorizontal)
            }
        }
        return image
    }

    /// The shorter side becomes `short`, the longer one keeps the ratio, rounded down (torchvision's `Resize(int)`).
    public func resized(shortSide short: Int, _ interpolation: Interpolation = .bilinear) -> RasterImage {
        width <= height
            ? resized(width: short, height: short * height / width, interpolation)
            : resized(width: short * width / height, height: short, interpolation)
    }

    private func pass(_ weights: FixedPointWeights, isHorizontal: Bool) -> RasterImage {
        let newWidth = isHorizontal ? weights.size : width
        let newHeight = isHorizontal ? height : weights.size
        let out = [UInt8](unsafeUninitializedCapacity: newWidth * newHeight * channels) { to, filled in
            weights.withAxis { axis in
                if isHorizontal {
                    bss_resize_rows(pixels, Int64(height), Int64(width), Int64(channels), axis, to.baseAddress)
                } else {
                    bss_resize_columns(pixels, Int64(width), Int64(channels), axis, to.baseAddress)
                }
            }
            filled = newWidth * newHeight * channels
        }
        return RasterImage(width: newWidth, height: newHeight, channels: channels, pixels: out)
    }

    /// The pixel under the centre of the new one; positions are accumulated as Pillow accumulates them.
    private func nearest(_ newWidth: Int, _ newHeight: Int) -> RasterImage {
        func sources(_ size: Int, _ newSize: Int) -> [Int] {
            let step = Double(size) / Double(newSize)
            var position = step * 0.5
            return (0..<newSize).map { _ in
                defer { position += step }
                return min(size - 1, Int(saturating: position))
            }
        }
        let columns = sources(width, newWidth)
        var out: [UInt8] = []
        out.reserveCapacity(newWidth * newHeight * channels)
        for y in sources(height, newHeight) {
            for x in columns {
                let first = (y * width + x) * channels
                out += pixels[first..<first + channels]
            }
        }
        return RasterImage(width: newWidth, height: newHeight, channels: channels, pixels: out)
    }

    /// The rectangle at (top, left); what lies outside the image is 0.
    public func cropped(top: Int, left: Int, height newHeight: Int, width newWidth: Int) -> RasterImage {
        var out = [UInt8](repeating: 0, count: newWidth * newHeight * channels)
        let columns = max(0, -left)..<max(max(0, -left), min(newWidth, width - left))
        for y in 0..<newHeight where (0..<height).contains(y + top) && !columns.isEmpty {
            let from = ((y + top) * width + left + columns.lowerBound) * channels
            let to = (y * newWidth + columns.lowerBound) * channels
            let count = columns.count * channels
            out.replaceSubrange(to..<to + count, with: pixels[from..<from + count])
        }
        return RasterImage(width: newWidth, height: newHeight, channels: channels, pixels: out)
    }

    /// The middle, as torchvision's `CenterCrop`: offsets (size - crop) / 2 rounded half to even; a side that is too
    /// short is first padded with zeros, the odd pixel at the end.
    public func centreCropped(height newHeight: Int, width newWidth: Int) -> RasterImage {
        func offset(_ size: Int, _ crop: Int) -> Int {
            crop > size ? -((crop - size) / 2) : Int(saturating: (Double(size - crop) / 2).rounded(.toNearestOrEven))
        }
        return cropped(
            top: offset(height, newHeight), left: offset(width, newWidth), height: newHeight, width: newWidth)
    }

    public var flippedHorizontally: RasterImage {
        let out = [UInt8](unsafeUninitializedCapacity: pixels.count) { to, filled in
            bss_mirror(pixels, Int64(height), Int64(width), Int64(channels), to.baseAddress)
            filled = pixels.count
        }
        return RasterImage(width: width, height: height, channels: channels, pixels: out)
    }

    /// (value / 255 - mean) / std by channel, [channels, height, width].
    public func normalised(mean: [Float], std: [Float]) -> [Float] {
        [Float](unsafeUninitializedCapacity: channels * width * height) { to, filled in
            if let start = to.baseAddress { writeNormalised(mean: mean, std: std, to: start) }
            filled = channels * width * height
        }
    }

    /// The same into memory for channels × height × width numbers.
    func writeNormalised(mean: [Float], std: [Float], to target: UnsafeMutablePointer<Float>) {
        var values = [Float](repeating: 0, count: 256 * channels)
        for c in 0..<channels {
            let m = mean.isEmpty ? 0 : mean[c % mean.count]
            let s = std.isEmpty ? 1 : std[c % std.count]
            for v in 0..<256 { values[256 * c + v] = (Float(v) / 255 - m) / s }
        }
        bss_planes(pixels, Int64(width * height), Int64(channels), values, target)
    }
}

/// For each new position: the first source position and the weights from there on, as integers scaled by 2^22.
private struct FixedPointWeights {
    let size: Int
    private let most: Int
    private let first, count, taps: [Int32]

    init(from size: Int, to newSize: Int, _ interpolation: Interpolation) {
        let entries = AntialiasWeights.make(from: size, to: newSize, interpolation)
        let most = entries.map(\.weights.count).max() ?? 0
        var taps = [Int32](repeating: 0, count: newSize * most)
        for (i, entry) in entries.enumerated() {
            for (k, weight) in entry.weights.enumerated() {
                taps[i * most + k] = Int32((weight * Double(1 << 22)).rounded(.toNearestOrAwayFromZero))
            }
        }
        self.size = newSize
        self.most = most
        self.taps = taps
        first = entries.map { Int32($0.first) }
        count = entries.map { Int32($0.weights.count) }
    }

    func withAxis(_ body: (UnsafePointer<bss_resize_axis>) -> Void) {
        first.withUnsafeBufferPointer { first in
            count.withUnsafeBufferPointer { count in
                taps.withUnsafeBufferPointer { taps in
                    var axis = bss_resize_axis(
                        size: Int64(size), most: Int64(most), first: first.baseAddress, count: count.baseAddress,
                        taps: taps.baseAddress)
                    body(&axis)
                }
            }
        }
    }
}

/// Filter weights that cover every source pixel when shrinking.
enum AntialiasWeights {
    /// - Parameter scale: source pixels a new one, size / newSize where not given.
    static func make(
        from size: Int, to newSize: Int, _ interpolation: Interpolation, scale: Double? = nil
    ) -> [(first: Int, weights: [Double])] {
        let scale = scale ?? Double(size) / Double(newSize)
        let widening = max(1, scale)
        let support = (interpolation == .bicubic ? 2 : 1) * widening
        return (0..<newSize).map { i in
            let centre = (Double(i) + 0.5) * scale
            let first = max(0, Int(saturating: centre - support + 0.5))
            let end = min(size, Int(saturating: centre + support + 0.5))
            let raw = (first..<max(first + 1, end)).map {
                filter((Double($0) - centre + 0.5) / widening, interpolation)
            }
            let sum = raw.reduce(0, +)
            return (first, sum == 0 ? raw : raw.map { $0 / sum })
        }
    }

    private static func filter(_ x: Double, _ interpolation: Interpolation) -> Double {
        let x = abs(x)
        if interpolation == .bilinear { return max(0, 1 - x) }
        return cubic(x, a: -0.5)
    }

    /// R. Keys, "Cubic convolution interpolation for digital image processing", IEEE Trans. ASSP 29, 1981.
    static func cubic(_ x: Double, a: Double) -> Double {
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
        return 0
    }
}
