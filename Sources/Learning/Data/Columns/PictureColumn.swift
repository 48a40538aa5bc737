import BSSCodecs
import BSSCore

/// Options of pictures.
enum PictureColumn {
    static let size = Argument<Value>(
        "image_size", default: .bool(false),
        "{height, width} to resize images to; false keeps their own size, which must be one for all")

    /// Grey or RGB, values / 255.
    static func form(size: (height: Int, width: Int)?, isGrey: Bool, alpha: RasterImage.Alpha) -> ColumnForm {
        .media(.image, PictureReader(pipeline: PicturePipeline(size: size, isGrey: isGrey), alpha: alpha))
    }
}

enum MediaSize {
    /// `{height, width}`, or `nil` for false.
    static func read(_ value: Value, _ option: String, _ operation: String) throws -> (height: Int, width: Int)? {
        if case .bool(false) = value { return nil }
        let sizes = (value.table?.items ?? []).compactMap(\.int)
        guard sizes.count == 2, value.table?.items.count == 2, sizes.allSatisfy({ (1...8192).contains($0) }) else {
            throw BSSError(
                operation,
                "option '\(option)' expects {height, width} from 1 to 8192, or false, got \(JSON.lua(value))",
                kind: .usage)
        }
        return (sizes[0], sizes[1])
    }
}
