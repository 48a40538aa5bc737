import BSSBackend
import BSSCore
import BSSTensor

/// Channel exchange at the last batch norm of each coupled stage.
///
///     channel c of modality m ← mean over the other modalities of their channel c,   where |w_m[c]| < τ,  w_m the norm's weight
///     penalty λ Σ_m Σ_{c in part m} |w_m[c]|,   the channels cut into K disjoint parts, so that no channel leaves all modalities
///
/// Batch norms are private to a modality; convolutions of equal shape are shared, and belong to the fusion then. Wang, Huang, Sun,
/// Xu, Rong and Huang, "Deep Multimodal Fusion by Channel Exchanging" (NeurIPS 2020). Needs maps of one shape.
///
/// Deviation: the paper adds up predictions of K networks, its public code adds the penalty once for each of their K outputs and
/// of the ensemble (`penalty = "code"`); here the features are concatenated. The code exchanges inside every residual block and
/// between two modalities; we at the end of every coupled stage and between any number, as the paper defines it.
final class ExchangeFusion: ChannelFusion {
    enum PenaltyCount: String, CaseIterable { case paper, code }
    private let threshold: Double, sparsity: Double
    private let exchanging: [any ExchangingEncoder]

    init(
        _ setting: FusionSetting, stages: Int, threshold: Double, sparsity: Double, count: PenaltyCount, shares: Bool
    ) throws {
        let names = setting.modalities
        guard names.count > 1 else {
            throw BSSError(
                "bss.fusion.channel",
                "variant \"cen\" exchanges channels between modalities and needs two or more, got \(names.joined(separator: ", "))",
                hint: "use variant = \"mmtm\" or fusion = \"concat\" for one modality", kind: .usage)
        }
        exchanging = try zip(names, setting.encoders).map { name, encoder in
            guard let able = encoder as? any ExchangingEncoder else {
                throw BSSError(
                    "bss.fusion.channel",
                    "variant \"cen\" needs encoders with stages that end in a batch norm, but that of '\(name)' has none to exchange at",
                    hint: "use bss.encoder.cnn, or variant = \"mmtm\"", kind: .usage)
            }
            return able
        }
        self.threshold = threshold
        self.sparsity = sparsity * Double(count == .code ? names.count + 1 : 1)
        try super.init(setting, stages: stages)
        for step in 0..<coupled {
            let channels = norms(step).map { $0.weight.value.elementCount }
            guard Set(channels).count == 1 else {
                throw BSSError(
                    "bss.fusion.channel",
                    "variant \"cen\" exchanges equal channels, but coupled stage \(step + 1) has \(setting.listed(channels))",
                    hint: "give the encoders the same widths, couple fewer stages, or use variant = \"mmtm\"",
                    kind: .usage)
            }
        }
        if shares { shareConvolutions() }
    }

    private func norms(_ step: Int) -> [BatchNorm] {
        exchanging.indices.map { exchanging[$0].norm(ofStage: stage($0, step)) }
    }

    /// Makes one of the convolutions that stand at the same place in every encoder with the same geometry.
    private func shareConvolutions() {
        let all = encoders.map { encoder in
            encoder.descendants().compactMap { place in (place.module as? Conv2d).map { (place.path, place.owner, $0) }
            }
        }
        for (path, owner, first) in all[0] {
            let others = all.dropFirst().compactMap { list in list.first { $0.0 == path && $0.2.fits(first) } }
            guard others.count == all.count - 1 else { continue }
            owner.release(first)
            _ = add("shared." + path, first)
            for (_, owner, conv) in others {
                owner.release(conv)
                conv.share(first)
            }
        }
    }

    override func couple(_ step: Int, _ maps: [Tensor], samples: Int, _ contexts: [ForwardContext]) throws -> [Tensor] {
        let halves = try exchanging.indices.map {
            try exchanging[$0].stageToNorm(stage($0, step), maps[$0], contexts[$0])
        }
        if let m = halves.indices.first(where: { halves[$0].map.shape != halves[0].map.shape }) {
            throw BSSError(
                "bss.fusion.channel",
                "variant \"cen\" exchanges maps of one shape, but coupled stage \(step + 1) gives \(halves[0].map.shape) for '\(modalities[0])' and \(halves[m].map.shape) for '\(modalities[m])'",
                hint: "bring the inputs to one size, or use variant = \"mmtm\"", kind: .usage)
        }
        let exchanged = try ExchangeFusion.exchange(
            halves.map(\.map), norms(step).map(\.weight.value), below: threshold)
        return try exchanging.indices.map {
            try exchanging[$0].stageFromNorm(stage($0, step), exchanged[$0], beside: halves[$0].beside, contexts[$0])
        }
    }

    /// `maps` [N, C, positions…] and `weights` [C], one a modality.
    static func exchange(_ maps: [Tensor], _ weights: [Tensor], below threshold: Double) throws -> [Tensor] {
        try maps.indices.map { m in
            let stays = try weights[m].values(Float.self).map { Swift.abs($0) >= Float(threshold) }
            guard stays.contains(false) else { return maps[m] }
            let others = maps.indices.filter { $0 != m }.map { maps[$0] }
            let sum = try others.dropFirst().reduce(others[0]) { try $0 + $1 }
            let mean = others.count > 1 ? try sum.multiplied(by: 1 / Double(others.count)) : sum
            let shape = Shape(unchecked: [1, stays.count] + Array(repeating: 1, count: maps[m].rank - 2))
            let keep = try Tensor.from(stays.map { Float($0 ? 1 : 0) }, shape, on: maps[m].backend).converted(
                to: maps[m].dtype)
            return try maps[m] * keep + mean * (-1 * keep + 1)
        }
    }

    override func penalty() throws -> Tensor? {
        guard sparsity > 0, coupled > 0 else { return nil }
        let terms = try (0..<coupled).flatMap { step in
            try norms(step).enumerated().map { m, norm in
                let count = norm.weight.value.elementCount
                let parts = modalities.count
                return (
                    x: try norm.weight.value.sliced(0, from: count * m / parts, to: count * (m + 1) / parts).abs(),
                    scale: sparsity
                )
            }
        }
        return try Tensor.weightedSum(terms)
    }
}
