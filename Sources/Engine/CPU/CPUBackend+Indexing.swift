import BSSBackend
import CBSSKernels

// Indexing and sorting on the CPU: bss_index.h, bss_sort.h.

extension CPUBackend {
    public func firstIndexOutside(_ indices: ArrayView, limit: Int) throws -> Int? {
        let position = bss_index_check(indices.indices, Int64(indices.elementCount), Int64(limit))
        return position < 0 ? nil : Int(position)
    }

    public func indexSelect(
        _ x: ArrayView, outer: Int, axis: Int, inner: Int, indices: ArrayView, out: ArrayView
    ) throws {
        try check(
            bss_index_select(
                x.dtype.c, Int64(outer), Int64(axis), Int64(inner), x.address, indices.indices,
                Int64(indices.elementCount), out.address),
            "index_select")
    }

    public func indexAdd(
        into out: ArrayView, outer: Int, axis: Int, inner: Int, indices: ArrayView, source: ArrayView, alpha: Double,
        skipping: Int?
    ) throws {
        try check(
            bss_index_add(
                out.dtype.c, Int64(outer), Int64(axis), Int64(inner), out.address, indices.indices,
                Int64(indices.elementCount),
                source.address, alpha, Int64(skipping ?? -1)), "index_add")
    }

    public func gather(_ x: ArrayView, index: ArrayView, axis: Int, out: ArrayView) throws {
        var cx = x.c
        var ci = index.c
        var co = out.c
        try check(bss_gather(&cx, &ci, Int32(axis), &co), "gather")
    }

    public func scatterAdd(into out: ArrayView, index: ArrayView, axis: Int, source: ArrayView) throws {
        var co = out.c
        var ci = index.c
        var cs = source.c
        try check(bss_scatter_add(&co, &ci, Int32(axis), &cs), "scatter_add")
    }

    public func oneHot(_ indices: ArrayView, classes: Int, out: ArrayView) throws {
        try check(
            bss_one_hot(out.dtype.c, indices.indices, Int64(indices.elementCount), Int64(classes), out.address),
            "one_hot")
    }

    public func pad(_ x: ArrayView, before: [Int], value: Double, out: ArrayView) throws {
        let from = x.shape.array.map(Int64.init)
        let to = out.shape.array.map(Int64.init)
        try check(
            bss_pad_constant(
                x.dtype.c, Int32(x.shape.rank), from, to, before.map(Int64.init), value, x.address, out.address), "pad")
    }

    public func cumulativeSum(_ x: ArrayView, outer: Int, axis: Int, inner: Int, reverse: Bool, out: ArrayView) throws {
        try check(
            bss_cumulative_sum(x.dtype.c, Int64(outer), Int64(axis), Int64(inner), reverse, x.address, out.address),
            "cumsum")
    }

    // MARK: Sorting

    public func sort(_ x: ArrayView, descending: Bool, values: ArrayView?, indices: ArrayView) throws {
        try check(
            bss_sort(x.dtype.c, x.rows, x.columns, descending, x.address, values?.address, indices.indices), "sort")
    }

    public func topK(_ x: ArrayView, k: Int, largest: Bool, values: ArrayView?, indices: ArrayView) throws {
        try check(
            bss_top_k(x.dtype.c, x.rows, x.columns, Int64(k), largest, x.address, values?.address, indices.indices),
            "topk")
    }
}
