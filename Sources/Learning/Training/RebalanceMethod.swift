import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// The samples of an epoch on their way to batches; methods may copy, mask or weigh them.
public struct SamplePlan {
    /// Positions in the training split.
    public var positions: [Int]
    /// Loss weight per entry; nil = 1.
    public var weights: [Double]?
    /// Per entry, the modalities whose features are kept (bit m = modality m); nil = all.
    public var keeps: [UInt32]?
    /// True if the order carries the scheduler's curriculum (BSS-L): added entries belong beside the sample they come
    /// from; else the order is a shuffle.
    public var isSequential: Bool

    public init(positions: [Int], weights: [Double]? = nil, keeps: [UInt32]? = nil, isSequential: Bool = false) {
        self.positions = positions
        self.weights = weights
        self.keeps = keeps
        self.isSequential = isSequential
    }

    /// The first `count` entries.
    func prefix(_ count: Int) -> SamplePlan {
        guard count < positions.count else { return self }
        return SamplePlan(
            positions: Array(positions.prefix(count)), weights: weights.map { Array($0.prefix(count)) },
            keeps: keeps.map { Array($0.prefix(count)) }, isSequential: isSequential)
    }

    /// Everything that tells two epochs apart, as numbers to hash: positions, then masks and weights where there are
    /// some.
    public var trace: [Int] {
        positions + (keeps.map { [-1] + $0.map(Int.init) } ?? [])
            + (weights.map { [-2] + $0.map { Int(truncatingIfNeeded: $0.bitPattern) } } ?? [])
    }
}

/// One named term of the loss: per-sample values [B] and their weight in the sum.
public struct LossTerm {
    public let name: String
    /// [B]; a scalar is a term of the whole batch, which sample weights do not touch.
    public let perSample: Tensor
    public let weight: Double
    /// The logits [B, C] whose cross-entropy with the labels this is; nil if it is another loss.
    public let logits: Tensor?
    public init(_ name: String, _ perSample: Tensor, weight: Double, logits: Tensor? = nil) {
        self.name = name
        self.perSample = perSample
        self.weight = weight
        self.logits = logits
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
    /// What becomes of the per-sample losses before they are averaged.
    var sampleLoss: SampleLoss?
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
    /// Number of this batch in its epoch, from 0, and batches of this epoch's plan.
    public internal(set) var batch = 0, batches = 0
    /// The metrics of the last epoch, as the history records them; empty before the first.
    public internal(set) var lastEpoch = Table()
    /// Side-effect-free scans.
    public let evaluator: Evaluator
    /// Rows of the dataset that are trained on; `SamplePlan.positions` count in this list.
    public let trainRows: [Int]
    /// Rows that a method may monitor: its hold-out of the training split, else the validation split; empty without
    /// either.
    public let monitorRows: [Int]
    /// Forward and backward passes over samples that are not in `samples` of the history (probe trainings).
    public internal(set) var extraSamples = 0
    private(set) var stopReason: String?
    unowned let trainer: Trainer

    init(trainer: Trainer, lossWeights: LossWeights, evaluator: Evaluator, monitorRows: [Int]) {
        self.trainer = trainer
        model = trainer.model
        optimizer = trainer.optimizer
        options = trainer.options
        source = trainer.source
        trainRows = trainer.trainRows
        self.lossWeights = lossWeights
        self.evaluator = evaluator
        self.monitorRows = monitorRows
    }

    /// The metrics of `monitorRows` at the end of the last epoch, by output: `{total = …, fused = …, <modality> = …}`.
    public func monitored() throws -> Table {
        if let known = (lastEpoch["holdout"] ?? lastEpoch["val"])?.table { return known }
        return try evaluator.evaluate(rows: monitorRows, weights: lossWeights, mapAverage: options.mapAverage)
    }

    /// - Throws: if there is nothing to monitor.
    public func requireMonitor(_ method: String) throws {
        guard monitorRows.isEmpty else { return }
        throw BSSError(
            "bss.rebalance.\(method)", "holdout = 0 monitors the validation split, and '\(source.name)' has none",
            hint: "keep a part of the training split out: holdout = 0.1", kind: .usage)
    }

    /// Ends the training after this epoch.
    public func stop(_ reason: String) { stopReason = reason }

    /// A stream of random numbers of this training: `method`, then `name`, then the epoch and step where they matter.
    public func random(_ name: String) -> RandomStream { trainer.stream("method").child(name) }

    // MARK: Parameters of a method

    /// Adds a method's own layers to the model: trained, saved and hashed with it.
    public func add(_ name: String, _ module: Module, scope: Scope = .method) throws {
        try module.initialize(model.initialWeights, from: trainer.stream("init"), prefix: "method.\(name).")
        _ = model.add("method." + name, module)
        optimizer.groups.append(ParameterGroup(scope: scope, parameters: module.parameters(prefix: "method.\(name).")))
    }

    /// Tensors of the sample loss that are no parameters of the optimizer: methods that add up gradients of several
    /// passes keep theirs.
    public var sampleLossLeaves: [Tensor] { trainer.sampleLoss?.leaves ?? [] }

    /// What belongs to one modality: its encoder, its head, and its classifier where the fusion is a sum of
    /// classifiers.
    static func parts(of modality: String) -> Set<Scope> { [.encoder(modality), .head(modality), .summand(modality)] }

    /// Stops a modality: its encoder runs in evaluation mode outside the graph, and nothing that belongs to it is
    /// updated.
    public func freeze(_ modality: String) {
        model.frozen.insert(modality)
        for scope in TrainingContext.parts(of: modality) { optimizer.modify(scope) { $0.isTrainable = false } }
    }

    // MARK: Copies of the state

    /// Parameters, buffers and optimizer state of some scopes; nil = all.
    public func snapshot(_ scopes: Set<Scope>? = nil) throws -> Snapshot { try Snapshot(model, optimizer, scopes) }
    public func restore(_ snapshot: Snapshot, includingOptimizer: Bool = true) throws {
        try snapshot.restore(optimizer, includingOptimizer: includingOptimizer)
    }
    /// A snapshot from the tensors that a checkpoint kept of it.
    public func snapshot(_ scopes: Set<Scope>? = nil, tensors: [String: Tensor]) throws -> Snapshot {
        try Snapshot(model, optimizer, scopes, tensors: tensors)
    }

    /// Runs `body` on a fork of the training: whatever it does to model and optimizer is undone afterwards. The samples
    /// are those of the training's own plan, so scores that this epoch needs are made first.
    public func fork<R>(_ body: () throws -> R) throws -> R {
        try trainer.score(epoch)
        return try unscoredFork(body)
    }

    /// The same before the epoch's scores are made (a scheduler's own teacher makes them).
    func unscoredFork<R>(_ body: () throws -> R) throws -> R {
        let before = try snapshot()
        let steps = step
        let frozen = model.frozen
        let groups = optimizer.groups
        let result = Result { try body() }
        optimizer.groups = groups
        try restore(before)
        step = steps
        model.frozen = frozen
        return try result.get()
    }

    /// Trains some scopes on `terms` for some epochs of the current plan, from the present state: inside `fork`, a
    /// probe.
    public func train(epochs: Int, _ scopes: Set<Scope>?, terms: @escaping (BatchPass) throws -> [LossTerm]) throws {
        for offset in 0..<epochs {
            extraSamples += try trainer.probeEpoch(epoch + offset, [SubStep(scopes: scopes, terms: terms)])
        }
    }
}

/// One forward, backward and update inside a batch: methods that alternate modalities yield several.
public struct SubStep {
    /// The scopes that may move; nil = all. Others keep parameters, momentum and decay untouched.
    public let scopes: Set<Scope>?
    /// This sub-step's loss and its gradients.
    let gradients: (BatchPass) throws -> (loss: Double, gradients: Gradients)

    /// Of a loss: the usual case.
    public init(scopes: Set<Scope>? = nil, terms: @escaping (BatchPass) throws -> [LossTerm]) {
        self.scopes = scopes
        gradients = { pass in
            let loss = try TrainingLoss.total(terms(pass), pass.batch)
            return (try loss.item(), try loss.backward())
        }
    }

    /// Of several losses whose gradients the method combines itself. `total(terms, batch)` makes a scalar of terms.
    public init(
        scopes: Set<Scope>? = nil, gradients: @escaping (BatchPass) throws -> (loss: Double, gradients: Gradients)
    ) {
        self.scopes = scopes
        self.gradients = gradients
    }

    /// Σ_t weight_t · mean over the batch of (sample weight · term), as the loop computes it.
    public static func total(_ terms: [LossTerm], _ batch: TrainingBatch) throws -> Tensor {
        try TrainingLoss.total(terms, batch)
    }
}

/// What a method says of a batch: `total` decides; `fused` and `unimodal` are what metrics and the balance score look
/// at. All logits [B, C].
public struct Prediction {
    public let total: Tensor
    public let fused: Tensor
    public let unimodal: [Tensor]
    public init(total: Tensor, fused: Tensor, unimodal: [Tensor]) {
        self.total = total
        self.fused = fused
        self.unimodal = unimodal
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
    open func loss(_ context: TrainingContext, _ output: MultimodalOutput, _ batch: TrainingBatch) throws -> [LossTerm]
    {
        try EquationFive.terms(context, output, batch)
    }
    /// 5. The sub-steps of a batch; by default one, of `loss`, on all scopes.
    open func steps(_ context: TrainingContext, _ batch: TrainingBatch) throws -> [SubStep] {
        [SubStep { [unowned self] pass in try self.loss(context, pass.output(), batch) }]
    }
    /// 6. Between backward and the optimizer.
    open func adjust(
        _ gradients: inout Gradients, _ context: TrainingContext, _ output: MultimodalOutput, _ batch: TrainingBatch
    ) throws {}
    /// 7. For validation, test and scoring; by default the heads' logits, and their sum with the fused ones as total
    ///   (Eq. 12).
    open func predict(_ context: TrainingContext, _ output: MultimodalOutput) throws -> Prediction {
        try EquationTwelve.prediction(context, fused: output.fused, unimodal: output.unimodal)
    }

    /// Loss weights of Eq. 5 that this method uses; also those of the scheduler's loss criterion.
    open func lossWeights(_ options: TrainingOptions, modalities: Int) -> LossWeights {
        options.lossWeights(modalities: modalities)
    }
    /// Fraction of the training split that is kept out of training for the method to monitor (`context.monitorRows`).
    open var holdout: Double { 0 }
    /// True if the losses are the method's own, so that `bss.train`'s option `loss` has no place.
    open var ownsLoss: Bool { false }
    /// What the method did in this epoch, for the history: coefficients, acceptance rates.
    open func report(_ context: TrainingContext) -> Table? { nil }
    /// What `epochEnded` adds to the report of the epoch that ended.
    open var closingReport: Table? { nil }
    /// What checkpoints keep: plain values …
    open var state: Value {
        get { .null }
        set {}
    }
    /// … and tensors by name, restored after `setup`.
    open var stateTensors: [String: Tensor] {
        get { [:] }
        set {}
    }
}

/// L = w_multi CE(z, y) + Σ_m w_uni CE(z_m, y) per sample (Guan, Jiang, Yang, IJCAI 2025, Eq. 5; alpha: w_multi = 1 -
/// alpha, w_uni = alpha).
public enum EquationFive {
    /// With the training's weights, or the function that `bss.train`'s option `loss` gives.
    static func terms(
        _ context: TrainingContext, _ output: MultimodalOutput, _ batch: TrainingBatch, isJoint: Bool = true
    ) throws -> [LossTerm] {
        if let function = context.options.loss {
            return [LossTerm("custom", try custom(function, context.model.modalities, output, batch), weight: 1)]
        }
        // A weight of 0 that the user gave leaves its head in the graph with gradients of zero, as PyTorch's `0 * loss`
        // does: momentum and weight decay go on. A method that has no such term at all (base = "fused") leaves the head
        // alone.
        let given = context.options.lossWeights(modalities: context.model.modalities.count)
        return try terms(
            output, batch.labels, context.lossWeights, context.model, epoch: context.epoch,
            keepsZeros: isJoint && context.lossWeights == given)
    }

    static func terms(
        _ output: MultimodalOutput, _ labels: Tensor, _ weights: LossWeights, _ model: MultimodalModel, epoch: Int,
        keepsZeros: Bool = false
    ) throws -> [LossTerm] {
        let modalities = model.modalities
        var terms: [LossTerm] = []
        if weights.multi != 0 || keepsZeros {
            terms.append(
                LossTerm(
                    "fused", try model.fusion.loss(output, labels, epoch: epoch), weight: weights.multi,
                    logits: model.fusion.hasOwnLoss ? nil : output.fused))
        }
        for (index, weight) in weights.uni.enumerated() where weight != 0 || keepsZeros {
            terms.append(
                LossTerm(
                    modalities[index], try Tensor.crossEntropy(output.unimodal[index], labels, reduction: .none),
                    weight: weight, logits: output.unimodal[index]))
        }
        return terms
    }

    /// A loss written by the user: `function(output, labels)`, output = {fused, unimodal = {…}, features = {…}}, labels
    /// class positions from 1.
    private static func custom(
        _ function: Callback, _ modalities: [String], _ output: MultimodalOutput, _ batch: TrainingBatch
    ) throws -> Tensor {
        let argument = OutputValue.value(output, modalities)
        let results = try function.function.call([argument, LabelValue.value(batch.labels)])
        guard case .object(let object)? = results.first, let loss = object as? Tensor else {
            throw BSSError(
                "bss.train", "the loss function must return a tensor, got \(results.first?.described ?? "nothing")")
        }
        guard loss.elementCount == 1 else {
            throw BSSError(
                "bss.train", "the loss function must return a scalar, got shape \(loss.shape)", hint: "end with :mean()"
            )
        }
        return try loss.reshaped([])
    }
}

/// z_total = Σ weights · (z, z_1, …, z_K) (Eq. 12 has all weights 1).
public enum EquationTwelve {
    static func prediction(_ context: TrainingContext, fused: Tensor, unimodal: [Tensor]) throws -> Prediction {
        Prediction(
            total: try total(
                [fused] + unimodal, context.options.inferenceWeights(modalities: context.model.modalities)),
            fused: fused, unimodal: unimodal)
    }

    static func total(_ outputs: [Tensor], _ weights: [Double]) throws -> Tensor {
        var sum: Tensor?
        for (weight, logits) in zip(weights, outputs) where weight != 0 {
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
    public static let parts: [Part<RebalanceRecipe>] = [
        Joint.part, FusedOnly.part, MSES.part, GradientBlending.part, DOMFN.part, OGM.part, OGM.enhancedPart, MSLR.part,
        AGM.part, PMR.part,
        ReconBoost.part, MMPareto.part, SMV.part, MLA.part, CustomMethod.part,
    ]

    public let make: () -> RebalanceMethod
    public init(make: @escaping () -> RebalanceMethod) { self.make = make }
}
