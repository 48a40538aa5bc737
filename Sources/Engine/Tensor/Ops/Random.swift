import BSSBackend
import BSSCore

extension Tensor {
    /// Uniform in [low, high), drawn from `stream`.
    public static func uniform(
        _ shape: Shape, low: Double = 0, high: Double = 1, using stream: inout RandomStream, _ dtype: DType = .float32,
        on backend: any Backend = Devices.current
    ) throws -> Tensor {
        let out = try drawn("rand", shape, dtype, backend)
        try backend.randomUniform(
            key: stream.key, block: stream.reserve(blocks: blocks(out)), low: low, high: high, out: out)
        return Tensor(out)
    }

    /// Normal with the given mean and standard deviation, drawn from `stream`.
    public static func normal(
        _ shape: Shape, mean: Double = 0, std: Double = 1, using stream: inout RandomStream, _ dtype: DType = .float32,
        on backend: any Backend = Devices.current
    ) throws -> Tensor {
        let out = try drawn("randn", shape, dtype, backend)
        try backend.randomNormal(
            key: stream.key, block: stream.reserve(blocks: blocks(out)), mean: mean, std: std, out: out)
        return Tensor(out)
    }

    /// Each element is kept with probability 1 - rate and scaled by 1 / (1 - rate) (Srivastava et al., JMLR 2014).
    public func dropout(rate: Double, using stream: inout RandomStream) throws -> Tensor {
        if rate == 0 { return self }
        let mask = try Tensor.drawn("dropout", shape, dtype, backend)
        try backend.randomMask(
            key: stream.key, block: stream.reserve(blocks: Tensor.blocks(mask)), p: 1 - rate,
            value: rate < 1 ? 1 / (1 - rate) : 0, out: mask)
        return try multiplied(by: Tensor(mask))
    }

    /// Memory for random numbers.
    private static func drawn(
        _ name: String, _ shape: Shape, _ dtype: DType, _ backend: any Backend
    ) throws -> ArrayView {
        guard dtype.isFloat else {
            throw BSSError(name, "random numbers are f32 or f64, not \(dtype.name)", hint: "convert them with :to()")
        }
        return try allocate(shape, dtype, on: backend)
    }

    private static func blocks(_ view: ArrayView) -> Int {
        view.dtype == .float64 ? (view.elementCount + 1) / 2 : (view.elementCount + 3) / 4
    }
}
