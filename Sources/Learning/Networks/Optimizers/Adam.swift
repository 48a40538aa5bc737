import BSSBackend
import BSSCore
import BSSTensor

/// Adam (Kingma and Ba, ICLR 2015) and AdamW (Loshchilov and Hutter, ICLR 2019):
///
///     m ← β₁ m + (1 - β₁) g;  v ← β₂ v + (1 - β₂) g²;  p ← p - lr m̂ / (√v̂ + eps)
///
/// Weight decay is added to g, or multiplies p by 1 - lr wd first when decoupled. amsgrad uses the largest v so far
/// (Reddi et al., ICLR 2018).
public final class Adam: Optimizer {
    public var beta1 = 0.9, beta2 = 0.999, eps = 1e-8
    public var amsgrad = false, decoupled = false

    public override var isScaleInvariant: Bool { true }

    public override func update(
        _ state: ParameterState, _ parameter: Tensor, _ gradient: Tensor, rate: Double, decay: Double
    ) throws -> ParameterUpdate {
        try ParameterUpdate(
            parameter.view, gradient.view,
            (
                state.buffer("mean", like: parameter), state.buffer("square", like: parameter),
                amsgrad ? state.buffer("maximum_square", like: parameter) : nil
            ),
            .adam(
                AdamStep(
                    learningRate: rate, beta1: beta1, beta2: beta2, eps: eps, weightDecay: decay,
                    decoupled: decoupled, step: state.step)))
    }

    static let part = make(
        "adam", "Adam: steps scaled by running moments of the gradient.", decay: 0, decoupled: false,
        source: "Kingma, Ba, ICLR 2015")
    static let decoupledPart = make(
        "adamw", "Adam with decoupled weight decay.", decay: 0.01, decoupled: true,
        source: "Loshchilov, Hutter, ICLR 2019")

    private static func make(
        _ name: String, _ summary: String, decay defaultDecay: Double, decoupled: Bool, source: String
    ) -> Part<OptimizerRecipe> {
        let rate = OptimizerRecipe.rate(1e-3)
        let decay = OptimizerRecipe.decay(defaultDecay)
        let betas = Argument(
            "betas", default: [0.9, 0.999], "decay of the two moments",
            check: Check("of two numbers in [0, 1)") { $0.count == 2 && $0.allSatisfy { $0 >= 0 && $0 < 1 } })
        let eps = Argument("eps", default: 1e-8, "added to the divisor", check: .atLeast(0))
        let amsgrad = Argument("amsgrad", default: false, "divide by the largest second moment so far")
        return Part(
            name, summary, [rate, betas, eps, decay, amsgrad], source: source,
            example: "bss.optimizer.\(name){ learning_rate = 1e-3 }"
        ) { a in
            OptimizerRecipe(learningRate: a[rate]) { groups in
                let made = Adam(groups: groups, learningRate: a[rate])
                (made.beta1, made.beta2) = (a[betas][0], a[betas][1])
                made.eps = a[eps]
                made.weightDecay = a[decay]
                made.amsgrad = a[amsgrad]
                made.decoupled = decoupled
                return made
            }
        }
    }
}
