import BSSCore
import BSSNetworks
import BSSTensor

/// On-the-fly gradient modulation, and its generalisation enhancement (OGM, OGM-GE).
///
///     s_m = Σ_i p_m,i[y_i];  ρ_m = s_m / s_other;  k_m = 1 - tanh(α ρ_m) if ρ_m > 1 else 1;
///         g_m ← k_m g_m (+ ε, ε ~ N(0, Var g_m))
///
/// on the gradients of the encoders, per batch, within a window of epochs; the fusion is never modulated. GE adds noise
/// with the deviation of each tensor's unscaled gradient, to every encoder. Source: Peng, Wei, Deng, Wang, Hu, CVPR
/// 2022.
///
/// Deviation: the paper has two modalities; for more, ρ_m is the mean of s_m / s_j over the others (the authors' advice
/// in their repository), with `ratio = "minimum"` the ratio to the smallest score, with `ratio = "sum"` the share of
/// the others' scores together, ρ_m = s_m / Σ_{j≠m} s_j, as MLA's code has it for three modalities (which however slows
/// its first modality at any ratio; here only above 1). `variant = "released"` is their code: equal scores slow the
/// first modality, and only convolution weights are modulated.
final class OGM: BaseLossMethod {
    /// ρ_m of more than two modalities.
    enum Ratio: String, Choice {
        case pairwise, minimum, sum

        func callAsFunction(_ scores: [Double], _ m: Int) -> Double {
            let others = scores.indices.filter { $0 != m }.map { scores[$0] }
            switch self {
            case .pairwise: return others.reduce(0.0) { $0 + scores[m] / $1 } / Double(others.count)
            case .minimum: return scores[m] / (scores.min() ?? 1)
            case .sum: return scores[m] / others.reduce(0, +)
            }
        }
    }

    struct Options: OptionGroup {
        enum Variant: String, Choice { case published, released }

        @Option("alpha", "strength: k = 1 - tanh(alpha rho)", .atLeast(0)) var alpha = 0.3
        var window = EpochWindow(to: 50)
        @Option(
            "ratio",
            "more than two modalities: \"pairwise\" (mean of s_m / s_j), \"minimum\" (s_m / min_j s_j) or \"sum\" "
                + "(s_m / Σ_{j≠m} s_j)")
        var ratio = Ratio.pairwise
        @Option(
            "variant",
            "\"published\", or \"released\": ties slow the first modality, only convolution weights are modulated")
        var variant = Variant.published
        var modulation = Modulation()
        var base = BaseLoss()
    }

    private let options: Options
    private let hasNoise: Bool
    private var means = EpochMeans()

    init(_ options: Options, hasNoise: Bool, _ setup: MethodSetup) {
        (self.options, self.hasNoise) = (options, hasNoise)
        super.init(options.base, setup.context)
    }

    override func epochBegan() throws {
        means = EpochMeans()
        for name in context.model.modalities { context.optimizer.scaleRate(.encoder(name), by: 1) }
    }

    override func adjust(_ gradients: inout Gradients, _ output: MultimodalOutput, _ batch: TrainingBatch) throws {
        guard context.model.modalities.count > 1, options.window.contains(context.epoch) else { return }
        let scores = try unimodal(output).map { try OGM.score($0, batch.labels) }
        let k = OGM.coefficients(scores, options)
        means.add(k)
        let before = hasNoise ? gradients : nil
        let scopes = context.model.modalities.map { Scope.encoder($0) }
        func includes(_ parameter: Parameter) -> Bool { options.variant != .released || parameter.value.rank >= 4 }
        try options.modulation.apply(Array(zip(scopes, k)), to: &gradients, context.optimizer, where: includes)
        if let before { try addNoise(to: &gradients, before, scopes, includes) }
    }

    /// g ← g + ε with the deviation of the unscaled gradient plus 1e-8. A tensor of one element has none.
    private func addNoise(
        to gradients: inout Gradients, _ before: Gradients, _ scopes: [Scope],
        _ includes: (Parameter) -> Bool
    ) throws {
        var random = context.random("ogm_ge").child("step \(context.step)")
        for (_, parameter) in context.optimizer.parameters(Set(scopes)) where includes(parameter) {
            guard let raw = before[parameter.value], let scaled = gradients[parameter.value], raw.elementCount > 1
            else { continue }
            let deviation = try raw.standardDeviation().item() + 1e-8
            gradients[parameter.value] = try scaled.adding(
                Tensor.normal(raw.shape, std: deviation, using: &random, raw.dtype))
        }
    }

    override func report() -> Table? {
        means.isEmpty ? nil : Table(fields: [("coefficients", byModality(means.values))])
    }

    /// Σ_i softmax(z_i)[y_i]
    static func score(_ logits: Tensor, _ labels: Tensor) throws -> Double {
        try Autograd.withoutRecording {
            try logits.detached.softmax(axis: 1).gather(1, labels.unsqueezed(1)).sum().item()
        }
    }

    /// k_m from the scores s_m; 1 - tanh(x) is computed as 2 / (e^2x + 1).
    static func coefficients(_ scores: [Double], _ options: Options) -> [Double] {
        scores.indices.map { m in
            let ratio = options.ratio(scores, m)
            let isTie = options.variant == .released && m == 0 && scores.allSatisfy { $0 == scores[0] }
            return ratio > 1 || isTie ? 2 / (Math.exp(2 * options.alpha * ratio) + 1) : 1
        }
    }

    static let part = make(
        "ogm", "On-the-fly gradient modulation: slows the encoder of the modality that is ahead.", hasNoise: false)
    static let enhancedPart = make(
        "ogm_ge", "OGM with generalisation enhancement: gradient noise of the gradients' own deviation.", hasNoise: true
    )

    private static func make(_ name: String, _ summary: String, hasNoise: Bool) -> Part<RebalanceRecipe> {
        Part(
            name, summary, options: Options.self,
            source: "Peng, Wei, Deng, Wang, Hu, Balanced Multimodal Learning via On-the-fly Gradient Modulation, "
                + "CVPR 2022",
            example: "bss.rebalance.\(name){ alpha = 0.3 }", traits: { $0.base.traits }
        ) { OGM($0, hasNoise: hasNoise, $1) }
    }
}
