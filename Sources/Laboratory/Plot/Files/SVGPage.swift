import BSSCore

/// Elements of one drawing; coordinates with two decimals, so that equal figures give equal bytes.
struct SVGPage {
    let width: Double
    let height: Double
    /// What it shows, for those who cannot see it.
    var title = ""
    private(set) var elements: [String] = []

    init(width: Double, height: Double) {
        self.width = width
        self.height = height
    }

    static func number(_ value: Double) -> String { Text.fixed(min(max(value, -1e7), 1e7), 2) }
    private func n(_ value: Double) -> String { SVGPage.number(value) }

    mutating func text(
        _ string: String, _ x: Double, _ y: Double, anchor: String = "middle", size: Int = 12, rotation: Double = 0,
        colour: String = "black"
    ) {
        let turned = rotation == 0 ? "" : " transform=\"rotate(\(Text.number(rotation)) \(n(x)) \(n(y)))\""
        let ink = colour == "black" ? "" : " fill=\"\(colour)\""
        elements.append(
            "<text x=\"\(n(x))\" y=\"\(n(y))\" text-anchor=\"\(anchor)\" font-size=\"\(size)\"\(ink)"
                + "\(turned)>\(SVGPage.escaped(string))</text>"
        )
    }

    mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String, width: Double = 1) {
        elements.append(
            "<line x1=\"\(n(x1))\" y1=\"\(n(y1))\" x2=\"\(n(x2))\" y2=\"\(n(y2))\" stroke=\"\(colour)"
                + "\"\(width == 1 ? "" : " stroke-width=\"\(Text.number(width))\"")/>"
        )
    }

    /// Corners in any order.
    mutating func rectangle(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, fill: String, opacity: Double = 1, stroke: String? = nil
    ) {
        let extra =
            (opacity == 1 ? "" : " fill-opacity=\"\(Text.number(opacity))\"")
            + (stroke.map { " stroke=\"\($0)\"" } ?? "")
        elements.append(
            "<rect x=\"\(n(min(x1, x2)))\" y=\"\(n(min(y1, y2)))\" width=\"\(n(abs(x2 - x1)))\" "
                + "height=\"\(n(abs(y2 - y1)))\" fill=\"\(fill)\"\(extra)/>"
        )
    }

    mutating func circle(_ x: Double, _ y: Double, _ radius: Double, _ colour: String, opacity: Double = 1) {
        elements.append(
            "<circle cx=\"\(n(x))\" cy=\"\(n(y))\" r=\"\(Text.number(radius))\" fill=\"\(colour)"
                + "\"\(opacity == 1 ? "" : " fill-opacity=\"\(Text.number(opacity))\"")/>"
        )
    }

    mutating func picture(_ png: [UInt8], _ x: Double, _ y: Double, _ side: Double) {
        elements.append(
            "<image x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(side))\" height=\"\(n(side))\" "
                + "href=\"data:image/png;base64,\(Text.base64(png))\"/>")
    }

    mutating func polyline(_ points: [(Double, Double)], _ colour: String) {
        elements.append(
            "<polyline points=\"\(list(points))\" fill=\"none\" stroke=\"\(colour)\" "
                + "stroke-width=\"2\" stroke-linejoin=\"round\"/>"
        )
    }

    mutating func polygon(_ points: [(Double, Double)], _ colour: String, opacity: Double) {
        elements.append(
            "<polygon points=\"\(list(points))\" fill=\"\(colour)\" fill-opacity=\"\(Text.number(opacity))\"/>")
    }

    private func list(_ points: [(Double, Double)]) -> String {
        points.map { "\(n($0.0)),\(n($0.1))" }.joined(separator: " ")
    }

    /// Elements until `endClip` are cut at this rectangle of whole units.
    mutating func beginClip(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) {
        // Named by its place: pages hold several drawings, and equal names then mean equal areas.
        let name = "area" + [x1, y1, x2, y2].map { "-\(Int($0))" }.joined()
        elements.append(
            "<clipPath id=\"\(name)\"><rect x=\"\(Int(x1))\" y=\"\(Int(y1))\" "
                + "width=\"\(Int(x2) - Int(x1))\" height=\"\(Int(y2) - Int(y1))\"/></clipPath>"
        )
        elements.append("<g clip-path=\"url(#\(name))\">")
    }
    mutating func endClip() { elements.append("</g>") }

    var document: String {
        let head =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(width)) \(Int(height))\" "
            + "width=\"\(Int(width))\" height=\"\(Int(height))\" role=\"img\" "
            + "font-family=\"Helvetica, Arial, sans-serif\">"
        let name = title.isEmpty ? [] : ["<title>\(SVGPage.escaped(title))</title>"]
        return ([head] + name + ["<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"] + elements + ["</svg>"])
            .joined(separator: "\n")
            + "\n"
    }

    /// Text for XML: markup escaped, characters that XML forbids replaced.
    static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            default:
                let isForbidden = scalar.value < 0x20 || scalar.value == 0x7F || scalar.value & 0xFFFE == 0xFFFE
                out.unicodeScalars.append(isForbidden ? " " : scalar)
            }
        }
        return out
    }
}
