import BSSBackend
import BSSCore

// Images are [N, C, spatial…] to users and [N, spatial…, C] in memory: kernels then work on whole rows of channels.
// The difference is a matter of strides; nothing is copied between operations that both keep the layout.

extension ArrayView {
    /// Axis i of the result is axis order[i] of this.
    func permuted(_ order: [Int]) -> ArrayView {
        var out = self
        for (position, axis) in order.enumerated() {
            out.shape[position] = shape[axis]
            out.strides[position] = strides[axis]
        }
        return out
    }

    /// Row-major without gaps: itself or a copy.
    func dense() throws -> ArrayView {
        if isContiguous { return self }
        let out = try Tensor.allocate(shape, dtype, on: backend)
        try backend.copy(self, out: out)
        return out
    }

    /// Whether elements lie in memory as those of `other`, which has the same shape.
    public func hasLayout(of other: ArrayView) -> Bool {
        for axis in shape.indices where shape[axis] != 1 && strides[axis] != other.strides[axis] { return false }
        return true
    }

    /// A contiguous array under another shape of as many elements.
    func shaped(_ target: Shape) -> ArrayView {
        var out = self
        out.shape = target
        out.strides = target.contiguousStrides
        return out
    }

    /// [N, C, spatial…] as dense [N, spatial…, C]; a copy only if memory is laid out otherwise.
    func channelsLast() throws -> ArrayView {
        let rank = shape.rank
        return try permuted([0] + Array(2..<max(rank, 2)) + [1]).dense()
    }

    /// [N, spatial…, C] seen as [N, C, spatial…].
    func channelsFirst() -> ArrayView {
        let rank = shape.rank
        return permuted([0, rank - 1] + Array(1..<(rank - 1)))
    }

    /// A convolution weight [O, I, kernel…] as dense [kernel…, I, O].
    func kernelOrder() throws -> ArrayView { try permuted(Array(2..<shape.rank) + [1, 0]).dense() }

    /// [kernel…, I, O] seen as [O, I, kernel…].
    func weightOrder() -> ArrayView {
        let rank = shape.rank
        return permuted([rank - 1, rank - 2] + Array(0..<(rank - 2)))
    }
}

extension Tensor {
    /// The same image tensor [N, C, spatial…] with channels last in memory.
    public func inChannelsLastMemory() throws -> Tensor {
        guard rank >= 3 else { return self }
        return recorded("contiguous", try view.channelsLast().channelsFirst(), self) { [$0] }
    }

    /// The same convolution weight [O, I, kernel…] in the memory order of the kernels, so that no call copies it.
    public func inKernelMemory() throws -> Tensor {
        guard rank >= 3 else { return self }
        return recorded("contiguous", try view.kernelOrder().weightOrder(), self) { [$0] }
    }
}

extension Tensor {
    /// The same values in the memory order of `other`, a tensor of this shape without gaps; itself if they lie so.
    public func laidOut(like other: Tensor) throws -> Tensor {
        if view.hasLayout(of: other.view) { return self }
        var out = try Tensor.allocate(shape, dtype, on: backend)
        out.strides = other.view.strides
        try backend.copy(view, out: out)
        return recorded("contiguous", out, self) { [$0] }
    }
}

/// Spatial settings of one convolution or pooling call, checked: one value for all axes, or one each.
struct SpatialSettings {
    let operation: String
    let count: Int

    func spread(_ values: [Int], _ name: String, atLeast minimum: Int) throws -> [Int] {
        guard values.count == 1 || values.count == count else {
            throw BSSError(operation, "\(name) needs 1 or \(count) values, got \(values)")
        }
        if let bad = values.first(where: { $0 < minimum }) {
            throw BSSError(operation, "\(name) must be at least \(minimum), got \(bad)")
        }
        return values.count == count ? values : Array(repeating: values[0], count: count)
    }

    /// As (depth, height, width), missing leading axes filled.
    static func triple(_ values: [Int], fill: Int) -> SIMD3<Int> {
        let full = Array(repeating: fill, count: 3 - values.count) + values
        return SIMD3(full[0], full[1], full[2])
    }

    /// TensorFlow's "SAME": ceil(n / s) outputs, the odd padding element behind.
    static func same(_ n: Int, kernel: Int, stride: Int) -> (before: Int, output: Int) {
        let output = (n + stride - 1) / stride
        return (max((output - 1) * stride + kernel - n, 0) / 2, output)
    }
}
