import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// Pareto integration of the fused and the unimodal gradient of every encoder (MMPareto).
///
/// With g_F = ∂L_F/∂θ_m and g_m = ∂L_m/∂θ_m over encoder m:
///
///     cos(g_F, g_m) > 0:  c = 1/2;   else  c = (|g_m|² - <g_F, g_m>) / |g_F - g_m|²   (min-norm point of the segment)
///     h = 2c g_F + 2(1-c) g_m;   h ← h |g_F + g_m| / |h| if that is larger;   h ← γ h
///
/// The fusion gets the gradient of L_F, head m that of L_m. The fused output predicts. Source: Wei, Hu, ICML 2024.
///
/// Deviation: `norm_scope = "tensor"` recovers the magnitude tensor by tensor, as the released code does; the published
/// formula has one magnitude an encoder. The redundant backward pass of the released code is left out.
final class MMPareto: RebalanceMethod {
    struct Options: OptionGroup {
        enum NormScope: String, Choice { case encoder, tensor }

        @Option("gamma", "scale of the integrated gradient", .above(0)) var gamma = 1.5
        @Option(
            "norm_scope",
            "what recovers its magnitude as one: \"encoder\" (as published) or each \"tensor\" (as released)")
        var normScope = NormScope.encoder
    }

    private let options: Options
    private var conflicts = 0, solved = 0

    init(_ options: Options, _ setup: MethodSetup) {
        self.options = options
        super.init(setup.context)
    }

    override func epochBegan() throws { (conflicts, solved) = (0, 0) }

    override func steps(_ batch: TrainingBatch) throws -> [SubStep] {
        [
            SubStep { [unowned self] pass in
                let losses = try loss(pass.output(), batch).map { try [$0].total(batch) }
                let passes = try losses.map { try $0.backward() }
                let sum = try Tensor.sum(losses.map { try $0.detached.converted(to: .float64) })
                return (sum, try integrate(passes[0], Array(passes.dropFirst()), batch.lossLeaves))
            }
        ]
    }

    /// Everything from both passes, with encoder m's gradients replaced by γ h.
    private func integrate(_ fused: Gradients, _ unimodal: [Gradients], _ lossLeaves: [Tensor]) throws -> Gradients {
        try Autograd.withoutRecording {
            var combined = fused
            let leaves = context.optimizer.parameters(nil).map(\.parameter.value) + lossLeaves
            for pass in unimodal { try combined.add(pass, leaves) }
            for (m, name) in context.model.modalities.enumerated() {
                let pairs = context.optimizer.parameters([.encoder(name)]).compactMap {
                    entry -> (leaf: Tensor, f: Tensor, m: Tensor)? in
                    guard let f = fused[entry.parameter.value], let own = unimodal[m][entry.parameter.value] else {
                        return nil
                    }
                    return (entry.parameter.value, f, own)
                }
                let products = try pairs.map { try Products($0.f, $0.m) }
                let whole = products.reduce(Products(), +)
                let c = whole.weight
                (conflicts, solved) = (conflicts + (whole.cross > 0 ? 0 : 1), solved + 1)
                for (pair, own) in zip(pairs, products) {
                    let factor = options.gamma * (options.normScope == .tensor ? own : whole).recovery(c)
                    combined[pair.leaf] = try pair.f.multiplied(by: factor * 2 * c).adding(
                        pair.m.multiplied(by: factor * 2 * (1 - c)))
                }
            }
            return combined
        }
    }

    override func predict(_ output: MultimodalOutput) throws -> Prediction {
        try context.prediction(fused: output.fused, unimodal: output.unimodal, automatic: .fused)
    }

    override func report() -> Table? {
        solved == 0 ? nil : Table(fields: [("conflicts", .number(Double(conflicts) / Double(solved)))])
    }

    /// Inner products of two gradients.
    struct Products {
        var ff = 0.0, mm = 0.0, cross = 0.0

        init() {}
        init(_ f: Tensor, _ m: Tensor) throws {
            (ff, mm) = (try f.squared, try m.squared)
            cross = try (f * m).sum().item()
        }

        static func + (a: Products, b: Products) -> Products {
            var sum = a
            (sum.ff, sum.mm, sum.cross) = (a.ff + b.ff, a.mm + b.mm, a.cross + b.cross)
            return sum
        }

        /// c: the share of g_F; 1/2 without conflict, else of the min-norm point, kept 0.001 off the ends as released.
        var weight: Double {
            if cross > 0 { return 0.5 }
            if cross >= ff { return 0.999 }
            if cross >= mm { return 0.001 }
            return (mm - cross) / (ff + mm - 2 * cross)
        }

        /// max(1, |g_F + g_m| / |h|)
        func recovery(_ c: Double) -> Double {
            let sum = ff + mm + 2 * cross
            let h = 4 * (c * c * ff + (1 - c) * (1 - c) * mm + 2 * c * (1 - c) * cross)
            return h > 0 && sum > h ? (sum / h).squareRoot() : 1
        }
    }

    static let part = Part<RebalanceRecipe>(
        "mmpareto",
        "Pareto integration of fused and unimodal gradients in every encoder; losses CE(z) + Σ CE(z_m), the fused "
            + "output predicts.",
        options: Options.self,
        source: "Wei, Hu, MMPareto: Boosting Multimodal Learning with Innocent Unimodal Assistance, ICML 2024",
        example: "bss.rebalance.mmpareto{ gamma = 1.5 }",
        traits: { _ in MethodTraits(weights: .multitask, ownsLoss: true) }, make: MMPareto.init)
}
