import BSSBackend
import BSSCore

extension Tensor {
    /// y[o, i, :] = x[o, indices[i], :] along `axis`; indices [count] i64. Repeated indices add up in the gradient.
    public func indexSelect(_ axis: Int, _ indices: Tensor) throws -> Tensor {
        if dtype.isHalf { return try computing.indexSelect(axis, indices).converted(to: dtype) }
        let axis = try shape.axis(axis, operation: "index_select")
        guard indices.dtype == .int64, indices.rank == 1 else {
            throw BSSError("index_select", "needs a list of i64 indices, got \(indices.dtype.name) \(indices.shape)")
        }
        let list = try indices.contiguous()
        try list.checkIndices(below: shape[axis], operation: "index_select")
        var result = shape
        result[axis] = list.elementCount
        let x = try contiguous()
        let out = try Tensor.allocate(result, dtype, on: backend)
        let (outer, size, inner) = shape.around(axis)
        try backend.indexSelect(x.view, outer: outer, axis: size, inner: inner, indices: list.view, out: out)
        let original = shape
        return x.recorded("index_select", out, x, saves: [list.view]) { g in
            let dx = try Tensor.zeros(original, g.dtype, on: g.backend)
            try g.backend.indexAdd(
                into: dx.view, outer: outer, axis: size, inner: inner, indices: list.view, source: g.contiguous().view,
                alpha: 1, skipping: nil)
            return [dx]
        }
    }

    /// y[…, i, …] = x[…, index[…, i, …], …] along `axis`; y has the shape of `index`.
    public func gather(_ axis: Int, _ index: Tensor) throws -> Tensor {
        if dtype.isHalf { return try computing.gather(axis, index).converted(to: dtype) }
        let axis = try shape.axis(axis, operation: "gather")
        guard index.dtype == .int64, index.rank == rank,
            (0..<rank).allSatisfy({ $0 == axis || index.shape[$0] <= shape[$0] })
        else {
            throw BSSError(
                "gather", "index \(index.dtype.name) \(index.shape) does not fit \(shape) along axis \(axis + 1)",
                hint: "same rank, i64, no larger outside the axis")
        }
        try index.checkIndices(below: shape[axis], operation: "gather")
        let out = try Tensor.allocate(index.shape, dtype, on: backend)
        try backend.gather(view, index: index.view, axis: axis, out: out)
        let original = shape
        return recorded("gather", out, self, saves: [index.view]) { g in
            let dx = try Tensor.zeros(original, g.dtype, on: g.backend)
            try g.backend.scatterAdd(into: dx.view, index: index.view, axis: axis, source: g.view)
            return [dx]
        }
    }
}

extension Shape {
    /// A contiguous array seen as [outer, axis, inner].
    func around(_ axis: Int) -> (outer: Int, axis: Int, inner: Int) {
        (array[..<axis].reduce(1, *), self[axis], array[(axis + 1)...].reduce(1, *))
    }
}
