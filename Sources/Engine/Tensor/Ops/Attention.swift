import BSSBackend
import BSSCore

/// Weights of multi-head attention over E features, as PyTorch names and shapes them.
public struct AttentionWeights {
    /// [E, E], [E, key features], [E, value features]
    public var query, key, value: Tensor
    /// [E] each, or nil.
    public var queryBias, keyBias, valueBias: Tensor?
    /// [E, E], [E]
    public var output: Tensor
    public var outputBias: Tensor?

    public init(
        query: Tensor, key: Tensor, value: Tensor, output: Tensor, queryBias: Tensor? = nil, keyBias: Tensor? = nil,
        valueBias: Tensor? = nil,
        outputBias: Tensor? = nil
    ) {
        self.query = query
        self.key = key
        self.value = value
        self.output = output
        self.queryBias = queryBias
        self.keyBias = keyBias
        self.valueBias = valueBias
        self.outputBias = outputBias
    }

    /// From PyTorch's joined form: `in_proj_weight` [3E, E] and `in_proj_bias` [3E], query first.
    public init(joined: Tensor, joinedBias: Tensor?, output: Tensor, outputBias: Tensor?) throws {
        let parts = try joined.chunks(3, axis: 0)
        let biases = try joinedBias?.chunks(3, axis: 0)
        guard parts.count == 3, biases.map({ $0.count == 3 }) ?? true, joined.shape[0] % 3 == 0 else {
            throw BSSError("multihead_attention", "joined weight \(joined.shape) is not three weights of one size")
        }
        self.init(
            query: parts[0], key: parts[1], value: parts[2], output: output, queryBias: biases?[0], keyBias: biases?[1],
            valueBias: biases?[2], outputBias: outputBias)
    }
}

extension Tensor {
    /// softmax(q kᵀ · scale + mask) v (Vaswani et al., NeurIPS 2017, Eq. 1), and the weights.
    ///
    /// q: [.., L, E], k: [.., S, E], v: [.., S, F] → y: [.., L, F], weights: [.., L, S]. A bool `mask` says where a
    /// query may attend, a float one is added; both broadcast to [.., L, S]. `isCausal`: query i sees keys 0 … i.
    /// `scale` defaults to 1/√E. A query that may attend to nothing gives zeros, and no gradient.
    public static func attention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, mask: Tensor? = nil, isCausal: Bool = false, scale: Double? = nil
    ) throws -> (output: Tensor, weights: Tensor) {
        guard q.rank >= 2, k.rank >= 2, v.rank >= 2, q.shape.last == k.shape.last,
            k.shape[k.rank - 2] == v.shape[v.rank - 2]
        else {
            throw BSSError(
                "attention", "query \(q.shape), key \(k.shape) and value \(v.shape) do not fit",
                hint: "[.., L, E], [.., S, E], [.., S, F]")
        }
        try q.checkFloats("attention", [("query", q), ("key", k), ("value", v)])
        let factor = scale ?? 1 / Double(max(q.shape.last, 1)).squareRoot()
        var scores = try q.multiplied(by: factor).matmul(k.transposed(-1, -2))
        let full = scores.shape
        var allowed: Tensor?
        if let mask {
            guard try Shape.broadcast(mask.shape, full, operation: "attention") == full else {
                throw BSSError("attention", "mask \(mask.shape) does not stretch to the scores, \(full)")
            }
            if mask.dtype == .bool {
                allowed = mask.detached
            } else {
                let added = try mask.converted(to: q.dtype)
                scores = try scores.adding(added)
                allowed = try compare(.greater, added, scalar(-.infinity, q.dtype, on: q.backend))
            }
        }
        if isCausal {
            let queries = full[full.rank - 2]
            let keys = full[full.rank - 1]
            let lower = try from(
                (0..<queries * keys).map { $0 % max(keys, 1) <= $0 / max(keys, 1) }, [queries, keys], on: q.backend)
            allowed = try allowed.map { try logical(.and, $0, lower) } ?? lower
        }
        guard let allowed else {
            let weights = try scores.softmax(axis: -1)
            return (try weights.matmul(v), weights)
        }
        // A large negative number instead of -infinity: a row without any key stays finite, and is then set to zero.
        let zero = try scalar(0, q.dtype, on: q.backend)
        let weights = try select(
            allowed, select(allowed, scores, scalar(-1e30, q.dtype, on: q.backend)).softmax(axis: -1), zero)
        return (try weights.matmul(v), weights)
    }

    /// Attention in `heads` parallel subspaces (Vaswani et al., NeurIPS 2017, section 3.2.2).
    ///
    /// query: [N, L, E], key: [N, S, ·], value: [N, S, ·] → output [N, L, E], weights [N, heads, L, S]. `isPadding`
    /// (bool [N, S]) marks keys to ignore; `mask` as in `attention`, for [L, S] or anything that stretches to the
    /// weights.
    public static func multiHeadAttention(
        query: Tensor, key: Tensor, value: Tensor, _ weights: AttentionWeights, heads: Int, isPadding: Tensor? = nil,
        mask: Tensor? = nil,
        isCausal: Bool = false
    ) throws -> (output: Tensor, weights: Tensor) {
        let name = "multihead_attention"
        guard query.rank == 3, key.rank == 3, value.rank == 3, query.shape[0] == key.shape[0],
            key.shape[0] == value.shape[0],
            key.shape[1] == value.shape[1]
        else {
            throw BSSError(
                name, "query \(query.shape), key \(key.shape) and value \(value.shape) do not fit",
                hint: "[N, L, E], [N, S, ·], [N, S, ·]")
        }
        let features = weights.query.rank == 2 ? weights.query.shape[0] : 0
        guard heads >= 1, features > 0, features % heads == 0 else {
            throw BSSError(
                name, "\(heads) heads do not divide the \(features) features of weight \(weights.query.shape)")
        }
        let batch = query.shape[0]
        let width = features / heads
        func projected(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) throws -> Tensor {
            guard weight.rank == 2, weight.shape[0] == features, weight.shape[1] == x.shape[2] else {
                throw BSSError(
                    name,
                    "input \(x.shape) does not fit projection weight \(weight.shape), "
                        + "needs [\(features), \(x.shape[2])]")
            }
            return try linear(x, weight.transposed(0, 1), bias).reshaped([batch, x.shape[1], heads, width]).transposed(
                1, 2)
        }
        var allowed = mask
        if let isPadding {
            guard isPadding.shape == [batch, key.shape[1]] else {
                throw BSSError(
                    name,
                    "padding mask \(isPadding.shape) does not fit key \(key.shape), needs [\(batch), \(key.shape[1])]")
            }
            let kept = try isPadding.detached.converted(to: .bool).unary(.logicalNot).reshaped([
                batch, 1, 1, key.shape[1],
            ])
            if let mask, mask.dtype != .bool {
                allowed = try select(kept, mask, scalar(-.infinity, mask.dtype, on: mask.backend))
            } else {
                allowed = try mask.map { try logical(.and, $0, kept) } ?? kept
            }
        }
        let (y, attention) = try attention(
            projected(query, weights.query, weights.queryBias), projected(key, weights.key, weights.keyBias),
            projected(value, weights.value, weights.valueBias), mask: allowed, isCausal: isCausal)
        let joined = try y.transposed(1, 2).reshaped([batch, query.shape[1], features])
        return (try linear(joined, weights.output.transposed(0, 1), weights.outputBias), attention)
    }
}
