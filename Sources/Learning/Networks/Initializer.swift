import BSSBackend
import BSSCore
import BSSTensor

/// How a parameter starts. Fans follow the field: fan_in = inputs × kernel, fan_out = outputs × kernel.
public enum Initializer: Equatable {
    case constant(Double)
    /// U(-1/√fan_in, 1/√fan_in): what PyTorch's Linear and Conv layers do (kaiming_uniform with a = √5) for weight and
    /// bias.
    case uniformFanIn(Int)
    /// N(0, 2 / (fan_in + fan_out)) (Glorot and Bengio, AISTATS 2010).
    case xavierNormal(fanIn: Int, fanOut: Int)
    /// U(±√(6 / (fan_in + fan_out))).
    case xavierUniform(fanIn: Int, fanOut: Int)
    /// N(0, 2 / fan) (He et al., ICCV 2015).
    case kaimingNormal(fan: Int)
    case normal(std: Double)
    case uniform(Double)
    /// A bias of LSTM gates i, f, g, o of `size` values each: U(±1/√size), but the forget gate's at `forget`.
    case lstmBias(size: Int, forget: Double)

    func values(_ shape: Shape, using stream: inout RandomStream) throws -> Tensor {
        switch self {
        case .constant(let value): return try Tensor.full(shape, value)
        case .uniformFanIn(let fan):
            let bound = 1 / Double(max(fan, 1)).squareRoot()
            return try Tensor.uniform(shape, low: -bound, high: bound, using: &stream)
        case .xavierNormal(let fanIn, let fanOut):
            return try Tensor.normal(shape, std: (2 / Double(fanIn + fanOut)).squareRoot(), using: &stream)
        case .xavierUniform(let fanIn, let fanOut):
            let bound = (6 / Double(fanIn + fanOut)).squareRoot()
            return try Tensor.uniform(shape, low: -bound, high: bound, using: &stream)
        case .kaimingNormal(let fan):
            return try Tensor.normal(shape, std: (2 / Double(max(fan, 1))).squareRoot(), using: &stream)
        case .normal(let std): return try Tensor.normal(shape, std: std, using: &stream)
        case .uniform(let bound): return try Tensor.uniform(shape, low: -bound, high: bound, using: &stream)
        case .lstmBias(let size, let forget):
            var gates = try Initializer.uniform(1 / Double(max(size, 1)).squareRoot()).values(shape, using: &stream)
                .chunks(4, axis: 0)
            gates[1] = try Tensor.full([size], forget)
            return try Tensor.concatenated(gates, axis: 0)
        }
    }
}

/// The initial distribution of a whole model.
public enum InitialWeights: String, CaseIterable {
    /// PyTorch's layer defaults.
    case pytorch
    /// The BSS authors' `weight_init`: Linear Xavier-normal with bias 0, convolution Kaiming-normal by fan_out, norms 1
    /// / 0.
    case paper
}
