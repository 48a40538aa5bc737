extension ProfilingBackend {
    func convolution(
        _ geometry: ConvolutionGeometry, x: ArrayView, weight: ArrayView, bias: ArrayView?, out: ArrayView
    ) throws {
        try timed("convolution", out.elementCount) {
            try base.convolution(geometry, x: x, weight: weight, bias: bias, out: out)
        }
    }

    func convolutionInputGradient(
        _ geometry: ConvolutionGeometry, weight: ArrayView, grad: ArrayView, out: ArrayView
    ) throws {
        try timed("convolution input gradient", out.elementCount) {
            try base.convolutionInputGradient(
                geometry, weight: weight, grad: grad, out: out)
        }
    }

    func convolutionWeightGradient(
        _ geometry: ConvolutionGeometry, x: ArrayView, grad: ArrayView, out: ArrayView, biasOut: ArrayView?
    ) throws {
        try timed("convolution weight gradient", out.elementCount) {
            try base.convolutionWeightGradient(
                geometry, x: x, grad: grad, out: out, biasOut: biasOut)
        }
    }

    func maxPool(
        _ geometry: PoolingGeometry, zeroPadding: Bool, x: ArrayView, out: ArrayView, indices: ArrayView
    ) throws {
        try timed("max pool", out.elementCount) {
            try base.maxPool(geometry, zeroPadding: zeroPadding, x: x, out: out, indices: indices)
        }
    }

    func maxPoolBackward(_ geometry: PoolingGeometry, indices: ArrayView, grad: ArrayView, out: ArrayView) throws {
        try timed("max pool backward", out.elementCount) {
            try base.maxPoolBackward(geometry, indices: indices, grad: grad, out: out)
        }
    }

    func averagePool(
        _ geometry: PoolingGeometry, countPadding: Bool, divisor: Int?, x: ArrayView, out: ArrayView
    ) throws {
        try timed("average pool", out.elementCount) {
            try base.averagePool(geometry, countPadding: countPadding, divisor: divisor, x: x, out: out)
        }
    }

    func averagePoolBackward(
        _ geometry: PoolingGeometry, countPadding: Bool, divisor: Int?, grad: ArrayView, out: ArrayView
    ) throws {
        try timed("average pool backward", out.elementCount) {
            try base.averagePoolBackward(
                geometry, countPadding: countPadding, divisor: divisor, grad: grad, out: out)
        }
    }

    func adaptiveAveragePool(_ geometry: PoolingGeometry, x: ArrayView, out: ArrayView) throws {
        try timed("adaptive average pool", out.elementCount) { try base.adaptiveAveragePool(geometry, x: x, out: out) }
    }

    func adaptiveAveragePoolBackward(_ geometry: PoolingGeometry, grad: ArrayView, out: ArrayView) throws {
        try timed("adaptive average pool backward", out.elementCount) {
            try base.adaptiveAveragePoolBackward(geometry, grad: grad, out: out)
        }
    }

    func batchStatistics(_ x: ArrayView, mean: ArrayView, variance: ArrayView) throws {
        try timed("batch statistics", mean.elementCount) { try base.batchStatistics(x, mean: mean, variance: variance) }
    }

    func batchNorm(
        _ x: ArrayView, weight: ArrayView?, bias: ArrayView?, mean: ArrayView, inverseDeviation: ArrayView,
        residual: ArrayView?,
        epilogue: Epilogue, out: ArrayView
    ) throws {
        try timed(residual == nil ? "batch norm" : "batch norm + residual", out.elementCount) {
            try base.batchNorm(
                x, weight: weight, bias: bias, mean: mean, inverseDeviation: inverseDeviation, residual: residual,
                epilogue: epilogue, out: out)
        }
    }

    func batchNormBackward(
        _ x: ArrayView, grad: ArrayView, weight: ArrayView?, bias: ArrayView?, mean: ArrayView,
        inverseDeviation: ArrayView,
        ownStatistics: Bool, epilogue: Epilogue, y: ArrayView?, residualOut: ArrayView?, out: ArrayView?,
        weightOut: ArrayView?,
        biasOut: ArrayView?
    ) throws {
        try timed("batch norm backward", grad.elementCount) {
            try base.batchNormBackward(
                x, grad: grad, weight: weight, bias: bias, mean: mean, inverseDeviation: inverseDeviation,
                ownStatistics: ownStatistics,
                epilogue: epilogue, y: y, residualOut: residualOut, out: out, weightOut: weightOut, biasOut: biasOut)
        }
    }

    func layerNorm(
        _ x: ArrayView, eps: Double, weight: ArrayView?, bias: ArrayView?, out: ArrayView, mean: ArrayView,
        inverseDeviation: ArrayView
    ) throws {
        try timed("layer norm", out.elementCount) {
            try base.layerNorm(
                x, eps: eps, weight: weight, bias: bias, out: out, mean: mean, inverseDeviation: inverseDeviation)
        }
    }

    func layerNormBackward(
        _ x: ArrayView, grad: ArrayView, weight: ArrayView?, mean: ArrayView, inverseDeviation: ArrayView,
        out: ArrayView?, weightOut: ArrayView?, biasOut: ArrayView?
    ) throws {
        try timed("layer norm backward", out?.elementCount ?? 0) {
            try base.layerNormBackward(
                x, grad: grad, weight: weight, mean: mean, inverseDeviation: inverseDeviation, out: out,
                weightOut: weightOut, biasOut: biasOut)
        }
    }

    func firstIndexOutside(_ indices: ArrayView, limit: Int) throws -> Int? {
        try timed("check indices", indices.elementCount) { try base.firstIndexOutside(indices, limit: limit) }
    }

    func indexSelect(_ x: ArrayView, outer: Int, axis: Int, inner: Int, indices: ArrayView, out: ArrayView) throws {
        try timed("index select", out.elementCount) {
            try base.indexSelect(x, outer: outer, axis: axis, inner: inner, indices: indices, out: out)
        }
    }

    func indexAdd(
        into out: ArrayView, outer: Int, axis: Int, inner: Int, indices: ArrayView, source: ArrayView, alpha: Double,
        skipping: Int?
    ) throws {
        try timed("index add", out.elementCount) {
            try base.indexAdd(
                into: out, outer: outer, axis: axis, inner: inner, indices: indices, source: source, alpha: alpha,
                skipping: skipping)
        }
    }

    func gather(_ x: ArrayView, index: ArrayView, axis: Int, out: ArrayView) throws {
        try timed("gather", out.elementCount) { try base.gather(x, index: index, axis: axis, out: out) }
    }

    func scatterAdd(into out: ArrayView, index: ArrayView, axis: Int, source: ArrayView) throws {
        try timed("scatter add", out.elementCount) {
            try base.scatterAdd(into: out, index: index, axis: axis, source: source)
        }
    }

    func oneHot(_ indices: ArrayView, classes: Int, out: ArrayView) throws {
        try timed("one hot", out.elementCount) { try base.oneHot(indices, classes: classes, out: out) }
    }

    func pad(_ x: ArrayView, before: [Int], value: Double, out: ArrayView) throws {
        try timed("pad", out.elementCount) { try base.pad(x, before: before, value: value, out: out) }
    }

    func cumulativeSum(_ x: ArrayView, outer: Int, axis: Int, inner: Int, reverse: Bool, out: ArrayView) throws {
        try timed("cumsum", out.elementCount) {
            try base.cumulativeSum(x, outer: outer, axis: axis, inner: inner, reverse: reverse, out: out)
        }
    }

    func sort(_ x: ArrayView, descending: Bool, values: ArrayView?, indices: ArrayView) throws {
        try timed("sort", values?.elementCount ?? 0) {
            try base.sort(x, descending: descending, values: values, indices: indices)
        }
    }

    func topK(_ x: ArrayView, k: Int, largest: Bool, values: ArrayView?, indices: ArrayView) throws {
        try timed("topk", values?.elementCount ?? 0) {
            try base.topK(x, k: k, largest: largest, values: values, indices: indices)
        }
    }

    func lstmCell(gates: ArrayView, previousCell: ArrayView, cell: ArrayView, hidden: ArrayView) throws {
        try timed("lstm cell", cell.elementCount) {
            try base.lstmCell(gates: gates, previousCell: previousCell, cell: cell, hidden: hidden)
        }
    }

    func lstmCellBackward(
        gates: ArrayView, previousCell: ArrayView, cell: ArrayView, hiddenGrad: ArrayView, cellGrad: ArrayView,
        gatesOut: ArrayView, previousCellOut: ArrayView
    ) throws {
        try timed("lstm cell backward", cell.elementCount) {
            try base.lstmCellBackward(
                gates: gates, previousCell: previousCell, cell: cell, hiddenGrad: hiddenGrad, cellGrad: cellGrad,
                gatesOut: gatesOut, previousCellOut: previousCellOut)
        }
    }

    func gruCell(
        input: ArrayView, recurrent: ArrayView, previousHidden: ArrayView, gates: ArrayView, hidden: ArrayView
    ) throws {
        try timed("gru cell", hidden.elementCount) {
            try base.gruCell(
                input: input, recurrent: recurrent, previousHidden: previousHidden, gates: gates, hidden: hidden)
        }
    }

    func gruCellBackward(
        gates: ArrayView, recurrent: ArrayView, previousHidden: ArrayView, hiddenGrad: ArrayView, inputOut: ArrayView,
        recurrentOut: ArrayView, previousHiddenOut: ArrayView
    ) throws {
        try timed("gru cell backward", inputOut.elementCount) {
            try base.gruCellBackward(
                gates: gates, recurrent: recurrent, previousHidden: previousHidden, hiddenGrad: hiddenGrad,
                inputOut: inputOut, recurrentOut: recurrentOut, previousHiddenOut: previousHiddenOut)
        }
    }
}
