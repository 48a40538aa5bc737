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

extension SIMD3<Int> {
    fileprivate var volume: Int { x * y * z }
}

extension ConvolutionGeometry {
    fileprivate var inputCount: Int { batch * inChannels * input.volume }
    fileprivate var outputCount: Int { batch * outChannels * output.volume }
    fileprivate var weightCount: Int { groups == 0 ? 0 : kernel.volume * (inChannels / groups) * outChannels }
}

extension PoolingGeometry {
    fileprivate var inputCount: Int { batch * channels * input.volume }
    fileprivate var outputCount: Int { batch * channels * output.volume }
}

extension CPUBackend {
    // MARK: Convolution

    public func convolution(
        _ geometry: ConvolutionGeometry, x: ArrayView, weight: ArrayView, bias: ArrayView?, out: ArrayView
    ) throws {
        var g = geometry.c
        let call = try KernelCall("conv", x)
        try run(
            "convolution", writes: out.elementCount,
            {
                try bss_conv_forward(
                    call.dtype.c, &g, call.memory(x, geometry.inputCount), call.memory(weight, geometry.weightCount),
                    call.memory(ifAny: bias, geometry.outChannels), call.memory(out, geometry.outputCount))
            })
    }

    public func convolutionInputGradient(
        _ geometry: ConvolutionGeometry, weight: ArrayView, grad: ArrayView, out: ArrayView
    ) throws {
        var g = geometry.c
        let call = try KernelCall("conv", grad)
        try run(
            "convolution input gradient", writes: out.elementCount,
            {
                try bss_conv_backward_data(
                    call.dtype.c, &g, call.memory(weight, geometry.weightCount),
                    call.memory(grad, geometry.outputCount),
                    call.memory(out, geometry.inputCount))
            })
    }

    public func convolutionWeightGradient(
        _ geometry: ConvolutionGeometry, x: ArrayView, grad: ArrayView, out: ArrayView, biasOut: ArrayView?
    ) throws {
        var g = geometry.c
        let call = try KernelCall("conv", x)
        try run(
            "convolution weight gradient", writes: out.elementCount,
            {
                try bss_conv_backward_weight(
                    call.dtype.c, &g, call.memory(x, geometry.inputCount), call.memory(grad, geometry.outputCount),
                    call.memory(out, geometry.weightCount), call.memory(ifAny: biasOut, geometry.outChannels))
            })
    }

    // MARK: Pooling

    public func maxPool(
        _ geometry: PoolingGeometry, zeroPadding: Bool, x: ArrayView, out: ArrayView, indices: ArrayView
    ) throws {
        var g = geometry.c
        let call = try KernelCall("max_pool", x)
        try run(
            "max pool", writes: out.elementCount,
            {
                try bss_max_pool_forward(
                    call.dtype.c, &g, zeroPadding, call.memory(x, geometry.inputCount),
                    call.memory(out, geometry.outputCount), call.integers(indices, geometry.outputCount))
            })
    }

    public func maxPoolBackward(_ geometry: PoolingGeometry, indices: ArrayView, grad: ArrayView, out: ArrayView) throws
    {
        var g = geometry.c
        let call = try KernelCall("max_pool", grad)
        try run(
            "max pool backward", writes: out.elementCount,
            {
                try bss_max_pool_backward(
                    call.dtype.c, &g, call.integers(indices, geometry.outputCount),
                    call.memory(grad, geometry.outputCount),
                    call.memory(out, geometry.inputCount))
            })
    }

    public func averagePool(
        _ geometry: PoolingGeometry, countPadding: Bool, divisor: Int?, x: ArrayView, out: ArrayView
    ) throws {
        var g = geometry.c
        let call = try KernelCall("avg_pool", x)
        try run(
            "average pool", writes: out.elementCount,
            {
                try bss_avg_pool_forward(
                    call.dtype.c, &g, countPadding, Int64(divisor ?? 0), call.memory(x, geometry.inputCount),
                    call.memory(out, geometry.outputCount))
            })
    }

    public func averagePoolBackward(
        _ geometry: PoolingGeometry, countPadding: Bool, divisor: Int?, grad: ArrayView, out: ArrayView
    ) throws {
        var g = geometry.c
        let call = try KernelCall("avg_pool", grad)
        try run(
            "average pool backward", writes: out.elementCount,
            {
                try bss_avg_pool_backward(
                    call.dtype.c, &g, countPadding, Int64(divisor ?? 0), call.memory(grad, geometry.outputCount),
                    call.memory(out, geometry.inputCount))
            })
    }

    public func adaptiveAveragePool(_ geometry: PoolingGeometry, x: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("adaptive_avg_pool", x)
        try run(
            "adaptive average pool", writes: out.elementCount,
            {
                try bss_adaptive_avg_pool_forward(
                    call.dtype.c, Int64(geometry.batch), Int64(geometry.channels), geometry.input.array,
                    geometry.output.array, call.memory(x, geometry.inputCount), call.memory(out, geometry.outputCount))
            })
    }

    public func adaptiveAveragePoolBackward(_ geometry: PoolingGeometry, grad: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("adaptive_avg_pool", grad)
        try run(
            "adaptive average pool backward", writes: out.elementCount,
            {
                try bss_adaptive_avg_pool_backward(
                    call.dtype.c, Int64(geometry.batch), Int64(geometry.channels), geometry.input.array,
                    geometry.output.array, call.memory(grad, geometry.outputCount),
                    call.memory(out, geometry.inputCount))
            })
    }
}
