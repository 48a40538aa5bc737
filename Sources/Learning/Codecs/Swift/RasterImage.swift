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

    /// A rectangle inside a picture, at least one pixel.
    public struct Part: Sendable {
        public let top, left, height, width: Int

        public init(top: Int, left: Int, height: Int, width: Int) {
            (self.top, self.left, self.height, self.width) = (top, left, height, width)
        }
    }

    /// Reads a PNG or JPEG file, told apart by their first bytes, as RGB.
    public static func read(_ path: String, alpha: Alpha = .dropped) throws -> RasterImage {
        try decode(try Files.readData(path), source: path, alpha: alpha)
    }

    /// By libpng and libjpeg-turbo. `part` chooses from the picture's width and height what is wanted, nil for all;
    /// of a JPEG only that is transformed. The pixels are those that the whole picture has there.
    /// - Throws: kind `.data`: foreign, truncated, damaged (outside the part too), too large for its file;
    ///   `.cancelled`.
    public static func decode(
        _ bytes: [UInt8], source: String, alpha: Alpha = .dropped,
        part: (_ width: Int, _ height: Int) -> Part? = { _, _ in nil }
    ) throws -> RasterImage {
        let isJPEG = bytes.starts(with: [0xFF, 0xD8])
        let file = Bytes(all: bytes, source: source, format: isJPEG ? "jpeg" : "png")
        let budget = DecodingBudget(fileBytes: bytes.count)
        var task = bss_image_task()
        task.is_cancelled = DecodingBudget.isCancelled
        // A common photograph has one scan, a progressive one about ten.
        task.most_work = UInt64(budget.limit) * 4
        func run(_ body: (UnsafePointer<UInt8>?, Int, inout bss_image_task) -> bss_image_status) throws {
            let status = bytes.withUnsafeBufferPointer { body($0.baseAddress, $0.count, &task) }
            try check(status, &task, file)
        }
        var size = bss_image_size()
        try run { (isJPEG ? bss_jpeg_size : bss_png_size)($0, $1, &$2, &size) }
        let whole = Part(top: 0, left: 0, height: Int(size.height), width: Int(size.width))
        let count = try budget.claim(
            whole.width, whole.height, 3, by: "a picture of \(whole.width) × \(whole.height) pixels", in: file)
        let wanted = part(whole.width, whole.height) ?? whole
        var area = bss_image_part(
            left: UInt32(wanted.left), top: UInt32(wanted.top), width: UInt32(wanted.width),
            height: UInt32(wanted.height))
        let decoded = isJPEG ? 3 * wanted.width * wanted.height : count
        let pixels = try [UInt8](unsafeUninitializedCapacity: decoded) { to, filled in
            try run {
                isJPEG
                    ? bss_jpeg_decode($0, $1, &$2, &area, to.baseAddress)
                    : bss_png_decode($0, $1, &$2, alpha == .onWhite ? 1 : 0, to.baseAddress)
            }
            filled = decoded
        }
        let shape = isJPEG ? wanted : whole
        let image = RasterImage(width: shape.width, height: shape.height, channels: 3, pixels: pixels)
        return isJPEG ? image : image.taking(wanted)
    }

    /// The pixels of a part.
    public func taking(_ part: Part) -> RasterImage {
        precondition(
            part.top >= 0 && part.top + part.height <= height && part.left >= 0 && part.left + part.width <= width)
        if part.width == width, part.height == height { return self }
        let row = part.width * channels
        let out = [UInt8](unsafeUninitializedCapacity: part.height * row) { to, filled in
            pixels.withUnsafeBufferPointer { from in
                for y in 0..<part.height {
                    let start = ((part.top + y) * width + part.left) * channels
                    _ = UnsafeMutableBufferPointer(rebasing: to[y * row..<(y + 1) * row])
                        .update(fromContentsOf: from[start..<start + row])
                }
            }
            filled = part.height * row
        }
        return RasterImage(width: part.width, height: part.height, channels: channels, pixels: out)
    }

    private static func check(_ status: bss_image_status, _ task: inout bss_image_task, _ file: Bytes) throws {
        let words = withUnsafeBytes(of: &task.reason) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        switch status {
        case BSS_IMAGE_OK: return
        case BSS_IMAGE_CANCELLED: throw BSSError.cancelled("read \(file.format)")
        case BSS_IMAGE_FOREIGN: throw file.damage("not a PNG or JPEG image")
        case BSS_IMAGE_TRUNCATED: throw file.damage("truncated: \(words)")
        default: throw file.damage("damaged, or of a kind that is not read: \(words)")
        }
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
