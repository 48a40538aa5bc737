import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// The loss under a method that changes something else (gradients, learning rates, samples), and where its unimodal
/// logits come from. BSS composes with either (methods.md D): `fused` keeps the method as published and changes the
/// sequence of samples alone; `joint` adds the unimodal losses of Eq. 5 and the inference of Eq. 12.
public struct BaseLoss {
    public enum Terms: String, CaseIterable { case fused, joint }
    public let terms: Terms
    /// nil: the heads where they are trained, else slices where the fusion is additive, else masks.
    public let unimodal: UnimodalSource?

    public init(_ terms: Terms, unimodal: UnimodalSource? = nil) {
        self.terms = terms
        self.unimodal = unimodal
    }

    static let termsArgument = Argument(
        "base", default: "fused",
        "the losses underneath: \"fused\" (the cross-entropy of the fusion alone, as published) or \"joint\" (Eq. 5, with Eq. 12 at inference)",
        check: .oneOf(Terms.allCases.map(\.rawValue)))
    static let unimodalArgument = Argument(
        "unimodal", default: "auto",
        "where unimodal logits come from: \"slice\" (the modality's part of an additive fusion), \"mask\" (the fusion with the other features zeroed), \"head\" (linear heads; probes on detached features where base = \"fused\"); \"auto\": heads with base = \"joint\", else slices, else masks",
        check: .oneOf(["auto"] + UnimodalSource.allCases.map(\.rawValue)))
    static let arguments: [any AnyArgument] = [termsArgument, unimodalArgument]

    init(_ a: Arguments) {
        terms = Terms(rawValue: a[BaseLoss.termsArgument]) ?? .fused
        unimodal = UnimodalSource(rawValue: a[BaseLoss.unimodalArgument])
    }
}

/// A method on top of a base loss; subclasses override the hooks of what they change.
open class BaseLossMethod: RebalanceMethod {
    public let base: BaseLoss
    private let trainsProbes: Bool

    /// `trainsProbes` = false leaves heads that nothing else trains as they were drawn, and saves their time.
    public init(_ base: BaseLoss, trainsProbes: Bool = true) {
        self.base = base
        self.trainsProbes = trainsProbes
    }

    /// z_m of every modality [B, C], from the source that the base loss names.
    public final func unimodal(_ context: TrainingContext, _ output: MultimodalOutput) throws -> [Tensor] {
        let model = context.model
        let forward = ForwardContext(.evaluation)
        if let source = base.unimodal { return try model.unimodal(output, source, forward) }
        if base.terms == .joint { return output.unimodal }
        return try model.fusion.slices(output.features, forward) ?? model.unimodal(output, .mask, forward)
    }

    /// True if linear heads are trained on detached features: they report, and change nothing else.
    private var hasProbes: Bool { trainsProbes && base.terms == .fused && base.unimodal == .head }

    open override func loss(
        _ context: TrainingContext, _ output: MultimodalOutput, _ batch: TrainingBatch
    ) throws -> [LossTerm] {
        var terms = try EquationFive.terms(context, output, batch, isJoint: base.terms == .joint)
        if hasProbes {
            for (index, name) in context.model.modalities.enumerated() {
                let logits = try context.model.heads[index](output.features[index].detached, ForwardContext(.training))
                terms.append(
                    LossTerm(
                        name, try Tensor.crossEntropy(logits, batch.labels, reduction: .none), weight: 1, logits: logits
                    ))
            }
        }
        return terms
    }

    open override func predict(_ context: TrainingContext, _ output: MultimodalOutput) throws -> Prediction {
        let unimodal = try unimodal(context, output)
        if base.terms == .fused, context.options.inferenceHeads.isAutomatic {
            return Prediction(total: output.fused, fused: output.fused, unimodal: unimodal)
        }
        return try EquationTwelve.prediction(context, fused: output.fused, unimodal: unimodal)
    }

    open override func lossWeights(_ options: TrainingOptions, modalities: Int) -> LossWeights {
        base.terms == .joint
            ? super.lossWeights(options, modalities: modalities)
            : LossWeights(multi: 1, uni: Array(repeating: 0, count: modalities))
    }
}
