import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// A curriculum inside the loss: per-sample loss terms become others, before sample weights and the mean over the
/// batch.
///
/// It stands where terms become a scalar, so it composes with every rebalancing method and every scheduler. State that
/// training changes lives in modules added to the model (`method.sample_loss.…`), so that checkpoints, forks and hashes
/// hold it.
open class SampleLoss {
    /// Which losses are changed.
    public enum Target: String, Choice {
        /// Σ_t weight_t · term_t, as one loss.
        case total
        /// The fused term alone.
        case fused
        /// Every term for itself.
        case each
    }

    public let target: Target
    public let context: TrainingContext
    /// Samples whose loss was changed in this epoch.
    private var changed = 0

    /// Before training: subclasses take a `SampleLossSetup` to add tables and layers, and to look at a teacher.
    public init(_ target: Target, _ context: TrainingContext) { (self.target, self.context) = (target, context) }

    /// The terms that are trained on instead of `terms`.
    open func applied(_ terms: [LossTerm], _ batch: TrainingBatch) throws -> [LossTerm] { terms }
    /// After every backward pass, before the optimizer: moves what belongs to the sample loss.
    open func update(_ gradients: Gradients) throws {}
    /// Leaves of the last `applied` beside the parameters of added layers.
    open var leaves: [Tensor] { [] }
    /// What it did in this epoch, for the history.
    open func report() throws -> Table? { nil }

    /// - Throws: an epoch in which nothing was changed: the method has no term of that name.
    final func epochEnded(_ name: String) throws {
        guard changed > 0 else {
            throw BSSError(
                "bss.sample_loss.\(name)", "the method has no loss term 'fused'",
                hint: target == .fused ? "use on = \"each\", or rebalance = \"joint\"" : nil, kind: .usage)
        }
        changed = 0
    }

    /// The terms with those of `target` replaced. `change` gets a term and the loss weight it stands for (for `total`:
    /// their sum).
    final func replacing(
        _ terms: [LossTerm], _ change: (_ term: LossTerm, _ scale: Double) throws -> Tensor
    ) throws -> [LossTerm] {
        let perSample = terms.filter { $0.perSample.rank == 1 }
        guard !perSample.isEmpty else {
            throw BSSError(
                "sample_loss", "the loss is one number for the whole batch; a sample loss needs one per sample",
                hint: "return a tensor [B] from the loss hook of bss.rebalance.custom", kind: .usage)
        }
        changed += perSample[0].perSample.elementCount
        switch target {
        case .each: return try terms.map { $0.perSample.rank == 1 ? try $0.replaced(by: change($0, 1)) : $0 }
        case .fused:
            if !terms.contains(where: { $0.name == "fused" }) { changed -= perSample[0].perSample.elementCount }
            return try terms.map {
                $0.perSample.rank == 1 && $0.name == "fused" ? try $0.replaced(by: change($0, 1)) : $0
            }
        case .total:
            let sum = try Tensor.sum(
                perSample.map { $0.weight == 1 ? $0.perSample : try $0.perSample.multiplied(by: $0.weight) })
            let total = LossTerm("total", sum)
            return [total.replaced(by: try change(total, perSample.reduce(0) { $0 + $1.weight }))]
                + terms.filter { $0.perSample.rank != 1 }
        }
    }

    static let targetHelp = "which loss: \"total\", \"fused\", \"each\""
}

/// What a sample loss is made with: everything that it sees while training, and tables and layers of its own.
public struct SampleLossSetup {
    let method: MethodSetup
    /// Of the rebalancing method.
    public let predict: Predictor
    public var context: TrainingContext { method.context }

    /// Adds layers or tables that only `update` moves.
    public func add(_ module: Module) throws { try method.add("sample_loss", module, isTrainable: false) }
}

/// `bss.sample_loss.<part>{…}`; a fresh object is made for every training.
public struct SampleLossRecipe: Family {
    public static let familyName = "sample_loss"
    public static let noun = "sample loss"
    public static let help =
        "Curricula inside the loss: how each sample's loss counts; combines with any method and scheduler."
    public static let parts: [Part<SampleLossRecipe>] = [
        SuperLoss.part, DataParameters.part, ScreenerNet.part, SelfPacedLoss.part, Distillation.part,
        CustomSampleLoss.part,
    ]

    public let make: (SampleLossSetup) throws -> SampleLoss
    public init(make: @escaping (SampleLossSetup) throws -> SampleLoss) { self.make = make }
}

extension Part where Product == SampleLossRecipe {
    /// A sample loss and its options.
    init<O: OptionGroup>(
        _ name: String, _ summary: String, options: O.Type, source: String? = nil, example: String,
        make: @escaping (O, SampleLossSetup) throws -> SampleLoss
    ) {
        self.init(name, summary, options: options, source: source, example: example) { options in
            SampleLossRecipe { try make(options, $0) }
        }
    }
}
