import BSSBackend
import CBSSCUDA

// Random numbers: random.cu.h, bit for bit those of the CPU.

extension CUDABackend {
    public func randomUniform(key: UInt64, block: UInt64, low: Double, high: Double, out: ArrayView) throws {
        let call = try KernelCall("uniform", out)
        let count = out.elementCount, memory = try call.memory(out, count), moved = try shift(key)
        let (kernel, grid) = (Kernel("random_uniform", "random", call.dtype), elements(blocks(count, call.dtype)))
        try runKept(
            "random uniform", writes: count,
            call.dtype == .float32
                ? launch(
                    kernel, grid, key, block, moved, Float(low), Float(high), below(Float(high), Float(low)), memory,
                    count)
                : launch(kernel, grid, key, block, moved, low, high, below(high, low), memory, count))
    }

    public func randomNormal(key: UInt64, block: UInt64, mean: Double, std: Double, out: ArrayView) throws {
        let call = try KernelCall("normal", out)
        let count = out.elementCount, memory = try call.memory(out, count), moved = try shift(key)
        let (kernel, grid) = (Kernel("random_normal", "random", call.dtype), elements(blocks(count, call.dtype)))
        try runKept(
            "random normal", writes: count,
            call.dtype == .float32
                ? launch(kernel, grid, key, block, moved, Float(mean), Float(std), memory, count)
                : launch(kernel, grid, key, block, moved, mean, std, memory, count))
    }

    public func randomMask(key: UInt64, block: UInt64, p: Double, value: Double, out: ArrayView) throws {
        let call = try KernelCall("dropout", out)
        let count = out.elementCount, memory = try call.memory(out, count), moved = try shift(key)
        let (kernel, grid) = (Kernel("random_mask", "random", call.dtype), elements((count + 3) / 4))
        try runKept(
            "random mask", writes: count,
            call.dtype == .float32
                ? launch(kernel, grid, key, block, moved, Float(p), Float(value), memory, count)
                : launch(kernel, grid, key, block, moved, Float(p), value, memory, count))
    }

    /// Where draws that are made again read how far their stream has moved since; nil: they are not.
    private func shift(_ key: UInt64) throws -> UnsafeMutableRawPointer? {
        guard KernelCall.isRecorded, let draws = KernelCall.draws(key: key) else { return nil }
        if let drawing, drawing.draws === draws { return drawing.shift.address }
        let shift = try allocate(byteCount: 8)
        try write(0, to: shift)
        drawing = (draws, shift)
        return shift.address
    }

    func write(_ number: UInt64, to place: Storage) throws {
        _ = try withUnsafeBytes(of: number) { bytes in
            try bytes.baseAddress.map { try sent($0, to: place.address, bytes.count) }
        }
    }

    /// Blocks of the generator that `count` elements take.
    private func blocks(_ count: Int, _ dtype: DType) -> Int {
        let perBlock = 16 / dtype.byteSize
        return (count + perBlock - 1) / perBlock
    }

    /// The number next to `high` towards `low`.
    private func below<F: BinaryFloatingPoint>(_ high: F, _ low: F) -> F {
        low < high ? high.nextDown : low > high ? high.nextUp : high
    }
}
