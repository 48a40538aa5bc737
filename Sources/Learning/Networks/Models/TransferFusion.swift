import BSSBackend
import BSSCore
import BSSTensor

/// The multimodal transfer module after each coupled stage:
///
///     S_m = mean of A_m over positions and frames;  Z = ReLU(W [S_1; …; S_K] + b),
///         dim Z = Σ C_m / r;  E_m = W_m Z + b_m
///     A_m ← g(E_m) ⊙ A_m, broadcast over positions,   g = 2σ, or σ in the public code
///
/// Parameters of one stage, Z = dim Z: (Σ C_m + 1) Z + Σ_m (Z + 1) C_m. Joze, Shaban, Iuzzolino and Koishida, "MMTM"
/// (CVPR 2020).
///
/// Deviation: the public code has dim Z = 2 Σ C_m / r, twice ours: `reduction` = r / 2. Ours is rounded down, at least
/// 1.
final class TransferFusion: ChannelFusion {
    enum Gate: String, CaseIterable { case paper, code }
    private var modules: [TransferModule] = []

    init(_ setting: FusionSetting, stages: Int, gate: Gate, reduction: Int) throws {
        try super.init(setting, stages: stages)
        for step in 0..<coupled {
            let channels = encoders.indices.map { encoders[$0].stageChannels[stage($0, step)] }
            modules.append(add("transfer.\(step)", try TransferModule(modalities, channels, gate, reduction)))
        }
    }

    override func couple(_ step: Int, _ maps: [Tensor], samples: Int, _ contexts: [ForwardContext]) throws -> [Tensor] {
        let made = try encoders.indices.map { try encoders[$0].stage(stage($0, step), maps[$0], contexts[$0]) }
        return try modules[step].scaled(made, samples: samples)
    }
}

/// Squeeze, join, excite.
final class TransferModule: Module {
    private let squeeze: Linear
    private var excitations: [Linear] = []
    private let gate: TransferFusion.Gate

    init(_ modalities: [String], _ channels: [Int], _ gate: TransferFusion.Gate, _ reduction: Int) throws {
        let total = channels.reduce(0, +)
        let size = max(1, total / reduction)
        self.gate = gate
        squeeze = try Linear(total, size, epilogue: .relu)
        super.init()
        _ = add("squeeze", squeeze)
        for (name, count) in zip(modalities, channels) {
            excitations.append(add("excite." + name, try Linear(size, count)))
        }
    }

    /// Maps [B · T, C_m, positions…] → the same, each channel scaled; T frames a sample share one gate.
    func scaled(_ maps: [Tensor], samples: Int) throws -> [Tensor] {
        let context = ForwardContext(.evaluation)
        let joint = try squeeze(
            Tensor.concatenated(maps.map { try TransferModule.squeezed($0, samples: samples) }, axis: 1), context)
        return try zip(maps, excitations).map { map, excite in
            let open = try excite(joint, context).sigmoid()
            let scale = try gate == .paper ? open.multiplied(by: 2) : open
            let frames = samples == 0 ? 1 : map.shape[0] / samples
            let channels = map.shape[1]
            let ones = Array(repeating: 1, count: map.rank - 2)
            let perFrame = frames == 1 ? scale : try scale.unsqueezed(1).expanded([samples, frames, channels])
            return try map.multiplied(by: perFrame.reshaped(Shape([map.shape[0], channels] + ones)))
        }
    }

    /// Means over positions and frames, [B, C].
    private static func squeezed(_ map: Tensor, samples: Int) throws -> Tensor {
        let means = try map.adaptiveAveragePool(Array(repeating: 1, count: map.rank - 2))
        let frames = samples == 0 ? 1 : map.shape[0] / samples
        guard frames > 1 else { return try means.reshaped([map.shape[0], map.shape[1]]) }
        return try means.reshaped([samples, frames, map.shape[1]]).mean([1])
    }
}
