import BSSBackend
import CBSSCUDA

// Random numbers: random.cu.h, bit for bit those of the CPU.

extension CUDABackend {
    public func randomUniform(key: UInt64, block: UInt64, low: Double, high: Double, out: ArrayView) throws {
        let call = try KernelCall("uniform", out)
        let count = out.elementCount, memory = try call.memory(out, count)
        let (kernel, grid) = (Kernel("random_uniform", "random", call.dtype), elements(blocks(count, call.dtype)))
        try runOnce(
            "random uniform", writes: count,
            call.dtype == .float32
                ? launch(
                    kernel, grid, key, block, Float(low), Float(high), below(Float(high), Float(low)), memory, count)
                : launch(kernel, grid, key, block, low, high, below(high, low), memory, count))
    }

    public func randomNormal(key: UInt64, block: UInt64, mean: Double, std: Double, out: ArrayView) throws {
        let call = try KernelCall("normal", out)
        let count = out.elementCount, memory = try call.memory(out, count)
        let (kernel, grid) = (Kernel("random_normal", "random", call.dtype), elements(blocks(count, call.dtype)))
        try runOnce(
            "random normal", writes: count,
            call.dtype == .float32
                ? launch(kernel, grid, key, block, Float(mean), Float(std), memory, count)
                : launch(kernel, grid, key, block, mean, std, memory, count))
    }

    public func randomMask(key: UInt64, block: UInt64, p: Double, value: Double, out: ArrayView) throws {
        let call = try KernelCall("dropout", out)
        let count = out.elementCount, memory = try call.memory(out, count)
        let (kernel, grid) = (Kernel("random_mask", "random", call.dtype), elements((count + 3) / 4))
        try runOnce(
            "random mask", writes: count,
            call.dtype == .float32
                ? launch(kernel, grid, key, block, Float(p), Float(value), memory, count)
                : launch(kernel, grid, key, block, Float(p), value, memory, count))
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
