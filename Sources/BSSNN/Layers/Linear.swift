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

    public init(_ inputs: Int, _ outputs: Int, bias hasBias: Bool = true, epilogue: Epilogue = .none) throws {
        weight = try Parameter([inputs, outputs], .uniformFanIn(inputs))
        bias = hasBias ? try Parameter([outputs], .uniformFanIn(inputs)) : nil
        self.epilogue = epilogue
        (self.inputs, self.outputs) = (inputs, outputs)
        super.init()
        _ = add("weight", weight)
        if let bias { _ = add("bias", bias) }
    }

    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try Tensor.linear(x, weight.value, bias?.value, epilogue: epilogue)
    }

    public override func initializer(for name: String, _ parameter: Parameter, _ weights: InitialWeights) -> Initializer {
        guard weights == .paper else { return parameter.initializer }
        return name == "bias" ? .constant(0) : .xavierNormal(fanIn: inputs, fanOut: outputs)
    }
}
