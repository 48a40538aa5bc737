import BSSCore
import BSSCurriculum
import BSSNN
import BSSTensor

/// The samples of an epoch on their way to batches; methods may copy, mask or weigh them.
public struct SamplePlan {
    /// Positions in the training split.
    public var positions: [Int]
    /// Loss weight per entry; nil = 1.
    public var weights: [Double]?
    /// Per entry, the modalities whose features are kept (bit m = modality m); nil = all.
    public var keeps: [UInt32]?

    public init(positions: [Int], weights: [Double]? = nil, keeps: [UInt32]? = nil) {
        self.positions = positions
        self.weights = weights
        self.keeps = keeps
    }
}

/// One named term of the loss: per-sample values [B] and their weight in the sum.
public struct LossTerm {
    public let name: String
    public let perSample: Tensor
    public let weight: Double
    public init(_ name: String, _ perSample: Tensor, weight: Double) {
        self.name = name
        self.perSample = perSample
        self.weight = weight
    }
}

/// One batch as the step sees it.
public struct TrainingBatch {
    /// By modality, [B, …].
    public let inputs: [Tensor]
    /// Class columns, i64 [B].
    public let labels: Tensor
    public let positions: [Int]
    /// Loss weights [B]; nil = 1.
    public let weights: Tensor?
    /// Per sample, the modalities whose features reach the fusion (bit m); nil = all.
    public let keeps: [UInt32]?
}

/// Where in training a hook is called.
public final class TrainingContext {
    public let model: MultimodalModel
    public let optimizer: Optimizer
    public let options: TrainingOptions
    public let lossWeights: LossWeights
    public let source: any SampleSource
    public internal(set) var epoch = 0
    /// Optimizer updates so far; normalise by this, never by batches per epoch.
    public internal(set) var step = 0
    /// The metrics of the last epoch, as the history records them; empty before the first.
    public internal(set) var lastEpoch = Table()
    /// Side-effect-free scans.
    public let evaluator: Evaluator

    init(model: MultimodalModel, optimizer: Optimizer, options: TrainingOptions, lossWeights: LossWeights, source: any SampleSource, evaluator: Evaluator) {
        self.model = model
        self.optimizer = optimizer
        self.options = options
        self.lossWeights = lossWeights
        self.source = source
        self.evaluator = evaluator
    }
}

/// One forward and backward pass inside a batch: methods that alternate modalities yield several.
public struct SubStep {
    /// The scopes that may move; nil = all. Others keep parameters, momentum and decay untouched.
    public let scopes: Set<Scope>?
    /// The terms of this sub-step's loss.
    public let terms: (MultimodalOutput) throws -> [LossTerm]
    public init(scopes: Set<Scope>? = nil, terms: @escaping (MultimodalOutput) throws -> [LossTerm]) {
        self.scopes = scopes
        self.terms = terms
    }
}

/// A method against modality imbalance: the seven extension points of the one training loop, in call order.
///
/// Every hook has a default, so a method overrides only what it changes. The scheduler (which samples, in which order)
/// is independent of the method (which losses and gradients): any pair composes.
open class RebalanceMethod {
    public init() {}

    /// 1. Before training: add parameters and optimizer groups, check the number of modalities.
    open func setup(_ context: TrainingContext) throws {}
    /// 2a. At the start of an epoch.
    open func epochBegan(_ context: TrainingContext) throws {}
    /// 2b. At its end; `context.lastEpoch` holds the metrics.
    open func epochEnded(_ context: TrainingContext) throws {}
    /// 3. The scheduler's order, to be copied, masked or weighed.
    open func plan(_ context: TrainingContext, _ plan: SamplePlan) throws -> SamplePlan { plan }
    /// 4. The loss terms; the loop weighs samples, averages over the batch, and adds up.
    open func loss(_ context: TrainingContext, _ output: MultimodalOutput, _ batch: TrainingBatch) throws -> [LossTerm] {
        try EquationFive.terms(output, batch.labels, context.lossWeights, context.model.modalities)
    }
    /// 5. The sub-steps of a batch; by default one, of `loss`, on all scopes.
    open func steps(_ context: TrainingContext, _ batch: TrainingBatch) throws -> [SubStep] {
        [SubStep { [unowned self] output in try self.loss(context, output, batch) }]
    }
    /// 6. Between backward and the optimizer.
    open func adjust(_ gradients: inout Gradients, _ context: TrainingContext, _ output: MultimodalOutput, _ batch: TrainingBatch) throws {}
    /// 7. The logits of the "total" output, for validation, test and scoring; Eq. 12 by default.
    open func predict(_ context: TrainingContext, _ output: MultimodalOutput) throws -> Tensor {
        try EquationTwelve.total(output, context.options.inferenceWeights(modalities: context.model.modalities))
    }

    /// Loss weights of Eq. 5 that this method uses; also those of the scheduler's loss criterion.
    open func lossWeights(_ options: TrainingOptions, modalities: Int) -> LossWeights { options.lossWeights(modalities: modalities) }
    /// What checkpoints keep.
    open var state: Value {
        get { .null }
        set {}
    }
}

/// L = w_multi CE(z, y) + Σ_m w_uni CE(z_m, y) per sample (Guan, Jiang, Yang, IJCAI 2025, Eq. 5; alpha: w_multi = 1 - alpha, w_uni = alpha).
public enum EquationFive {
    static func terms(_ output: MultimodalOutput, _ labels: Tensor, _ weights: LossWeights, _ modalities: [String]) throws -> [LossTerm] {
        var terms: [LossTerm] = []
        if weights.multi != 0 { terms.append(LossTerm("fused", try Tensor.crossEntropy(output.fused, labels, reduction: .none), weight: weights.multi)) }
        for (index, weight) in weights.uni.enumerated() where weight != 0 {
            terms.append(LossTerm(modalities[index], try Tensor.crossEntropy(output.unimodal[index], labels, reduction: .none), weight: weight))
        }
        return terms
    }
}

/// z_total = Σ weights · (z, z_1, …, z_K) (Eq. 12 has all weights 1).
public enum EquationTwelve {
    static func total(_ output: MultimodalOutput, _ weights: [Double]) throws -> Tensor {
        var sum: Tensor?
        for (weight, logits) in zip(weights, [output.fused] + output.unimodal) where weight != 0 {
            let term = weight == 1 ? logits : try logits.multiplied(by: weight)
            sum = try sum.map { try $0 + term } ?? term
        }
        guard let sum else { throw BSSError("inference_heads", "all weights are 0", kind: .usage) }
        return sum
    }
}

/// `bss.rebalance.<part>{…}`; a fresh method object is made for every training.
public struct RebalanceRecipe: Family {
    public static let familyName = "rebalance"
    public static let noun = "rebalancing method"
    public static let help = "Losses and gradients against modality imbalance; combines with any scheduler."
    public static let parts: [Part<RebalanceRecipe>] = [Joint.part, FusedOnly.part]

    public let make: () -> RebalanceMethod
    public init(make: @escaping () -> RebalanceMethod) { self.make = make }
}
