import BSSBackend
import BSSCore
import BSSTensor

/// Attention of a sequence to itself: projections to queries, keys and values, heads, and the output projection.
///
/// x: [B, L, E] → [B, L, E]. (Vaswani et al., NeurIPS 2017, section 3.2.2.)
public final class SelfAttention: Module {
    private let query: Linear, key: Linear, value: Linear, output: Linear
    private let heads: Int, dropout: Double

    /// `names`: of the four projections, as the checkpoints of the network have them.
    public init(
        _ width: Int, heads: Int, names: (query: String, key: String, value: String, output: String), dropout: Double,
        initializer: Initializer
    ) throws {
        func projection() throws -> Linear { try Linear(width, width, initializer: initializer) }
        (query, key, value, output) = (try projection(), try projection(), try projection(), try projection())
        self.heads = heads
        self.dropout = dropout
        super.init()
        _ = add(names.query, query)
        _ = add(names.key, key)
        _ = add(names.value, value)
        _ = add(names.output, output)
    }

    /// `keys` [B, L]: 0 where a position is padding.
    public func callAsFunction(_ x: Tensor, keys: Tensor?, isCausal: Bool, _ context: ForwardContext) throws -> Tensor {
        let y = try Tensor.headAttention(
            query(x, context), key(x, context), value(x, context), heads: heads, keys: keys, isCausal: isCausal,
            dropout: context.phase == .training ? dropout : 0, using: &context.random)
        return try output(y, context)
    }
}
