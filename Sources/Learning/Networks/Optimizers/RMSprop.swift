import BSSBackend
import BSSCore
import BSSTensor

/// RMSprop (Tieleman and Hinton, Coursera lecture 6.5, 2012; centered: Graves, arXiv 1308.0850):
///
///     v ← α v + (1 - α) g²;  d = √(v - u²) + eps if centered (u: running mean of g), else √v + eps;  p ← p - lr g / d
public final class RMSprop: Optimizer {
    public var alpha = 0.99, eps = 1e-8, momentum = 0.0
    public var centered = false

    public override var isScaleInvariant: Bool { true }

    public override func update(
        _ state: ParameterState, _ parameter: Tensor, _ gradient: Tensor, rate: Double, decay: Double
    ) throws -> ParameterUpdate {
        try ParameterUpdate(
            parameter.view, gradient.view,
            (
                state.buffer("square", like: parameter), centered ? state.buffer("mean", like: parameter) : nil,
                momentum > 0 ? state.buffer("momentum", like: parameter) : nil
            ),
            .rmsprop(
                RMSpropStep(
                    learningRate: rate, alpha: alpha, eps: eps, weightDecay: decay, momentum: momentum,
                    centered: centered)))
    }

    static let part: Part<OptimizerRecipe> = {
        let rate = OptimizerRecipe.rate(1e-2)
        let decay = OptimizerRecipe.decay(0)
        let alpha = Argument("alpha", default: 0.99, "decay of the squared gradient", check: .range(0...1))
        let eps = Argument("eps", default: 1e-8, "added to the divisor", check: .atLeast(0))
        let momentum = Argument("momentum", default: 0.0, "fraction of the last update kept", check: .atLeast(0))
        let centered = Argument(
            "centered", default: false, "divide by the standard deviation instead of the root mean square")
        return Part(
            "rmsprop", "Steps divided by a running root mean square of the gradient.",
            [rate, alpha, eps, decay, momentum, centered],
            source: "Tieleman, Hinton, Coursera lecture 6.5, 2012",
            example: "bss.optimizer.rmsprop{ learning_rate = 1e-3 }"
        ) { a in
            OptimizerRecipe(learningRate: a[rate]) { groups in
                let made = RMSprop(groups: groups, learningRate: a[rate])
                made.alpha = a[alpha]
                made.eps = a[eps]
                made.weightDecay = a[decay]
                made.momentum = a[momentum]
                made.centered = a[centered]
                return made
            }
        }
    }()
}
