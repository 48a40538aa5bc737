import BSSBackend
import CBSSCUDA

// Training steps: step.cu.h, optimizer.cu.h. Parameters that a rule treats alike share a launch.

extension CUDABackend {
    public func gatherRows(_ parts: [RowGather], rows: ArrayView) throws {
        let count = rows.elementCount
        let list = try KernelCall("gather", rows, .int64).integers(rows, count)
        var groups: [DType: [bss_card_rows]] = [:]
        for part in parts {
            let call = try KernelCall("gather", part.x, .any)
            let run = part.x.elementCount / max(part.x.shape[0], 1)
            groups[call.dtype, default: []].append(
                bss_card_rows(
                    x: try call.memory(part.x, part.x.elementCount), out: try call.memory(part.out, count * run),
                    run: Int64(run)))
        }
        try runKept("gather rows", writes: parts.reduce(0) { $0 + $1.out.elementCount }) {
            for (dtype, group) in groups {
                for some in group.pieces {
                    let blocks = elements(count * Int(some.map(\.run).max() ?? 0)).blocks.0
                    try launch(
                        Kernel("gather_rows", "move", dtype), Grid(Int(blocks), some.count), bss_card_row_parts(some),
                        list, count)
                }
            }
            return 0
        }
    }

    public func logLoss(_ loss: ArrayView, log: ArrayView) throws {
        let call = try KernelCall("log loss", loss)
        try runKept(
            "log loss", writes: 1,
            launch(
                Kernel("log_loss", "step", call.dtype), Grid(1, threads: 32), call.memory(loss, 1),
                CUDABackend.log(log)))
    }

    public func logStep(samples: Int, log: ArrayView) throws {
        try runKept(
            "log step", writes: StepLog.count,
            launch(
                Kernel("log_step", "step", .float64), Grid(1, threads: 32), Double(samples), CUDABackend.log(log)))
    }

    private static func log(_ view: ArrayView) throws -> UnsafeMutablePointer<Double> {
        try KernelCall("log", view, DTypes(.float64)).doubles(view, StepLog.count)
    }

    public func sumOfSquares(_ parts: [ArrayView], out: ArrayView) throws {
        let sum = try KernelCall("norm", out).doubles(out, 1)
        var groups: [DType: [bss_update_part]] = [:]
        for part in parts {
            let call = try KernelCall("norm", part)
            let count = part.elementCount
            groups[call.dtype, default: []].append(
                bss_update_part(
                    parameter: nil, gradient: try call.buffer(part, count), state: (nil, nil, nil),
                    count: Int64(count)))
        }
        try runKept("sum of squares", writes: 1) {
            let blocks = 32
            let partial = try scratch(max(parts.count, 1) * blocks * 8)
            var done = 0
            for dtype in [DType.float32, .float64] {
                for some in (groups[dtype] ?? []).pieces {
                    try launch(
                        Kernel("squares", "step", dtype), Grid(blocks, some.count), bss_update_parts(some),
                        partial.address + done * 8)
                    done += some.count * blocks
                }
            }
            return try launch(Kernel("squares_total", "step", .float64), Grid(1), partial.address, done, sum)
        }
    }

    public func update(_ parts: [ParameterUpdate], scale: ArrayView?, log: ArrayView?) throws {
        guard let first = parts.first else { return }
        let factor = try scale.map { try KernelCall("optimizer", $0).doubles($0, 1) }
        let log = try log.map(CUDABackend.log)
        var groups: [(kernel: Kernel, numbers: bss_rule_numbers, parts: [bss_update_part])] = []
        for part in parts where part.parameter.elementCount > 0 {
            let call = try KernelCall("optimizer", part.parameter)
            let kernel = Kernel(part.rule.kernel, "optimizer", call.dtype)
            let (numbers, buffers) = (part.rule.numbers, try buffers(part, call))
            if let last = groups.indices.last, groups[last].kernel == kernel, groups[last].numbers.isSame(as: numbers) {
                groups[last].parts.append(buffers)
            } else {
                groups.append((kernel, numbers, [buffers]))
            }
        }
        try runKept(first.rule.name, writes: parts.reduce(0) { $0 + $1.parameter.elementCount }) {
            if let log { try mark(groups.map { ($0.kernel.program.dtype, $0.parts) }, log) }
            for group in groups {
                try step(group.kernel, group.numbers, group.parts, factor, log)
            }
            return 0
        }
    }

    private func step(
        _ kernel: Kernel, _ numbers: bss_rule_numbers, _ parts: [bss_update_part],
        _ factor: UnsafeMutablePointer<Double>?, _ log: UnsafeMutablePointer<Double>?
    ) throws {
        if kernel.name == "adam" {
            let count = KernelCall.isRecorded ? try counting(numbers, kernel.program.dtype) : nil
            for some in parts.pieces {
                try launch(kernel, grid(some), bss_update_parts(some), numbers, factor, log, count?.address)
            }
            return
        }
        // A momentum begins once: that step is not the same when it is made again.
        if numbers.first == 1, numbers.momentum != 0 { Recording.spoil() }
        for some in parts.pieces { try launch(kernel, grid(some), bss_update_parts(some), numbers, factor, log) }
    }

    /// A step that may be made again counts on the device.
    private func counting(_ numbers: bss_rule_numbers, _ dtype: DType) throws -> Storage {
        let size = MemoryLayout<bss_adam_count>.size
        let count = try allocate(byteCount: size)
        var before = bss_adam_count(step: numbers.step - 1, correction1: 0, correction2: 0)
        _ = try withUnsafeBytes(of: &before) { bytes in
            try bytes.baseAddress.map { try sent($0, to: count.address, size) }
        }
        // It counts on from replay to replay: nobody else may use the block meanwhile.
        KernelCall.add({ withExtendedLifetime(count) { 0 } }, on: self)
        try launch(Kernel("adam_count", "optimizer", dtype), Grid(1, threads: 32), numbers, count.address)
        return count
    }

    /// Makes this step the bad one of `log` if a gradient is not finite.
    private func mark(_ groups: [(DType, [bss_update_part])], _ log: UnsafeMutablePointer<Double>) throws {
        let flag = try brokenFlag()
        for (dtype, parts) in groups {
            for some in parts.pieces {
                try launch(Kernel("find_broken", "step", dtype), grid(some), bss_update_parts(some), flag)
            }
        }
        try launch(Kernel("mark_broken", "step", .float64), Grid(1, threads: 32), flag, log)
    }

    /// A word that is 0 between steps.
    private func brokenFlag() throws -> UnsafeMutableRawPointer {
        if let flag { return flag.address }
        let made = try allocate(byteCount: 8)
        try fill(ArrayView(storage: made, shape: [1], dtype: .int64), integer: 0)
        flag = made
        return made.address
    }

    private func grid(_ parts: [bss_update_part]) -> Grid {
        let most = parts.reduce(0) { max($0, Int($1.count)) }
        return Grid(min((most + 1023) / 1024, 4 * card.multiprocessors), parts.count)
    }

    private func buffers(_ part: ParameterUpdate, _ call: KernelCall) throws -> bss_update_part {
        let count = part.parameter.elementCount
        return bss_update_part(
            parameter: try call.buffer(part.parameter, count), gradient: try call.buffer(part.gradient, count),
            state: (
                try call.buffer(ifAny: part.state.0, count), try call.buffer(ifAny: part.state.1, count),
                try call.buffer(ifAny: part.state.2, count)
            ), count: Int64(count))
    }
}

extension Array {
    /// As many at a time as a launch takes.
    fileprivate var pieces: [[Element]] {
        stride(from: 0, to: count, by: BSS_UPDATE_PARTS).map {
            Array(self[$0..<Swift.min($0 + BSS_UPDATE_PARTS, count)])
        }
    }
}

extension bss_card_row_parts {
    fileprivate init(_ parts: [bss_card_rows]) {
        self.init()
        withUnsafeMutableBytes(of: &part) { bytes in
            let to = bytes.assumingMemoryBound(to: bss_card_rows.self)
            for (place, one) in parts.enumerated() { to[place] = one }
        }
    }
}

extension bss_update_parts {
    fileprivate init(_ parts: [bss_update_part]) {
        self.init()
        withUnsafeMutableBytes(of: &part) { bytes in
            let to = bytes.assumingMemoryBound(to: bss_update_part.self)
            for (place, one) in parts.enumerated() { to[place] = one }
        }
    }
}

extension bss_rule_numbers {
    fileprivate func isSame(as other: bss_rule_numbers) -> Bool {
        withUnsafeBytes(of: self) { mine in withUnsafeBytes(of: other) { mine.elementsEqual($0) } }
    }
}

extension ParameterUpdate.Rule {
    fileprivate var kernel: String {
        switch self {
        case .sgd: return "sgd"
        case .adam: return "adam"
        case .rmsprop: return "rmsprop"
        }
    }

    fileprivate var name: String {
        if case .adam(let step) = self, step.decoupled { return "adamw step" }
        return "\(kernel) step"
    }

    fileprivate var numbers: bss_rule_numbers {
        var o = bss_rule_numbers()
        switch self {
        case .sgd(let step):
            (o.rate, o.decay, o.momentum) = (step.learningRate, step.weightDecay, step.momentum)
            o.damping = 1 - step.dampening
            (o.nesterov, o.first) = (step.nesterov ? 1 : 0, step.isFirst ? 1 : 0)
        case .adam(let step):
            (o.rate, o.decay, o.eps) = (step.learningRate, step.weightDecay, step.eps)
            (o.beta1, o.beta2, o.decoupled) = (step.beta1, step.beta2, step.decoupled ? 1 : 0)
            o.step = Int64(step.step)
            o.correction1 = 1 - power(step.beta1, step.step)
            o.correction2 = (1 - power(step.beta2, step.step)).squareRoot()
        case .rmsprop(let step):
            (o.rate, o.decay, o.eps) = (step.learningRate, step.weightDecay, step.eps)
            (o.beta1, o.momentum, o.variant) = (step.alpha, step.momentum, step.centered ? 1 : 0)
        }
        return o
    }
}

/// b to the n-th by squaring: on the card the same products give the same bits (optimizer.cu.h).
private func power(_ base: Double, _ exponent: Int) -> Double {
    var (power, b, n) = (1.0, base, exponent)
    while n > 0 {
        if n & 1 == 1 { power *= b }
        b *= b
        n >>= 1
    }
    return power
}
