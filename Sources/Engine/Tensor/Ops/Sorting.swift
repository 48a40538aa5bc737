import BSSBackend
import BSSCore

// Sorting is stable in both directions: equal elements keep their order. NaN counts as greater than everything.

extension Tensor {
    /// Values in order along `axis`, and where they stood (0-based, i64). dx = g put back at the indices.
    public func sorted(_ axis: Int = -1, descending: Bool = false) throws -> (values: Tensor, indices: Tensor) {
        try ranked("sort", axis) { x, values, indices in
            try backend.sort(x, descending: descending, values: values, indices: indices)
        }
    }

    /// The order that sorts: positions (0-based, i64) along `axis`.
    public func argsorted(_ axis: Int = -1, descending: Bool = false) throws -> Tensor {
        try Autograd.withoutRecording { try sorted(axis, descending: descending).indices }
    }

    /// The k largest (or smallest) along `axis`, best first, equal ones by position. dx as `sorted`.
    public func topK(_ k: Int, axis: Int = -1, largest: Bool = true) throws -> (values: Tensor, indices: Tensor) {
        let axis = try shape.axis(axis, operation: "topk")
        guard k >= 0, k <= shape[axis] else {
            throw BSSError("topk", "k = \(k) is outside 0 to \(shape[axis]), axis \(axis + 1) of \(shape)")
        }
        return try ranked("topk", axis, count: k) { x, values, indices in
            try backend.topK(x, k: k, largest: largest, values: values, indices: indices)
        }
    }

    /// Runs a row kernel along any axis: the axis goes last and comes back.
    private func ranked(
        _ name: StaticString, _ axis: Int, count: Int? = nil,
        _ kernel: (ArrayView, _ values: ArrayView, _ indices: ArrayView) throws -> Void
    ) throws -> (values: Tensor, indices: Tensor) {
        if dtype == .bool {
            let (values, indices) = try converted(to: .int64).ranked(name, axis, count: count, kernel)
            return (try values.converted(to: .bool), indices)
        }
        if dtype.isHalf {
            let (values, indices) = try computing.ranked(name, axis, count: count, kernel)
            return (try values.converted(to: dtype), indices)
        }
        if rank == 0 { return (self, try Tensor.zeros(shape, .int64, on: backend)) }
        let axis = try shape.axis(axis, operation: "\(name)")
        var order = Array(shape.indices)
        order.swapAt(axis, rank - 1)
        let x = try view.permuted(order).dense()
        var result = x.shape
        result[rank - 1] = count ?? result[rank - 1]
        let values = try Tensor.allocate(result, dtype, on: backend)
        let indices = try Tensor.allocate(result, .int64, on: backend)
        try kernel(x, values, indices)
        let places = indices.permuted(order)
        let original = shape
        let sorted = recorded(name, values.permuted(order), self, saves: [places]) { g in
            let dx = try Tensor.zeros(original, g.dtype, on: g.backend)
            try g.backend.scatterAdd(into: dx.view, index: places, axis: axis, source: g.view)
            return [dx]
        }
        return (sorted, Tensor(places))
    }

    /// y_i = x_1 + … + x_i along `axis`; dx_i = g_i + … + g_n.
    public func cumulativeSum(_ axis: Int) throws -> Tensor {
        if dtype == .bool { return try converted(to: .int64).cumulativeSum(axis) }
        if dtype.isHalf { return try computing.cumulativeSum(axis) }
        if rank == 0 { return self }
        let axis = try shape.axis(axis, operation: "cumsum")
        let (outer, size, inner) = shape.around(axis)
        func sums(_ x: ArrayView, reverse: Bool) throws -> ArrayView {
            let out = try Tensor.allocate(x.shape, x.dtype, on: x.backend)
            try x.backend.cumulativeSum(x.dense(), outer: outer, axis: size, inner: inner, reverse: reverse, out: out)
            return out
        }
        return recorded("cumsum", try sums(view, reverse: false), self) { g in [Tensor(try sums(g.view, reverse: true))]
        }
    }
}
