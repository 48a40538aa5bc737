import BSSBackend
import CBSSKernels

// Indexing and sorting on the CPU: bss_index.h, bss_sort.h.

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

    public func oneHot(_ indices: ArrayView, classes: Int, out: ArrayView) throws {
        try check(bss_one_hot(out.dtype.c, indices.integers, Int64(indices.elementCount), Int64(classes), out.address), "one_hot")
    }

    public func pad(_ x: ArrayView, before: [Int], value: Double, out: ArrayView) throws {
        let from = x.shape.array.map(Int64.init), to = out.shape.array.map(Int64.init)
        try check(bss_pad_constant(x.dtype.c, Int32(x.shape.rank), from, to, before.map(Int64.init), value, x.address, out.address), "pad")
    }

    public func cumulativeSum(_ x: ArrayView, axis: Int, reverse: Bool, out: ArrayView) throws {
        let (outer, size, inner) = x.around(axis)
        try check(bss_cumulative_sum(x.dtype.c, outer, size, inner, reverse, x.address, out.address), "cumsum")
    }

    // MARK: Sorting

    public func sort(_ x: ArrayView, descending: Bool, values: ArrayView?, indices: ArrayView) throws {
        try check(bss_sort(x.dtype.c, x.rows, x.columns, descending, x.address, values?.address, indices.integers), "sort")
    }

    public func topK(_ x: ArrayView, k: Int, largest: Bool, values: ArrayView?, indices: ArrayView) throws {
        try check(bss_top_k(x.dtype.c, x.rows, x.columns, Int64(k), largest, x.address, values?.address, indices.integers), "topk")
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
    var integers: UnsafeMutablePointer<Int64> { address.assumingMemoryBound(to: Int64.self) }
    var doubles: UnsafeMutablePointer<Double> { address.assumingMemoryBound(to: Double.self) }
}
