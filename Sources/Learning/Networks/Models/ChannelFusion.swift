import BSSCore
import BSSTensor

/// Fusion inside the encoders: their last stages run side by side and something passes between the maps after each; the
/// features are concatenated and classified.
///
///     features = pooled(couple_n(stage_n(… couple_1(stage_1(stem(x_1), …, stem(x_K))) …)))
///
/// Encoders need stages (`cnn`, `resnet`) of equal number where they are coupled, counted from the last. They are no
/// longer separate: masks and per-encoder gradients describe the whole, and slices are those of the classifier alone.
public class ChannelFusion: Fusion {
    let modalities: [String]
    let encoders: [any StagedEncoder]
    /// How many stages are coupled: the last ones of every encoder.
    let coupled: Int
    private let classifier: ConcatFusion

    init(_ setting: FusionSetting, stages: Int) throws {
        modalities = setting.modalities
        encoders = try zip(setting.modalities, setting.encoders).map { name, encoder in
            guard let staged = encoder as? any StagedEncoder else {
                throw BSSError(
                    "bss.fusion.channel", "needs encoders with feature maps, but that of '\(name)' gives a vector only",
                    hint: "use bss.encoder.cnn, or another fusion", kind: .usage)
            }
            return staged
        }
        coupled = min(stages, encoders.map(\.stageChannels.count).min() ?? 0)
        classifier = try ConcatFusion(setting)
        super.init()
        _ = add("classifier", classifier)
    }

    public override func fuse(_ features: [Tensor], _ context: ForwardContext) throws -> FusionResult {
        try classifier.fuse(features, context)
    }
    public override func slices(_ features: [Tensor], _ context: ForwardContext) throws -> [Tensor]? {
        try classifier.slices(features, context)
    }
    public override var isLockStep: Bool { true }

    /// A stopped encoder's layers stay in the graph: the others' gradients pass through them.
    public override func encode(_ inputs: [Tensor], _ contexts: [ForwardContext]) throws -> [Tensor] {
        var maps = try encoders.indices.map { m in
            let alone = 0..<encoders[m].stageChannels.count - coupled
            return try BSSError.naming(modality: modalities[m]) {
                try alone.reduce(encoders[m].stem(inputs[m], contexts[m])) {
                    try encoders[m].stage($1, $0, contexts[m])
                }
            }
        }
        for step in 0..<coupled { maps = try couple(step, maps, samples: inputs[0].shape[0], contexts) }
        return try encoders.indices.map {
            try encoders[$0].pooled(maps[$0], samples: inputs[$0].shape[0], contexts[$0])
        }
    }

    /// The maps after coupled stage `step` (from 0) from those before it.
    func couple(_ step: Int, _ maps: [Tensor], samples: Int, _ contexts: [ForwardContext]) throws -> [Tensor] { maps }

    /// Which stage of encoder m coupled stage `step` is.
    func stage(_ m: Int, _ step: Int) -> Int { encoders[m].stageChannels.count - coupled + step }

    // MARK: Declaration

    static let part: Part<FusionRecipe> = {
        let variant = Argument(
            "variant", default: "mmtm",
            "\"mmtm\": channels are rescaled by what all modalities show; \"cen\": channels are exchanged",
            check: .oneOf(["mmtm", "cen"]))
        let stages = Argument(
            "stages", default: 3, "how many of the last stages are coupled, as far as every encoder has them",
            check: .atLeast(1))
        let gate = Argument(
            "gate", default: "paper", "mmtm: \"paper\" 2 σ(E), the identity at E = 0; \"code\" σ(E)",
            check: .oneOf(TransferFusion.Gate.allCases.map(\.rawValue)))
        let reduction = Argument(
            "reduction", default: 4, "mmtm: dim Z = Σ C_m / reduction; the public code's is 2", check: .atLeast(1))
        let threshold = Argument(
            "threshold", default: 2e-2, "cen: a channel whose |batch norm weight| is below is exchanged",
            check: .atLeast(0))
        let sparsity = Argument(
            "sparsity", default: 2e-4, "cen: weight of the penalty Σ |w| over each modality's part of the channels",
            check: .atLeast(0))
        let penalty = Argument(
            "penalty", default: "paper",
            "cen: \"paper\" adds the penalty once, \"code\" once for each of K + 1 outputs",
            check: .oneOf(ExchangeFusion.PenaltyCount.allCases.map(\.rawValue)))
        let share = Argument(
            "share", default: true,
            "cen: convolutions of equal shape are one for all modalities; batch norms stay private")
        return Part(
            "channel", "Couples the encoders' feature maps channel by channel, then concatenates.",
            [variant, stages, gate, reduction, threshold, sparsity, penalty, share],
            source: "mmtm: Joze et al., CVPR 2020; cen: Wang et al., NeurIPS 2020",
            example: "bss.fusion.channel{ variant = \"mmtm\", gate = \"code\", reduction = 2 }"
        ) { a in
            let declared: [(option: any AnyArgument, plain: Value, variant: String)] = [
                (gate, a[gate].plain, "mmtm"), (reduction, a[reduction].plain, "mmtm"),
                (threshold, a[threshold].plain, "cen"), (sparsity, a[sparsity].plain, "cen"),
                (penalty, a[penalty].plain, "cen"), (share, a[share].plain, "cen"),
            ]
            for (option, plain, owner) in declared
            where owner != a[variant] && JSON.text(plain) != JSON.text(option.defaultPlain) {
                throw BSSError(
                    a.operation, "option '\(option.name)' belongs to variant \"\(owner)\", not to \"\(a[variant])\"",
                    kind: .usage)
            }
            return FusionRecipe { setting in
                guard a[variant] == "cen" else {
                    return try TransferFusion(
                        setting, stages: a[stages], gate: TransferFusion.Gate(rawValue: a[gate]) ?? .paper,
                        reduction: a[reduction])
                }
                return try ExchangeFusion(
                    setting, stages: a[stages], threshold: a[threshold], sparsity: a[sparsity],
                    count: ExchangeFusion.PenaltyCount(rawValue: a[penalty]) ?? .paper,
                    shares: a[share])
            }
        }
    }()
}
