import BSSBackend
import CBSSKernels

// Normalisation and recurrent cells on the CPU: bss_norm.h, bss_recurrent.h.

extension CPUBackend {
    public func batchStatistics(_ x: ArrayView, mean: ArrayView, variance: ArrayView) throws {
        let call = try KernelCall("batch_norm", x)
        let columns = x.shape.last
        try run(
            "batch statistics", writes: mean.elementCount,
            {
                try bss_batch_statistics(
                    call.dtype.c, x.rows, x.columns, call.memory(x, x.elementCount), call.doubles(mean, columns),
                    call.doubles(variance, columns))
            })
    }

    public func batchNorm(
        _ x: ArrayView, weight: ArrayView?, bias: ArrayView?, mean: ArrayView, inverseDeviation: ArrayView,
        residual: ArrayView?,
        epilogue: Epilogue, out: ArrayView
    ) throws {
        let call = try KernelCall("batch_norm", x)
        let (count, columns) = (x.elementCount, x.shape.last)
        try run(
            residual == nil ? "batch norm" : "batch norm + residual", writes: out.elementCount,
            {
                try bss_batch_norm_forward(
                    call.dtype.c, x.rows, x.columns, call.memory(x, count), call.memory(ifAny: weight, columns),
                    call.memory(ifAny: bias, columns), call.doubles(mean, columns),
                    call.doubles(inverseDeviation, columns),
                    call.memory(ifAny: residual, count), epilogue == .relu, call.memory(out, count))
            })
    }

    public func batchNormBackward(
        _ x: ArrayView, grad: ArrayView, weight: ArrayView?, bias: ArrayView?, mean: ArrayView,
        inverseDeviation: ArrayView,
        ownStatistics: Bool, epilogue: Epilogue, y: ArrayView?, residualOut: ArrayView?, out: ArrayView?,
        weightOut: ArrayView?,
        biasOut: ArrayView?
    ) throws {
        let call = try KernelCall("batch_norm", x)
        let (count, columns) = (x.elementCount, x.shape.last)
        try run(
            "batch norm backward", writes: grad.elementCount,
            {
                try bss_batch_norm_backward(
                    call.dtype.c, x.rows, x.columns, ownStatistics, call.memory(x, count), call.memory(grad, count),
                    call.memory(ifAny: weight, columns), call.memory(ifAny: bias, columns), call.doubles(mean, columns),
                    call.doubles(inverseDeviation, columns), epilogue == .relu, call.memory(ifAny: y, count),
                    call.memory(ifAny: residualOut, count), call.memory(ifAny: out, count),
                    call.memory(ifAny: weightOut, columns),
                    call.memory(ifAny: biasOut, columns))
            })
    }

    public func layerNorm(
        _ x: ArrayView, eps: Double, weight: ArrayView?, bias: ArrayView?, out: ArrayView, mean: ArrayView,
        inverseDeviation: ArrayView
    ) throws {
        let call = try KernelCall("layer_norm", x)
        let (count, columns, rows) = (x.elementCount, x.shape.last, Int(x.rows))
        try run(
            "layer norm", writes: out.elementCount,
            {
                try bss_layer_norm_forward(
                    call.dtype.c, x.rows, x.columns, eps, call.memory(x, count), call.memory(ifAny: weight, columns),
                    call.memory(ifAny: bias, columns), call.memory(out, count), call.doubles(mean, rows),
                    call.doubles(inverseDeviation, rows))
            })
    }

    public func layerNormBackward(
        _ x: ArrayView, grad: ArrayView, weight: ArrayView?, mean: ArrayView, inverseDeviation: ArrayView,
        out: ArrayView?, weightOut: ArrayView?, biasOut: ArrayView?
    ) throws {
        let call = try KernelCall("layer_norm", x)
        let (count, columns, rows) = (x.elementCount, x.shape.last, Int(x.rows))
        try run(
            "layer norm backward", writes: grad.elementCount,
            {
                try bss_layer_norm_backward(
                    call.dtype.c, x.rows, x.columns, call.memory(x, count), call.memory(grad, count),
                    call.memory(ifAny: weight, columns), call.doubles(mean, rows), call.doubles(inverseDeviation, rows),
                    call.memory(ifAny: out, count), call.memory(ifAny: weightOut, columns),
                    call.memory(ifAny: biasOut, columns))
            })
    }

    // MARK: Recurrent cells: [B, H]

    public func lstmCell(gates: ArrayView, previousCell: ArrayView, cell: ArrayView, hidden: ArrayView) throws {
        let call = try KernelCall("lstm", cell)
        let count = cell.elementCount
        try run(
            "lstm cell", writes: cell.elementCount,
            {
                try bss_lstm_cell_forward(
                    call.dtype.c, cell.rows, cell.columns, call.memory(gates, 4 * count),
                    call.memory(previousCell, count),
                    call.memory(cell, count), call.memory(hidden, count))
            })
    }

    public func lstmCellBackward(
        gates: ArrayView, previousCell: ArrayView, cell: ArrayView, hiddenGrad: ArrayView, cellGrad: ArrayView,
        gatesOut: ArrayView, previousCellOut: ArrayView
    ) throws {
        let call = try KernelCall("lstm", cell)
        let count = cell.elementCount
        try run(
            "lstm cell backward", writes: cell.elementCount,
            {
                try bss_lstm_cell_backward(
                    call.dtype.c, cell.rows, cell.columns, call.memory(gates, 4 * count),
                    call.memory(previousCell, count),
                    call.memory(cell, count), call.memory(hiddenGrad, count), call.memory(cellGrad, count),
                    call.memory(gatesOut, 4 * count), call.memory(previousCellOut, count))
            })
    }

    public func gruCell(
        input: ArrayView, recurrent: ArrayView, previousHidden: ArrayView, gates: ArrayView, hidden: ArrayView
    ) throws {
        let call = try KernelCall("gru", hidden)
        let count = hidden.elementCount
        try run(
            "gru cell", writes: hidden.elementCount,
            {
                try bss_gru_cell_forward(
                    call.dtype.c, hidden.rows, hidden.columns, call.memory(input, 3 * count),
                    call.memory(recurrent, 3 * count), call.memory(previousHidden, count),
                    call.memory(gates, 3 * count),
                    call.memory(hidden, count))
            })
    }

    public func gruCellBackward(
        gates: ArrayView, recurrent: ArrayView, previousHidden: ArrayView, hiddenGrad: ArrayView,
        inputOut: ArrayView, recurrentOut: ArrayView, previousHiddenOut: ArrayView
    ) throws {
        let call = try KernelCall("gru", hiddenGrad)
        let count = hiddenGrad.elementCount
        try run(
            "gru cell backward", writes: inputOut.elementCount,
            {
                try bss_gru_cell_backward(
                    call.dtype.c, hiddenGrad.rows, hiddenGrad.columns, call.memory(gates, 3 * count),
                    call.memory(recurrent, 3 * count), call.memory(previousHidden, count),
                    call.memory(hiddenGrad, count),
                    call.memory(inputOut, 3 * count), call.memory(recurrentOut, 3 * count),
                    call.memory(previousHiddenOut, count))
            })
    }
}
