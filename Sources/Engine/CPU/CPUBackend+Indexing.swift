import BSSBackend
import CBSSKernels

// Indexing and sorting on the CPU: bss_index.h, bss_sort.h.

extension CPUBackend {
    public func firstIndexOutside(_ indices: ArrayView, limit: Int, out: ArrayView) throws {
        let count = indices.elementCount
        let call = try KernelCall("index", indices, .int64)
        try run(
            "check indices", writes: count,
            {
                try bss_index_check(
                    call.integers(indices, count), Int64(count), Int64(limit), call.integers(out, 1))
            })
    }

    public func indexSelect(
        _ x: ArrayView, outer: Int, axis: Int, inner: Int, indices: ArrayView, out: ArrayView
    ) throws {
        let call = try KernelCall("index_select", x, .any)
        let count = indices.elementCount
        try run(
            "index select", writes: out.elementCount,
            {
                try bss_index_select(
                    call.dtype.c, Int64(outer), Int64(axis), Int64(inner), call.memory(x, outer * axis * inner),
                    call.integers(indices, count), Int64(count), call.memory(out, outer * count * inner))
            })
    }

    public func indexAdd(
        into out: ArrayView, outer: Int, axis: Int, inner: Int, indices: ArrayView, source: ArrayView, alpha: Double,
        skipping: Int?
    ) throws {
        let call = try KernelCall("index_add", out, .numbers)
        let count = indices.elementCount
        try run(
            "index add", writes: out.elementCount,
            {
                try bss_index_add(
                    call.dtype.c, Int64(outer), Int64(axis), Int64(inner), call.memory(out, outer * axis * inner),
                    call.integers(indices, count), Int64(count), call.memory(source, outer * count * inner), alpha,
                    Int64(skipping ?? -1))
            })
    }

    public func gather(_ x: ArrayView, index: ArrayView, axis: Int, out: ArrayView) throws {
        let call = try KernelCall("gather", x, .any)
        let cx = try call.strided(x).c
        let ci = try call.strided(index, .int64, like: out.shape).c
        let co = try call.strided(out).c
        try run("gather", writes: out.elementCount, { views(cx, ci, co) { bss_gather($0, $1, Int32(axis), $2) } })
    }

    public func scatterAdd(into out: ArrayView, index: ArrayView, axis: Int, source: ArrayView) throws {
        let call = try KernelCall("scatter_add", out, .numbers)
        let co = try call.strided(out).c
        let ci = try call.strided(index, .int64, like: source.shape).c
        let cs = try call.strided(source).c
        try run(
            "scatter add", writes: out.elementCount, { views(co, ci, cs) { bss_scatter_add($0, $1, Int32(axis), $2) } })
    }

    public func oneHot(_ indices: ArrayView, classes: Int, out: ArrayView) throws {
        let call = try KernelCall("one_hot", out, .any)
        let count = indices.elementCount
        try run(
            "one hot", writes: out.elementCount,
            {
                try bss_one_hot(
                    call.dtype.c, call.integers(indices, count), Int64(count), Int64(classes),
                    call.memory(out, count * classes))
            })
    }

    public func pad(_ x: ArrayView, before: [Int], value: Double, out: ArrayView) throws {
        let call = try KernelCall("pad", x, .any)
        let from = x.shape.array.map(Int64.init)
        let to = out.shape.array.map(Int64.init)
        try run(
            "pad", writes: out.elementCount,
            {
                try bss_pad_constant(
                    call.dtype.c, Int32(x.shape.rank), from, to, before.map(Int64.init), value,
                    call.memory(x, x.elementCount), call.memory(out, out.elementCount))
            })
    }

    public func cumulativeSum(_ x: ArrayView, outer: Int, axis: Int, inner: Int, reverse: Bool, out: ArrayView) throws {
        let call = try KernelCall("cumsum", x, .numbers)
        let count = outer * axis * inner
        try run(
            "cumsum", writes: count,
            {
                try bss_cumulative_sum(
                    call.dtype.c, Int64(outer), Int64(axis), Int64(inner), reverse, call.memory(x, count),
                    call.memory(out, count))
            })
    }

    // MARK: Sorting

    public func sort(_ x: ArrayView, descending: Bool, values: ArrayView?, indices: ArrayView) throws {
        let call = try KernelCall("sort", x, .numbers)
        let count = x.elementCount
        try run(
            "sort", writes: count,
            {
                try bss_sort(
                    call.dtype.c, x.rows, x.columns, descending, call.memory(x, count),
                    call.memory(ifAny: values, count),
                    call.integers(indices, count))
            })
    }

    public func topK(_ x: ArrayView, k: Int, largest: Bool, values: ArrayView?, indices: ArrayView) throws {
        let call = try KernelCall("topk", x, .numbers)
        let count = Int(x.rows) * k
        try run(
            "topk", writes: count,
            {
                try bss_top_k(
                    call.dtype.c, x.rows, x.columns, Int64(k), largest, call.memory(x, x.elementCount),
                    call.memory(ifAny: values, count), call.integers(indices, count))
            })
    }
}
