import BSSBackend
import BSSCore

// Adding at indices, and looking up by them: repeated indices add up in ascending order, on any number of threads.

extension Tensor {
    /// y = self, then y[…, index[…, i, …], …] += source[…, i, …] along `axis`.
    ///
    /// `index` (i64) fits inside `source` in every axis, and inside self in every axis but `axis`.
    /// dself = g, dsource = g gathered at `index`.
    public func scatterAdd(_ axis: Int, _ index: Tensor, _ source: Tensor) throws -> Tensor {
        if dtype.isHalf || source.dtype.isHalf {
            return try computing.scatterAdd(axis, index, source.computing)
        }
        let axis = try shape.axis(axis, operation: "scatter_add")
        guard index.dtype == .int64, index.rank == rank, source.rank == rank,
            shape.indices.allSatisfy({
                index.shape[$0] <= source.shape[$0] && ($0 == axis || index.shape[$0] <= shape[$0])
            })
        else {
            throw BSSError(
                "scatter_add",
                "index \(index.dtype.name) \(index.shape) and source \(source.shape) do not fit \(shape) "
                    + "along axis \(axis + 1)",
                hint: "same rank, i64; index no larger than source, nor than the target outside the axis")
        }
        try checkSameType("scatter_add", source)
        try index.checkIndices(below: shape[axis], operation: "scatter_add")
        let out = try Tensor.allocate(shape, dtype, on: backend)
        try backend.copy(view, out: out)
        var part = source.view
        part.shape = index.shape
        try backend.scatterAdd(into: out, index: index.view, axis: axis, source: part)
        let sourceShape = source.shape
        return Tensor.recorded("scatter_add", out, [self, source], saves: [index.view]) { g in
            let picked = try g.gather(axis, index)
            if sourceShape == index.shape { return [g, picked] }
            // Elements of the source beyond the index were not used.
            let before = Array(repeating: 0, count: sourceShape.rank)
            let full = try Tensor.allocate(sourceShape, g.dtype, on: g.backend)
            try g.backend.pad(picked.view, before: before, value: 0, out: full)
            return [g, Tensor(full)]
        }
    }

    /// y = self, then y[o, indices[i], :] += alpha · source[o, i, :] along `axis`; indices [count] i64.
    ///
    /// dself = g, dsource = alpha · g at `indices`.
    public func indexAdd(_ axis: Int, _ indices: Tensor, _ source: Tensor, alpha: Double = 1) throws -> Tensor {
        if dtype.isHalf || source.dtype.isHalf {
            return try computing.indexAdd(axis, indices, source.computing, alpha: alpha)
        }
        let axis = try shape.axis(axis, operation: "index_add")
        var expected = shape
        expected[axis] = indices.elementCount
        guard indices.dtype == .int64, indices.rank == 1, source.shape == expected else {
            throw BSSError(
                "index_add",
                "indices \(indices.dtype.name) \(indices.shape) and source \(source.shape) do not fit \(shape) "
                    + "along axis \(axis + 1)",
                hint: "the source needs shape \(expected)")
        }
        try checkSameType("index_add", source)
        let list = try indices.detached.contiguous()
        try list.checkIndices(below: shape[axis], operation: "index_add")
        let out = try Tensor.allocate(shape, dtype, on: backend)
        try backend.copy(view, out: out)
        let (outer, size, inner) = shape.around(axis)
        try backend.indexAdd(
            into: out, outer: outer, axis: size, inner: inner, indices: list.view, source: source.view.dense(),
            alpha: alpha, skipping: nil)
        return Tensor.recorded("index_add", out, [self, source], saves: [list.view]) { g in
            [g, try g.indexSelect(axis, list).multiplied(by: alpha)]
        }
    }

    private func checkSameType(_ operation: String, _ source: Tensor) throws {
        guard source.dtype == dtype, dtype != .bool else {
            throw BSSError(
                operation, "target is \(dtype.name), source \(source.dtype.name)",
                hint: "both need one number type; convert with :to()")
        }
    }

    /// y[…, :] = weight[ids[…], :]; ids: any shape, i64; weight: [V, D].
    ///
    /// dweight[v] = Σ of g over the places where v was looked up; row `paddingIndex` gets none.
    public static func embedding(_ ids: Tensor, _ weight: Tensor, paddingIndex: Int? = nil) throws -> Tensor {
        guard weight.rank == 2 else { throw BSSError("embedding", "weight needs shape [V, D], got \(weight.shape)") }
        guard ids.dtype == .int64 else {
            throw BSSError("embedding", "ids must be i64, got \(ids.dtype.name) \(ids.shape)")
        }
        let rows = weight.shape[0]
        let width = weight.shape[1]
        if let paddingIndex, paddingIndex < 0 || paddingIndex >= rows {
            throw BSSError(
                "embedding",
                "padding index \(paddingIndex) is outside 0 to \(rows - 1), the rows of weight \(weight.shape)")
        }
        guard ids.rank < Shape.maximumRank else { throw BSSError("embedding", "ids \(ids.shape) have too many axes") }
        let list = try ids.detached.contiguous()
        try list.checkIndices(below: rows, operation: "embedding")
        var result = ids.shape
        result.append(width)
        let out = try allocate(result, weight.dtype, on: weight.backend)
        try weight.backend.indexSelect(
            weight.view.dense(), outer: 1, axis: rows, inner: width, indices: list.view, out: out)
        let original = weight.shape
        return weight.recorded("embedding", out, weight, saves: [list.view]) { g in
            let dw = try Tensor.zeros(original, g.dtype, on: g.backend)
            try g.backend.indexAdd(
                into: dw.view, outer: 1, axis: rows, inner: width, indices: list.view, source: g.view.dense(), alpha: 1,
                skipping: paddingIndex)
            return [dw]
        }
    }

    /// y[…, k] = 1 where k = self[…], else 0; self: i64 class indices.
    public func oneHot(classes: Int, _ dtype: DType = .int64) throws -> Tensor {
        guard self.dtype == .int64, rank < Shape.maximumRank else {
            throw BSSError("one_hot", "needs i64 class indices, got \(self.dtype.name) \(shape)")
        }
        guard classes >= 1 else { throw BSSError("one_hot", "needs at least one class, got \(classes)") }
        let list = try detached.contiguous()
        try list.checkIndices(below: classes, operation: "one_hot")
        var result = shape
        result.append(classes)
        let out = try Tensor.allocate(result, dtype, on: backend)
        try backend.oneHot(list.view, classes: classes, out: out)
        return Tensor(out)
    }
}
