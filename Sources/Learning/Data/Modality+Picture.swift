import BSSCodecs

extension Modality {
    /// Larger pictures are reduced by a whole factor.
    private static let mostPixels = 160

    /// A sample as a picture: an image, the first frame of a video, a spectrogram with low frequencies below and loud
    /// places bright. Three channels are colours; of another number the first is shown, in grey. The smallest value of
    /// what is shown is black, the largest white, whatever was done to the numbers.
    /// - Returns: nil: features, sequences and texts have none.
    /// - Throws: kind `.data`: the sample's file cannot be read.
    public func picture(of sample: Int) throws -> RasterImage? {
        guard [.image, .audio, .video].contains(kind) else { return nil }
        var numbers = try self.sample(sample)
        if let standardisation {
            numbers.withUnsafeMutableBufferPointer {
                Standardisation.exchange($0, kind, shape, from: standardisation, to: nil)
            }
        }
        let plane = Array(shape.suffix(2))
        let (height, width) = (plane[0], plane[1])
        // [frames, channels, H, W] begins with its first frame; of [channels, frames, H, W] the frames lie apart. A
        // frame has one channel, two of optical flow, or three.
        let isChannelFirst = kind != .video || (1...3).contains(shape[0]) && !(1...3).contains(shape[1])
        let channels = isChannelFirst ? shape[0] : shape[1]
        let stride = kind == .video && isChannelFirst ? shape[1] * height * width : height * width
        let colours = kind != .audio && channels == 3 ? 3 : 1
        let factor = max(1, (max(height, width) + Modality.mostPixels - 1) / Modality.mostPixels)
        let (rows, columns) = ((height + factor - 1) / factor, (width + factor - 1) / factor)
        var means = [Float](repeating: 0, count: rows * columns * colours)
        for row in 0..<rows {
            for column in 0..<columns {
                for colour in 0..<colours {
                    var (sum, count): (Float, Float) = (0, 0)
                    for y in row * factor..<min(height, (row + 1) * factor) {
                        for x in column * factor..<min(width, (column + 1) * factor) {
                            sum += numbers[colour * stride + y * width + x]
                            count += 1
                        }
                    }
                    let place = kind == .audio ? rows - 1 - row : row
                    means[(place * columns + column) * colours + colour] = sum / count
                }
            }
        }
        let known = means.filter(\.isFinite)
        let low = known.min() ?? 0
        let range = max((known.max() ?? 1) - low, .leastNormalMagnitude)
        let pixels = means.map { $0.isFinite ? UInt8(min(255, max(0, ($0 - low) / range * 255))) : 0 }
        return RasterImage(width: columns, height: rows, channels: colours, pixels: pixels)
    }
}
