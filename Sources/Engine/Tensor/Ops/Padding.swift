import BSSBackend
import BSSCore

/// What lies beyond the border.
public enum PaddingMode: String, CaseIterable, Sendable {
    /// One value.
    case constant
    /// Mirrored about the border element, which is not repeated: c b | a b c | b a.
    case reflect
    /// The border element again: a a | a b c | c c.
    case replicate
}

extension Tensor {
    /// Padded, or cropped by negative amounts: `amounts[i]` belongs to the i-th axis FROM THE END (before, after).
    ///
    /// Constant mode takes any axes; the others need amounts ≥ 0, reflect less than the axis. The gradient of a padded
    /// element goes to the element it repeats.
    public func padded(
        _ amounts: [(before: Int, after: Int)], mode: PaddingMode = .constant, value: Double = 0
    ) throws -> Tensor {
        guard amounts.count <= rank else {
            throw BSSError("pad", "\(amounts.count) pairs of amounts for the \(rank) axes of \(shape)")
        }
        var result = shape
        var before = Array(repeating: 0, count: rank)
        for (i, amount) in amounts.enumerated() {
            let axis = rank - 1 - i
            result[axis] += amount.before + amount.after
            before[axis] = amount.before
            guard result[axis] >= 0, -amount.before <= shape[axis], -amount.after <= shape[axis] else {
                throw BSSError(
                    "pad", "amounts (\(amount.before), \(amount.after)) crop more than axis \(axis + 1) of \(shape) has"
                )
            }
        }
        if mode != .constant { return try padded(amounts, repeating: mode) }
        let out = try Tensor.allocate(result, dtype, on: backend)
        try backend.pad(view.dense(), before: before, value: value, out: out)
        let original = shape
        return recorded("pad", out, self) { g in
            let dx = try Tensor.allocate(original, g.dtype, on: g.backend)
            try g.backend.pad(g.view.dense(), before: before.map { -$0 }, value: 0, out: dx)
            return [Tensor(dx)]
        }
    }

    /// Axis by axis, a selection of the elements to repeat.
    private func padded(_ amounts: [(before: Int, after: Int)], repeating mode: PaddingMode) throws -> Tensor {
        var y = self
        for (i, amount) in amounts.enumerated() where amount.before != 0 || amount.after != 0 {
            let axis = rank - 1 - i
            let n = shape[axis]
            let most = mode == .reflect ? n - 1 : n > 0 ? Int.max : 0
            guard amount.before >= 0, amount.after >= 0, amount.before <= most, amount.after <= most else {
                throw BSSError(
                    "pad",
                    "mode \(mode.rawValue) takes amounts 0 to \(most) for axis \(axis + 1) of \(shape), "
                        + "got (\(amount.before), \(amount.after))")
            }
            let positions = (-amount.before..<n + amount.after).map { position -> Int in
                switch mode {
                case .reflect: return position < 0 ? -position : position < n ? position : 2 * (n - 1) - position
                case .replicate, .constant: return min(max(position, 0), n - 1)
                }
            }
            y = try y.indexSelect(axis, Tensor.from(positions, on: backend))
        }
        return y
    }

    /// Reversed along the given axes; a view.
    public func flipped(_ axes: [Int]) throws -> Tensor {
        let axes = try axes.map { try shape.axis($0, operation: "flip") }
        guard Set(axes).count == axes.count else {
            throw BSSError("flip", "an axis is named twice in \(axes.map { $0 + 1 })")
        }
        var out = view
        for axis in axes {
            out.offset += max(shape[axis] - 1, 0) * view.strides[axis]
            out.strides[axis] = -view.strides[axis]
        }
        return recorded("flip", out, self) { [try $0.flipped(axes)] }
    }
}
