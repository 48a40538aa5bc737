import BSSBackend
import BSSCore
import BSSTensor

/// Stochastic gradient descent with momentum, in PyTorch's order of operations:
///
///     g ← g + wd p;  v ← momentum v + (1 - dampening) g (first step: v ← g);
///         p ← p - lr (nesterov ? g + momentum v : v)
///
/// Source: Sutskever et al., ICML 2013 (momentum and Nesterov's form).
public final class SGD: Optimizer {
    public var momentum = 0.0, dampening = 0.0
    public var nesterov = false

    public override func update(
        _ state: ParameterState, _ parameter: Tensor, _ gradient: Tensor, rate: Double, decay: Double
    ) throws -> ParameterUpdate {
        ParameterUpdate(
            parameter.view, gradient.view,
            (momentum == 0 ? nil : try state.buffer("momentum", like: parameter), nil, nil),
            .sgd(
                SGDStep(
                    learningRate: rate, momentum: momentum, dampening: dampening, weightDecay: decay,
                    nesterov: nesterov, isFirst: state.step == 1)))
    }

    static let part: Part<OptimizerRecipe> = {
        let rate = OptimizerRecipe.rate(1e-2)
        let decay = OptimizerRecipe.decay(0)
        let momentum = Argument("momentum", default: 0.0, "fraction of the last update kept", check: .atLeast(0))
        let dampening = Argument("dampening", default: 0.0, "fraction of the gradient left out of the momentum")
        let nesterov = Argument("nesterov", default: false, "look ahead along the momentum")
        return Part(
            "sgd", "Stochastic gradient descent with momentum.", [rate, momentum, decay, dampening, nesterov],
            source: "Sutskever, Martens, Dahl, Hinton, ICML 2013",
            example: "bss.optimizer.sgd{ learning_rate = 1e-2, momentum = 0.9, weight_decay = 1e-4 }"
        ) { a in
            if a[nesterov], a[momentum] == 0 || a[dampening] != 0 {
                throw BSSError(a.operation, "nesterov needs momentum above 0 and dampening 0", kind: .usage)
            }
            return OptimizerRecipe(learningRate: a[rate]) { groups in
                let made = SGD(groups: groups, learningRate: a[rate])
                made.momentum = a[momentum]
                made.dampening = a[dampening]
                made.weightDecay = a[decay]
                made.nesterov = a[nesterov]
                return made
            }
        }
    }()
}
