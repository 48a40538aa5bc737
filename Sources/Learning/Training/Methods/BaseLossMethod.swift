import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// The loss under a method that changes something else (gradients, learning rates, samples), and where its unimodal
/// logits come from. BSS composes with either (methods.md D): `fused` keeps the method as published and changes the
/// sequence of samples alone; `joint` adds the unimodal losses of Eq. 5 and the inference of Eq. 12.
public struct BaseLoss: OptionGroup {
    public enum Terms: String, Choice { case fused, joint }
    public enum Source: String, Choice { case auto, slice, mask, head }

    @Option(
        "base",
        "the losses underneath: \"fused\" (the cross-entropy of the fusion alone, as published) or \"joint\" "
            + "(Eq. 5, with Eq. 12 at inference)")
    public var terms = Terms.fused
    @Option(
        "unimodal",
        "where unimodal logits come from: \"slice\" (the modality's part of an additive fusion), \"mask\" (the fusion "
            + "with the other features zeroed), \"head\" (linear heads; probes on detached features where base = "
            + "\"fused\"); \"auto\": heads with base = \"joint\", else slices, else masks")
    public var unimodal = Source.auto

    public init() {}
    public init(_ terms: Terms, unimodal: Source = .auto) { (self.terms, self.unimodal) = (terms, unimodal) }

    /// Of a method that changes nothing about the losses underneath.
    public var traits: MethodTraits { MethodTraits(weights: terms == .joint ? .given : .fused) }
    func traits(_ steps: MethodTraits.Steps) -> MethodTraits { MethodTraits(weights: traits.weights, steps: steps) }
}

/// A method on top of a base loss; subclasses override the hooks of what they change.
open class BaseLossMethod: RebalanceMethod {
    public let base: BaseLoss
    private let trainsProbes: Bool

    /// `trainsProbes` = false leaves heads that nothing else trains as they were drawn, and saves their time.
    public init(_ base: BaseLoss, trainsProbes: Bool = true, _ context: TrainingContext) {
        self.base = base
        self.trainsProbes = trainsProbes
        super.init(context)
    }

    /// z_m of every modality [B, C], from the source that the base loss names.
    public final func unimodal(_ output: MultimodalOutput) throws -> [Tensor] {
        let model = context.model
        let forward = ForwardContext(.evaluation)
        if let source = UnimodalSource(rawValue: base.unimodal.rawValue) {
            return try model.unimodal(output, source, forward)
        }
        if base.terms == .joint { return output.unimodal }
        return try model.fusion.slices(output.features, forward) ?? model.unimodal(output, .mask, forward)
    }

    /// True if linear heads are trained on detached features: they report, and change nothing else.
    private var hasProbes: Bool { trainsProbes && base.terms == .fused && base.unimodal == .head }

    open override var looksAtHeads: Bool { hasProbes || base.terms == .joint || base.unimodal != .head }

    open override func loss(_ output: MultimodalOutput, _ batch: TrainingBatch) throws -> [LossTerm] {
        let terms = try EquationFive.terms(context, output, batch, isJoint: base.terms == .joint)
        guard hasProbes else { return terms }
        let model = context.model
        let probes = try model.modalities.enumerated().map { index, name in
            let logits = try model.heads[index](output.features[index].detached, ForwardContext(.training))
            return try LossTerm(name, crossEntropyOf: logits, batch.labels)
        }
        return terms + probes
    }

    open override func predict(_ output: MultimodalOutput) throws -> Prediction {
        try context.prediction(
            fused: output.fused, unimodal: unimodal(output), automatic: base.terms == .fused ? .fused : .all)
    }
}
