import BSSBackend
import CBSSKernels

// Convolution and pooling on the CPU: bss_conv.h, bss_pooling.h.

extension ConvolutionGeometry {
    fileprivate var c: bss_conv {
        bss_conv(
            batch: Int64(batch), in_channels: Int64(inChannels), out_channels: Int64(outChannels),
            groups: Int64(groups),
            in: input.c, out: output.c, kernel: kernel.c, stride: stride.c, pad: padding.c, dilation: dilation.c)
    }
}

extension PoolingGeometry {
    fileprivate var c: bss_window {
        bss_window(
            batch: Int64(batch), channels: Int64(channels), in: input.c, out: output.c, kernel: kernel.c,
            stride: stride.c,
            pad: padding.c, dilation: dilation.c)
    }
}

extension SIMD3<Int> {
    fileprivate var c: (Int64, Int64, Int64) { (Int64(x), Int64(y), Int64(z)) }
    fileprivate var array: [Int64] { [Int64(x), Int64(y), Int64(z)] }
}

extension ArrayView {
    var indices: UnsafeMutablePointer<Int64> { address.assumingMemoryBound(to: Int64.self) }
    var doubles: UnsafeMutablePointer<Double> { address.assumingMemoryBound(to: Double.self) }
}

extension CPUBackend {
    // MARK: Convolution

    public func convolution(
        _ geometry: ConvolutionGeometry, x: ArrayView, weight: ArrayView, bias: ArrayView?, out: ArrayView
    ) throws {
        var g = geometry.c
        try check(bss_conv_forward(x.dtype.c, &g, x.address, weight.address, bias?.address, out.address), "conv")
    }

    public func convolutionInputGradient(
        _ geometry: ConvolutionGeometry, weight: ArrayView, grad: ArrayView, out: ArrayView
    ) throws {
        var g = geometry.c
        try check(bss_conv_backward_data(grad.dtype.c, &g, weight.address, grad.address, out.address), "conv")
    }

    public func convolutionWeightGradient(
        _ geometry: ConvolutionGeometry, x: ArrayView, grad: ArrayView, out: ArrayView, biasOut: ArrayView?
    ) throws {
        var g = geometry.c
        try check(
            bss_conv_backward_weight(x.dtype.c, &g, x.address, grad.address, out.address, biasOut?.address), "conv")
    }

    // MARK: Pooling

    public func maxPool(
        _ geometry: PoolingGeometry, zeroPadding: Bool, x: ArrayView, out: ArrayView, indices: ArrayView
    ) throws {
        var g = geometry.c
        try check(bss_max_pool_forward(x.dtype.c, &g, zeroPadding, x.address, out.address, indices.indices), "max_pool")
    }

    public func maxPoolBackward(_ geometry: PoolingGeometry, indices: ArrayView, grad: ArrayView, out: ArrayView) throws
    {
        var g = geometry.c
        try check(bss_max_pool_backward(grad.dtype.c, &g, indices.indices, grad.address, out.address), "max_pool")
    }

    public func averagePool(
        _ geometry: PoolingGeometry, countPadding: Bool, divisor: Int?, x: ArrayView, out: ArrayView
    ) throws {
        var g = geometry.c
        try check(
            bss_avg_pool_forward(x.dtype.c, &g, countPadding, Int64(divisor ?? 0), x.address, out.address), "avg_pool")
    }

    public func averagePoolBackward(
        _ geometry: PoolingGeometry, countPadding: Bool, divisor: Int?, grad: ArrayView, out: ArrayView
    ) throws {
        var g = geometry.c
        try check(
            bss_avg_pool_backward(grad.dtype.c, &g, countPadding, Int64(divisor ?? 0), grad.address, out.address),
            "avg_pool")
    }

    public func adaptiveAveragePool(_ geometry: PoolingGeometry, x: ArrayView, out: ArrayView) throws {
        try check(
            bss_adaptive_avg_pool_forward(
                x.dtype.c, Int64(geometry.batch), Int64(geometry.channels), geometry.input.array, geometry.output.array,
                x.address,
                out.address), "adaptive_avg_pool")
    }

    public func adaptiveAveragePoolBackward(_ geometry: PoolingGeometry, grad: ArrayView, out: ArrayView) throws {
        try check(
            bss_adaptive_avg_pool_backward(
                grad.dtype.c, Int64(geometry.batch), Int64(geometry.channels), geometry.input.array,
                geometry.output.array,
                grad.address, out.address), "adaptive_avg_pool")
    }
}
