import BSSCore

/// A backend that times the calls to another one for an `OperatorProfile`: the decorator behind `%profile`.
///
/// Names are those of the field; a derivative is its operator's name with "backward".
final class ProfilingBackend: Backend {
    let base: any Backend
    private let profile: OperatorProfile

    init(_ base: any Backend, _ profile: OperatorProfile) {
        self.base = base
        self.profile = profile
    }

    private static let unaryNames = UnaryOp.allCases.map { "\($0)" },
        unaryBackwardNames = unaryNames.map { $0 + " backward" }
    private static let binaryNames = BinaryOp.allCases.map { "\($0)" }, reduceNames = ReduceOp.allCases.map { "\($0)" }

    @inline(__always)
    func timed<T>(_ name: String, _ elements: Int, _ body: () throws -> T) throws -> T {
        let start = OperatorProfile.now()
        let result = try body()
        try base.synchronise()
        profile.add(name, OperatorProfile.now() - start, elements: elements)
        return result
    }

    var device: Device { base.device }
    var summary: String { base.summary }

    func allocate(byteCount: Int) throws -> Storage {
        profile.addAllocation(bytes: byteCount)
        return try base.allocate(byteCount: byteCount)
    }

    func deallocate(_ address: UnsafeMutableRawPointer, byteCount: Int) {
        base.deallocate(address, byteCount: byteCount)
    }
    func synchronise() throws { try base.synchronise() }

    func upload(_ bytes: UnsafeRawBufferPointer, to out: ArrayView) throws {
        try timed("upload", out.elementCount) { try base.upload(bytes, to: out) }
    }

    func download(_ x: ArrayView, to bytes: UnsafeMutableRawBufferPointer) throws {
        try timed("download", x.elementCount) { try base.download(x, to: bytes) }
    }

    func unary(_ op: UnaryOp, _ x: ArrayView, _ p0: Double, _ p1: Double, out: ArrayView) throws {
        try timed(Self.unaryNames[Int(op.rawValue)], out.elementCount) { try base.unary(op, x, p0, p1, out: out) }
    }

    func unaryBackward(
        _ op: UnaryOp, grad: ArrayView, x: ArrayView, y: ArrayView, _ p0: Double, _ p1: Double, out: ArrayView
    ) throws {
        try timed(Self.unaryBackwardNames[Int(op.rawValue)], out.elementCount) {
            try base.unaryBackward(
                op, grad: grad, x: x, y: y, p0, p1, out: out)
        }
    }

    func binary(_ op: BinaryOp, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        try timed(Self.binaryNames[Int(op.rawValue)], out.elementCount) { try base.binary(op, a, b, out: out) }
    }

    func compare(_ op: CompareOp, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        try timed("compare", out.elementCount) { try base.compare(op, a, b, out: out) }
    }

    func logical(_ op: LogicalOp, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        try timed("logical", out.elementCount) { try base.logical(op, a, b, out: out) }
    }

    func select(_ condition: ArrayView, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        try timed("where", out.elementCount) { try base.select(condition, a, b, out: out) }
    }

    func copy(_ x: ArrayView, out: ArrayView) throws {
        try timed("copy", out.elementCount) { try base.copy(x, out: out) }
    }

    func fill(_ out: ArrayView, _ value: Double) throws {
        try timed("fill", out.elementCount) { try base.fill(out, value) }
    }

    func fill(_ out: ArrayView, integer value: Int) throws {
        try timed("fill", out.elementCount) { try base.fill(out, integer: value) }
    }

    func accumulate(_ alpha: Double, _ x: ArrayView, into out: ArrayView) throws {
        try timed("accumulate", out.elementCount) { try base.accumulate(alpha, x, into: out) }
    }

    func multiplyAdd(_ alpha: Double, _ a: ArrayView, _ b: ArrayView, _ c: ArrayView, out: ArrayView) throws {
        try timed("multiply add", out.elementCount) { try base.multiplyAdd(alpha, a, b, c, out: out) }
    }

    func reduce(_ op: ReduceOp, _ x: ArrayView, axes: UInt32, out: ArrayView) throws {
        try timed(Self.reduceNames[Int(op.rawValue)], out.elementCount) { try base.reduce(op, x, axes: axes, out: out) }
    }

    func sumOfSquares(_ x: ArrayView) throws -> Double {
        try timed("sum of squares", x.elementCount) { try base.sumOfSquares(x) }
    }

    func allFinite(_ x: ArrayView) throws -> Bool {
        try timed("all finite", x.elementCount) { try base.allFinite(x) }
    }

    func gemm(
        transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int, alpha: Double, a: ArrayView, lda: Int,
        strideA: Int, b: ArrayView, ldb: Int, strideB: Int, beta: Double, out: ArrayView, ldc: Int, strideC: Int,
        batch: Int
    ) throws {
        try timed("matmul", out.elementCount) {
            try base.gemm(
                transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k, alpha: alpha, a: a, lda: lda,
                strideA: strideA, b: b, ldb: ldb, strideB: strideB, beta: beta, out: out, ldc: ldc, strideC: strideC,
                batch: batch)
        }
    }

    func gemmBias(
        transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int, a: ArrayView, lda: Int, b: ArrayView, ldb: Int,
        bias: ArrayView?, epilogue: Epilogue, out: ArrayView, ldc: Int
    ) throws {
        try timed(epilogue == .relu ? "linear relu" : "linear", out.elementCount) {
            try base.gemmBias(
                transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k, a: a, lda: lda, b: b, ldb: ldb,
                bias: bias, epilogue: epilogue, out: out, ldc: ldc)
        }
    }

    func linearBackward(grad: ArrayView, y: ArrayView?, out: ArrayView?, biasOut: ArrayView?) throws {
        try timed("linear backward", grad.elementCount) {
            try base.linearBackward(grad: grad, y: y, out: out, biasOut: biasOut)
        }
    }

    func softmax(_ x: ArrayView, log: Bool, out: ArrayView) throws {
        try timed(log ? "log_softmax" : "softmax", out.elementCount) { try base.softmax(x, log: log, out: out) }
    }

    func softmaxBackward(grad: ArrayView, y: ArrayView, log: Bool, out: ArrayView) throws {
        try timed(log ? "log_softmax backward" : "softmax backward", out.elementCount) {
            try base.softmaxBackward(
                grad: grad, y: y, log: log, out: out)
        }
    }

    func logSumExp(_ x: ArrayView, out: ArrayView) throws {
        try timed("logsumexp", out.elementCount) { try base.logSumExp(x, out: out) }
    }

    func crossEntropy(
        logits: ArrayView, target: ArrayView, classWeight: ArrayView?, labelSmoothing: Double, ignoreIndex: Int,
        loss: ArrayView?, logitsGradient: ArrayView?, rowWeight: ArrayView?
    ) throws {
        try timed("cross entropy", logitsGradient?.elementCount ?? 0) {
            try base.crossEntropy(
                logits: logits, target: target, classWeight: classWeight, labelSmoothing: labelSmoothing,
                ignoreIndex: ignoreIndex, loss: loss, logitsGradient: logitsGradient, rowWeight: rowWeight)
        }
    }

    func scaleRows(_ x: ArrayView, scale: ArrayView, factor: Double, out: ArrayView) throws {
        try timed("scale rows", out.elementCount) { try base.scaleRows(x, scale: scale, factor: factor, out: out) }
    }

    func randomUniform(key: UInt64, block: UInt64, low: Double, high: Double, out: ArrayView) throws {
        try timed("random uniform", out.elementCount) {
            try base.randomUniform(key: key, block: block, low: low, high: high, out: out)
        }
    }

    func randomNormal(key: UInt64, block: UInt64, mean: Double, std: Double, out: ArrayView) throws {
        try timed("random normal", out.elementCount) {
            try base.randomNormal(key: key, block: block, mean: mean, std: std, out: out)
        }
    }

    func randomMask(key: UInt64, block: UInt64, p: Double, value: Double, out: ArrayView) throws {
        try timed("random mask", out.elementCount) {
            try base.randomMask(key: key, block: block, p: p, value: value, out: out)
        }
    }

    func sgd(parameter: ArrayView, gradient: ArrayView, momentumBuffer: ArrayView?, _ options: SGDStep) throws {
        try timed("sgd step", parameter.elementCount) {
            try base.sgd(
                parameter: parameter, gradient: gradient, momentumBuffer: momentumBuffer, options)
        }
    }

    func adam(
        parameter: ArrayView, gradient: ArrayView, mean: ArrayView, square: ArrayView, maximumSquare: ArrayView?,
        _ options: AdamStep
    ) throws {
        try timed(options.decoupled ? "adamw step" : "adam step", parameter.elementCount) {
            try base.adam(
                parameter: parameter, gradient: gradient, mean: mean, square: square, maximumSquare: maximumSquare,
                options)
        }
    }

    func rmsprop(
        parameter: ArrayView, gradient: ArrayView, square: ArrayView, mean: ArrayView?, momentumBuffer: ArrayView?,
        _ options: RMSpropStep
    ) throws {
        try timed("rmsprop step", parameter.elementCount) {
            try base.rmsprop(
                parameter: parameter, gradient: gradient, square: square, mean: mean, momentumBuffer: momentumBuffer,
                options)
        }
    }
}
