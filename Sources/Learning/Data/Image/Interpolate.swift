import BSSCore

/// Resizing planes of floats, as PyTorch's `interpolate` does it.
public enum Interpolate {
    public enum Mode: String, CaseIterable {
        case nearest
        case nearestExact = "nearest-exact"
        case bilinear, bicubic, area
    }

    /// Source positions and weights of every new position along one axis.
    private typealias Axis = [(indices: [Int], weights: [Double])]

    /// `planes` planes [height, width] → [newHeight, newWidth] each.
    ///
    /// - Parameters:
    ///   - alignCorners: corner pixels keep their centres, instead of the image keeping its edges.
    ///   - antialias: the filter is widened when shrinking (bilinear, and bicubic with a = -0.5 instead of -0.75).
    ///   - scales: new pixels a source pixel (height, width), where they and not the sizes define the grid.
    public static func planes(
        _ x: [Float], planes: Int, height: Int, width: Int, toHeight: Int, toWidth: Int, mode: Mode,
        alignCorners: Bool = false,
        antialias: Bool = false, scales: (height: Double, width: Double)? = nil
    ) throws -> [Float] {
        guard height > 0, width > 0, toHeight > 0, toWidth > 0, x.count == planes * height * width else {
            throw BSSError(
                "interpolate",
                "\(x.count) values are not \(planes) planes of \(height) × \(width), to \(toHeight) × \(toWidth)",
                kind: .usage)
        }
        let rows = axis(height, toHeight, mode, alignCorners, antialias, scales.map { 1 / $0.height })
        let columns = axis(width, toWidth, mode, alignCorners, antialias, scales.map { 1 / $0.width })
        var out = [Float](repeating: 0, count: planes * toHeight * toWidth)
        var wide = [Double](repeating: 0, count: height * toWidth)
        for plane in 0..<planes {
            let start = plane * height * width
            for y in 0..<height {
                for (i, column) in columns.enumerated() {
                    var sum = 0.0
                    for (index, weight) in zip(column.indices, column.weights) {
                        sum += weight * Double(x[start + y * width + index])
                    }
                    wide[y * toWidth + i] = sum
                }
            }
            for (j, row) in rows.enumerated() {
                for i in 0..<toWidth {
                    var sum = 0.0
                    for (index, weight) in zip(row.indices, row.weights) { sum += weight * wide[index * toWidth + i] }
                    out[(plane * toHeight + j) * toWidth + i] = Float(sum)
                }
            }
        }
        return out
    }

    private static func axis(
        _ size: Int, _ newSize: Int, _ mode: Mode, _ alignCorners: Bool, _ antialias: Bool, _ given: Double?
    ) -> Axis {
        let scale = given ?? Double(size) / Double(newSize)
        if antialias, mode == .bilinear || mode == .bicubic {
            let kind: Interpolation = mode == .bilinear ? .bilinear : .bicubic
            return AntialiasWeights.make(from: size, to: newSize, kind, scale: scale).map {
                (Array($0.first..<$0.first + $0.weights.count), $0.weights)
            }
        }
        return (0..<newSize).map { i in
            switch mode {
            case .nearest: return ([min(size - 1, Int(Float(i) * Float(scale)))], [1])
            case .nearestExact: return ([min(size - 1, Int((Float(i) + 0.5) * Float(scale)))], [1])
            case .area:
                // Adaptive mean: from floor(i n / m) to ceil((i + 1) n / m).
                let first = i * size / newSize
                let end = ((i + 1) * size + newSize - 1) / newSize
                return (Array(first..<end), [Double](repeating: 1 / Double(end - first), count: end - first))
            case .bilinear, .bicubic:
                var position =
                    alignCorners
                    ? (newSize > 1 ? Double(i) * Double(size - 1) / Double(newSize - 1) : 0)
                    : (Double(i) + 0.5) * scale - 0.5
                if mode == .bilinear {
                    position = max(0, position)
                    let low = min(size - 1, Int(saturating: position))
                    let share = position - Double(low)
                    return low == size - 1 ? ([low], [1]) : ([low, low + 1], [1 - share, share])
                }
                let base = position.rounded(.down)
                return (
                    (-1...2).map { min(size - 1, max(0, Int(base) + $0)) },
                    (-1...2).map { AntialiasWeights.cubic(abs(position - base - Double($0)), a: -0.75) }
                )
            }
        }
    }
}
