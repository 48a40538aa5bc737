import BSSCore

/// Pictures with words beside them, as SVG.
public struct PictureSheet {
    private var page: SVGPage

    public init(width: Double, height: Double, title: String) {
        page = SVGPage(width: width, height: height)
        page.title = title
    }

    public mutating func text(_ text: String, _ x: Double, _ y: Double, size: Int) {
        page.text(text, x, y, anchor: "start", size: size)
    }

    /// A PNG file in a square.
    public mutating func picture(_ png: [UInt8], _ x: Double, _ y: Double, _ side: Double) {
        page.picture(png, x, y, side)
    }

    public var document: String { page.document }
}
