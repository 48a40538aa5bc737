import BSSBackend
import BSSCore
import BSSTensor

/// Channel exchange at a batch norm of every block of the coupled stages: the one before the last convolution inside
/// each residual block (`resnet18`, `resnet50`), the only one of a block of `cnn`.
///
///     channel c of modality m ← mean over the other modalities of their channel c,
///         where |w_m[c]| < τ,  w_m the norm's weight
///     penalty λ Σ_m Σ_{c in part m} |w_m[c]|,   the channels cut into K disjoint parts,
///         so that no channel leaves all modalities
///
/// Batch norms are private to a modality; convolutions of equal shape are shared, and belong to the fusion then. Wang,
/// Huang, Sun, Xu, Rong and Huang, "Deep Multimodal Fusion by Channel Exchanging" (NeurIPS 2020). Needs maps of one
/// shape.
///
/// Deviation: the paper adds up predictions of K networks, its public code adds the penalty once for each of their K
/// outputs and of the ensemble (`penalty = "code"`); here the features are concatenated. The code exchanges between two
/// modalities; we between any number, as the paper defines it.
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
                "variant \"cen\" exchanges channels between modalities and needs two or more, got "
                    + "\(names.joined(separator: ", "))",
                hint: "use variant = \"mmtm\" or fusion = \"concat\" for one modality", kind: .usage)
        }
        exchanging = try zip(names, setting.encoders).map { name, encoder in
            guard let able = encoder as? any ExchangingEncoder else {
                throw BSSError(
                    "bss.fusion.channel",
                    "variant \"cen\" needs encoders with batch norms to exchange at, but that of '\(name)' has none",
                    hint: "use bss.encoder.cnn or resnet18, or variant = \"mmtm\"", kind: .usage)
            }
            return able
        }
        self.threshold = threshold
        self.sparsity = sparsity * Double(count == .code ? names.count + 1 : 1)
        try super.init(setting, stages: stages)
        for step in 0..<coupled {
            func require(_ counts: [Int], _ what: String, _ hint: String) throws {
                guard Set(counts).count > 1 else { return }
                throw BSSError(
                    "bss.fusion.channel",
                    "variant \"cen\" exchanges equal \(what), but coupled stage \(step + 1) has "
                        + "\(setting.listed(counts))",
                    hint: "give the encoders the same \(hint), couple fewer stages, or use variant = \"mmtm\"",
                    kind: .usage)
            }
            try require(blocks(step).map(\.count), "blocks", "depths")
            for block in 0..<(blocks(step).first?.count ?? 0) {
                try require(norms(step, block).map { $0.weight.value.elementCount }, "channels", "widths")
            }
        }
        if shares { shareConvolutions() }
    }

    /// By modality.
    private func blocks(_ step: Int) -> [[any ExchangingBlock]] {
        exchanging.indices.map { exchanging[$0].blocks(ofStage: stage($0, step)) }
    }
    private func norms(_ step: Int, _ block: Int) -> [BatchNorm] { blocks(step).map { $0[block].norm } }

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
        let blocks = blocks(step)
        var maps = maps
        for block in blocks[0].indices {
            let normed = try blocks.indices.map { try blocks[$0][block].toNorm(maps[$0], contexts[$0]) }
            if let m = normed.indices.first(where: { normed[$0].shape != normed[0].shape }) {
                throw BSSError(
                    "bss.fusion.channel",
                    "variant \"cen\" exchanges maps of one shape, but coupled stage \(step + 1) gives "
                        + "\(normed[0].shape) for '\(modalities[0])' and \(normed[m].shape) for '\(modalities[m])'",
                    hint: "bring the inputs to one size, or use variant = \"mmtm\"", kind: .usage)
            }
            let exchanged = try ExchangeFusion.exchange(
                normed, norms(step, block).map(\.weight.value), below: threshold)
            maps = try blocks.indices.map { try blocks[$0][block].fromNorm(exchanged[$0], maps[$0], contexts[$0]) }
        }
        return maps
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
        let coupledNorms = (0..<coupled).flatMap { step in blocks(step)[0].indices.map { norms(step, $0) } }
        let terms = try coupledNorms.flatMap { norms in
            try norms.enumerated().map { m, norm in
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
