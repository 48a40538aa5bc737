import BSSBackend
import BSSCore
import BSSTensor

/// y = x w + b; x: [.., I], weight: [I, O], bias: [O].
///
/// Deviation: PyTorch stores weight as [O, I]; [I, O] makes the forward product the fast one for small batches.
public final class Linear: Module {
    public let weight: Parameter
    public let bias: Parameter?
    public let epilogue: Epilogue
    private let inputs: Int, outputs: Int
    private let ownInitializer: Initializer?

    /// `initializer`: for the weight, with bias 0, whatever the model's initial weights are (a pretrained kind of
    /// network's own).
    public init(
        _ inputs: Int, _ outputs: Int, bias hasBias: Bool = true, epilogue: Epilogue = .none,
        initializer: Initializer? = nil
    ) throws {
        weight = try Parameter([inputs, outputs], initializer ?? .uniformFanIn(inputs), isTransposedInFiles: true)
        bias = hasBias ? try Parameter([outputs], initializer == nil ? .uniformFanIn(inputs) : .constant(0)) : nil
        ownInitializer = initializer
        self.epilogue = epilogue
        (self.inputs, self.outputs) = (inputs, outputs)
        super.init()
        _ = add("weight", weight)
        if let bias { _ = add("bias", bias) }
    }

    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try Tensor.linear(x, weight.value, bias?.value, epilogue: epilogue)
    }

    public override func initializer(for name: String, _ parameter: Parameter, _ weights: InitialWeights) -> Initializer
    {
        guard weights == .paper, ownInitializer == nil else { return parameter.initializer }
        return name == "bias" ? .constant(0) : .xavierNormal(fanIn: inputs, fanOut: outputs)
    }
}
