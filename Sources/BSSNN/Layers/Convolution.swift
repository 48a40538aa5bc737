import BSSBackend
import BSSCore
import BSSTensor

/// Two-dimensional convolution, [B, C, H, W] → [B, O, H', W']; weight [O, C/groups, kH, kW].
public final class Conv2d: Module {
    public let weight: Parameter
    public let bias: Parameter?
    private let stride: [Int], padding: [Int], groups: Int
    private let fanOut: Int

    /// `initializer`: of the weight; by default PyTorch's.
    public init(
        _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0, groups: Int = 1, bias hasBias: Bool = true,
        initializer: Initializer? = nil
    ) throws {
        let fanIn = inputs / groups * kernel * kernel
        weight = try Parameter([outputs, inputs / groups, kernel, kernel], initializer ?? .uniformFanIn(fanIn), inKernelMemory: true)
        bias = hasBias ? try Parameter([outputs], .uniformFanIn(fanIn)) : nil
        self.stride = [stride]
        self.padding = [padding]
        self.groups = groups
        fanOut = outputs * kernel * kernel
        super.init()
        _ = add("weight", weight)
        if let bias { _ = add("bias", bias) }
    }

    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try x.convolution(weight.value, bias: bias?.value, stride: stride, padding: padding, groups: groups)
    }

    public override func initializer(for name: String, _ parameter: Parameter, _ weights: InitialWeights) -> Initializer {
        weights == .paper && name == "weight" ? .kaimingNormal(fan: fanOut) : parameter.initializer
    }
}
