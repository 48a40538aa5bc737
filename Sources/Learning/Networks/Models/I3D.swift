import BSSBackend
import BSSCore
import BSSTensor

/// Convolution, batch norm and ReLU in three dimensions, with "same" padding: I3D's unit.
private final class Unit3D: Module {
    private let conv: Conv3d, norm: BatchNorm

    init(_ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1) throws {
        conv = try Conv3d(inputs, outputs, kernel: kernel, stride: stride)
        norm = try BatchNorm(outputs, eps: 1e-3, momentum: 0.01)
        super.init()
        _ = add("conv3d", conv)
        _ = add("bn", norm)
    }

    override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try norm(conv(x, context), context).relu()
    }
}

/// Three-dimensional convolution with TensorFlow's "SAME" padding and no bias, [B, C, T, H, W].
private final class Conv3d: Module {
    private let weight: Parameter, stride: [Int]

    init(_ inputs: Int, _ outputs: Int, kernel: Int, stride: Int) throws {
        weight = try Parameter(
            [outputs, inputs, kernel, kernel, kernel], .uniformFanIn(inputs * kernel * kernel * kernel),
            inKernelMemory: true)
        self.stride = [stride]
        super.init()
        _ = add("weight", weight)
    }

    override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try x.sameConvolution(weight.value, stride: stride)
    }
}

/// Four branches side by side: 1×1; 1×1 then 3×3; 1×1 then 3×3; pool then 1×1.
private final class InceptionBlock: Module {
    private let b0: Unit3D, b1a: Unit3D, b1b: Unit3D, b2a: Unit3D, b2b: Unit3D, b3b: Unit3D
    let outputs: Int

    init(_ inputs: Int, _ widths: [Int]) throws {
        b0 = try Unit3D(inputs, widths[0], kernel: 1)
        b1a = try Unit3D(inputs, widths[1], kernel: 1)
        b1b = try Unit3D(widths[1], widths[2], kernel: 3)
        b2a = try Unit3D(inputs, widths[3], kernel: 1)
        b2b = try Unit3D(widths[3], widths[4], kernel: 3)
        b3b = try Unit3D(inputs, widths[5], kernel: 1)
        outputs = widths[0] + widths[2] + widths[4] + widths[5]
        super.init()
        for (name, unit) in [("b0", b0), ("b1a", b1a), ("b1b", b1b), ("b2a", b2a), ("b2b", b2b), ("b3b", b3b)] {
            _ = add(name, unit)
        }
    }

    override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        let pooled = try x.sameMaxPool(kernel: [3, 3, 3], stride: [1, 1, 1])
        return try Tensor.concatenated(
            [b0(x, context), b1b(b1a(x, context), context), b2b(b2a(x, context), context), b3b(pooled, context)],
            axis: 1)
    }
}

/// Max-pool with "same" padding whose zeros take part, as the published code pads.
private final class SamePool3D: Module {
    private let kernel: [Int], stride: [Int]
    init(kernel: [Int], stride: [Int]) {
        (self.kernel, self.stride) = (kernel, stride)
        super.init()
    }
    override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try x.sameMaxPool(kernel: kernel, stride: stride)
    }
}

/// Inflated Inception-v1 (Carreira and Zisserman, CVPR 2017), without its classifier; names as in the published PyTorch
/// port.
///
/// [B, C, T, H, W] → the last maps. Batch norm has eps 1e-3 and momentum 0.01; no dropout.
public final class I3D: Module {
    /// Name and module of every stage, in order.
    private var stages: [(name: String, module: Module)] = []
    public private(set) var outputs = 0

    /// Widths of the branches of each block, for a stem of 64 channels.
    private static let blocks: [(name: String, widths: [Int])] = [
        ("3b", [64, 96, 128, 16, 32, 32]), ("3c", [128, 128, 192, 32, 96, 64]), ("4b", [192, 96, 208, 16, 48, 64]),
        ("4c", [160, 112, 224, 24, 64, 64]),
        ("4d", [128, 128, 256, 24, 64, 64]), ("4e", [112, 144, 288, 32, 64, 64]),
        ("4f", [256, 160, 320, 32, 128, 128]),
        ("5b", [256, 160, 320, 32, 128, 128]), ("5c", [384, 192, 384, 48, 128, 128]),
    ]

    /// - Parameters:
    ///   - stem: name of the first unit; the released depth network calls it `Conv3d_1a_7x7_1`, so that no pretrained
    ///     weight fits it.
    ///   - width: channels of the first unit; every other width is scaled with it.
    ///   - depths: blocks kept of stages 3, 4 and 5 (2, 5, 2 in the whole network).
    public init(channels: Int, stem: String = "Conv3d_1a_7x7", width: Int = 64, depths: [Int] = [2, 5, 2]) throws {
        super.init()
        func scaled(_ n: Int) -> Int { max(1, (n * width + 32) / 64) }
        func append(_ name: String, _ module: Module) { stages.append((name, add(name, module))) }
        append(stem, try Unit3D(channels, scaled(64), kernel: 7, stride: 2))
        append("MaxPool3d_2a_3x3", SamePool3D(kernel: [1, 3, 3], stride: [1, 2, 2]))
        append("Conv3d_2b_1x1", try Unit3D(scaled(64), scaled(64), kernel: 1))
        append("Conv3d_2c_3x3", try Unit3D(scaled(64), scaled(192), kernel: 3))
        append("MaxPool3d_3a_3x3", SamePool3D(kernel: [1, 3, 3], stride: [1, 2, 2]))
        outputs = scaled(192)
        var left = depths
        for (name, widths) in I3D.blocks {
            let stage = name.hasPrefix("3") ? 0 : name.hasPrefix("4") ? 1 : 2
            if name == "4b" { append("MaxPool3d_4a_3x3", SamePool3D(kernel: [3, 3, 3], stride: [2, 2, 2])) }
            if name == "5b" { append("MaxPool3d_5a_2x2", SamePool3D(kernel: [2, 2, 2], stride: [2, 2, 2])) }
            guard left[stage] > 0 else { continue }
            left[stage] -= 1
            let block = try InceptionBlock(outputs, widths.map(scaled))
            append("Mixed_" + name, block)
            outputs = block.outputs
        }
    }

    /// The maps after every stage.
    public func forward(_ x: Tensor, _ context: ForwardContext) throws -> [Tensor] {
        var maps: [Tensor] = []
        var y = x
        for (_, module) in stages {
            y = try module(y, context)
            maps.append(y)
        }
        return maps
    }

    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        try stages.reduce(x) { try $1.module($0, context) }
    }
}
