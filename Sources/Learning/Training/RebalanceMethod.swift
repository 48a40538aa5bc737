import BSSCore
import BSSNetworks
import BSSTensor

/// A method against modality imbalance: the seven extension points of the one training loop, in call order.
///
/// Every hook has a default, so a method overrides only what it changes. The scheduler (which samples, in which order)
/// is independent of the method (which losses and gradients): any pair composes.
open class RebalanceMethod {
    /// Where training is, and what a hook may ask of it.
    public let context: TrainingContext

    /// 1. Before training: subclasses take a `MethodSetup`, which adds layers of their own, and check the model.
    public init(_ context: TrainingContext) { self.context = context }

    /// 2a. At the start of an epoch.
    open func epochBegan() throws {}
    /// 2b. At its end; `context.lastEpoch` holds the metrics.
    open func epochEnded() throws {}
    /// 3. The scheduler's order, to be copied, masked or weighed.
    open func plan(_ plan: SamplePlan) throws -> SamplePlan { plan }
    /// 4. The loss terms; the loop weighs samples, averages over the batch, and adds up.
    open func loss(_ output: MultimodalOutput, _ batch: TrainingBatch) throws -> [LossTerm] {
        try EquationFive.terms(context, output, batch)
    }
    /// 5. The sub-steps of a batch; by default one, of `loss`, on all scopes.
    open func steps(_ batch: TrainingBatch) throws -> [SubStep] {
        [SubStep { [unowned self] pass in try self.loss(pass.output(), batch) }]
    }
    /// 6. Between backward and the optimizer.
    open func adjust(_ gradients: inout Gradients, _ output: MultimodalOutput, _ batch: TrainingBatch) throws {}
    /// 7. For validation, test and scoring; by default the heads' logits, and their sum with the fused ones as total
    ///   (Eq. 12).
    open func predict(_ output: MultimodalOutput) throws -> Prediction {
        try context.prediction(fused: output.fused, unimodal: output.unimodal)
    }

    /// Whether hooks look at the heads' logits in training; where nobody does they are not made, and training has no
    /// unimodal figures.
    open var looksAtHeads: Bool { true }

    // MARK: What records and checkpoints keep

    /// What the method did in this epoch, for the history: coefficients, acceptance rates.
    open func report() throws -> Table? { nil }
    /// What `epochEnded` adds to the report of the epoch that ended.
    open var closingReport: Table? { nil }
    /// Plain values …
    open var state: Value {
        get { .null }
        set {}
    }
    /// … and tensors by name, put back before the first epoch after a resume.
    open var stateTensors: [String: Tensor] {
        get { [:] }
        set {}
    }

    // MARK: For subclasses

    /// `{ strong = 0.8, weak = 1.1 }`
    public final func byModality<T>(_ values: [T], _ value: (T) -> Value) -> Value {
        .fields(zip(context.model.modalities, values).map { ($0, value($1)) })
    }
    public final func byModality(_ values: [Double]) -> Value { byModality(values, Value.number) }

    /// - Throws: `option` names something that is none of `known`.
    public final func checkNames(_ table: Table, _ option: String, of method: String, known: [String]) throws {
        guard let stranger = table.keys.first(where: { !known.contains($0) }) else { return }
        throw BSSError(
            "bss.rebalance.\(method)", "\(option) names '\(stranger)', which does not exist",
            hint: "known: \(known.joined(separator: ", "))", kind: .usage)
    }
}
