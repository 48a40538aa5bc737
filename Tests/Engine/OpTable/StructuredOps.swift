import BSSBackend
import BSSCore
import BSSTensor

// Operators of layers, which scripts reach through networks: every dtype × batches of 0, 1 and 3 × two memory orders.

extension OpTable {
    private typealias Op = (name: String, shape: (Int) -> Shape, body: (Tensor) throws -> [Tensor])

    private static func weight(_ shape: Shape, _ like: Tensor) throws -> Tensor {
        try Input.numbers(shape, .float64, seed: 4).multiplied(by: 0.25).converted(to: like.dtype)
    }

    private static let images: [Op] = [
        ("conv1d", { [$0, 2, 7] }, { [try $0.convolution(weight([4, 2, 3], $0), stride: [2], padding: [1])] }),
        ("conv2d", { [$0, 4, 6, 5] }, { [try $0.convolution(weight([4, 2, 3, 3], $0), padding: [1], groups: 2)] }),
        ("conv2d bias", { [$0, 3, 9, 8] }, { [try $0.convolution(weight([5, 3, 3, 3], $0), bias: weight([5], $0))] }),
        ("conv3d", { [$0, 2, 3, 4, 4] }, { [try $0.convolution(weight([3, 2, 2, 2, 2], $0), dilation: [1, 2, 1])] }),
        ("same_conv2d", { [$0, 2, 5, 6] }, { [try $0.sameConvolution(weight([3, 2, 3, 2], $0), stride: [2])] }),
        ("max_pool", { [$0, 2, 5, 6] }, { [try $0.maxPool(kernel: [2], ceilMode: true)] }),
        ("same_max_pool", { [$0, 2, 5, 6] }, { [try $0.sameMaxPool(kernel: [3], stride: [2])] }),
        ("avg_pool", { [$0, 2, 5, 6] }, { [try $0.averagePool(kernel: [3], stride: [2], padding: [1])] }),
        ("adaptive_avg_pool", { [$0, 2, 5, 6] }, { [try $0.adaptiveAveragePool([2, 3])] }),
        (
            "batch_norm", { [$0, 3, 4, 2] },
            {
                [
                    try $0.batchNormalized(
                        mean: weight([3], $0), variance: Tensor.ones([3], $0.dtype), weight: weight([3], $0), bias: nil)
                ]
            }
        ),
        (
            "batch_norm, own statistics", { [$0 + 1, 3, 4] },
            {
                [try $0.batchNormalized(weight: weight([3], $0), bias: weight([3], $0), epilogue: .relu).output]
            }
        ),
        (
            "layer_norm", { [$0, 3, 4] },
            { [try $0.layerNormalized(over: [3, 4], weight: weight([3, 4], $0), bias: nil)] }
        ),
        ("pad", { [$0, 3, 4] }, { [try $0.padded([(1, 2), (-1, 1)], value: 1)] }),
        ("pad reflect", { [$0, 3, 4] }, { [try $0.padded([(1, 2)], mode: .reflect)] }),
    ]

    private static let rows: [Op] = [
        ("linear", { [$0, 3, 4] }, { [try Tensor.linear($0, weight([4, 5], $0), weight([5], $0), epilogue: .relu)] }),
        ("linear without inputs", { [$0, 3, 0] }, { [try Tensor.linear($0, weight([0, 2], $0), weight([2], $0))] }),
        (
            "attention", { [$0, 3, 8] },
            { x in
                var random = RandomStream(seed: 1, name: "op table")
                return [try Tensor.headAttention(x, x, x, heads: 2, isCausal: true, using: &random)]
            }
        ),
        (
            "masked attention", { [$0, 3, 4] },
            { x in
                [try Tensor.attention(x, x, x, mask: Tensor.ones([3, 3], .bool)).output]
            }
        ),
        (
            "lstm", { [$0, 4, 3] },
            { x in
                let w = RecurrentWeights(input: try weight([8, 3], x), hidden: try weight([8, 2], x))
                return [try x.recurrent(.lstm, [w]).output]
            }
        ),
        (
            "gru", { [$0, 4, 3] },
            { x in
                let w = RecurrentWeights(
                    input: try weight([6, 3], x), hidden: try weight([6, 2], x), hiddenBias: try weight([6], x))
                return [try x.recurrent(.gru, [w, w], isBidirectional: true).output]
            }
        ),
        (
            "cross_entropy", { [$0, 3] },
            { [try Tensor.crossEntropy($0, Tensor.ones([$0.shape[0]], .int64), reduction: .sum)] }
        ),
        (
            "nll", { [$0, 3] },
            { [try Tensor.negativeLogLikelihood($0, Tensor.ones([$0.shape[0]], .int64), reduction: .none)] }
        ),
        (
            "bce", { [$0, 3] },
            { [try Tensor.binaryCrossEntropyWithLogits($0, Tensor.ones($0.shape, $0.dtype), reduction: .none)] }
        ),
        (
            "smooth_l1", { [$0, 3] },
            { [try Tensor.smoothAbsoluteError($0, Tensor.zeros($0.shape, $0.dtype), reduction: .sum)] }
        ),
        ("cosine", { [$0, 3] }, { [try Tensor.cosineSimilarity($0, Tensor.ones($0.shape, $0.dtype))] }),
        (
            "index_add", { [$0, 3] },
            { x in
                [try Tensor.zeros([2, 3], x.dtype).indexAdd(0, Tensor.ones([x.shape[0]], .int64), x)]
            }
        ),
        (
            "scatter_add", { [$0, 3] },
            { x in
                [try Tensor.zeros([4, 3], x.dtype).scatterAdd(0, Tensor.ones(x.shape, .int64), x)]
            }
        ),
        ("one_hot", { [$0, 2] }, { [try $0.unary(.abs).clamped(0, 1).converted(to: .int64).oneHot(classes: 9)] }),
        ("split", { [$0, 5] }, { try $0.split([2, 0, 3], axis: 1) }),
        ("chunks", { [$0, 5] }, { try $0.chunks(2, axis: 1) }),
        ("flip", { [$0, 5] }, { [try $0.flipped([1])] }),
        ("normalised", { [$0, 5] }, { [try $0.normalized()] }),
        (
            "dropout", { [$0, 5] },
            { x in
                var random = RandomStream(seed: 1, name: "op table")
                return [try x.dropout(rate: 0.5, using: &random).multiplied(by: 0)]
            }
        ),
    ]

    mutating func structured() throws {
        for (name, shape, body) in OpTable.images + OpTable.rows {
            for batch in [0, 1, 3] {
                for dtype in DType.allCases {
                    let x = try Input.numbers(shape(batch), dtype)
                    let turned = try x.transposed(0, -1).contiguous().transposed(0, -1)
                    let reference = try OpTable.plain(x)
                    func run(_ x: Tensor) throws -> Outcome { try Outcome { try body(x).map { .object($0) } } }
                    for (memory, input) in [("", x), (" turned", turned)] {
                        let label = "\(name) \(dtype.name) batch \(batch)\(memory)"
                        let outcome = try run(input)
                        let expected = try run(reference)
                        if !dtype.isFloat, outcome.refusal != nil {
                            noteRefusal(label, outcome)
                        } else {
                            note(label, outcome, expected)
                        }
                        if dtype.isFloat, expected.refusal == nil {
                            note(label + " gradient", try slope(input, body), try slope(reference, body))
                            noteGradient()
                        }
                    }
                }
            }
        }
    }

    private func slope(_ x: Tensor, _ body: (Tensor) throws -> [Tensor]) throws -> Outcome {
        try Outcome {
            let leaf = try x.requiringGradient()
            var total: Tensor?
            for y in try body(leaf) where y.requiresGradient {
                let part = try y.converted(to: .float64).sum()
                total = try total.map { try $0 + part } ?? part
            }
            return [.object(try total?.backward()[leaf] ?? Tensor.zeros(leaf.shape, leaf.dtype))]
        }
    }
}
