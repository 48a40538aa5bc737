import BSSCore
import CBSSCodecs

/// An 8-bit image, rows top to bottom, channels interleaved: [height, width, channels].
public struct RasterImage: Sendable {
    public let width, height, channels: Int
    public let pixels: [UInt8]

    public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
        precondition(pixels.count == width * height * channels)
        self.width = width
        self.height = height
        self.channels = channels
        self.pixels = pixels
    }

    /// How an alpha channel is treated.
    public enum Alpha: Sendable {
        /// Colours as they are stored, as Pillow's `convert("RGB")` gives them.
        case dropped
        /// Blended over white.
        case onWhite
    }

    /// Reads a PNG or JPEG file, told apart by their first bytes, as RGB.
    public static func read(_ path: String, alpha: Alpha = .dropped) throws -> RasterImage {
        try decode(try Files.read(path), source: path, alpha: alpha)
    }

    /// - Throws: kind `.data`: foreign, truncated or damaged.
    public static func decode(_ bytes: [UInt8], source: String, alpha: Alpha = .dropped) throws -> RasterImage {
        var size = bss_image_size()
        let isJPEG = bytes.starts(with: [0xFF, 0xD8])
        let format = isJPEG ? "jpeg" : "png"
        try check(
            bytes.withUnsafeBufferPointer { (isJPEG ? bss_jpeg_size : bss_png_size)($0.baseAddress, $0.count, &size) },
            format, source)
        let width = Int(size.width)
        let height = Int(size.height)
        if isJPEG {
            let rgb = try [UInt8](unsafeUninitializedCapacity: 3 * width * height) { to, filled in
                try check(
                    bytes.withUnsafeBufferPointer { bss_jpeg_decode($0.baseAddress, $0.count, to.baseAddress) }, format,
                    source)
                filled = 3 * width * height
            }
            return RasterImage(width: width, height: height, channels: 3, pixels: rgb)
        }
        var rgba = [UInt8](repeating: 0, count: 4 * width * height)
        try check(bytes.withUnsafeBufferPointer { bss_png_decode($0.baseAddress, $0.count, &rgba) }, "png", source)
        let pixels = [UInt8](unsafeUninitializedCapacity: 3 * width * height) { to, filled in
            for i in 0..<width * height {
                let opacity = alpha == .dropped ? 255 : Int(rgba[4 * i + 3])
                for c in 0..<3 {
                    let blended: Int = Int(rgba[4 * i + c]) * opacity + 255 * (255 - opacity)
                    to[3 * i + c] = UInt8((blended + 127) / 255)
                }
            }
            filled = 3 * width * height
        }
        return RasterImage(width: width, height: height, channels: 3, pixels: pixels)
    }

    /// A JPEG by our own decoder alone, for comparison with libjpeg-turbo.
    static func decodePlainly(jpeg bytes: [UInt8], source: String) throws -> RasterImage {
        var size = bss_image_size()
        try check(bytes.withUnsafeBufferPointer { bss_jpeg_size($0.baseAddress, $0.count, &size) }, "jpeg", source)
        let width = Int(size.width)
        let height = Int(size.height)
        var rgb = [UInt8](repeating: 0, count: 3 * width * height)
        try check(
            bytes.withUnsafeBufferPointer { bss_jpeg_decode_plainly($0.baseAddress, $0.count, &rgb) }, "jpeg", source)
        return RasterImage(width: width, height: height, channels: 3, pixels: rgb)
    }

    static func check(_ status: bss_image_status, _ format: String, _ source: String) throws {
        let reason: String
        switch status {
        case BSS_IMAGE_OK: return
        case BSS_IMAGE_FOREIGN: reason = "not a PNG or JPEG image"
        case BSS_IMAGE_TRUNCATED: reason = "truncated: the image ends too early"
        case BSS_IMAGE_TOO_LARGE: reason = "more than 2^28 pixels, or not enough memory"
        case BSS_IMAGE_UNSUPPORTED: reason = "uses a part of the format that is not read"
        default: reason = "damaged: checksum or structure is wrong"
        }
        throw BSSError("read \(format)", "\(source): \(reason)", kind: .data)
    }

    /// One channel: ITU-R 601-2 luma as Pillow's `convert("L")`, (19595 R + 38470 G + 7471 B + 2^15) / 2^16.
    public var grey: RasterImage {
        guard channels == 3 else { return self }
        let luma = (0..<width * height).map { i -> UInt8 in
            let red = 19595 * Int(pixels[3 * i])
            let green = 38470 * Int(pixels[3 * i + 1])
            let blue = 7471 * Int(pixels[3 * i + 2])
            return UInt8((red + green + blue + 0x8000) >> 16)
        }
        return RasterImage(width: width, height: height, channels: 1, pixels: luma)
    }
}
