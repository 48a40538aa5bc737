import BSSBackend
import BSSCore
import CBSSCUDA

// Indexing and sorting: move.cu.h, index.cu.h, sort.cu.h.

extension CUDABackend {
    public func firstIndexOutside(_ indices: ArrayView, limit: Int, out: ArrayView) throws {
        let count = indices.elementCount
        let call = try KernelCall("index", indices, .int64)
        let (list, first) = (try call.integers(indices, count), try call.integers(out, 1))
        try runKept("check indices", writes: count) {
            let none = -1
            try launch(Kernel("fill", "move", .int64), elements(1), bss_walk([], [[]]), first, none)
            return try launch(Kernel("first_outside", "index", .int64), elements(count), list, count, limit, first)
        }
    }

    public func indexSelect(
        _ x: ArrayView, outer: Int, axis: Int, inner: Int, indices: ArrayView, out: ArrayView
    ) throws {
        let call = try KernelCall("index_select", x, .any)
        let count = indices.elementCount
        try runKept(
            "index select", writes: out.elementCount,
            launch(
                Kernel("index_select", "move", call.dtype), elements(outer * count * inner),
                bss_axis(outer, axis, inner, count), call.memory(x, outer * axis * inner),
                call.integers(indices, count), call.memory(out, outer * count * inner)))
    }

    public func indexAdd(
        into out: ArrayView, outer: Int, axis: Int, inner: Int, indices: ArrayView, source: ArrayView, alpha: Double,
        skipping: Int?
    ) throws {
        let call = try KernelCall("index_add", out, .numbers)
        let count = indices.elementCount
        let target = try call.memory(out, outer * axis * inner), list = try call.integers(indices, count)
        let from = try call.memory(source, outer * count * inner)
        try runKept("index add", writes: out.elementCount) {
            let (sorted, rows) = (try sortedPairs(list, rows: 1, n: count, .int64), try scratch(max(count, 1) * 8))
            try launch(
                Kernel("sort_take", "sort", .int64), elements(count), 1, count, sorted.width, count, list,
                sorted.positions.address, rows.address, sorted.positions.address)
            return try launch(
                Kernel("index_add", "index", call.dtype), elements(outer * count * inner),
                bss_axis(outer, axis, inner, count), rows.address, sorted.positions.address, from, alpha,
                skipping ?? -1, target)
        }
    }

    public func gather(_ x: ArrayView, index: ArrayView, axis: Int, out: ArrayView) throws {
        let call = try KernelCall("gather", x, .any)
        let (from, to) = (try call.strided(x), try call.strided(out))
        let places = try call.strided(index, .int64, like: out.shape)
        var steps = from.strides.array
        let step = steps[axis]
        steps[axis] = 0
        let walk = bss_walk(out.shape.array, [steps, places.strides.array, to.strides.array])
        try runKept(
            "gather", writes: out.elementCount,
            launch(
                Kernel("gather", "move", call.dtype), elements(out.elementCount), walk, step, from.address,
                places.address, to.address))
    }

    public func scatterAdd(into out: ArrayView, index: ArrayView, axis: Int, source: ArrayView) throws {
        let call = try KernelCall("scatter_add", out, .numbers)
        let (to, from) = (try call.strided(out), try call.strided(source))
        let places = try call.strided(index, .int64, like: source.shape)
        let others = source.shape.indices.filter { $0 != axis }
        var lines = bss_lines()
        lines.lines = bss_walk(
            others.map { source.shape[$0] }, [to, places, from].map { view in others.map { view.strides[$0] } })
        lines.length = Int64(source.shape[axis])
        lines.stride = (Int64(to.strides[axis]), Int64(places.strides[axis]), Int64(from.strides[axis]))
        try runKept(
            "scatter add", writes: out.elementCount,
            launch(
                Kernel("scatter_add", "index", call.dtype), elements(Int(lines.lines.count)), lines, to.address,
                places.address, from.address))
    }

    public func oneHot(_ indices: ArrayView, classes: Int, out: ArrayView) throws {
        let call = try KernelCall("one_hot", out, .any)
        let count = indices.elementCount
        try runKept(
            "one hot", writes: out.elementCount,
            launch(
                Kernel("one_hot", "move", call.dtype), elements(count * classes), call.integers(indices, count), count,
                classes, call.memory(out, count * classes)))
    }

    public func pad(_ x: ArrayView, before: [Int], value: Double, out: ArrayView) throws {
        let call = try KernelCall("pad", x, .any)
        let steps = x.shape.indices.map { [x.strides[$0], before[$0], x.shape[$0]] }
        let walk = bss_walk(exactly: out.shape.array, steps, count: out.elementCount)
        let (from, to) = (try call.memory(x, x.elementCount), try call.memory(out, out.elementCount))
        let (kernel, grid) = (Kernel("pad", "move", call.dtype), elements(out.elementCount))
        try runKept("pad", writes: out.elementCount) {
            switch call.dtype {
            case .float32: return try launch(kernel, grid, walk, from, Float(value), to)
            case .float64: return try launch(kernel, grid, walk, from, value, to)
            case .int64: return try launch(kernel, grid, walk, from, Int(saturating: value), to)
            case .bool: return try launch(kernel, grid, walk, from, UInt8(value != 0 ? 1 : 0), to)
            case .float16: return try launch(kernel, grid, walk, from, value.float16Bits, to)
            case .bfloat16: return try launch(kernel, grid, walk, from, value.bfloat16Bits, to)
            }
        }
    }

    public func cumulativeSum(_ x: ArrayView, outer: Int, axis: Int, inner: Int, reverse: Bool, out: ArrayView) throws {
        let call = try KernelCall("cumsum", x, .numbers)
        let count = outer * axis * inner
        try runKept(
            "cumsum", writes: count,
            launch(
                Kernel("cumulative_sum", "index", call.dtype), elements(outer * inner), bss_axis(outer, axis, inner, 0),
                reverse ? 1 : 0, call.memory(x, count), call.memory(out, count)))
    }

    // MARK: Sorting

    public func sort(_ x: ArrayView, descending: Bool, values: ArrayView?, indices: ArrayView) throws {
        let call = try KernelCall("sort", x, .numbers)
        let count = x.elementCount
        try runKept(
            "sort", writes: count,
            first(
                x.columns, of: call.memory(x, count), rows: x.rows, n: x.columns, descending, call.dtype,
                values: call.memory(ifAny: values, count), indices: call.integers(indices, count)))
    }

    public func topK(_ x: ArrayView, k: Int, largest: Bool, values: ArrayView?, indices: ArrayView) throws {
        let call = try KernelCall("topk", x, .numbers)
        let count = x.rows * k
        try runKept(
            "topk", writes: count,
            first(
                k, of: call.memory(x, x.elementCount), rows: x.rows, n: x.columns, largest, call.dtype,
                values: call.memory(ifAny: values, count), indices: call.integers(indices, count)))
    }

    private func first(
        _ k: Int, of x: UnsafeMutableRawPointer, rows: Int, n: Int, _ descending: Bool, _ dtype: DType,
        values: UnsafeMutableRawPointer?, indices: UnsafeMutablePointer<Int64>
    ) throws -> Int32 {
        if rows * k == 0 { return 0 }
        let sorted = try sortedPairs(x, rows: rows, n: n, descending: descending, dtype)
        return try launch(
            Kernel("sort_take", "sort", dtype), elements(rows * k), rows, n, sorted.width, k, x,
            sorted.positions.address, values, indices)
    }

    /// Positions of rows x [rows, n] in their order, padded to `width`: the bitonic network of sort.cu.h.
    private func sortedPairs(
        _ x: UnsafeRawPointer, rows: Int, n: Int, descending: Bool = false, _ dtype: DType
    ) throws -> (positions: Storage, width: Int) {
        let width = n <= 1 ? 1 : 1 << (Int.bitWidth - (n - 1).leadingZeroBitCount)
        let count = rows * width, tile = min(width, 512)
        let (keys, positions) = (try scratch(max(count, 1) * 8), try scratch(max(count, 1) * 8))
        let k = keys.address, p = positions.address
        try launch(
            Kernel("sort_keys", "sort", dtype), elements(count), rows, n, width, descending ? 1 : 0, x, k, p)
        func within(_ firstRun: Int, _ lastRun: Int) throws {
            try launch(
                Kernel("sort_within", "sort", dtype), Grid(count / tile), width, tile, firstRun, lastRun, k, p)
        }
        if tile > 1 { try within(2, tile) }
        var run = tile * 2
        while run <= width {
            var distance = run / 2
            while distance >= tile {
                try launch(
                    Kernel("sort_exchange", "sort", dtype), elements(count / 2), count / 2, width, run, distance, k, p)
                distance /= 2
            }
            try within(run, run)
            run *= 2
        }
        return (positions, width)
    }
}

extension bss_axis {
    fileprivate init(_ outer: Int, _ axis: Int, _ inner: Int, _ count: Int) {
        self.init(outer: Int64(outer), axis: Int64(axis), inner: Int64(inner), count: Int64(count))
    }
}
