import BSSCore
import BSSTensor

/// What a fusion makes of the features.
public struct FusionResult {
    /// z [B, C]; softmax(z) is the prediction.
    public let logits: Tensor
    /// What the fusion's own loss needs beside the logits (the Dirichlet parameters of `etmc`).
    public let views: [Tensor]
    public init(_ logits: Tensor, views: [Tensor] = []) {
        self.logits = logits
        self.views = views
    }
}

/// What a fusion is made for: the encoders in the model's modality order, and the number of classes.
public struct FusionSetting {
    public let modalities: [String]
    public let encoders: [Encoder]
    public let classes: Int

    public init(modalities: [String], encoders: [Encoder], classes: Int) {
        self.modalities = modalities
        self.encoders = encoders
        self.classes = classes
    }

    /// d_m of every modality.
    public var features: [Int] { encoders.map(\.featureCount) }

    /// `audio 128, image 64`
    func listed(_ numbers: [Int]) -> String { zip(modalities, numbers).map { "\($0) \($1)" }.joined(separator: ", ") }
}

/// From the modalities' features [B, d_m] to fused logits [B, C] (Eq. 2).
open class Fusion: Module {
    /// `features` in the model's modality order.
    open func fuse(_ features: [Tensor], _ context: ForwardContext) throws -> FusionResult {
        throw BSSError("fusion", "\(type(of: self)) has no forward pass")
    }

    /// z_m with Σ_m z_m = z, where the fusion is a sum over modalities; nil where it is not.
    open func slices(_ features: [Tensor], _ context: ForwardContext) throws -> [Tensor]? { nil }

    /// True if `loss` is not the cross-entropy of the logits.
    open var hasOwnLoss: Bool { false }

    /// The fused term of the training loss per sample, [B]; `epoch` counts from 0.
    open func loss(_ output: MultimodalOutput, _ labels: Tensor, epoch: Int) throws -> Tensor {
        try Tensor.crossEntropy(output.fused, labels, reduction: .none)
    }

    /// True if the fusion works inside the encoders: `encode` runs them together, and none can run alone.
    open var isLockStep: Bool { false }

    /// The features of all modalities, where `isLockStep`. `contexts`: one a modality (a stopped encoder runs in
    /// evaluation mode).
    open func encode(_ inputs: [Tensor], _ contexts: [ForwardContext]) throws -> [Tensor] {
        throw BSSError("fusion", "\(type(of: self)) does not work inside the encoders")
    }

    /// A scalar that is added to the training loss; nil = none.
    open func penalty() throws -> Tensor? { nil }

    /// Parameters that belong to the unimodal model of one modality: its classifier, where the fusion is a sum of them.
    open func classifier(of modality: Int) -> [Parameter] { [] }

    /// Parameters that weight decay must leave alone.
    open var undecayed: [Parameter] { [] }
}

/// A configured fusion: `bss.fusion.concat{}`.
public struct FusionRecipe: Family {
    public static let familyName = "fusion"
    public static let noun = "fusion"
    public static let help = "How the modalities' features become fused logits (Eq. 2)."
    public static let parts: [Part<FusionRecipe>] =
        [
            ConcatFusion.part, SumFusion.part, WeightFusion.part, AffineFusion.part, ChannelFusion.part,
            MultilayerLSTMFusion.part, TrustedFusion.part, GatedFusion.part,
        ] + PooledFusion.parts

    /// - Throws: encoders that the fusion cannot work with.
    public let make: (FusionSetting) throws -> Fusion
    public init(make: @escaping (FusionSetting) throws -> Fusion) { self.make = make }
}
