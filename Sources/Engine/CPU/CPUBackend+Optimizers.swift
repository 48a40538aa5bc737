import BSSBackend
import CBSSKernels

// Optimizers on the CPU: bss_optim.h.

extension CPUBackend {
    public func update(_ parts: [ParameterUpdate]) throws {
        let kernels = try parts.map(kernel)
        guard let first = parts.first else { return }
        try run(
            first.rule.name, writes: parts.reduce(0) { $0 + $1.parameter.elementCount },
            bss_update_all(kernels, Int64(kernels.count)))
    }

    private func kernel(_ part: ParameterUpdate) throws -> bss_update {
        let call = try KernelCall("optimizer", part.parameter)
        let count = part.parameter.elementCount
        let (rule, options) = part.rule.c(part)
        return try bss_update(
            dtype: call.dtype.c, rule: rule, count: Int64(count), param: call.buffer(part.parameter, count),
            grad: call.buffer(part.gradient, count),
            state: (
                call.buffer(ifAny: part.state.0, count), call.buffer(ifAny: part.state.1, count),
                call.buffer(ifAny: part.state.2, count)
            ), options: options)
    }
}

extension ParameterUpdate.Rule {
    fileprivate var name: String {
        switch self {
        case .sgd: return "sgd step"
        case .adam(let o): return o.decoupled ? "adamw step" : "adam step"
        case .rmsprop: return "rmsprop step"
        }
    }

    fileprivate func c(_ part: ParameterUpdate) -> (bss_rule, bss_rule_options) {
        switch self {
        case .sgd(let o):
            let options = bss_sgd_options(
                lr: o.learningRate, momentum: o.momentum, dampening: o.dampening, weight_decay: o.weightDecay,
                nesterov: o.nesterov, maximize: false, first: o.isFirst)
            return (BSS_SGD, bss_rule_options(sgd: options))
        case .adam(let o):
            let options = bss_adam_options(
                lr: o.learningRate, beta1: o.beta1, beta2: o.beta2, eps: o.eps, weight_decay: o.weightDecay,
                decoupled: o.decoupled, amsgrad: part.state.2 != nil, maximize: false, step: Int64(o.step))
            return (BSS_ADAM, bss_rule_options(adam: options))
        case .rmsprop(let o):
            let options = bss_rmsprop_options(
                lr: o.learningRate, alpha: o.alpha, eps: o.eps, weight_decay: o.weightDecay, momentum: o.momentum,
                centered: o.centered, maximize: false)
            return (BSS_RMSPROP, bss_rule_options(rmsprop: options))
        }
    }
}
