import BSSBackend
import BSSCore

extension Tensor {
    /// Maximum over windows: y[n, c, p] = max_t x[n, c, p·stride + t·dilation - padding]; padding never wins.
    ///
    /// x: [N, C, spatial…] with 1 to 3 spatial axes (or without N). `stride` defaults to the kernel. In `ceilMode` a
    /// last window may hang over the end but must start inside the input or the padding before it. The gradient goes to
    /// the first maximum.
    public func maxPool(
        kernel: [Int], stride: [Int]? = nil, padding: [Int] = [0], dilation: [Int] = [1], ceilMode: Bool = false
    ) throws -> Tensor {
        let (x, settings) = try poolingInput("max_pool", kernel)
        let dilation = try settings.spread(dilation, "dilation", atLeast: 1)
        let geometry = try x.windows(settings, kernel, stride ?? kernel, padding, dilation, ceilMode)
        return try unbatched(x.maxPool(geometry, zeroPadding: false))
    }

    /// Maximum over windows with TensorFlow's "SAME" size, where zeros around the input take part in the maximum.
    ///
    /// Deviation from TensorFlow, whose padding never wins: the published I3D code in PyTorch pads with zeros.
    public func sameMaxPool(kernel: [Int], stride: [Int]? = nil) throws -> Tensor {
        let (x, settings) = try poolingInput("same_max_pool", kernel)
        let kernel = try settings.spread(kernel, "kernel", atLeast: 1)
        let stride = try settings.spread(stride ?? kernel, "stride", atLeast: 1)
        let sizes = (0..<settings.count).map {
            SpatialSettings.same(x.shape[$0 + 2], kernel: kernel[$0], stride: stride[$0])
        }
        return try unbatched(
            x.maxPool(
                x.geometry(
                    kernel, stride, sizes.map(\.before), Array(repeating: 1, count: settings.count), sizes.map(\.output)
                ), zeroPadding: true))
    }

    /// Mean over windows. `countPadding`: zeros around the input count in the divisor; `divisor` replaces it.
    ///
    /// Shapes and `ceilMode` as `maxPool`.
    public func averagePool(
        kernel: [Int], stride: [Int]? = nil, padding: [Int] = [0], ceilMode: Bool = false, countPadding: Bool = true,
        divisor: Int? = nil
    ) throws -> Tensor {
        let (x, settings) = try poolingInput("avg_pool", kernel)
        if let divisor, divisor < 1 { throw BSSError(settings.operation, "divisor must be at least 1, got \(divisor)") }
        let geometry = try x.windows(settings, kernel, stride ?? kernel, padding, [1], ceilMode)
        return try unbatched(
            x.meanPool(geometry) { backend, source, out, isBackward in
                isBackward
                    ? try backend.averagePoolBackward(
                        geometry, countPadding: countPadding, divisor: divisor, grad: source, out: out)
                    : try backend.averagePool(
                        geometry, countPadding: countPadding, divisor: divisor, x: source, out: out)
            })
    }

    /// Mean over as many bins as `outputSize` says: bin i of o over n positions is floor(i·n/o) ..< ceil((i+1)·n/o).
    public func adaptiveAveragePool(_ outputSize: [Int]) throws -> Tensor {
        let (x, settings) = try poolingInput("adaptive_avg_pool", outputSize)
        let output = try settings.spread(outputSize, "output size", atLeast: 1)
        let ones = Array(repeating: 1, count: settings.count)
        let geometry = x.geometry(ones, ones, ones.map { _ in 0 }, ones, output)
        return try unbatched(
            x.meanPool(geometry) { backend, source, out, isBackward in
                isBackward
                    ? try backend.adaptiveAveragePoolBackward(geometry, grad: source, out: out)
                    : try backend.adaptiveAveragePool(geometry, x: source, out: out)
            })
    }

    // MARK: What they share

    /// The input with a batch axis. One setting alone says nothing about the number of spatial axes; the rank decides
    /// then.
    private func poolingInput(_ name: String, _ values: [Int]) throws -> (Tensor, SpatialSettings) {
        let spatial = values.count > 1 ? values.count : rank - 2
        let settings = SpatialSettings(
            operation: (1...3).contains(spatial) ? "\(name)\(spatial)d" : name, count: spatial)
        guard !values.isEmpty, (1...3).contains(spatial), rank == spatial + 2 || rank == spatial + 1 else {
            throw BSSError(
                settings.operation,
                "needs shape [N, C, spatial…] with 1 to 3 spatial axes to go with \(values), got \(shape)")
        }
        guard dtype.isFloat else {
            throw BSSError(settings.operation, "input must be float, got \(dtype.name)", hint: "convert it with :to()")
        }
        if let empty = shape.array.suffix(spatial).first(where: { $0 < 1 }) {
            throw BSSError(settings.operation, "input \(shape) has a spatial axis of size \(empty)")
        }
        return (rank == spatial + 2 ? self : try unsqueezed(0), settings)
    }

    private func unbatched(_ y: Tensor) throws -> Tensor { y.rank == rank ? y : try y.squeezed(0) }

    private func geometry(
        _ kernel: [Int], _ stride: [Int], _ padding: [Int], _ dilation: [Int], _ output: [Int]
    ) -> PoolingGeometry {
        PoolingGeometry(
            batch: shape[0], channels: shape[1],
            input: SpatialSettings.triple(Array(shape.array.dropFirst(2)), fill: 1),
            output: SpatialSettings.triple(output, fill: 1), kernel: SpatialSettings.triple(kernel, fill: 1),
            stride: SpatialSettings.triple(stride, fill: 1), padding: SpatialSettings.triple(padding, fill: 0),
            dilation: SpatialSettings.triple(dilation, fill: 1))
    }

    private func windows(
        _ settings: SpatialSettings, _ kernel: [Int], _ stride: [Int], _ padding: [Int], _ dilation: [Int],
        _ ceilMode: Bool
    ) throws -> PoolingGeometry {
        let kernel = try settings.spread(kernel, "kernel", atLeast: 1)
        let stride = try settings.spread(stride, "stride", atLeast: 1)
        let padding = try settings.spread(padding, "padding", atLeast: 0)
        let dilation = try settings.spread(dilation, "dilation", atLeast: 1)
        var output: [Int] = []
        for axis in 0..<settings.count {
            let n = shape[axis + 2]
            let free = n + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1
            guard 2 * padding[axis] <= kernel[axis] else {
                throw BSSError(
                    settings.operation, "padding \(padding[axis]) is more than half of the kernel, \(kernel[axis])")
            }
            guard free >= 0 else {
                throw BSSError(
                    settings.operation,
                    "a window of \(kernel) (dilation \(dilation)) does not fit input \(shape) with padding \(padding)")
            }
            var count = (free + (ceilMode ? stride[axis] - 1 : 0)) / stride[axis] + 1
            if ceilMode, (count - 1) * stride[axis] >= n + padding[axis] { count -= 1 }
            output.append(count)
        }
        return geometry(kernel, stride, padding, dilation, output)
    }

    private func outputShape(_ geometry: PoolingGeometry) -> Shape {
        let sizes = [geometry.output.x, geometry.output.y, geometry.output.z].suffix(rank - 2)
        return Shape(unchecked: [shape[0]] + sizes + [shape[1]])
    }

    private func maxPool(_ geometry: PoolingGeometry, zeroPadding: Bool) throws -> Tensor {
        let x = try view.channelsLast()
        let outShape = outputShape(geometry)
        let out = try Tensor.allocate(outShape, dtype, on: backend)
        let indices = try Tensor.allocate(outShape, .int64, on: backend)
        try backend.maxPool(geometry, zeroPadding: zeroPadding, x: x, out: out, indices: indices)
        let dense = x.shape
        return recorded("max_pool", out.channelsFirst(), self) { g in
            let dx = try Tensor.allocate(dense, g.dtype, on: g.backend)
            try g.backend.maxPoolBackward(geometry, indices: indices, grad: g.view.channelsLast(), out: dx)
            return [Tensor(dx.channelsFirst())]
        }
    }

    private func meanPool(
        _ geometry: PoolingGeometry,
        _ kernel: @escaping (any Backend, ArrayView, ArrayView, _ isBackward: Bool) throws -> Void
    ) throws -> Tensor {
        let x = try view.channelsLast()
        let dense = x.shape
        let out = try Tensor.allocate(outputShape(geometry), dtype, on: backend)
        try kernel(backend, x, out, false)
        return recorded("avg_pool", out.channelsFirst(), self) { g in
            let dx = try Tensor.allocate(dense, g.dtype, on: g.backend)
            try kernel(g.backend, g.view.channelsLast(), dx, true)
            return [Tensor(dx.channelsFirst())]
        }
    }
}
