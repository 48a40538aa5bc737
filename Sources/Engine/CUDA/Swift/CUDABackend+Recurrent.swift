import BSSBackend
import CBSSCUDA

// Recurrent cells [B, H]: recurrent.cu.h.

extension CUDABackend {
    public func lstmCell(gates: ArrayView, previousCell: ArrayView, cell: ArrayView, hidden: ArrayView) throws {
        let call = try KernelCall("lstm", cell)
        let count = cell.elementCount
        try runKept(
            "lstm cell", writes: count,
            launch(
                Kernel("lstm_cell", "recurrent", call.dtype), elements(count), cell.rows, cell.columns,
                call.memory(gates, 4 * count), call.memory(previousCell, count), call.memory(cell, count),
                call.memory(hidden, count)))
    }

    public func lstmCellBackward(
        gates: ArrayView, previousCell: ArrayView, cell: ArrayView, hiddenGrad: ArrayView, cellGrad: ArrayView,
        gatesOut: ArrayView, previousCellOut: ArrayView
    ) throws {
        let call = try KernelCall("lstm", cell)
        let count = cell.elementCount
        try runKept(
            "lstm cell backward", writes: count,
            launch(
                Kernel("lstm_cell_backward", "recurrent", call.dtype), elements(count), cell.rows, cell.columns,
                call.memory(gates, 4 * count), call.memory(previousCell, count), call.memory(cell, count),
                call.memory(hiddenGrad, count), call.memory(cellGrad, count), call.memory(gatesOut, 4 * count),
                call.memory(previousCellOut, count)))
    }

    public func gruCell(
        input: ArrayView, recurrent: ArrayView, previousHidden: ArrayView, gates: ArrayView, hidden: ArrayView
    ) throws {
        let call = try KernelCall("gru", hidden)
        let count = hidden.elementCount
        try runKept(
            "gru cell", writes: count,
            launch(
                Kernel("gru_cell", "recurrent", call.dtype), elements(count), hidden.rows, hidden.columns,
                call.memory(input, 3 * count), call.memory(recurrent, 3 * count), call.memory(previousHidden, count),
                call.memory(gates, 3 * count), call.memory(hidden, count)))
    }

    public func gruCellBackward(
        gates: ArrayView, recurrent: ArrayView, previousHidden: ArrayView, hiddenGrad: ArrayView, inputOut: ArrayView,
        recurrentOut: ArrayView, previousHiddenOut: ArrayView
    ) throws {
        let call = try KernelCall("gru", hiddenGrad)
        let count = hiddenGrad.elementCount
        try runKept(
            "gru cell backward", writes: inputOut.elementCount,
            launch(
                Kernel("gru_cell_backward", "recurrent", call.dtype), elements(count), hiddenGrad.rows,
                hiddenGrad.columns, call.memory(gates, 3 * count), call.memory(recurrent, 3 * count),
                call.memory(previousHidden, count), call.memory(hiddenGrad, count), call.memory(inputOut, 3 * count),
                call.memory(recurrentOut, 3 * count), call.memory(previousHiddenOut, count)))
    }
}
