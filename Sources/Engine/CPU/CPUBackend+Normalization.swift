import BSSBackend
import CBSSKernels

// Normalisation and recurrent cells on the CPU: bss_norm.h, bss_recurrent.h.

extension CPUBackend {
    public func batchStatistics(_ x: ArrayView, mean: ArrayView, variance: ArrayView) throws {
        try check(
            bss_batch_statistics(x.dtype.c, x.rows, x.columns, x.address, mean.doubles, variance.doubles), "batch_norm")
    }

    public func batchNorm(
        _ x: ArrayView, weight: ArrayView?, bias: ArrayView?, mean: ArrayView, inverseDeviation: ArrayView,
        residual: ArrayView?,
        epilogue: Epilogue, out: ArrayView
    ) throws {
        try check(
            bss_batch_norm_forward(
                x.dtype.c, x.rows, x.columns, x.address, weight?.address, bias?.address, mean.doubles,
                inverseDeviation.doubles,
                residual?.address, epilogue == .relu, out.address), "batch_norm")
    }

    public func batchNormBackward(
        _ x: ArrayView, grad: ArrayView, weight: ArrayView?, bias: ArrayView?, mean: ArrayView,
        inverseDeviation: ArrayView,
        ownStatistics: Bool, epilogue: Epilogue, y: ArrayView?, residualOut: ArrayView?, out: ArrayView?,
        weightOut: ArrayView?,
        biasOut: ArrayView?
    ) throws {
        try check(
            bss_batch_norm_backward(
                x.dtype.c, x.rows, x.columns, ownStatistics, x.address, grad.address, weight?.address, bias?.address,
                mean.doubles,
                inverseDeviation.doubles, epilogue == .relu, y?.address, residualOut?.address, out?.address,
                weightOut?.address,
                biasOut?.address), "batch_norm")
    }

    public func layerNorm(
        _ x: ArrayView, eps: Double, weight: ArrayView?, bias: ArrayView?, out: ArrayView, mean: ArrayView,
        inverseDeviation: ArrayView
    ) throws {
        try check(
            bss_layer_norm_forward(
                x.dtype.c, x.rows, x.columns, eps, x.address, weight?.address, bias?.address, out.address, mean.doubles,
                inverseDeviation.doubles), "layer_norm")
    }

    public func layerNormBackward(
        _ x: ArrayView, grad: ArrayView, weight: ArrayView?, mean: ArrayView, inverseDeviation: ArrayView,
        out: ArrayView?, weightOut: ArrayView?, biasOut: ArrayView?
    ) throws {
        try check(
            bss_layer_norm_backward(
                x.dtype.c, x.rows, x.columns, x.address, grad.address, weight?.address, mean.doubles,
                inverseDeviation.doubles,
                out?.address, weightOut?.address, biasOut?.address), "layer_norm")
    }

    // MARK: Recurrent cells: [B, H]

    public func lstmCell(gates: ArrayView, previousCell: ArrayView, cell: ArrayView, hidden: ArrayView) throws {
        try check(
            bss_lstm_cell_forward(
                cell.dtype.c, cell.rows, cell.columns, gates.address, previousCell.address, cell.address, hidden.address
            ),
            "lstm")
    }

    public func lstmCellBackward(
        gates: ArrayView, previousCell: ArrayView, cell: ArrayView, hiddenGrad: ArrayView, cellGrad: ArrayView,
        gatesOut: ArrayView, previousCellOut: ArrayView
    ) throws {
        try check(
            bss_lstm_cell_backward(
                cell.dtype.c, cell.rows, cell.columns, gates.address, previousCell.address, cell.address,
                hiddenGrad.address,
                cellGrad.address, gatesOut.address, previousCellOut.address), "lstm")
    }

    public func gruCell(
        input: ArrayView, recurrent: ArrayView, previousHidden: ArrayView, gates: ArrayView, hidden: ArrayView
    ) throws {
        try check(
            bss_gru_cell_forward(
                hidden.dtype.c, hidden.rows, hidden.columns, input.address, recurrent.address, previousHidden.address,
                gates.address,
                hidden.address), "gru")
    }

    public func gruCellBackward(
        gates: ArrayView, recurrent: ArrayView, previousHidden: ArrayView, hiddenGrad: ArrayView,
        inputOut: ArrayView, recurrentOut: ArrayView, previousHiddenOut: ArrayView
    ) throws {
        try check(
            bss_gru_cell_backward(
                hiddenGrad.dtype.c, hiddenGrad.rows, hiddenGrad.columns, gates.address, recurrent.address,
                previousHidden.address,
                hiddenGrad.address, inputOut.address, recurrentOut.address, previousHiddenOut.address), "gru")
    }
}
