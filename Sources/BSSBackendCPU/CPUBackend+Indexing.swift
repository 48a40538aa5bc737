import BSSBackend
import CBSSKernels

extension CPUBackend {
    public func indexSelect(_ x: ArrayView, axis: Int, indices: ArrayView, out: ArrayView) throws {
        let (outer, size, inner) = x.around(axis)
        try check(
            bss_index_select(x.dtype.c, outer, size, inner, x.address, indices.integers, Int64(indices.elementCount), out.address), "index_select")
    }

    public func indexAdd(into out: ArrayView, axis: Int, indices: ArrayView, source: ArrayView, alpha: Double, skip: Int) throws {
        let (outer, size, inner) = out.around(axis)
        try check(
            bss_index_add(
                out.dtype.c, outer, size, inner, out.address, indices.integers, Int64(indices.elementCount), source.address, alpha, Int64(skip)),
            "index_add")
    }

    public func gather(_ x: ArrayView, axis: Int, index: ArrayView, out: ArrayView) throws {
        var cx = x.c, ci = index.c, co = out.c
        try check(bss_gather(&cx, &ci, Int32(axis), &co), "gather")
    }

    public func scatterAdd(into out: ArrayView, axis: Int, index: ArrayView, source: ArrayView) throws {
        var co = out.c, ci = index.c, cs = source.c
        try check(bss_scatter_add(&co, &ci, Int32(axis), &cs), "scatter_add")
    }
}

extension ArrayView {
    /// A contiguous array as [outer, axis, inner].
    func around(_ axis: Int) -> (outer: Int64, size: Int64, inner: Int64) {
        var outer = 1, inner = 1
        for i in 0..<axis { outer *= shape[i] }
        for i in (axis + 1)..<max(shape.rank, axis + 1) { inner *= shape[i] }
        return (Int64(outer), Int64(shape[axis]), Int64(inner))
    }
    var integers: UnsafePointer<Int64> { UnsafePointer(address.assumingMemoryBound(to: Int64.self)) }
}
