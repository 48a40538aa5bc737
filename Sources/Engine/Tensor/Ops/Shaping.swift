import BSSBackend
import BSSCore

// Views and joins: the same numbers in another shape. Views share storage.

extension Tensor {
    private func viewed(_ name: StaticString, _ view: ArrayView, _ pullback: @escaping Node.Pullback) -> Tensor {
        recorded(name, view, self, pullback)
    }

    /// The same elements in row-major order under another shape; a view where the layout allows it.
    public func reshaped(_ target: Shape) throws -> Tensor {
        if target == shape { return self }
        guard target.elementCount == elementCount else {
            throw BSSError(
                "reshape", "shape \(shape) has \(elementCount) elements, \(target) needs \(target.elementCount)")
        }
        let original = shape
        guard view.isContiguous else { return try contiguous().reshaped(target) }
        var out = view
        out.shape = target
        out.strides = target.contiguousStrides
        return viewed("reshape", out) { [try $0.reshaped(original)] }
    }

    /// `sizes` may hold one -1, which is inferred.
    public func reshaped(inferring sizes: [Int]) throws -> Tensor {
        guard let hole = sizes.firstIndex(of: -1) else { return try reshaped(Shape(sizes, operation: "reshape")) }
        var others = sizes
        others.remove(at: hole)
        let known = try Shape(others, operation: "reshape").elementCount
        guard known > 0, elementCount % known == 0 else {
            throw BSSError("reshape", "shape \(shape) cannot become \(sizes)")
        }
        var filled = sizes
        filled[hole] = elementCount / known
        return try reshaped(Shape(filled, operation: "reshape"))
    }

    /// [N, …] as rows [N, everything else], also where N is 0.
    public func flattenedRows() throws -> Tensor {
        guard rank > 0 else { throw BSSError("flatten", "a scalar has no rows") }
        return try reshaped([shape[0], shape.array.dropFirst().reduce(1, *)])
    }

    /// Axis i of the result is axis `order[i]` of this.
    public func permuted(_ order: [Int]) throws -> Tensor {
        let axes = try order.map { try shape.axis($0, operation: "permute") }
        guard axes.count == rank, Set(axes).count == rank else {
            throw BSSError("permute", "order \(order.map { $0 + 1 }) is not an order of the \(rank) axes of \(shape)")
        }
        var out = view
        var inverse = axes
        for (position, axis) in axes.enumerated() {
            out.shape[position] = shape[axis]
            out.strides[position] = view.strides[axis]
            inverse[axis] = position
        }
        return viewed("permute", out) { [try $0.permuted(inverse)] }
    }

    public func transposed(_ a: Int, _ b: Int) throws -> Tensor {
        let a = try shape.axis(a, operation: "transpose")
        let b = try shape.axis(b, operation: "transpose")
        var out = view
        (out.shape[a], out.shape[b]) = (shape[b], shape[a])
        (out.strides[a], out.strides[b]) = (view.strides[b], view.strides[a])
        return viewed("transpose", out) { [try $0.transposed(a, b)] }
    }

    /// Without an axis of size 1.
    public func squeezed(_ axis: Int) throws -> Tensor {
        let axis = try shape.axis(axis, operation: "squeeze")
        guard shape[axis] == 1 else {
            throw BSSError("squeeze", "axis \(axis + 1) of \(shape) has size \(shape[axis]), not 1")
        }
        var out = view
        out.shape.remove(at: axis)
        out.strides.remove(at: axis)
        return viewed("squeeze", out) { [try $0.unsqueezed(axis)] }
    }

    /// With a new axis of size 1 at `axis`.
    public func unsqueezed(_ axis: Int) throws -> Tensor {
        let at = axis < 0 ? axis + rank + 1 : axis
        guard at >= 0, at <= rank, rank < Shape.maximumRank else {
            throw BSSError("unsqueeze", "cannot put an axis at \(axis + 1) of \(shape)")
        }
        var out = view
        out.shape.insert(1, at: at)
        out.strides.insert(at < rank ? view.strides[at] * shape[at] : 1, at: at)
        return viewed("unsqueeze", out) { [try $0.squeezed(at)] }
    }

    /// Broadcast to a larger shape without copying.
    public func expanded(_ target: Shape) throws -> Tensor {
        guard try Shape.broadcast(shape, target, operation: "expand") == target else {
            throw BSSError("expand", "shape \(shape) does not stretch to \(target)")
        }
        let original = shape
        return viewed("expand", view.broadcast(to: target)) { [try $0.summed(to: original)] }
    }

    /// Elements from ..< to (0-based) of an axis, every `step`-th.
    public func sliced(_ axis: Int, from: Int, to: Int, step: Int = 1) throws -> Tensor {
        let axis = try shape.axis(axis, operation: "slice")
        guard step > 0 else { throw BSSError("slice", "step must be positive, got \(step)") }
        let from = min(max(from, 0), shape[axis])
        let to = min(max(to, from), shape[axis])
        let step = min(step, max(shape[axis], 1))
        var out = view
        out.offset += from * view.strides[axis]
        out.shape[axis] = (to - from + step - 1) / step
        out.strides[axis] = view.strides[axis] * step
        let original = shape
        return viewed("slice", out) { g in
            let full = try Tensor.zeros(original, g.dtype, on: g.backend)
            let part = try full.sliced(axis, from: from, to: to, step: step)
            try g.backend.copy(g.view, out: part.view)
            return [full]
        }
    }

    /// The sub-tensor at a position (0-based) of the first axis.
    public func element(at index: Int) throws -> Tensor {
        guard rank > 0, index >= 0, index < shape[0] else {
            throw BSSError("index", "position \(index + 1) is outside shape \(shape)")
        }
        return try sliced(0, from: index, to: index + 1).squeezed(0)
    }

    /// Joined along an existing axis.
    public static func concatenated(_ parts: [Tensor], axis: Int) throws -> Tensor {
        guard let first = parts.first else { throw BSSError("concat", "needs at least one tensor") }
        let axis = try first.shape.axis(axis, operation: "concat")
        var shape = first.shape
        var dtype = first.dtype
        for part in parts.dropFirst() {
            var expected = first.shape
            expected[axis] = part.rank == first.rank ? part.shape[axis] : -1
            guard part.shape == expected else {
                throw BSSError("concat", "shapes \(first.shape) and \(part.shape) differ outside axis \(axis + 1)")
            }
            shape[axis] += part.shape[axis]
            dtype = DType.promoted(dtype, part.dtype)
        }
        if parts.count == 1 { return first }
        let parts = try parts.map { try $0.converted(to: dtype) }
        let out = try allocate(shape, dtype, on: first.backend)
        var start = 0
        var starts: [Int] = []
        for part in parts {
            var window = out
            window.offset += start * out.strides[axis]
            window.shape[axis] = part.shape[axis]
            try first.backend.copy(part.view, out: window)
            starts.append(start)
            start += part.shape[axis]
        }
        let sizes = parts.map { $0.shape[axis] }
        return recorded("concat", out, parts) { g in
            try zip(starts, sizes).map { try g.sliced(axis, from: $0, to: $0 + $1) }
        }
    }

    /// Joined along a new axis.
    public static func stacked(_ parts: [Tensor], axis: Int) throws -> Tensor {
        guard let first = parts.first else { throw BSSError("stack", "needs at least one tensor") }
        if let odd = parts.first(where: { $0.shape != first.shape }) {
            throw BSSError("stack", "shapes \(first.shape) and \(odd.shape) differ")
        }
        let at = axis < 0 ? axis + first.rank + 1 : axis
        return try concatenated(parts.map { try $0.unsqueezed(at) }, axis: at)
    }

    /// Pieces of the given sizes along an axis.
    public func split(_ sizes: [Int], axis: Int) throws -> [Tensor] {
        let axis = try shape.axis(axis, operation: "split")
        guard sizes.reduce(0, +) == shape[axis], !sizes.contains(where: { $0 < 0 }) else {
            throw BSSError("split", "sizes \(sizes) do not add up to \(shape[axis]), axis \(axis + 1) of \(shape)")
        }
        var start = 0
        return try sizes.map { size in
            defer { start += size }
            return try sliced(axis, from: start, to: start + size)
        }
    }

    /// At most `count` pieces of ceil(n / count) elements; the last may be smaller.
    public func chunks(_ count: Int, axis: Int) throws -> [Tensor] {
        let axis = try shape.axis(axis, operation: "chunk")
        guard count > 0 else { throw BSSError("chunk", "needs at least one chunk, got \(count)") }
        let size = max(1, (shape[axis] + count - 1) / count)
        return try stride(from: 0, to: shape[axis], by: size).map { try sliced(axis, from: $0, to: $0 + size) }
    }
}
