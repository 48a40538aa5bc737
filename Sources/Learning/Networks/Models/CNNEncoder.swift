import BSSCore
import BSSTensor

/// Blocks of 3×3 convolution, batch norm, ReLU and 2×2 max-pool, then the mean over positions (or all of them).
public final class CNNEncoder: Encoder, ExchangingEncoder {
    public let stageChannels: [Int]
    private var blocks: [CNNBlock] = []
    private let pooled: [Int]

    init(channels: Int, size: [Int], widths: [Int], pooled: [Int]) throws {
        var inputs = channels
        var size = size
        for width in widths {
            let shrinks = size.allSatisfy { $0 >= 2 }
            blocks.append(try CNNBlock(inputs, width, pools: shrinks))
            if shrinks { size = size.map { $0 / 2 } }
            inputs = width
        }
        stageChannels = widths
        self.pooled = pooled
        super.init(featureCount: inputs * pooled.reduce(1, *))
        _ = add("blocks", Sequential(blocks))
    }

    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try encodeByStages(x, context)
    }

    // MARK: One block is one stage

    public func stem(_ x: Tensor, _ context: ForwardContext) throws -> Tensor { x.rank == 3 ? try x.unsqueezed(1) : x }
    public func blocks(ofStage index: Int) -> [any ExchangingBlock] { [blocks[index]] }
    public func stage(_ index: Int, _ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try blocks[index](x, context)
    }
    public func pooled(_ x: Tensor, samples: Int, _ context: ForwardContext) throws -> Tensor {
        try x.adaptiveAveragePool(pooled).reshaped([samples, featureCount])
    }

    static let part: Part<EncoderRecipe> = {
        let channels = Argument<Int?>(
            "channels", default: nil, "channels of the input; by default the data's",
            check: Check("at least 1") { $0 ?? 1 >= 1 })
        let widths = Argument(
            "widths", default: [16, 32, 64], "channels of the blocks",
            check: Check("of widths from 1 to 65536") { !$0.isEmpty && $0.allSatisfy { (1...65536).contains($0) } })
        let pooled = Argument(
            "pool", default: [1, 1], "size of the last feature map after adaptive average pooling",
            check: Check("of two sizes from 1 to 4096") { $0.count == 2 && $0.allSatisfy { (1...4096).contains($0) } })
        return Part(
            "cnn", "A small convolutional network for images and spectrograms [C, H, W].", [channels, widths, pooled],
            example: "bss.encoder.cnn{ channels = 1, widths = {16, 32} }"
        ) { a in
            EncoderRecipe { modality, shape in
                guard shape.count == 3 || shape.count == 2 else {
                    throw BSSError(
                        "bss.encoder.cnn",
                        "modality '\(modality)' has samples of shape \(shape), a cnn needs [C, H, W]",
                        hint: "use bss.encoder.mlp", kind: .usage)
                }
                let found = shape.count == 3 ? shape[0] : 1
                if let wanted = a[channels], wanted != found {
                    throw BSSError(
                        "bss.encoder.cnn",
                        "channels = \(wanted), but modality '\(modality)' has samples of shape \(shape)", kind: .usage)
                }
                return try CNNEncoder(
                    channels: found, size: Array(shape.suffix(2)), widths: a[widths], pooled: a[pooled])
            }
        }
    }()
}

/// conv 3×3 (no bias) – batch norm – ReLU – max-pool 2×2
private final class CNNBlock: Module, ExchangingBlock {
    let norm: BatchNorm
    private let conv: Conv2d, pools: Bool

    init(_ inputs: Int, _ outputs: Int, pools: Bool) throws {
        conv = try Conv2d(inputs, outputs, kernel: 3, padding: 1, bias: false)
        norm = try BatchNorm(outputs)
        self.pools = pools
        super.init()
        _ = add("conv", conv)
        _ = add("norm", norm)
    }

    func toNorm(_ x: Tensor, _ context: ForwardContext) throws -> Tensor { try norm(conv(x, context), context) }

    /// The largest of rectified values is the rectified largest: pooling first leaves a quarter to rectify.
    func fromNorm(_ y: Tensor, _ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try (pools ? y.maxPool(kernel: [2]) : y).relu()
    }

    override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try fromNorm(toNorm(x, context), x, context)
    }
}
