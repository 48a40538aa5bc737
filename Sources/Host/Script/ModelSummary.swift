import BSSBackend
import BSSCore
import BSSNetworks

/// A network as a table of its layers: kind, shapes, parameters.
enum ModelSummary {
    /// More lines than this, and the innermost level is folded into its parents.
    private static let mostLines = 60

    private struct Row {
        let depth: Int
        let name: String
        let kind: String
        let shapes: String
        let parameters: Int
    }

    static func text(_ network: MultimodalModel, fusion: String) -> String {
        let rows = rows(network, depth: 0)
        let deepest = rows.map(\.depth).max() ?? 0
        let depth = (0...deepest).last { limit in limit == 0 || rows.count { $0.depth <= limit } <= mostLines } ?? 0
        let shown = rows.filter { $0.depth <= depth }
        let names = shown.map { String(repeating: "  ", count: $0.depth + 1) + $0.name }
        let nameWidth = max(12, names.map(\.count).max() ?? 0) + 2
        let kindWidth = max(6, shown.map(\.kind.count).max() ?? 0) + 2
        let shapeWidth = max(8, min(48, shown.map(\.shapes.count).max() ?? 0)) + 2
        let bytes = network.stateTensors().reduce(0) { $0 + $1.tensor.byteCount }
        let parameters = "\(grouped(network.parameterCount)) parameters (\(size(bytes)))"
        let data = "\(network.modalities.count) modalities, \(network.classes) classes"
        var lines = ["model: \(parameters), \(data), fusion \(fusion)"]
        lines.append(
            Text.padded("  layer", to: nameWidth) + Text.padded("kind", to: kindWidth)
                + Text.padded("weights", to: shapeWidth) + "parameters")
        for (row, name) in zip(shown, names) {
            lines.append(
                Text.padded(name, to: nameWidth) + Text.padded(row.kind, to: kindWidth)
                    + Text.padded(row.shapes, to: shapeWidth)
                    + Text.padded(grouped(row.parameters), to: 10, right: true))
        }
        if shown.count < rows.count {
            lines.append("  … \(rows.count - shown.count) inner layers; model:parameters() names every tensor")
        }
        return lines.joined(separator: "\n")
    }

    /// Depth first; modules without parameters or buffers of their own or below (activations, pooling) are left out.
    private static func rows(_ module: Module, depth: Int) -> [Row] {
        module.children.flatMap { name, child -> [Row] in
            guard !child.parameters().isEmpty || !child.buffers().isEmpty || depth == 0 else { return [] }
            let shapes = child.ownParameters.map { "\($0.name) \($0.parameter.value.shape)" }.joined(separator: ", ")
            return [
                Row(
                    depth: depth, name: name, kind: "\(type(of: child))", shapes: shapes,
                    parameters: child.parameterCount)
            ] + rows(child, depth: depth + 1)
        }
    }

    /// `12,818`
    private static func grouped(_ count: Int) -> String {
        var out = ""
        var digits = Array(String(count))
        while digits.count > 3 {
            out = "," + String(digits.suffix(3)) + out
            digits.removeLast(3)
        }
        return String(digits) + out
    }

    private static func size(_ bytes: Int) -> String {
        bytes < 1 << 20
            ? Text.fixed(Double(bytes) / 1024, 1) + " KiB" : Text.fixed(Double(bytes) / Double(1 << 20), 1) + " MiB"
    }
}
