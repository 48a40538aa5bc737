/// Convolution, pooling, normalisation, indexing, sorting and recurrent cells: the part of `Backend` whose kernels know
/// about geometry.
///
/// All views are contiguous unless said otherwise. Images are channels last: [N, D, H, W, C], missing spatial axes 1.
public protocol StructuredBackend: AnyObject {
    // MARK: Convolution: weight [kD, kH, kW, C/G, O], bias [O]

    func convolution(
        _ geometry: ConvolutionGeometry, x: ArrayView, weight: ArrayView, bias: ArrayView?, out: ArrayView) throws
    func convolutionInputGradient(
        _ geometry: ConvolutionGeometry, weight: ArrayView, grad: ArrayView, out: ArrayView) throws
    func convolutionWeightGradient(
        _ geometry: ConvolutionGeometry, x: ArrayView, grad: ArrayView, out: ArrayView, biasOut: ArrayView?) throws

    // MARK: Pooling

    /// `indices` (i64, shape of out): flat input position of the maximum, -1 where zero padding won.
    func maxPool(
        _ geometry: PoolingGeometry, zeroPadding: Bool, x: ArrayView, out: ArrayView, indices: ArrayView) throws
    func maxPoolBackward(_ geometry: PoolingGeometry, indices: ArrayView, grad: ArrayView, out: ArrayView) throws
    /// Divides by `divisor`, or if nil by the window's size with or without its padding.
    func averagePool(
        _ geometry: PoolingGeometry, countPadding: Bool, divisor: Int?, x: ArrayView, out: ArrayView) throws
    func averagePoolBackward(
        _ geometry: PoolingGeometry, countPadding: Bool, divisor: Int?, grad: ArrayView, out: ArrayView) throws
    /// Output i averages input floor(i n / o) ..< ceil((i + 1) n / o); only sizes of the geometry are read.
    func adaptiveAveragePool(_ geometry: PoolingGeometry, x: ArrayView, out: ArrayView) throws
    func adaptiveAveragePoolBackward(_ geometry: PoolingGeometry, grad: ArrayView, out: ArrayView) throws

    // MARK: Normalisation: statistics are f64 whatever x is

    /// Mean and biased variance of every column of x [M, C].
    func batchStatistics(_ x: ArrayView, mean: ArrayView, variance: ArrayView) throws
    /// out = epilogue((x - mean) · inverseDeviation · weight + bias + residual), statistics by column.
    func batchNorm(
        _ x: ArrayView, weight: ArrayView?, bias: ArrayView?, mean: ArrayView, inverseDeviation: ArrayView,
        residual: ArrayView?,
        epilogue: Epilogue, out: ArrayView) throws
    /// `ownStatistics`: mean and deviation came from x, so that they take part in dx. Outputs may be nil. With ReLU and
    /// a residual, `y` (the forward result) and `residualOut` are given; else neither.
    func batchNormBackward(
        _ x: ArrayView, grad: ArrayView, weight: ArrayView?, bias: ArrayView?, mean: ArrayView,
        inverseDeviation: ArrayView,
        ownStatistics: Bool, epilogue: Epilogue, y: ArrayView?, residualOut: ArrayView?, out: ArrayView?,
        weightOut: ArrayView?,
        biasOut: ArrayView?) throws
    /// Rows x [R, n], weight and bias [n]; mean and inverseDeviation [R] are written.
    func layerNorm(
        _ x: ArrayView, eps: Double, weight: ArrayView?, bias: ArrayView?, out: ArrayView, mean: ArrayView,
        inverseDeviation: ArrayView) throws
    func layerNormBackward(
        _ x: ArrayView, grad: ArrayView, weight: ArrayView?, mean: ArrayView, inverseDeviation: ArrayView,
        out: ArrayView?, weightOut: ArrayView?, biasOut: ArrayView?) throws

    // MARK: Indexing: indices are i64, 0-based and inside their limits

    /// out (i64 scalar) = position of the first index outside 0 ..< limit, -1 if there is none.
    func firstIndexOutside(_ indices: ArrayView, limit: Int, out: ArrayView) throws
    /// out[o, i, :] = x[o, indices[i], :] with x [outer, axis, inner].
    func indexSelect(_ x: ArrayView, outer: Int, axis: Int, inner: Int, indices: ArrayView, out: ArrayView) throws
    /// out[o, indices[i], :] += alpha · source[o, i, :], in the order of i; index `skipping` is left out.
    func indexAdd(
        into out: ArrayView, outer: Int, axis: Int, inner: Int, indices: ArrayView, source: ArrayView, alpha: Double,
        skipping: Int?) throws
    /// out[.., i, ..] = x[.., index[.., i, ..], ..]; any strides; out has the shape of index.
    func gather(_ x: ArrayView, index: ArrayView, axis: Int, out: ArrayView) throws
    /// out[.., index[.., i, ..], ..] += source[.., i, ..]; any strides.
    func scatterAdd(into out: ArrayView, index: ArrayView, axis: Int, source: ArrayView) throws
    /// out [count, classes] of any dtype.
    func oneHot(_ indices: ArrayView, classes: Int, out: ArrayView) throws
    /// x with before[d] elements of `value` in front of axis d (negative: cropped); the rest behind, by out's shape.
    func pad(_ x: ArrayView, before: [Int], value: Double, out: ArrayView) throws
    /// Running sums over the middle of [outer, axis, inner], from the end if `reverse`.
    func cumulativeSum(_ x: ArrayView, outer: Int, axis: Int, inner: Int, reverse: Bool, out: ArrayView) throws

    // MARK: Sorting rows [R, n]: stable, NaN greatest

    func sort(_ x: ArrayView, descending: Bool, values: ArrayView?, indices: ArrayView) throws
    /// The k best of every row, best first, equal ones by position.
    func topK(_ x: ArrayView, k: Int, largest: Bool, values: ArrayView?, indices: ArrayView) throws

    // MARK: Recurrent cells (definitions: bss_recurrent.h)

    /// `gates` [B, 4H]: pre-activations in, activations out.
    func lstmCell(gates: ArrayView, previousCell: ArrayView, cell: ArrayView, hidden: ArrayView) throws
    func lstmCellBackward(
        gates: ArrayView, previousCell: ArrayView, cell: ArrayView, hiddenGrad: ArrayView, cellGrad: ArrayView,
        gatesOut: ArrayView, previousCellOut: ArrayView) throws
    func gruCell(
        input: ArrayView, recurrent: ArrayView, previousHidden: ArrayView, gates: ArrayView, hidden: ArrayView) throws
    func gruCellBackward(
        gates: ArrayView, recurrent: ArrayView, previousHidden: ArrayView, hiddenGrad: ArrayView,
        inputOut: ArrayView, recurrentOut: ArrayView, previousHiddenOut: ArrayView) throws
}

/// Sizes of a convolution; spatial values are (depth, height, width), missing axes 1 (padding 0).
public struct ConvolutionGeometry: Hashable {
    public var batch, inChannels, outChannels, groups: Int
    /// `padding` lies before the first element; what follows the last is implied by `output`.
    public var input, output, kernel, stride, padding, dilation: SIMD3<Int>

    public init(
        batch: Int, inChannels: Int, outChannels: Int, groups: Int, input: SIMD3<Int>, output: SIMD3<Int>,
        kernel: SIMD3<Int>,
        stride: SIMD3<Int>, padding: SIMD3<Int>, dilation: SIMD3<Int>
    ) {
        self.batch = batch
        self.inChannels = inChannels
        self.outChannels = outChannels
        self.groups = groups
        self.input = input
        self.output = output
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
    }
}

/// Sizes of a pooling; spatial values as in `ConvolutionGeometry`.
public struct PoolingGeometry {
    public var batch, channels: Int
    public var input, output, kernel, stride, padding, dilation: SIMD3<Int>

    public init(
        batch: Int, channels: Int, input: SIMD3<Int>, output: SIMD3<Int>, kernel: SIMD3<Int> = .one,
        stride: SIMD3<Int> = .one,
        padding: SIMD3<Int> = .zero, dilation: SIMD3<Int> = .one
    ) {
        self.batch = batch
        self.channels = channels
        self.input = input
        self.output = output
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
    }
}
