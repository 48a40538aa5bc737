import BSSBackend
import CBSSCUDA

// Convolution and pooling: convolution.cu.h, pooling.cu.h.

extension bss_geometry {
    init(_ g: ConvolutionGeometry) {
        self.init()
        (batch, in_channels, out_channels, groups) =
            (Int64(g.batch), Int64(g.inChannels), Int64(g.outChannels), Int64(g.groups))
        (`in`, out, kernel) = (g.input.c, g.output.c, g.kernel.c)
        (stride, pad, dilation) = (g.stride.c, g.padding.c, g.dilation.c)
    }

    fileprivate init(_ g: PoolingGeometry) {
        self.init(
            ConvolutionGeometry(
                batch: g.batch, inChannels: g.channels, outChannels: g.channels, groups: 1, input: g.input,
                output: g.output, kernel: g.kernel, stride: g.stride, padding: g.padding, dilation: g.dilation))
    }
}

extension SIMD3<Int> {
    fileprivate var c: (Int64, Int64, Int64) { (Int64(x), Int64(y), Int64(z)) }
    var volume: Int { x * y * z }
}

extension ConvolutionGeometry {
    fileprivate var pixels: Int { batch * output.volume }
    var inputCount: Int { batch * inChannels * input.volume }
    var outputCount: Int { pixels * outChannels }
    /// Rows of a group's weight: taps times channels.
    fileprivate var taps: Int { groups == 0 ? 0 : kernel.volume * (inChannels / groups) }
    var weightCount: Int { taps * outChannels }
}

extension PoolingGeometry {
    fileprivate var inputCount: Int { batch * channels * input.volume }
    fileprivate var outputCount: Int { batch * channels * output.volume }
}

extension CUDABackend {
    // MARK: Convolution

    public func convolution(
        _ geometry: ConvolutionGeometry, x: ArrayView, weight: ArrayView, bias: ArrayView?, out: ArrayView
    ) throws {
        let call = try KernelCall("conv", x), g = geometry
        let (source, factors) = (try call.memory(x, g.inputCount), try call.memory(weight, g.weightCount))
        let (offsets, target) = (try call.memory(ifAny: bias, g.outChannels), try call.memory(out, g.outputCount))
        try runKept("convolution", writes: out.elementCount) {
            if try convolve(g, BSS_FORWARD, call.dtype, x: source, weight: factors, y: target) {
                if let offsets { try add(offsets, g.pixels, g.outChannels, call.dtype, to: target) }
                return 0
            }
            return try launch(
                Kernel("convolution", "convolution", call.dtype), .tiles(g.pixels, g.outChannels / g.groups, g.groups),
                bss_geometry(g), code(call.dtype), source, factors, offsets, target)
        }
    }

    public func convolutionInputGradient(
        _ geometry: ConvolutionGeometry, weight: ArrayView, grad: ArrayView, out: ArrayView
    ) throws {
        let call = try KernelCall("conv", grad), g = geometry
        let (factors, upstream) = (try call.memory(weight, g.weightCount), try call.memory(grad, g.outputCount))
        let target = try call.memory(out, g.inputCount)
        try runKept("convolution input gradient", writes: out.elementCount) {
            if try convolve(g, BSS_INPUT_GRADIENT, call.dtype, x: target, weight: factors, y: upstream) { return 0 }
            return try launch(
                Kernel("convolution_input", "convolution", call.dtype),
                .tiles(g.batch * g.input.volume, g.inChannels / g.groups, g.groups), bss_geometry(g),
                code(call.dtype), factors, upstream, target)
        }
    }

    public func convolutionWeightGradient(
        _ geometry: ConvolutionGeometry, x: ArrayView, grad: ArrayView, out: ArrayView, biasOut: ArrayView?
    ) throws {
        let call = try KernelCall("conv", x), g = geometry
        let (source, upstream) = (try call.memory(x, g.inputCount), try call.memory(grad, g.outputCount))
        let (target, bias) = (try call.memory(out, g.weightCount), try call.memory(ifAny: biasOut, g.outChannels))
        try runKept("convolution weight gradient", writes: out.elementCount) {
            if try !convolve(g, BSS_WEIGHT_GRADIENT, call.dtype, x: source, weight: target, y: upstream) {
                try weightGradient(g, call.dtype, source, upstream, target)
            }
            guard let bias else { return 0 }
            try columnSums(
                upstream, rows: g.pixels, columns: g.outChannels, leading: g.outChannels, call.dtype, out: bias)
            return 0
        }
    }

    private func weightGradient(
        _ g: ConvolutionGeometry, _ dtype: DType, _ x: Address, _ grad: Address, _ out: Address
    ) throws {
        // Few results, sums over many pixels: parts of the pixels fill the card, and are added up in order.
        let outputs = g.outChannels / g.groups
        let tiles = ((g.taps + 63) / 64) * ((outputs + 63) / 64) * g.groups
        let parts = max(1, min(256 / max(tiles, 1), g.pixels / 256))
        let partial = parts > 1 ? try scratch(parts * g.weightCount * dtype.byteSize) : nil
        try launch(
            Kernel("convolution_weight", "convolution", dtype), .tiles(g.taps, outputs, g.groups * parts),
            bss_geometry(g), code(dtype), parts, x, grad, partial?.address ?? out)
        guard let partial else { return }
        try columnSums(
            partial.address, rows: parts, columns: g.weightCount, leading: g.weightCount, dtype, out: out)
    }

    // MARK: Pooling

    public func maxPool(
        _ geometry: PoolingGeometry, zeroPadding: Bool, x: ArrayView, out: ArrayView, indices: ArrayView
    ) throws {
        let call = try KernelCall("max_pool", x), count = geometry.outputCount
        try runKept(
            "max pool", writes: out.elementCount,
            launch(
                Kernel("max_pool", "pooling", call.dtype), elements(count), bss_geometry(geometry), zeroPadding ? 1 : 0,
                call.memory(x, geometry.inputCount), call.memory(out, count), call.integers(indices, count)))
    }

    public func maxPoolBackward(_ geometry: PoolingGeometry, indices: ArrayView, grad: ArrayView, out: ArrayView) throws
    {
        let call = try KernelCall("max_pool", grad), count = geometry.outputCount
        try runKept(
            "max pool backward", writes: out.elementCount,
            launch(
                Kernel("max_pool_backward", "pooling", call.dtype), elements(geometry.inputCount),
                bss_geometry(geometry), call.integers(indices, count), call.memory(grad, count),
                call.memory(out, geometry.inputCount)))
    }

    public func averagePool(
        _ geometry: PoolingGeometry, countPadding: Bool, divisor: Int?, x: ArrayView, out: ArrayView
    ) throws {
        let rule = bss_mean_rule(count_padding: countPadding ? 1 : 0, divisor: Int64(divisor ?? 0), adaptive: 0)
        try mean("avg_pool", "average pool", geometry, rule, x, out)
    }

    public func averagePoolBackward(
        _ geometry: PoolingGeometry, countPadding: Bool, divisor: Int?, grad: ArrayView, out: ArrayView
    ) throws {
        // Dilation has no meaning for means.
        var plain = geometry
        plain.dilation = .one
        let rule = bss_mean_rule(count_padding: countPadding ? 1 : 0, divisor: Int64(divisor ?? 0), adaptive: 0)
        try meanBackward("avg_pool", "average pool backward", plain, rule, grad, out)
    }

    public func adaptiveAveragePool(_ geometry: PoolingGeometry, x: ArrayView, out: ArrayView) throws {
        let bins = bss_mean_rule(count_padding: 0, divisor: 0, adaptive: 1)
        try mean("adaptive_avg_pool", "adaptive average pool", geometry, bins, x, out)
    }

    public func adaptiveAveragePoolBackward(_ geometry: PoolingGeometry, grad: ArrayView, out: ArrayView) throws {
        let bins = bss_mean_rule(count_padding: 0, divisor: 0, adaptive: 1)
        try meanBackward("adaptive_avg_pool", "adaptive average pool backward", geometry, bins, grad, out)
    }

    private func mean(
        _ operation: StaticString, _ name: String, _ geometry: PoolingGeometry, _ rule: bss_mean_rule, _ x: ArrayView,
        _ out: ArrayView
    ) throws {
        let call = try KernelCall(operation, x)
        try runKept(
            name, writes: out.elementCount,
            launch(
                Kernel("mean_pool", "pooling", call.dtype), elements(geometry.outputCount), bss_geometry(geometry),
                rule,
                call.memory(x, geometry.inputCount), call.memory(out, geometry.outputCount)))
    }

    private func meanBackward(
        _ operation: StaticString, _ name: String, _ geometry: PoolingGeometry, _ rule: bss_mean_rule,
        _ grad: ArrayView, _ out: ArrayView
    ) throws {
        let call = try KernelCall(operation, grad)
        try runKept(
            name, writes: out.elementCount,
            launch(
                Kernel("mean_pool_backward", "pooling", call.dtype), elements(geometry.inputCount),
                bss_geometry(geometry), rule, call.memory(grad, geometry.outputCount),
                call.memory(out, geometry.inputCount)))
    }
}
