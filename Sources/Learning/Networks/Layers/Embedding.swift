import BSSBackend
import BSSCore
import BSSTensor

/// A row of the weight [V, D] for each id; ids: i64 of any shape → [.., D]. The row of `paddingIndex` is not trained.
public final class Embedding: Module {
    public let weight: Parameter
    private let paddingIndex: Int?

    public init(
        _ rows: Int, _ width: Int, _ initializer: Initializer = .normal(std: 1), paddingIndex: Int? = nil
    ) throws {
        weight = try Parameter([rows, width], initializer)
        self.paddingIndex = paddingIndex
        super.init()
        _ = add("weight", weight)
    }

    public override func callAsFunction(_ ids: Tensor, _ context: ForwardContext) throws -> Tensor {
        try Tensor.embedding(ids, weight.value, paddingIndex: paddingIndex)
    }
}

/// A batch of a text modality, [B, 3, L]: token ids, mask (1 where a token stands), token types.
public struct TokenBatch {
    /// [B, L], i64.
    public let ids, types: Tensor
    /// [B, L], float; nil: every position counts.
    public let mask: Tensor?

    public init(ids: Tensor, mask: Tensor? = nil, types: Tensor? = nil) throws {
        self.ids = ids
        self.mask = mask
        self.types = try types ?? Tensor.zeros(ids.shape, .int64)
    }

    /// From the rows that tokenizers write.
    public init(_ x: Tensor, operation: String) throws {
        guard x.rank == 3, x.shape[1] == 3 else {
            throw BSSError(
                operation, "needs a text batch [B, 3, L] of ids, mask and types, got \(x.shape)",
                hint: "tokenize the texts: bss.tokenizer.wordpiece{…}", kind: .usage)
        }
        func row(_ i: Int) throws -> Tensor { try x.detached.sliced(1, from: i, to: i + 1).squeezed(1).contiguous() }
        try self.init(ids: row(0).converted(to: .int64), mask: row(1), types: row(2).converted(to: .int64))
    }

    public var batch: Int { ids.shape[0] }
    public var length: Int { ids.shape[1] }

    /// The shape of one sample of a text modality.
    static func checkSample(_ shape: [Int], _ operation: String, _ modality: String) throws {
        guard shape.count == 2, shape[0] == 3, shape[1] > 0 else {
            throw BSSError(
                operation,
                "modality '\(modality)' has samples of shape \(shape), a text encoder needs [3, L]: token ids, mask, "
                    + "token types",
                kind: .usage)
        }
    }
}

extension Tensor {
    /// Mean of x [B, L, E] over the positions where mask [B, L] is 1 (all, without a mask); zeros for a row without any
    /// → [B, E].
    func averaged(where mask: Tensor?) throws -> Tensor {
        guard let mask else { return try mean([1]) }
        let weights = try mask.converted(to: dtype).unsqueezed(2)
        return try multiplied(by: weights).sum([1]).divided(by: weights.sum([1]).clamped(1))
    }
}
