import BSSBackend
import CBSSCUDA

// Normalisation: norm.cu.h.

extension bss_rows {
    /// Chunks of at least 64 rows, at most 64 of them.
    fileprivate init(_ x: ArrayView) {
        let (rows, columns) = (x.rows, x.columns)
        let perChunk = max(64, (rows + 63) / 64)
        self.init(
            rows: Int64(rows), columns: Int64(columns), rows_a_chunk: Int64(perChunk),
            chunks: Int64((rows + perChunk - 1) / perChunk))
    }

    fileprivate var sumGrid: Grid { Grid((Int(columns) + 31) / 32, Int(chunks)) }
    fileprivate var partialBytes: Int { max(1, Int(chunks * columns) * 16) }
}

extension CUDABackend {
    // MARK: Batch normalisation

    public func batchStatistics(_ x: ArrayView, mean: ArrayView, variance: ArrayView) throws {
        let call = try KernelCall("batch_norm", x)
        let (rows, columns) = (bss_rows(x), x.shape.last)
        let source = try call.memory(x, x.elementCount)
        let (first, second) = (try call.doubles(mean, columns), try call.doubles(variance, columns))
        try runKept("batch statistics", writes: mean.elementCount) {
            let partial = try scratch(rows.partialBytes)
            try launch(
                Kernel("batch_statistics_sums", "norm", call.dtype), rows.sumGrid, rows, source, partial.address)
            return try launch(
                Kernel("batch_statistics", "norm", call.dtype), elements(columns), rows, source, partial.address, first,
                second)
        }
    }

    public func batchNorm(
        _ x: ArrayView, weight: ArrayView?, bias: ArrayView?, mean: ArrayView, inverseDeviation: ArrayView,
        residual: ArrayView?, epilogue: Epilogue, out: ArrayView
    ) throws {
        let call = try KernelCall("batch_norm", x)
        let (count, columns) = (x.elementCount, x.shape.last)
        try runKept(
            residual == nil ? "batch norm" : "batch norm + residual", writes: out.elementCount,
            launch(
                Kernel("batch_norm", "norm", call.dtype), elements(count), bss_rows(x), call.memory(x, count),
                call.memory(ifAny: weight, columns), call.memory(ifAny: bias, columns), call.doubles(mean, columns),
                call.doubles(inverseDeviation, columns), call.memory(ifAny: residual, count), epilogue == .relu ? 1 : 0,
                call.memory(out, count)))
    }

    public func batchNormBackward(
        _ x: ArrayView, grad: ArrayView, weight: ArrayView?, bias: ArrayView?, mean: ArrayView,
        inverseDeviation: ArrayView, ownStatistics: Bool, epilogue: Epilogue, y: ArrayView?, residualOut: ArrayView?,
        out: ArrayView?, weightOut: ArrayView?, biasOut: ArrayView?
    ) throws {
        let call = try KernelCall("batch_norm", x)
        let (count, columns, rows) = (x.elementCount, x.shape.last, bss_rows(x))
        let (source, upstream) = (try call.memory(x, count), try call.memory(grad, count))
        let (gain, offset) = (try call.memory(ifAny: weight, columns), try call.memory(ifAny: bias, columns))
        let (centre, inverse) = (try call.doubles(mean, columns), try call.doubles(inverseDeviation, columns))
        let (result, kept) = (try call.memory(ifAny: y, count), try call.memory(ifAny: residualOut, count))
        let (weights, biases) = (try call.memory(ifAny: weightOut, columns), try call.memory(ifAny: biasOut, columns))
        let target = try call.memory(ifAny: out, count)
        let relu = epilogue == .relu ? 1 : 0
        try runKept("batch norm backward", writes: grad.elementCount) {
            let (partial, totals) = (try scratch(rows.partialBytes), try scratch(max(columns, 1) * 16))
            let needsTotals = target != nil && ownStatistics
            if needsTotals || weights != nil || biases != nil || kept != nil {
                try launch(
                    Kernel("batch_norm_sums", "norm", call.dtype), rows.sumGrid, rows, source, upstream, gain, offset,
                    centre, inverse, relu, result, kept, partial.address)
                try launch(
                    Kernel("column_totals", "norm", call.dtype), elements(columns), rows, partial.address,
                    Optional(inverse), totals.address, weights, biases)
            }
            guard let target else { return 0 }
            return try launch(
                Kernel("batch_norm_backward", "norm", call.dtype), elements(count), rows, source, upstream, gain,
                offset, centre, inverse, relu, result, needsTotals ? totals.address : nil, target)
        }
    }

    // MARK: Layer normalisation

    public func layerNorm(
        _ x: ArrayView, eps: Double, weight: ArrayView?, bias: ArrayView?, out: ArrayView, mean: ArrayView,
        inverseDeviation: ArrayView
    ) throws {
        let call = try KernelCall("layer_norm", x)
        let (count, columns, rows) = (x.elementCount, x.shape.last, x.rows)
        try runKept(
            "layer norm", writes: out.elementCount,
            launch(
                Kernel("layer_norm", "norm", call.dtype), .rows(rows, of: columns), columns, eps, call.memory(x, count),
                call.memory(ifAny: weight, columns), call.memory(ifAny: bias, columns), call.memory(out, count),
                call.doubles(mean, rows), call.doubles(inverseDeviation, rows)))
    }

    public func layerNormBackward(
        _ x: ArrayView, grad: ArrayView, weight: ArrayView?, mean: ArrayView, inverseDeviation: ArrayView,
        out: ArrayView?, weightOut: ArrayView?, biasOut: ArrayView?
    ) throws {
        let call = try KernelCall("layer_norm", x)
        let (count, columns, rows) = (x.elementCount, x.shape.last, bss_rows(x))
        let (source, upstream) = (try call.memory(x, count), try call.memory(grad, count))
        let (centre, inverse) = (try call.doubles(mean, x.rows), try call.doubles(inverseDeviation, x.rows))
        let gain = try call.memory(ifAny: weight, columns)
        let (weights, biases) = (try call.memory(ifAny: weightOut, columns), try call.memory(ifAny: biasOut, columns))
        let target = try call.memory(ifAny: out, count)
        try runKept("layer norm backward", writes: grad.elementCount) {
            if let target {
                try launch(
                    Kernel("layer_norm_backward", "norm", call.dtype), .rows(x.rows, of: columns), columns, source,
                    upstream, gain, centre, inverse, target)
            }
            guard weights != nil || biases != nil else { return 0 }
            let partial = try scratch(rows.partialBytes), none: UnsafeMutableRawPointer? = nil
            try launch(
                Kernel("layer_norm_sums", "norm", call.dtype), rows.sumGrid, rows, source, upstream, centre, inverse,
                partial.address)
            return try launch(
                Kernel("column_totals", "norm", call.dtype), elements(columns), rows, partial.address, none, none,
                weights, biases)
        }
    }
}
