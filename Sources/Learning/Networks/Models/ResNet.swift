import BSSCore
import BSSTensor

/// A residual network over images or spectrograms (He, Zhang, Ren, Sun, CVPR 2016, Table 1), layer for layer
/// torchvision's.
///
///     stem:   conv 7×7 / 2 – batch norm – ReLU – max-pool 3×3 / 2
///     stages: residual blocks of `width`, 2·`width`, … channels (× 4 for bottlenecks);
///             every stage but the first halves the map
///     pooled: mean over positions, and over the frames of a sample
///
/// Samples [C, H, W] or frames [T, C, H, W], folded into the batch: [B, T, C, H, W] → [B·T, C, H, W]. Parameters carry
/// the names of torchvision's state dict (`conv1.weight`, `layer1.0.bn2.bias`, `layer2.0.downsample.0.weight`,
/// `fc.weight` …).
///
/// Convolutions start from N(0, 2 / fan_out), norms at 1 and 0, whatever `init` says: torchvision and the BSS authors
/// agree.
public final class ResNetEncoder: Encoder, ExchangingEncoder {
    /// What the part's options say.
    struct Plan {
        var channels: Int
        var width: Int
        /// Blocks of each stage.
        var depths: [Int]
        var isBottleneck: Bool
        /// Width of torchvision's classifier on the pooled features, whose outputs are then the features.
        var logits: Int?
        /// Width of a last projection.
        var features: Int?
    }

    public let stageChannels: [Int]
    private let conv: Conv2d, norm: BatchNorm
    private var stages: [Sequential] = []
    private var blocks: [[any ExchangingBlock]] = []
    private let classifier: Linear?, projection: Linear?

    init(_ plan: Plan) throws {
        let expansion = plan.isBottleneck ? 4 : 1
        stageChannels = plan.depths.indices.map { plan.width << $0 * expansion }
        conv = try Conv2d(
            plan.channels, plan.width, kernel: 7, stride: 2, padding: 3, bias: false,
            initializer: .residual(plan.width, kernel: 7))
        norm = try BatchNorm(plan.width)
        var inputs = plan.width
        for (index, depth) in plan.depths.enumerated() {
            let width = plan.width << index
            let made = try (0..<depth).map { position -> Module & ExchangingBlock in
                defer { inputs = width * expansion }
                let stride = index > 0 && position == 0 ? 2 : 1
                return plan.isBottleneck
                    ? try BottleneckBlock(inputs, width, stride: stride)
                    : try BasicBlock(inputs, width, stride: stride)
            }
            stages.append(Sequential(made))
            blocks.append(made)
        }
        classifier = try plan.logits.map { [inputs] in try Linear(inputs, $0) }
        projection = try plan.features.map { [inputs] in try Linear(plan.logits ?? inputs, $0) }
        super.init(featureCount: plan.features ?? plan.logits ?? inputs)
        _ = add("conv1", conv)
        _ = add("bn1", norm)
        for (index, stage) in stages.enumerated() { _ = add("layer\(index + 1)", stage) }
        if let classifier { _ = add("fc", classifier) }
        if let projection { _ = add("fix", projection) }
    }

    override func load(from file: WeightFile, strict: Bool) throws -> LoadReport {
        try load(file, .torchvision(hasClassifier: classifier != nil), strict: strict)
    }

    // MARK: Stages

    /// Inputs [B, C, H, W] or [B, T, C, H, W] → maps [B·T, width, H/4, W/4].
    public func stem(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        let image =
            x.rank == 3
            ? try x.unsqueezed(1)
            : x.rank == 5 ? try x.reshaped([x.shape[0] * x.shape[1], x.shape[2], x.shape[3], x.shape[4]]) : x
        return try norm(conv(image, context), context, epilogue: .relu).maxPool(kernel: [3], stride: [2], padding: [1])
    }

    /// Maps → maps of `stageChannels[index]` channels.
    public func stage(_ index: Int, _ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try stages[index](x, context)
    }

    /// Channels are exchanged inside every residual block, at the batch norm before its last convolution.
    public func blocks(ofStage index: Int) -> [any ExchangingBlock] { blocks[index] }

    /// Maps [B·T, C, H, W] of `samples` = B samples → features [B, featureCount].
    public func pooled(_ x: Tensor, samples: Int, _ context: ForwardContext) throws -> Tensor {
        let frames = samples == 0 ? 1 : x.shape[0] / samples
        var y = try x.adaptiveAveragePool([1, 1]).reshaped([x.shape[0], x.shape[1]])
        if frames != 1 { y = try y.reshaped([samples, frames, x.shape[1]]).mean([1]) }
        if let classifier { y = try classifier(y, context) }
        return try projection?(y, context) ?? y
    }

    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try encodeByStages(x, context)
    }
}

/// relu(bn2(conv2(relu(bn1(conv1 x)))) + shortcut x), 3×3 convolutions of `width` channels.
private final class BasicBlock: Module, ExchangingBlock {
    private let conv1: Conv2d, norm1: BatchNorm, conv2: Conv2d, norm2: BatchNorm
    private let shortcut: Shortcut?

    init(_ inputs: Int, _ width: Int, stride: Int) throws {
        conv1 = try Conv2d(
            inputs, width, kernel: 3, stride: stride, padding: 1, bias: false, initializer: .residual(width, kernel: 3))
        norm1 = try BatchNorm(width)
        conv2 = try Conv2d(width, width, kernel: 3, padding: 1, bias: false, initializer: .residual(width, kernel: 3))
        norm2 = try BatchNorm(width)
        shortcut = try Shortcut.between(inputs, width, stride)
        super.init()
        _ = add("conv1", conv1)
        _ = add("bn1", norm1)
        _ = add("conv2", conv2)
        _ = add("bn2", norm2)
        if let shortcut { _ = add("downsample", shortcut) }
    }

    override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        let y = try norm1(conv1(x, context), context, epilogue: .relu)
        return try norm2(conv2(y, context), context, adding: shortcut?(x, context) ?? x, epilogue: .relu)
    }

    var norm: BatchNorm { norm1 }
    func toNorm(_ x: Tensor, _ context: ForwardContext) throws -> Tensor { try norm1(conv1(x, context), context) }
    func fromNorm(_ map: Tensor, _ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try norm2(conv2(map.relu(), context), context, adding: shortcut?(x, context) ?? x, epilogue: .relu)
    }
}

/// relu(bn3(conv3(…)) + shortcut x): 1×1 to `width`, 3×3, 1×1 to 4·`width`.
///
/// Deviation from the paper, as torchvision ("v1.5"): the stride is in the 3×3 convolution.
private final class BottleneckBlock: Module, ExchangingBlock {
    private let convs: [Conv2d], norms: [BatchNorm]
    private let shortcut: Shortcut?

    init(_ inputs: Int, _ width: Int, stride: Int) throws {
        let outputs = 4 * width
        convs = [
            try Conv2d(inputs, width, kernel: 1, bias: false, initializer: .residual(width, kernel: 1)),
            try Conv2d(
                width, width, kernel: 3, stride: stride, padding: 1, bias: false,
                initializer: .residual(width, kernel: 3)),
            try Conv2d(width, outputs, kernel: 1, bias: false, initializer: .residual(outputs, kernel: 1)),
        ]
        norms = try [width, width, outputs].map { try BatchNorm($0) }
        shortcut = try Shortcut.between(inputs, outputs, stride)
        super.init()
        for index in 0..<3 {
            _ = add("conv\(index + 1)", convs[index])
            _ = add("bn\(index + 1)", norms[index])
        }
        if let shortcut { _ = add("downsample", shortcut) }
    }

    override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        var y = try norms[0](convs[0](x, context), context, epilogue: .relu)
        y = try norms[1](convs[1](y, context), context, epilogue: .relu)
        return try norms[2](convs[2](y, context), context, adding: shortcut?(x, context) ?? x, epilogue: .relu)
    }

    var norm: BatchNorm { norms[1] }
    func toNorm(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try norms[1](convs[1](norms[0](convs[0](x, context), context, epilogue: .relu), context), context)
    }
    func fromNorm(_ map: Tensor, _ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try norms[2](convs[2](map.relu(), context), context, adding: shortcut?(x, context) ?? x, epilogue: .relu)
    }
}

/// conv 1×1 – batch norm, where a block changes the size of its maps or their channels.
private final class Shortcut: Module {
    private let conv: Conv2d, norm: BatchNorm

    static func between(_ inputs: Int, _ outputs: Int, _ stride: Int) throws -> Shortcut? {
        inputs == outputs && stride == 1 ? nil : try Shortcut(inputs, outputs, stride)
    }

    private init(_ inputs: Int, _ outputs: Int, _ stride: Int) throws {
        conv = try Conv2d(
            inputs, outputs, kernel: 1, stride: stride, bias: false, initializer: .residual(outputs, kernel: 1))
        norm = try BatchNorm(outputs)
        super.init()
        _ = add("0", conv)
        _ = add("1", norm)
    }

    override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try norm(conv(x, context), context)
    }
}

extension Initializer {
    /// N(0, 2 / fan_out) of a convolution (He et al., ICCV 2015).
    fileprivate static func residual(_ outputs: Int, kernel: Int) -> Initializer {
        .kaimingNormal(fan: outputs * kernel * kernel)
    }
}

// MARK: The parts

extension ResNetEncoder {
    static let resnet18 = part(
        "resnet18", "ResNet-18: residual blocks of two 3×3 convolutions.", depths: [2, 2, 2, 2], isBottleneck: false)
    static let resnet50 = part(
        "resnet50", "ResNet-50: residual blocks of 1×1, 3×3 and 1×1 convolutions.", depths: [3, 4, 6, 3],
        isBottleneck: true)

    private static func part(
        _ name: String, _ summary: String, depths: [Int], isBottleneck: Bool
    ) -> Part<EncoderRecipe> {
        let channels = Argument<Int?>(
            "channels", default: nil, "channels of the input; by default the data's",
            check: Check("at least 1") { $0 ?? 1 >= 1 })
        let width = Argument(
            "width", default: 64,
            "channels of the stem; stages have it times 1, 2, 4, 8" + (isBottleneck ? ", times 4" : ""),
            check: .range(1...4096))
        let blocks = Argument(
            "blocks", default: depths, "residual blocks of each stage",
            check: Check("1 to 6 numbers from 1 to 100") {
                (1...6).contains($0.count) && $0.allSatisfy { (1...100).contains($0) }
            })
        let logits = Argument<Int?>(
            "logits", default: nil,
            "features are the outputs of a classifier of this many classes, as the released Sarcasm model's (1000)",
            check: Check("at least 1") { $0 ?? 1 >= 1 })
        let features = Argument<Int?>(
            "features", default: nil, "width of a last linear projection without activation",
            check: Check("at least 1") { $0 ?? 1 >= 1 })
        return Part(
            name,
            summary + " For images and spectrograms [C, H, W], or frames [T, C, H, W] whose features are averaged.",
            [channels, width, blocks, logits, features] + Pretrained.arguments,
            source: "He, Zhang, Ren, Sun, CVPR 2016; weights named and shaped as torchvision's",
            example: "bss.encoder.\(name){ width = 16 }"
        ) { a in
            let pretrained = Pretrained(a)
            return EncoderRecipe { modality, shape in
                guard (2...4).contains(shape.count), !shape.contains(0) else {
                    throw BSSError(
                        "bss.encoder.\(name)",
                        "modality '\(modality)' has samples of shape \(shape), a \(name) needs [C, H, W] or [T, C, "
                            + "H, W]",
                        hint: "use bss.encoder.mlp", kind: .usage)
                }
                let found = shape.count == 2 ? 1 : shape[shape.count - 3]
                if let wanted = a[channels], wanted != found {
                    throw BSSError(
                        "bss.encoder.\(name)",
                        "channels = \(wanted), but modality '\(modality)' has samples of shape \(shape)", kind: .usage)
                }
                return try ResNetEncoder(
                    Plan(
                        channels: found, width: a[width], depths: a[blocks], isBottleneck: isBottleneck,
                        logits: a[logits], features: a[features])
                ).starting(from: pretrained)
            }
        }
    }
}
