import BSSBackend
import BSSCore
import CBSSKernels
import Glibc

/// The CPU: every requirement forwards to a kernel of CBSSKernels, which holds the loops and the threads.
public final class CPUBackend: Backend {
    public static let shared = CPUBackend()
    private let pool = MemoryPool()

    private init() {}

    public var device: Device { .cpu }
    public var summary: String {
        "\(String(cString: bss_blas_name())), \(String(cString: bss_isa())), \(bss_pool_threads()) threads"
    }
    /// Bytes held by live tensors.
    public var liveBytes: Int { pool.liveBytes }

    /// Processors this process may use.
    public static let processorCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    public static func setThreads(_ count: Int) { bss_pool_set_threads(Int32(count)) }

    // MARK: Memory

    public func allocate(byteCount: Int) throws -> Storage {
        guard let block = pool.take(max(byteCount, 1)) else {
            throw BSSError(
                "allocate", "no memory for \(byteCount >> 20) MiB; tensors hold \(pool.liveBytes >> 20) MiB already")
        }
        return Storage(address: block, byteCount: max(byteCount, 1), backend: self)
    }

    public func deallocate(_ address: UnsafeMutableRawPointer, byteCount: Int) { pool.give(address, byteCount) }
    public func synchronise() throws {}

    public func upload(_ bytes: UnsafeRawBufferPointer, to out: ArrayView) throws {
        if bytes.count > 0 { out.address.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count) }
    }

    public func download(_ x: ArrayView, to bytes: UnsafeMutableRawBufferPointer) throws {
        if bytes.count > 0 { bytes.baseAddress!.copyMemory(from: x.address, byteCount: bytes.count) }
    }

    // MARK: Elementwise

    public func unary(_ op: UnaryOp, _ x: ArrayView, _ p0: Double, _ p1: Double, out: ArrayView) throws {
        var cx = x.c
        var co = out.c
        try check(bss_unary(bss_unary_op(op.rawValue), &cx, &co, p0, p1), "\(op)")
    }

    public func unaryBackward(
        _ op: UnaryOp, grad: ArrayView, x: ArrayView, y: ArrayView, _ p0: Double, _ p1: Double, out: ArrayView
    ) throws {
        var cg = grad.c
        var cx = x.c
        var cy = y.c
        var co = out.c
        try check(bss_unary_backward(bss_unary_op(op.rawValue), &cg, &cx, &cy, &co, p0, p1), "\(op)")
    }

    public func binary(_ op: BinaryOp, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        var ca = a.c
        var cb = b.c
        var co = out.c
        try check(bss_binary(bss_binary_op(op.rawValue), &ca, &cb, &co), "\(op)")
    }

    public func compare(_ op: CompareOp, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        var ca = a.c
        var cb = b.c
        var co = out.c
        try check(bss_compare(bss_compare_op(op.rawValue), &ca, &cb, &co), "\(op)")
    }

    public func logical(_ op: LogicalOp, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        var ca = a.c
        var cb = b.c
        var co = out.c
        try check(bss_logical(bss_logical_op(op.rawValue), &ca, &cb, &co), "\(op)")
    }

    public func select(_ condition: ArrayView, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        var cc = condition.c
        var ca = a.c
        var cb = b.c
        var co = out.c
        try check(bss_select(&cc, &ca, &cb, &co), "where")
    }

    public func copy(_ x: ArrayView, out: ArrayView) throws {
        var cx = x.c
        var co = out.c
        try check(bss_copy(&cx, &co), "copy")
    }

    public func fill(_ out: ArrayView, _ value: Double) throws {
        var co = out.c
        try check(bss_fill(&co, value), "fill")
    }

    public func accumulate(_ alpha: Double, _ x: ArrayView, into out: ArrayView) throws {
        var cx = x.c
        var co = out.c
        try check(bss_accumulate(alpha, &cx, &co), "accumulate")
    }

    public func multiplyAdd(_ alpha: Double, _ a: ArrayView, _ b: ArrayView, _ c: ArrayView, out: ArrayView) throws {
        var ca = a.c
        var cb = b.c
        var cc = c.c
        var co = out.c
        try check(bss_multiply_add(alpha, &ca, &cb, &cc, &co), "addcmul")
    }

    // MARK: Reductions

    public func reduce(_ op: ReduceOp, _ x: ArrayView, axes: UInt32, out: ArrayView) throws {
        var cx = x.c
        var co = out.c
        try check(bss_reduce(bss_reduce_op(op.rawValue), &cx, axes, &co), "\(op)")
    }

    public func sumOfSquares(_ x: ArrayView) throws -> Double {
        var result = 0.0
        try check(bss_sum_squares(x.dtype.c, x.address, Int64(x.elementCount), &result), "norm")
        return result
    }

    public func allFinite(_ x: ArrayView) throws -> Bool {
        var result = true
        try check(bss_all_finite(x.dtype.c, x.address, Int64(x.elementCount), &result), "isfinite")
        return result
    }

    // MARK: Matrix products

    public func gemm(
        transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int, alpha: Double, a: ArrayView, lda: Int, strideA: Int,
        b: ArrayView, ldb: Int, strideB: Int, beta: Double, out: ArrayView, ldc: Int, strideC: Int, batch: Int
    ) throws {
        try check(
            bss_gemm_batched(
                out.dtype.c, transposeA, transposeB, Int64(m), Int64(n), Int64(k), alpha, a.address, Int64(lda),
                Int64(strideA),
                b.address, Int64(ldb), Int64(strideB), beta, out.address, Int64(ldc), Int64(strideC), Int64(batch)),
            "matmul")
    }

    public func gemmBias(
        transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int, a: ArrayView, lda: Int, b: ArrayView, ldb: Int,
        bias: ArrayView?, epilogue: Epilogue, out: ArrayView, ldc: Int
    ) throws {
        try check(
            bss_gemm_bias(
                out.dtype.c, transposeA, transposeB, Int64(m), Int64(n), Int64(k), a.address, Int64(lda), b.address,
                Int64(ldb),
                bias?.address, bss_epilogue(epilogue.rawValue), out.address, Int64(ldc)), "linear")
    }

    public func linearBackward(grad: ArrayView, y: ArrayView?, out: ArrayView?, biasOut: ArrayView?) throws {
        try check(
            bss_linear_backward(
                grad.dtype.c, Int64(grad.shape[0]), Int64(grad.shape[1]), grad.address, Int64(grad.strides[0]),
                y?.address, out?.address,
                biasOut?.address), "linear")
    }

    // MARK: Softmax family

    public func softmax(_ x: ArrayView, log: Bool, out: ArrayView) throws {
        let kernel = log ? bss_log_softmax : bss_softmax
        try check(kernel(x.dtype.c, x.address, x.rows, x.columns, out.address), log ? "log_softmax" : "softmax")
    }

    public func softmaxBackward(grad: ArrayView, y: ArrayView, log: Bool, out: ArrayView) throws {
        let kernel = log ? bss_log_softmax_backward : bss_softmax_backward
        try check(
            kernel(y.dtype.c, grad.address, y.address, y.rows, y.columns, out.address), log ? "log_softmax" : "softmax")
    }

    public func logSumExp(_ x: ArrayView, out: ArrayView) throws {
        try check(bss_logsumexp(x.dtype.c, x.address, x.rows, x.columns, out.address), "logsumexp")
    }

    public func crossEntropy(
        logits: ArrayView, target: ArrayView, classWeight: ArrayView?, labelSmoothing: Double, ignoreIndex: Int,
        loss: ArrayView?, logitsGradient: ArrayView?, rowWeight: ArrayView?
    ) throws {
        try check(
            bss_cross_entropy(
                logits.dtype.c, logits.address, target.address.assumingMemoryBound(to: Int64.self), logits.rows,
                logits.columns,
                classWeight?.address, labelSmoothing, Int64(ignoreIndex), loss?.address, logitsGradient?.address,
                rowWeight?.address),
            "cross_entropy")
    }

    public func scaleRows(_ x: ArrayView, scale: ArrayView, factor: Double, out: ArrayView) throws {
        try check(
            bss_scale_rows(
                x.dtype.c, x.address, scale.address, scale.elementCount == 1 ? 0 : 1, factor, x.rows, x.columns,
                out.address),
            "cross_entropy")
    }

    // MARK: Random numbers

    public func randomUniform(key: UInt64, block: UInt64, low: Double, high: Double, out: ArrayView) throws {
        try check(
            bss_random_uniform(out.dtype.c, key, block, low, high, out.address, Int64(out.elementCount)), "uniform")
    }

    public func randomNormal(key: UInt64, block: UInt64, mean: Double, std: Double, out: ArrayView) throws {
        try check(bss_random_normal(out.dtype.c, key, block, mean, std, out.address, Int64(out.elementCount)), "normal")
    }

    public func randomMask(key: UInt64, block: UInt64, p: Double, value: Double, out: ArrayView) throws {
        try check(bss_random_mask(out.dtype.c, key, block, p, value, out.address, Int64(out.elementCount)), "dropout")
    }

    // MARK: Optimizers

    public func sgd(parameter: ArrayView, gradient: ArrayView, momentumBuffer: ArrayView?, _ o: SGDStep) throws {
        var options = bss_sgd_options(
            lr: o.learningRate, momentum: o.momentum, dampening: o.dampening, weight_decay: o.weightDecay,
            nesterov: o.nesterov,
            maximize: false, first: o.isFirst)
        try check(
            bss_sgd(
                parameter.dtype.c, Int64(parameter.elementCount), parameter.address, gradient.address,
                momentumBuffer?.address, &options), "sgd")
    }

    public func adam(
        parameter: ArrayView, gradient: ArrayView, mean: ArrayView, square: ArrayView, maximumSquare: ArrayView?,
        _ o: AdamStep
    ) throws {
        var options = bss_adam_options(
            lr: o.learningRate, beta1: o.beta1, beta2: o.beta2, eps: o.eps, weight_decay: o.weightDecay,
            decoupled: o.decoupled,
            amsgrad: maximumSquare != nil, maximize: false, step: Int64(o.step))
        try check(
            bss_adam(
                parameter.dtype.c, Int64(parameter.elementCount), parameter.address, gradient.address, mean.address,
                square.address,
                maximumSquare?.address, &options), "adam")
    }

    public func rmsprop(
        parameter: ArrayView, gradient: ArrayView, square: ArrayView, mean: ArrayView?, momentumBuffer: ArrayView?,
        _ o: RMSpropStep
    ) throws {
        var options = bss_rmsprop_options(
            lr: o.learningRate, alpha: o.alpha, eps: o.eps, weight_decay: o.weightDecay, momentum: o.momentum,
            centered: o.centered,
            maximize: false)
        try check(
            bss_rmsprop(
                parameter.dtype.c, Int64(parameter.elementCount), parameter.address, gradient.address, square.address,
                mean?.address,
                momentumBuffer?.address, &options), "rmsprop")
    }

    @inline(__always)
    func check(_ status: Int32, _ operation: @autoclosure () -> String) throws {
        try Cancellation.checkKernel(status, operation())
    }
}

extension DType {
    var c: bss_dtype { bss_dtype(UInt32(rawValue)) }
}

extension ArrayView {
    /// The kernel's form of the view.
    var c: bss_view {
        var view = bss_view()
        view.data = address
        view.rank = Int32(shape.rank)
        view.dtype = dtype.c
        withUnsafeMutableBytes(of: &view.shape) { out in
            let sizes = out.assumingMemoryBound(to: Int.self)
            for axis in 0..<shape.rank { sizes[axis] = shape[axis] }
        }
        withUnsafeMutableBytes(of: &view.stride) { out in
            let steps = out.assumingMemoryBound(to: Int.self)
            for axis in 0..<shape.rank { steps[axis] = strides[axis] }
        }
        return view
    }
    /// N and C of a contiguous [.., C].
    var columns: Int64 { Int64(shape.last) }
    var rows: Int64 { shape.last == 0 ? 0 : Int64(elementCount / shape.last) }
}
