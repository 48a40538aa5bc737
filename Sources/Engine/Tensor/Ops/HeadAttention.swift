import BSSBackend
import BSSCore

/// Queries, keys or values of several heads side by side: [B, L, heads · D], rows dense, read without a copy.
private struct Heads {
    let view: ArrayView
    let heads: Int
    var length: Int { view.shape[1] }
    var width: Int { view.shape[2] / heads }
    /// From one row to the next.
    var leading: Int { max(view.shape[1] == 1 ? view.shape[2] : view.strides[1], 1) }

    init(_ tensor: Tensor, _ heads: Int) throws {
        let v = tensor.view
        let isReadable = (v.strides[2] == 1 || v.shape[2] == 1) && (v.shape[1] == 1 || v.strides[1] >= v.shape[2])
        view = isReadable ? v : try v.dense()
        self.heads = heads
    }

    /// All heads of sample b.
    func sample(_ b: Int) -> ArrayView {
        var out = view
        out.offset += b * view.strides[0]
        return out
    }
}

/// The [heads, L, S] matrices of one sample in a dense [B, heads, L, S].
private func block(_ view: ArrayView, _ b: Int) -> ArrayView {
    var out = view
    out.offset += b * view.strides[0]
    return out
}

extension Tensor {
    /// Attention of `heads` heads that lie side by side in the features (Vaswani et al., NeurIPS 2017, section 3.2.2):
    ///
    ///     y_h = dropout(softmax(q_h k_hᵀ / √D + mask)) v_h
    ///
    /// q: [B, L, E], k: [B, S, E], v: [B, S, E], D = E / heads → [B, L, E]; nothing is turned or copied. `keys` [B, S]:
    /// 0 marks a key that nobody attends to. `isCausal`: query i sees keys 0 … i. `dropout`: kept probabilities are
    /// scaled by 1 / (1 - rate).
    ///
    /// With p the weights, d the dropped ones and G = g vᵀ: dv = dᵀ g, ds = d G - p Σ d G, dq = ds k / √D, dk = dsᵀ q /
    /// √D. A query that may attend to nothing gives the mean of all values, as a large negative mask does.
    public static func headAttention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, keys: Tensor? = nil, isCausal: Bool = false,
        dropout: Double = 0, using stream: inout RandomStream
    ) throws -> Tensor {
        let name = "attention"
        guard q.rank == 3, k.rank == 3, k.shape == v.shape, q.shape[0] == k.shape[0], q.shape[2] == k.shape[2],
            heads >= 1, q.shape[2] % heads == 0
        else {
            throw BSSError(
                name, "query \(q.shape), key \(k.shape), value \(v.shape) and \(heads) heads do not fit",
                hint: "[B, L, E], [B, S, E], [B, S, E], E a multiple of heads")
        }
        try q.checkFloats(name, [("query", q), ("key", k), ("value", v)])
        let batch = q.shape[0]
        let length = q.shape[1]
        let span = k.shape[1]
        let features = q.shape[2]
        let width = features / heads
        let scale = 1 / Double(max(width, 1)).squareRoot()
        let backend = q.backend
        let dtype = q.dtype
        if let keys, keys.shape != [batch, span] {
            throw BSSError(name, "key mask \(keys.shape) does not fit key \(k.shape), needs [\(batch), \(span)]")
        }
        let queries = try Heads(q, heads)
        let sources = try Heads(k, heads)
        let values = try Heads(v, heads)

        let weights = try allocate([batch, heads, length, span], dtype, on: backend)
        for b in 0..<batch {
            try backend.gemm(
                transposeA: false, transposeB: true, m: length, n: span, k: width, alpha: scale, a: queries.sample(b),
                lda: queries.leading, strideA: width,
                b: sources.sample(b), ldb: sources.leading, strideB: width, beta: 0, out: block(weights, b),
                ldc: max(span, 1), strideC: length * span, batch: heads)
        }
        try backend.softmaxMasked(weights, keys: keys?.converted(to: dtype).contiguous().view, isCausal: isCausal)
        var dropped = weights
        if dropout > 0 {
            dropped = try allocate(weights.shape, dtype, on: backend)
            let mask = try allocate(weights.shape, dtype, on: backend)
            let blocks = dtype == .float64 ? (mask.elementCount + 1) / 2 : (mask.elementCount + 3) / 4
            try backend.randomMask(
                key: stream.key, block: stream.reserve(blocks: blocks), p: 1 - dropout,
                value: dropout < 1 ? 1 / (1 - dropout) : 0, out: mask)
            try backend.binary(.mul, weights, mask, out: dropped)
        }
        let out = try allocate([batch, length, features], dtype, on: backend)
        for b in 0..<batch {
            try backend.gemm(
                transposeA: false, transposeB: false, m: length, n: width, k: span, alpha: 1, a: block(dropped, b),
                lda: max(span, 1), strideA: length * span,
                b: values.sample(b), ldb: values.leading, strideB: width, beta: 0, out: block(out, b), ldc: features,
                strideC: width, batch: heads)
        }
        return recorded("attention", out, [q, k, v], saves: [q.view, k.view, v.view]) { g in
            let grad = try g.view.dense()
            let dq = try allocate([batch, length, features], dtype, on: backend)
            let dk = try allocate([batch, span, features], dtype, on: backend)
            let dv = try allocate([batch, span, features], dtype, on: backend)
            let ds = try allocate(weights.shape, dtype, on: backend)
            for b in 0..<batch {
                try backend.gemm(
                    transposeA: true, transposeB: false, m: span, n: width, k: length, alpha: 1, a: block(dropped, b),
                    lda: max(span, 1), strideA: length * span,
                    b: block(grad, b), ldb: features, strideB: width, beta: 0, out: block(dv, b), ldc: features,
                    strideC: width, batch: heads)
                try backend.gemm(
                    transposeA: false, transposeB: true, m: length, n: span, k: width, alpha: 1, a: block(grad, b),
                    lda: features, strideA: width,
                    b: values.sample(b), ldb: values.leading, strideB: width, beta: 0, out: block(ds, b),
                    ldc: max(span, 1), strideC: length * span, batch: heads)
            }
            try backend.softmaxDroppedBackward(ds, weights: weights, dropped: dropped)
            for b in 0..<batch {
                try backend.gemm(
                    transposeA: false, transposeB: false, m: length, n: width, k: span, alpha: scale, a: block(ds, b),
                    lda: max(span, 1), strideA: length * span,
                    b: sources.sample(b), ldb: sources.leading, strideB: width, beta: 0, out: block(dq, b),
                    ldc: features, strideC: width, batch: heads)
                try backend.gemm(
                    transposeA: true, transposeB: false, m: span, n: width, k: length, alpha: scale, a: block(ds, b),
                    lda: max(span, 1), strideA: length * span,
                    b: queries.sample(b), ldb: queries.leading, strideB: width, beta: 0, out: block(dk, b),
                    ldc: features, strideC: width, batch: heads)
            }
            return [Tensor(dq), Tensor(dk), Tensor(dv)]
        }
    }
}
