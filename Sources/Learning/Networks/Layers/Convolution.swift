import BSSBackend
import BSSCore
import BSSTensor

/// Two-dimensional convolution, [B, C, H, W] → [B, O, H', W']; weight [O, C/groups, kH, kW].
public final class Conv2d: Module {
    public private(set) var weight: Parameter
    public private(set) var bias: Parameter?
    private let stride: [Int], padding: [Int], groups: Int
    private let fanOut: Int

    /// `initializer`: of the weight; by default PyTorch's.
    public init(
        _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0, groups: Int = 1,
        bias hasBias: Bool = true,
        initializer: Initializer? = nil
    ) throws {
        let fanIn = inputs / groups * kernel * kernel
        weight = try Parameter(
            [outputs, inputs / groups, kernel, kernel], initializer ?? .uniformFanIn(fanIn), inKernelMemory: true)
        bias = hasBias ? try Parameter([outputs], .uniformFanIn(fanIn)) : nil
        self.stride = [stride]
        self.padding = [padding]
        self.groups = groups
        fanOut = outputs * kernel * kernel
        super.init()
        _ = add("weight", weight)
        if let bias { _ = add("bias", bias) }
    }

    /// True if both have one geometry, so that one's weights fit the other.
    func fits(_ other: Conv2d) -> Bool {
        weight.value.shape == other.weight.value.shape && (bias == nil) == (other.bias == nil) && stride == other.stride
            && padding == other.padding && groups == other.groups
    }

    /// Convolves with the weights of `other`, which owns them, from now on.
    func share(_ other: Conv2d) { (weight, bias) = (other.weight, other.bias) }

    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try x.convolution(weight.value, bias: bias?.value, stride: stride, padding: padding, groups: groups)
    }

    public override func initializer(for name: String, _ parameter: Parameter, _ weights: InitialWeights) -> Initializer
    {
        weights == .paper && name == "weight" ? .kaimingNormal(fan: fanOut) : parameter.initializer
    }
}
