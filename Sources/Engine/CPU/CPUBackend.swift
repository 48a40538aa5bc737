import BSSBackend
import BSSCore
import CBSSKernels
import Glibc

/// The CPU: every requirement forwards to a kernel of CBSSKernels, which holds the loops and the threads.
///
/// Kernels do not ask whose memory they work on: a subclass may bring its own, and stand for a device whose memory the
/// host does not see.
open class CPUBackend: Backend {
    public static let shared = CPUBackend()
    private let pool = MemoryPool()

    public init() {}

    open var device: Device { .cpu }
    public var summary: String {
        "\(String(cString: bss_blas_name())), \(String(cString: bss_isa())), \(bss_pool_threads()) threads"
    }
    /// Bytes held by live tensors.
    public var liveBytes: Int { pool.liveBytes }

    /// Processors this process may use.
    public static let processorCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    public static func setThreads(_ count: Int) { bss_pool_set_threads(Int32(count)) }

    // MARK: Memory

    open func allocate(byteCount: Int) throws -> Storage {
        if KernelCall.isWatched { KernelCall.allocated(byteCount) }
        return Storage(address: try pool.take(max(byteCount, 1)), byteCount: max(byteCount, 1), backend: self)
    }

    open func deallocate(_ address: UnsafeMutableRawPointer, byteCount: Int) { pool.give(address, byteCount) }
    public func synchronise() throws {}

    public func upload(_ bytes: UnsafeRawBufferPointer, to out: ArrayView) throws {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        let memory = try KernelCall("upload", out, .any).memory(out, bytes.count / out.dtype.byteSize)
        try runOnce("upload", writes: out.elementCount, moved(source, to: memory, bytes.count))
    }

    public func download(_ x: ArrayView, to bytes: UnsafeMutableRawBufferPointer) throws {
        guard let target = bytes.baseAddress, bytes.count > 0 else { return }
        let memory = try KernelCall("download", x, .any).memory(x, bytes.count / x.dtype.byteSize)
        try runOnce("download", writes: x.elementCount, moved(memory, to: target, bytes.count))
    }

    private func moved(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ byteCount: Int) -> Int32 {
        target.copyMemory(from: source, byteCount: byteCount)
        return Int32(BSS_OK)
    }

    // MARK: Elementwise

    public func unary(_ op: UnaryOp, _ x: ArrayView, _ p0: Double, _ p1: Double, out: ArrayView) throws {
        let call = try KernelCall("unary", x, op.takes)
        let cx = try call.strided(x)
        let co = try call.strided(out, op.yieldsBool ? .bool : nil, like: x.shape)
        try run(op.name, writes: out.elementCount, { views(cx, co) { bss_unary(op, $0, $1, p0, p1) } })
    }

    public func unaryBackward(
        _ op: UnaryOp, grad: ArrayView, x: ArrayView, _ p0: Double, _ p1: Double, out: ArrayView
    ) throws {
        let call = try KernelCall("unary backward", grad)
        let cg = try call.strided(grad, like: out.shape)
        let cx = try call.strided(x, like: out.shape)
        let co = try call.strided(out)
        try run(
            op.name + " backward", writes: out.elementCount,
            { views(cg, cx, co) { bss_unary_backward(op, $0, $1, $2, p0, p1) } })
    }

    public func binary(_ op: BinaryOp, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("binary", a, .numbers)
        let ca = try call.strided(a, like: out.shape)
        let cb = try call.strided(b, like: out.shape)
        let co = try call.strided(out)
        try run(op.name, writes: out.elementCount, { views(ca, cb, co) { bss_binary(op, $0, $1, $2) } })
    }

    public func compare(_ op: CompareOp, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("compare", a, .any)
        let ca = try call.strided(a, like: out.shape)
        let cb = try call.strided(b, like: out.shape)
        let co = try call.strided(out, .bool)
        try run("compare", writes: out.elementCount, { views(ca, cb, co) { bss_compare(op, $0, $1, $2) } })
    }

    public func logical(_ op: LogicalOp, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("logical", a, .bool)
        let ca = try call.strided(a, like: out.shape)
        let cb = try call.strided(b, like: out.shape)
        let co = try call.strided(out)
        try run("logical", writes: out.elementCount, { views(ca, cb, co) { bss_logical(op, $0, $1, $2) } })
    }

    public func select(_ condition: ArrayView, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("where", a, .any)
        let cc = try call.strided(condition, .bool, like: out.shape)
        let ca = try call.strided(a, like: out.shape)
        let cb = try call.strided(b, like: out.shape)
        let co = try call.strided(out)
        try run("where", writes: out.elementCount, { views(cc, ca, cb, co) { bss_select($0, $1, $2, $3) } })
    }

    public func copy(_ x: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("copy", x, .any)
        let cx = try call.strided(x, like: out.shape)
        let co = try call.strided(out, out.dtype)
        try run("copy", writes: out.elementCount, { views(cx, co) { bss_copy($0, $1) } })
    }

    public func fill(_ out: ArrayView, _ value: Double) throws {
        let co = try KernelCall("fill", out, .any).strided(out)
        try run("fill", writes: out.elementCount, { views(co) { bss_fill($0, value) } })
    }

    public func fill(_ out: ArrayView, integer value: Int) throws {
        let co = try KernelCall("fill", out, .int64).strided(out)
        try run("fill", writes: out.elementCount, { views(co) { bss_fill_i64($0, Int64(value)) } })
    }

    public func accumulate(_ alpha: Double, _ x: ArrayView, into out: ArrayView) throws {
        let call = try KernelCall("accumulate", out, .numbers)
        let cx = try call.strided(x, like: out.shape)
        let co = try call.strided(out)
        try run("accumulate", writes: out.elementCount, { views(cx, co) { bss_accumulate(alpha, $0, $1) } })
    }

    public func multiplyAdd(_ alpha: Double, _ a: ArrayView, _ b: ArrayView, _ c: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("addcmul", out)
        let ca = try call.strided(a, like: out.shape)
        let cb = try call.strided(b, like: out.shape)
        let cc = try call.strided(c, like: out.shape)
        let co = try call.strided(out)
        try run(
            "multiply add", writes: out.elementCount,
            { views(ca, cb, cc, co) { bss_multiply_add(alpha, $0, $1, $2, $3) } })
    }

    // MARK: Reductions

    public func reduce(_ op: ReduceOp, _ x: ArrayView, axes: UInt32, out: ArrayView) throws {
        let call = try KernelCall("reduce", x, op.takes)
        var kept = 1
        for axis in x.shape.indices where axes >> UInt32(axis) & 1 == 0 { kept *= x.shape[axis] }
        let cx = try call.strided(x)
        let result = try KernelCall("reduce", out, DTypes(op.result(of: x.dtype)))
        _ = try result.memory(out, kept)
        try run(op.name, writes: out.elementCount, { views(cx, out) { bss_reduce(op, $0, axes, $1) } })
    }

    // MARK: Matrix products

    public func gemm(
        transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int, alpha: Double, a: ArrayView, lda: Int, strideA: Int,
        b: ArrayView, ldb: Int, strideB: Int, beta: Double, out: ArrayView, ldc: Int, strideC: Int, batch: Int
    ) throws {
        let call = try KernelCall("matmul", out)
        func kernel() throws -> Int32 {
            let left = try call.matrices(
                a, rows: transposeA ? k : m, columns: transposeA ? m : k, leading: lda, batch: batch, step: strideA)
            let right = try call.matrices(
                b, rows: transposeB ? n : k, columns: transposeB ? k : n, leading: ldb, batch: batch, step: strideB)
            let result = try call.matrices(out, rows: m, columns: n, leading: ldc, batch: batch, step: strideC)
            return bss_gemm_batched(
                call.dtype.c, transposeA, transposeB, Int64(m), Int64(n), Int64(k), alpha, left, Int64(lda),
                Int64(strideA), right, Int64(ldb), Int64(strideB), beta, result, Int64(ldc), Int64(strideC),
                Int64(batch))
        }
        try run("matmul", writes: out.elementCount, kernel)
    }

    public func gemmBias(
        transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int, a: ArrayView, lda: Int, b: ArrayView, ldb: Int,
        bias: ArrayView?, epilogue: Epilogue, out: ArrayView, ldc: Int
    ) throws {
        let call = try KernelCall("linear", out)
        func kernel() throws -> Int32 {
            let left = try call.matrices(a, rows: transposeA ? k : m, columns: transposeA ? m : k, leading: lda)
            let right = try call.matrices(b, rows: transposeB ? n : k, columns: transposeB ? k : n, leading: ldb)
            let result = try call.matrices(out, rows: m, columns: n, leading: ldc)
            return try bss_gemm_bias(
                call.dtype.c, transposeA, transposeB, Int64(m), Int64(n), Int64(k), left, Int64(lda), right, Int64(ldb),
                call.memory(ifAny: bias, n), bss_epilogue(epilogue.rawValue), result, Int64(ldc))
        }
        try run(epilogue == .relu ? "linear relu" : "linear", writes: out.elementCount, kernel)
    }

    public func linearBackward(grad: ArrayView, y: ArrayView?, out: ArrayView?, biasOut: ArrayView?) throws {
        let call = try KernelCall("linear", grad)
        let (rows, columns, leading) = (grad.shape[0], grad.shape[1], grad.strides[0])
        try run(
            "linear backward", writes: rows * columns,
            {
                try bss_linear_backward(
                    call.dtype.c, Int64(rows), Int64(columns),
                    call.matrices(grad, rows: rows, columns: columns, leading: leading), Int64(leading),
                    call.memory(ifAny: y, rows * columns), call.memory(ifAny: out, rows * columns),
                    call.memory(ifAny: biasOut, columns))
            })
    }

    // MARK: Softmax family

    public func softmax(_ x: ArrayView, log: Bool, out: ArrayView) throws {
        let kernel = log ? bss_log_softmax : bss_softmax
        let call = try KernelCall("softmax", x)
        let count = x.elementCount
        try run(
            log ? "log_softmax" : "softmax", writes: count,
            { try kernel(call.dtype.c, call.memory(x, count), x.rows, x.columns, call.memory(out, count)) })
    }

    public func softmaxBackward(grad: ArrayView, y: ArrayView, log: Bool, out: ArrayView) throws {
        let kernel = log ? bss_log_softmax_backward : bss_softmax_backward
        let call = try KernelCall("softmax", y)
        let count = y.elementCount
        try run(
            log ? "log_softmax backward" : "softmax backward", writes: count,
            {
                try kernel(
                    call.dtype.c, call.memory(grad, count), call.memory(y, count), y.rows, y.columns,
                    call.memory(out, count))
            })
    }

    public func logSumExp(_ x: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("logsumexp", x)
        let rows = out.elementCount
        let columns = x.shape.last
        try run(
            "logsumexp", writes: rows,
            {
                try bss_logsumexp(
                    call.dtype.c, call.memory(x, rows * columns), Int64(rows), Int64(columns), call.memory(out, rows))
            })
    }

    public func crossEntropy(
        logits: ArrayView, target: ArrayView, classWeight: ArrayView?, labelSmoothing: Double, ignoreIndex: Int,
        loss: ArrayView?, logitsGradient: ArrayView?, rowWeight: ArrayView?
    ) throws {
        let call = try KernelCall("cross_entropy", logits)
        let count = logits.elementCount
        let rows = Int(logits.rows)
        try run(
            "cross entropy", writes: logitsGradient == nil ? 0 : count,
            {
                try bss_cross_entropy(
                    call.dtype.c, call.memory(logits, count), call.integers(target, rows), logits.rows, logits.columns,
                    call.memory(ifAny: classWeight, logits.shape.last), labelSmoothing, Int64(ignoreIndex),
                    call.memory(ifAny: loss, rows), call.memory(ifAny: logitsGradient, count),
                    call.memory(ifAny: rowWeight, rows))
            })
    }

    public func scaleRows(_ x: ArrayView, scale: ArrayView, factor: Double, out: ArrayView) throws {
        let call = try KernelCall("cross_entropy", x)
        let count = x.elementCount
        let isShared = scale.elementCount == 1
        try run(
            "scale rows", writes: count,
            {
                try bss_scale_rows(
                    call.dtype.c, call.memory(x, count), call.memory(scale, isShared ? 1 : Int(x.rows)),
                    isShared ? 0 : 1,
                    factor, x.rows, x.columns, call.memory(out, count))
            })
    }

    // MARK: Random numbers

    public func randomUniform(key: UInt64, block: UInt64, low: Double, high: Double, out: ArrayView) throws {
        let call = try KernelCall("uniform", out)
        let count = out.elementCount
        try runOnce(
            "random uniform", writes: count,
            bss_random_uniform(call.dtype.c, key, block, low, high, call.memory(out, count), Int64(count)))
    }

    public func randomNormal(key: UInt64, block: UInt64, mean: Double, std: Double, out: ArrayView) throws {
        let call = try KernelCall("normal", out)
        let count = out.elementCount
        try runOnce(
            "random normal", writes: count,
            bss_random_normal(call.dtype.c, key, block, mean, std, call.memory(out, count), Int64(count)))
    }

    public func randomMask(key: UInt64, block: UInt64, p: Double, value: Double, out: ArrayView) throws {
        let call = try KernelCall("dropout", out)
        let count = out.elementCount
        try runOnce(
            "random mask", writes: count,
            bss_random_mask(call.dtype.c, key, block, p, value, call.memory(out, count), Int64(count)))
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
