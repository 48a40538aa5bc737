import BSSCore
import BSSTensor

/// I3D over clips [C, T, H, W], pooled to one vector.
public final class I3DEncoder: Encoder {
    private let network: I3D
    private let hasReleasedPool: Bool

    init(_ network: I3D, hasReleasedPool: Bool) {
        self.network = network
        self.hasReleasedPool = hasReleasedPool
        super.init(featureCount: network.outputs)
        _ = add("i3d", network)
    }

    public override func callAsFunction(_ x: Tensor, _ context: ForwardContext) throws -> Tensor {
        let maps = try network(x, context)
        guard hasReleasedPool else { return try maps.mean([2, 3, 4]) }
        guard zip(maps.shape.array.suffix(3), [8, 7, 7]).allSatisfy({ $0 >= $1 }) else {
            throw BSSError(
                "i3d", "pool = \"released\" needs maps of at least 8×7×7, got \(maps.shape)",
                hint: "clips of 64×224×224, or pool = \"mean\"", kind: .usage)
        }
        return try maps.averagePool(kernel: [8, 7, 7], stride: [8, 7, 7]).mean([2, 3, 4])
    }

    override func load(from file: WeightFile, strict: Bool) throws -> LoadReport {
        try network.load(file, .i3d, strict: strict)
    }

    static let part: Part<EncoderRecipe> = {
        let channels = Argument<Int?>(
            "channels", default: nil,
            "channels of the clips: 3 for RGB, 2 for flow, 1 for depth; by default the data's",
            check: Check("at least 1") { $0 ?? 1 >= 1 })
        let width = Argument(
            "width", default: 64, "channels of the first unit; all others scale with it", check: .range(1...4096))
        let depths = Argument(
            "blocks", default: [2, 5, 2], "Inception blocks kept of stages 3, 4 and 5",
            check: Check("of three counts up to 2, 5, 2, not all 0") {
                $0.count == 3 && zip($0, [2, 5, 2]).allSatisfy { (0...$1).contains($0) } && $0.contains { $0 > 0 }
            })
        let pool = Argument(
            "pool", default: "mean",
            "\"mean\" over all positions; \"released\": windows of 8×7×7, which leaves out frames beyond a multiple "
                + "of 64",
            check: .oneOf(["mean", "released"]))
        let stem = Argument<String?>(
            "stem", default: nil,
            "name of the first unit in weight files; by default \"Conv3d_1a_7x7\", for one channel "
                + "\"Conv3d_1a_7x7_1\" as released, which no published file has"
        )
        return Part(
            "i3d", "Inflated Inception-v1 for clips [C, T, H, W].",
            [channels, width, depths, pool, stem] + Pretrained.arguments, source: "Carreira, Zisserman, CVPR 2017",
            example: "bss.encoder.i3d{ width = 8, blocks = {1, 1, 1} }"
        ) { a in
            let pretrained = Pretrained(a)
            return EncoderRecipe { modality, shape in
                guard shape.count == 4 else {
                    throw BSSError(
                        "bss.encoder.i3d",
                        "modality '\(modality)' has samples of shape \(shape), an i3d needs clips [C, T, H, W]",
                        kind: .usage)
                }
                if let wanted = a[channels], wanted != shape[0] {
                    throw BSSError(
                        "bss.encoder.i3d",
                        "channels = \(wanted), but modality '\(modality)' has samples of shape \(shape)", kind: .usage)
                }
                let network = try I3D(
                    channels: shape[0], stem: a[stem] ?? (shape[0] == 1 ? "Conv3d_1a_7x7_1" : "Conv3d_1a_7x7"),
                    width: a[width], depths: a[depths])
                return I3DEncoder(network, hasReleasedPool: a[pool] == "released").starting(from: pretrained)
            }
        }
    }()
}
