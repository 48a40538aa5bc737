import BSSBackend
import CBSSKernels

// Training steps on the CPU: bss_step.h, bss_optim.h.

extension CPUBackend {
    public func gatherRows(_ parts: [RowGather], rows: ArrayView) throws {
        let count = rows.elementCount
        let list = try KernelCall("gather", rows, .int64).integers(rows, count)
        let kernels = try parts.map { part in
            let call = try KernelCall("gather", part.x, .any)
            let size = part.x.elementCount / max(part.x.shape[0], 1)
            return try bss_row_part(
                x: call.memory(part.x, part.x.elementCount), out: call.memory(part.out, count * size),
                run: Int64(size * part.x.dtype.byteSize))
        }
        try runOnce(
            "gather rows", writes: parts.reduce(0) { $0 + $1.out.elementCount },
            bss_gather_rows(kernels, Int64(kernels.count), list, Int64(count)))
    }

    public func logLoss(_ loss: ArrayView, log: ArrayView) throws {
        let call = try KernelCall("log loss", loss)
        let value = try call.memory(loss, 1)
        let log = try CPUBackend.log(log)
        try run("log loss", writes: 1, { bss_log_loss(call.dtype.c, value, log) })
    }

    public func logStep(samples: Int, log: ArrayView) throws {
        let log = try CPUBackend.log(log)
        try run("log step", writes: StepLog.count, { bss_log_step(Int64(samples), log) })
    }

    private static func log(_ view: ArrayView) throws -> UnsafeMutablePointer<bss_step_log> {
        try UnsafeMutableRawPointer(KernelCall("log", view, DTypes(.float64)).doubles(view, StepLog.count))
            .assumingMemoryBound(to: bss_step_log.self)
    }

    public func update(_ parts: [ParameterUpdate], scale: ArrayView?, log: ArrayView?) throws {
        guard let first = parts.first else { return }
        let list = try UpdateList(parts)
        let scale = try scale.map { try KernelCall("optimizer", $0).doubles($0, 1) }
        let log = try log.map(CPUBackend.log)
        try run(
            first.rule.name, writes: parts.reduce(0) { $0 + $1.parameter.elementCount },
            { list.run(scale?.pointee ?? 1, log) })
    }

    public func sumOfSquares(_ parts: [ArrayView], out: ArrayView) throws {
        let sum = try KernelCall("norm", out).doubles(out, 1)
        let kernels = try parts.map { part in
            let call = try KernelCall("norm", part)
            let count = part.elementCount
            return try bss_buffer(dtype: call.dtype.c, data: call.buffer(part, count), count: Int64(count))
        }
        try run("sum of squares", writes: 1, { bss_sum_squares_all(kernels, Int64(kernels.count), sum) })
    }
}

/// An update as its kernel takes it. Run again, it is the next update: Adam counts on, a momentum has begun.
private final class UpdateList {
    private var kernels: [bss_update]
    private var isFirst = true

    init(_ parts: [ParameterUpdate]) throws { kernels = try parts.map(UpdateList.kernel) }

    func run(_ scale: Double, _ log: UnsafeMutablePointer<bss_step_log>?) -> Int32 {
        if !isFirst { for i in kernels.indices { kernels[i].advance() } }
        isFirst = false
        return bss_update_all(kernels, Int64(kernels.count), scale, log)
    }

    private static func kernel(_ part: ParameterUpdate) throws -> bss_update {
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

extension bss_update {
    fileprivate mutating func advance() {
        switch rule {
        case BSS_SGD: options.sgd.first = false
        case BSS_ADAM: options.adam.step += 1
        default: break
        }
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
                nesterov: o.nesterov, first: o.isFirst)
            return (BSS_SGD, bss_rule_options(sgd: options))
        case .adam(let o):
            let options = bss_adam_options(
                lr: o.learningRate, beta1: o.beta1, beta2: o.beta2, eps: o.eps, weight_decay: o.weightDecay,
                decoupled: o.decoupled, amsgrad: part.state.2 != nil, step: Int64(o.step))
            return (BSS_ADAM, bss_rule_options(adam: options))
        case .rmsprop(let o):
            let options = bss_rmsprop_options(
                lr: o.learningRate, alpha: o.alpha, eps: o.eps, weight_decay: o.weightDecay, momentum: o.momentum,
                centered: o.centered)
            return (BSS_RMSPROP, bss_rule_options(rmsprop: options))
        }
    }
}
