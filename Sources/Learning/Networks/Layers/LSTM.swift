import BSSBackend
import BSSCore
import BSSTensor

/// A stack of LSTM layers, [B, T, I] → [B, T, H] (Hochreiter and Schmidhuber, Neural Computation 1997, with forget
/// gate):
///
///     i, f, o = σ(W x + b + V h + d),  g = tanh(…),  c' = f c + i g,  h' = o tanh(c')
///
/// Parameters as PyTorch's `nn.LSTM` names, shapes and starts them: of layer n `weight_ih_ln` [4H, I], `weight_hh_ln`
/// [4H, H], `bias_ih_ln`, `bias_hh_ln` [4H], all U(±1/√H), gates in the order i, f, g, o. `forgetBias` replaces the
/// start of b in the forget gate, where d then starts at 0 (Jozefowicz, Zaremba and Sutskever, ICML 2015: 1 helps).
public final class LSTM: Module {
    private var layers: [(input: Parameter, hidden: Parameter, inputBias: Parameter, hiddenBias: Parameter)] = []
    private let between: Dropout?

    public init(
        _ inputs: Int, _ size: Int, layers count: Int = 1, dropout: Double = 0, forgetBias: Double? = nil
    ) throws {
        between = dropout > 0 ? Dropout(rate: dropout) : nil
        super.init()
        let start = Initializer.uniform(1 / Double(max(size, 1)).squareRoot())
        func bias(_ forget: Double) -> Initializer { forgetBias == nil ? start : .lstmBias(size: size, forget: forget) }
        for layer in 0..<count {
            layers.append(
                (
                    add("weight_ih_l\(layer)", try Parameter([4 * size, layer == 0 ? inputs : size], start)),
                    add("weight_hh_l\(layer)", try Parameter([4 * size, size], start)),
                    add("bias_ih_l\(layer)", try Parameter([4 * size], bias(forgetBias ?? 0))),
                    add("bias_hh_l\(layer)", try Parameter([4 * size], bias(0)))
                ))
        }
    }

    /// The last layer's hidden states, from zero states.
    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try run(x, context).output
    }

    /// The last layer's hidden state after the last step, [B, H].
    public func last(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try run(x, context).hidden.element(at: layers.count - 1)
    }

    private func run(
        _ x: Tensor, _ context: ForwardContext
    ) throws -> (output: Tensor, hidden: Tensor, cellState: Tensor?) {
        let weights = layers.map {
            RecurrentWeights(
                input: $0.input.value, hidden: $0.hidden.value, inputBias: $0.inputBias.value,
                hiddenBias: $0.hiddenBias.value)
        }
        return try x.recurrent(.lstm, weights, between: between.map { dropout in { try dropout($0, context) } })
    }
}
