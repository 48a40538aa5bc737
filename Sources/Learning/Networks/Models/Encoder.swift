import BSSCore
import BSSTensor

/// A network from one modality's input [B, …] to features [B, featureCount].
open class Encoder: Module {
    public let featureCount: Int
    /// Fills weights from a file after initialisation.
    var start: ((Encoder) throws -> LoadReport)?
    /// What was loaded, where the encoder starts from a file.
    public private(set) var loadReport: LoadReport?

    /// Options that give its sizes where a pretrained file gave them; nil: options cannot say them.
    open var standalone: Table? { Table() }

    public init(featureCount: Int) {
        self.featureCount = featureCount
        super.init()
    }

    /// Fills the weights from a file; subclasses say how its keys become our names.
    func load(from file: WeightFile, strict: Bool) throws -> LoadReport { try load(file, .same, strict: strict) }

    /// Loads the pretrained weights, if there are any: after `initialize`.
    func loadPretrained() throws {
        loadReport = try start?(self) ?? loadReport
        start = nil  // lets the file go
    }
}

/// An encoder whose stages a cross-stage fusion (`channel`) can run in lock-step with those of other encoders.
///
///     features = pooled(stage_{n-1}(… stage_0(stem(x))))
///
/// Feature maps are [B · T, C, H, W] with the T frames of a sample one after the other (T = 1 for images and
/// spectrograms).
public protocol StagedEncoder: Encoder {
    /// Channels of the map that each stage gives.
    var stageChannels: [Int] { get }
    /// From the input [B, …] to the map that stage 0 reads.
    func stem(_ x: Tensor, _ context: ForwardContext) throws -> Tensor
    func stage(_ index: Int, _ x: Tensor, _ context: ForwardContext) throws -> Tensor
    /// From the last map to features [B, featureCount]; `samples` = B.
    func pooled(_ x: Tensor, samples: Int, _ context: ForwardContext) throws -> Tensor
}

extension StagedEncoder {
    /// The whole forward pass from the parts above.
    public func encodeByStages(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        var map = try stem(x, context)
        for index in stageChannels.indices { map = try stage(index, map, context) }
        return try pooled(map, samples: x.shape[0], context)
    }
}

/// A block of layers with a batch norm at which a fusion can exchange channels between encoders (`channel`, variant
/// `cen`).
///
///     block(x) = fromNorm(toNorm(x), x),   toNorm(x) = the normalised map
public protocol ExchangingBlock: AnyObject {
    /// The batch norm of the exchange.
    var norm: BatchNorm { get }
    /// From the block's input to the map that `norm` gives.
    func toNorm(_ x: Tensor, _ context: ForwardContext) throws -> Tensor
    /// The rest of the block; `x` is its input, which a shortcut adds.
    func fromNorm(_ map: Tensor, _ x: Tensor, _ context: ForwardContext) throws -> Tensor
}

/// A staged encoder whose stages are chains of such blocks.
public protocol ExchangingEncoder: StagedEncoder {
    func blocks(ofStage index: Int) -> [any ExchangingBlock]
}

/// A configured encoder before the data's shape is known: `bss.encoder.mlp{ hidden = {128} }`.
public struct EncoderRecipe: Family {
    public static let familyName = "encoder"
    public static let noun = "encoder"
    public static let help = "Networks from one modality's input to a feature vector (Eq. 1)."
    public static let parts: [Part<EncoderRecipe>] = [
        MLPEncoder.part, CNNEncoder.part, ResNetEncoder.resnet18, ResNetEncoder.resnet50, BERTEncoder.part,
        I3DEncoder.part, CLIPEncoder.imagePart,
        CLIPEncoder.textPart, LSTMEncoder.part, IdentityEncoder.part,
    ]

    /// Builds for samples of the given shape (without the batch axis); `modality` is for messages.
    public let make: (_ modality: String, _ sampleShape: [Int]) throws -> Encoder
    public init(make: @escaping (String, [Int]) throws -> Encoder) { self.make = make }
}

/// The input itself, flattened: a linear model per modality.
public final class IdentityEncoder: Encoder {
    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try x.reshaped([x.shape[0], featureCount])
    }

    static let part = Part<EncoderRecipe>(
        "identity", "The input, flattened; with a linear head this is multinomial logistic regression.",
        example: "bss.encoder.identity{}"
    ) { _ in EncoderRecipe { _, shape in IdentityEncoder(featureCount: shape.reduce(1, *)) } }
}
