import BSSBackend
import BSSCore

extension Tensor {
    /// Convolution in one, two or three spatial dimensions (by the rank of `weight`).
    ///
    ///     y[n, o, p] = bias[o] + Σ_{c, t} x[n, c, p·stride + t·dilation - padding] · weight[o, c, t]
    ///
    /// x: [N, C, spatial…] (or without N), weight: [O, C/groups, kernel…], bias: [O] → [N, O, spatial…]. Settings are
    /// one number for all axes or one each. A weight from `inKernelMemory()` is used without a copy.
    ///
    /// On the CPU, f32 kernels of 3×3 with stride 1 over many pixels go by minimal filtering F(2×2, 3×3) (Winograd
    /// 1980; Lavin and Gray, CVPR 2016), which takes 16 products where the sum above has 36: the same value up to
    /// rounding, forward and backward.
    /// - Throws: shapes, dtypes or settings that do not fit.
    public func convolution(
        _ weight: Tensor, bias: Tensor? = nil, stride: [Int] = [1], padding: [Int] = [0], dilation: [Int] = [1],
        groups: Int = 1
    ) throws -> Tensor {
        let settings = try convolutionSettings(weight, "conv\(weight.rank - 2)d")
        if rank == weight.rank - 1 {
            return try unsqueezed(0).convolution(
                weight, bias: bias, stride: stride, padding: padding, dilation: dilation, groups: groups
            ).squeezed(0)
        }
        let stride = try settings.spread(stride, "stride", atLeast: 1)
        let padding = try settings.spread(padding, "padding", atLeast: 0)
        let dilation = try settings.spread(dilation, "dilation", atLeast: 1)
        try checkConvolution(weight, bias, groups, settings.operation)
        var output: [Int] = []
        for axis in 0..<settings.count {
            let n = shape[axis + 2]
            let span = dilation[axis] * (weight.shape[axis + 2] - 1) + 1
            guard n + 2 * padding[axis] >= span else {
                throw BSSError(
                    settings.operation,
                    "kernel of weight \(weight.shape) spans \(span) positions, "
                        + "input \(shape) has \(n) and padding \(padding[axis])")
            }
            output.append((n + 2 * padding[axis] - span) / stride[axis] + 1)
        }
        return try convolution(
            weight, bias, output: output, stride: stride, before: padding, dilation: dilation, groups: groups)
    }

    /// Convolution with TensorFlow's "SAME" padding: ceil(n / stride) outputs an axis, zeros around, the odd one
    /// behind.
    ///
    /// Shapes as `convolution`; what I3D uses (Carreira and Zisserman, CVPR 2017).
    public func sameConvolution(_ weight: Tensor, bias: Tensor? = nil, stride: [Int] = [1]) throws -> Tensor {
        let settings = try convolutionSettings(weight, "same_conv\(weight.rank - 2)d")
        let stride = try settings.spread(stride, "stride", atLeast: 1)
        try checkConvolution(weight, bias, 1, settings.operation)
        let sizes = (0..<settings.count).map {
            SpatialSettings.same(shape[$0 + 2], kernel: weight.shape[$0 + 2], stride: stride[$0])
        }
        return try convolution(
            weight, bias, output: sizes.map(\.output), stride: stride, before: sizes.map(\.before),
            dilation: Array(repeating: 1, count: settings.count), groups: 1)
    }

    private func convolutionSettings(_ weight: Tensor, _ operation: String) throws -> SpatialSettings {
        guard (3...5).contains(weight.rank) else {
            throw BSSError("conv", "weight needs shape [O, C, kernel…] with 1 to 3 kernel axes, got \(weight.shape)")
        }
        return SpatialSettings(operation: operation, count: weight.rank - 2)
    }

    private func checkConvolution(_ weight: Tensor, _ bias: Tensor?, _ groups: Int, _ operation: String) throws {
        guard rank == weight.rank else {
            throw BSSError(operation, "input \(shape) and weight \(weight.shape) differ in the number of axes")
        }
        guard groups >= 1, shape[1] % groups == 0, weight.shape[0] % groups == 0 else {
            throw BSSError(
                operation,
                "groups = \(groups) does not divide the channels of input \(shape) and weight \(weight.shape)")
        }
        guard weight.shape[1] == shape[1] / groups else {
            throw BSSError(
                operation,
                "input \(shape) has \(shape[1]) channels, weight \(weight.shape) needs \(weight.shape[1] * groups)"
                    + (groups == 1 ? "" : " (groups = \(groups))"))
        }
        if let bad = weight.shape.array.dropFirst(2).first(where: { $0 < 1 }) {
            throw BSSError(operation, "weight \(weight.shape) has a kernel axis of size \(bad)")
        }
        if let bias, bias.shape != [weight.shape[0]] {
            throw BSSError(operation, "bias has shape \(bias.shape), weight \(weight.shape) needs [\(weight.shape[0])]")
        }
        try checkFloats(operation, [("input", self), ("weight", weight)] + (bias.map { [("bias", $0)] } ?? []))
    }

    private func convolution(
        _ weight: Tensor, _ bias: Tensor?, output: [Int], stride: [Int], before: [Int], dilation: [Int], groups: Int
    ) throws -> Tensor {
        let geometry = ConvolutionGeometry(
            batch: shape[0], inChannels: shape[1], outChannels: weight.shape[0], groups: groups,
            input: SpatialSettings.triple(Array(shape.array.dropFirst(2)), fill: 1),
            output: SpatialSettings.triple(output, fill: 1),
            kernel: SpatialSettings.triple(Array(weight.shape.array.dropFirst(2)), fill: 1),
            stride: SpatialSettings.triple(stride, fill: 1),
            padding: SpatialSettings.triple(before, fill: 0), dilation: SpatialSettings.triple(dilation, fill: 1))
        let x = try view.channelsLast()
        let w = try weight.view.kernelOrder()
        let out = try Tensor.allocate(Shape(unchecked: [shape[0]] + output + [weight.shape[0]]), dtype, on: backend)
        try backend.convolution(geometry, x: x, weight: w, bias: bias?.view.dense(), out: out)
        let needsX = node != nil
        let needsWeight = weight.node != nil
        let needsBias = bias?.node != nil
        return Tensor.recorded(
            "conv", out.channelsFirst(), [self, weight] + (bias.map { [$0] } ?? []), saves: [x, w]
        ) { g in
            let grad = try g.view.channelsLast()
            var gradients: [Tensor?] = [nil, nil, nil]
            if needsX {
                let dx = try Tensor.allocate(x.shape, g.dtype, on: g.backend)
                try g.backend.convolutionInputGradient(geometry, weight: w, grad: grad, out: dx)
                gradients[0] = Tensor(dx.channelsFirst())
            }
            if needsWeight || needsBias {
                let dw = try Tensor.allocate(w.shape, g.dtype, on: g.backend)
                let db = needsBias ? try Tensor.allocate([geometry.outChannels], g.dtype, on: g.backend) : nil
                try g.backend.convolutionWeightGradient(geometry, x: x, grad: grad, out: dw, biasOut: db)
                gradients[1] = needsWeight ? Tensor(dw.weightOrder()) : nil
                gradients[2] = db.map { Tensor($0) }
            }
            return gradients
        }
    }

    /// - Throws: unless all are of one float dtype.
    func checkFloats(_ operation: String, _ tensors: [(name: String, tensor: Tensor)]) throws {
        for (name, tensor) in tensors {
            guard tensor.dtype.isFloat else {
                throw BSSError(
                    operation, "\(name) must be float, got \(tensor.dtype.name)", hint: "convert it with :to()")
            }
            guard tensor.dtype == tensors[0].tensor.dtype else {
                throw BSSError(
                    operation, "\(tensors[0].name) is \(tensors[0].tensor.dtype.name), \(name) is \(tensor.dtype.name)",
                    hint: "convert one with :to()")
            }
        }
    }
}
