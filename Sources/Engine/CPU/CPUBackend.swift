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
    public var precision: Precision { .f32 }

    public func setPrecision(_ precision: Precision) throws {
        if precision == .f32 { return }
        throw BSSError(
            "device", "the CPU computes in f32; precision = \"\(precision.rawValue)\" needs an NVIDIA card",
            hint: "use --device cuda, or precision = \"f32\"", kind: .device)
    }

    /// A call costs as much either way.
    public func joined(_ calls: [() throws -> Int32]) throws -> (() throws -> Int32)? { nil }

    /// Bytes held by live tensors.
    public var liveBytes: Int { pool.liveBytes }

    /// Processors this process may use.
    public static let processorCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    public static func setThreads(_ count: Int) { bss_pool_set_threads(Int32(count)) }

    // MARK: Memory

    open func allocate(byteCount: Int) throws -> Storage {
        let size = max(byteCount, 1)
        guard KernelCall.isWatched else { return Storage(address: try pool.take(size), byteCount: size, backend: self) }
        let address = try KernelCall.recycled(size, of: self) ?? pool.take(size)
        let storage = Storage(address: address, byteCount: size, backend: self)
        KernelCall.allocated(storage)
        return storage
    }

    open func deallocate(_ address: UnsafeMutableRawPointer, byteCount: Int) {
        if KernelCall.isWatched, KernelCall.recycles(address, byteCount, of: self) { return }
        pool.give(address, byteCount)
    }
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
        let cx = try call.strided(x).c
        let co = try call.strided(out, op.yieldsBool ? .bool : nil, like: x.shape).c
        try run(op.name, writes: out.elementCount, { views(cx, co) { bss_unary(op, $0, $1, p0, p1) } })
    }

    public func unaryBackward(
        _ op: UnaryOp, grad: ArrayView, x: ArrayView, _ p0: Double, _ p1: Double, out: ArrayView
    ) throws {
        let call = try KernelCall("unary backward", grad)
        let cg = try call.strided(grad, like: out.shape).c
        let cx = try call.strided(x, like: out.shape).c
        let co = try call.strided(out).c
        try run(
            op.name + " backward", writes: out.elementCount,
            { views(cg, cx, co) { bss_unary_backward(op, $0, $1, $2, p0, p1) } })
    }

    public func binary(_ op: BinaryOp, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("binary", a, .numbers)
        let ca = try call.strided(a, like: out.shape).c
        let cb = try call.strided(b, like: out.shape).c
        let co = try call.strided(out).c
        try run(op.name, writes: out.elementCount, { views(ca, cb, co) { bss_binary(op, $0, $1, $2) } })
    }

    public func compare(_ op: CompareOp, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("compare", a, .computed)
        let ca = try call.strided(a, like: out.shape).c
        let cb = try call.strided(b, like: out.shape).c
        let co = try call.strided(out, .bool).c
        try run("compare", writes: out.elementCount, { views(ca, cb, co) { bss_compare(op, $0, $1, $2) } })
    }

    public func logical(_ op: LogicalOp, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("logical", a, .bool)
        let ca = try call.strided(a, like: out.shape).c
        let cb = try call.strided(b, like: out.shape).c
        let co = try call.strided(out).c
        try run("logical", writes: out.elementCount, { views(ca, cb, co) { bss_logical(op, $0, $1, $2) } })
    }

    public func select(_ condition: ArrayView, _ a: ArrayView, _ b: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("where", a, .any)
        let cc = try call.strided(condition, .bool, like: out.shape).c
        let ca = try call.strided(a, like: out.shape).c
        let cb = try call.strided(b, like: out.shape).c
        let co = try call.strided(out).c
        try run("where", writes: out.elementCount, { views(cc, ca, cb, co) { bss_select($0, $1, $2, $3) } })
    }

    public func copy(_ x: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("copy", x, .any)
        let cx = try call.strided(x, like: out.shape).c
        let co = try call.strided(out, out.dtype).c
        try run("copy", writes: out.elementCount, { views(cx, co) { bss_copy($0, $1) } })
    }

    public func fill(_ out: ArrayView, _ value: Double) throws {
        let co = try KernelCall("fill", out, .any).strided(out).c
        try run("fill", writes: out.elementCount, { views(co) { bss_fill($0, value) } })
    }

    public func fill(_ out: ArrayView, integer value: Int) throws {
        let co = try KernelCall("fill", out, .int64).strided(out).c
        try run("fill", writes: out.elementCount, { views(co) { bss_fill_i64($0, Int64(value)) } })
    }

    public func accumulate(_ alpha: Double, _ x: ArrayView, into out: ArrayView) throws {
        let call = try KernelCall("accumulate", out, .numbers)
        let cx = try call.strided(x, like: out.shape).c
        let co = try call.strided(out).c
        try run("accumulate", writes: out.elementCount, { views(cx, co) { bss_accumulate(alpha, $0, $1) } })
    }

    public func multiplyAdd(_ alpha: Double, _ a: ArrayView, _ b: ArrayView, _ c: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("addcmul", out)
        let ca = try call.strided(a, like: out.shape).c
        let cb = try call.strided(b, like: out.shape).c
        let cc = try call.strided(c, like: out.shape).c
        let co = try call.strided(out).c
        try run(
            "multiply add", writes: out.elementCount,
            { views(ca, cb, cc, co) { bss_multiply_add(alpha, $0, $1, $2, $3) } })
    }

    // MARK: Reductions

    public func reduce(_ op: ReduceOp, _ x: ArrayView, axes: UInt32, out: ArrayView) throws {
        let call = try KernelCall("reduce", x, op.takes)
        var kept = 1
        for axis in x.shape.indices where axes >> UInt32(axis) & 1 == 0 { kept *= x.shape[axis] }
        let cx = try call.strided(x).c
        let result = try KernelCall("reduce", out, DTypes(op.result(of: x.dtype)))
        _ = try result.memory(out, kept)
        let co = out.c
        try run(op.name, writes: out.elementCount, { views(cx, co) { bss_reduce(op, $0, axes, $1) } })
    }

    // MARK: Matrix products

    public func gemm(
        transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int, alpha: Double, a: ArrayView, lda: Int, strideA: Int,
        b: ArrayView, ldb: Int, strideB: Int, beta: Double, out: ArrayView, ldc: Int, strideC: Int, batch: Int
    ) throws {
        let call = try KernelCall("matmul", out)
        let left = try call.matrices(
            a, rows: transposeA ? k : m, columns: transposeA ? m : k, leading: lda, batch: batch, step: strideA)
        let right = try call.matrices(
            b, rows: transposeB ? n : k, columns: transposeB ? k : n, leading: ldb, batch: batch, step: strideB)
        let result = try call.matrices(out, rows: m, columns: n, leading: ldc, batch: batch, step: strideC)
        try run(
            "matmul", writes: out.elementCount,
            {
                bss_gemm_batched(
                    call.dtype.c, transposeA, transposeB, Int64(m), Int64(n), Int64(k), alpha, left, Int64(lda),
                    Int64(strideA), right, Int64(ldb), Int64(strideB), beta, result, Int64(ldc), Int64(strideC),
                    Int64(batch))
            })
    }

    public func gemmBias(
        transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int, a: ArrayView, lda: Int, b: ArrayView, ldb: Int,
        bias: ArrayView?, epilogue: Epilogue, out: ArrayView, ldc: Int
    ) throws {
        let call = try KernelCall("linear", out)
        let left = try call.matrices(a, rows: transposeA ? k : m, columns: transposeA ? m : k, leading: lda)
        let right = try call.matrices(b, rows: transposeB ? n : k, columns: transposeB ? k : n, leading: ldb)
        let result = try call.matrices(out, rows: m, columns: n, leading: ldc)
        let added = try call.memory(ifAny: bias, n)
        let ending = bss_epilogue(epilogue.rawValue)
        try run(
            epilogue == .relu ? "linear relu" : "linear", writes: out.elementCount,
            {
                bss_gemm_bias(
                    call.dtype.c, transposeA, transposeB, Int64(m), Int64(n), Int64(k), left, Int64(lda), right,
                    Int64(ldb), added, ending, result, Int64(ldc))
            })
    }

    public func linearBackward(grad: ArrayView, y: ArrayView?, out: ArrayView?, biasOut: ArrayView?) throws {
        let call = try KernelCall("linear", grad)
        let (rows, columns, leading) = (grad.shape[0], grad.shape[1], grad.strides[0])
        let slopes = try call.matrices(grad, rows: rows, columns: columns, leading: leading)
        let result = try call.memory(ifAny: y, rows * columns)
        let cut = try call.memory(ifAny: out, rows * columns)
        let sums = try call.memory(ifAny: biasOut, columns)
        try run(
            "linear backward", writes: rows * columns,
            {
                bss_linear_backward(
                    call.dtype.c, Int64(rows), Int64(columns), slopes, Int64(leading), result, cut, sums)
            })
    }

    // MARK: Softmax family

    public func softmax(_ x: ArrayView, log: Bool, out: ArrayView) throws {
        let kernel = log ? bss_log_softmax : bss_softmax
        let call = try KernelCall("softmax", x)
        let (count, rows, columns) = (x.elementCount, x.rows, x.columns)
        let from = try call.memory(x, count)
        let to = try call.memory(out, count)
        try run(log ? "log_softmax" : "softmax", writes: count, { kernel(call.dtype.c, from, rows, columns, to) })
    }

    public func softmaxBackward(grad: ArrayView, y: ArrayView, log: Bool, out: ArrayView) throws {
        let kernel = log ? bss_log_softmax_backward : bss_softmax_backward
        let call = try KernelCall("softmax", y)
        let (count, rows, columns) = (y.elementCount, y.rows, y.columns)
        let slopes = try call.memory(grad, count)
        let values = try call.memory(y, count)
        let to = try call.memory(out, count)
        try run(
            log ? "log_softmax backward" : "softmax backward", writes: count,
            { kernel(call.dtype.c, slopes, values, rows, columns, to) })
    }

    public func logSumExp(_ x: ArrayView, out: ArrayView) throws {
        let call = try KernelCall("logsumexp", x)
        let (rows, columns) = (out.elementCount, x.shape.last)
        let from = try call.memory(x, rows * columns)
        let to = try call.memory(out, rows)
        try run("logsumexp", writes: rows, { bss_logsumexp(call.dtype.c, from, Int64(rows), Int64(columns), to) })
    }

    public func crossEntropy(
        logits: ArrayView, target: ArrayView, classWeight: ArrayView?, labelSmoothing: Double, ignoreIndex: Int,
        loss: ArrayView?, logitsGradient: ArrayView?, rowWeight: ArrayView?
    ) throws {
        let call = try KernelCall("cross_entropy", logits)
        let (count, rows, columns) = (logits.elementCount, logits.rows, logits.columns)
        let from = try call.memory(logits, count)
        let labels = try call.integers(target, Int(rows))
        let weights = try call.memory(ifAny: classWeight, Int(columns))
        let losses = try call.memory(ifAny: loss, Int(rows))
        let slopes = try call.memory(ifAny: logitsGradient, count)
        let shares = try call.memory(ifAny: rowWeight, Int(rows))
        try run(
            "cross entropy", writes: logitsGradient == nil ? 0 : count,
            {
                bss_cross_entropy(
                    call.dtype.c, from, labels, rows, columns, weights, labelSmoothing, Int64(ignoreIndex), losses,
                    slopes, shares)
            })
    }

    public func scaleRows(_ x: ArrayView, scale: ArrayView, factor: Double, out: ArrayView) throws {
        let call = try KernelCall("cross_entropy", x)
        let (count, rows, columns) = (x.elementCount, x.rows, x.columns)
        let isShared = scale.elementCount == 1
        let from = try call.memory(x, count)
        let factors = try call.memory(scale, isShared ? 1 : Int(rows))
        let to = try call.memory(out, count)
        try run(
            "scale rows", writes: count,
            { bss_scale_rows(call.dtype.c, from, factors, isShared ? 0 : 1, factor, rows, columns, to) })
    }

    // MARK: Random numbers

    public func randomUniform(key: UInt64, block: UInt64, low: Double, high: Double, out: ArrayView) throws {
        try draw("uniform", "random uniform", key, out) { bss_random_uniform($0, key, block &+ $1, low, high, $2, $3) }
    }

    public func randomNormal(key: UInt64, block: UInt64, mean: Double, std: Double, out: ArrayView) throws {
        try draw("normal", "random normal", key, out) { bss_random_normal($0, key, block &+ $1, mean, std, $2, $3) }
    }

    public func randomMask(key: UInt64, block: UInt64, p: Double, value: Double, out: ArrayView) throws {
        try draw("dropout", "random mask", key, out) { bss_random_mask($0, key, block &+ $1, p, value, $2, $3) }
    }

    /// `kernel` draws from `shift` blocks further on than it did first.
    private func draw(
        _ operation: StaticString, _ name: String, _ key: UInt64, _ out: ArrayView,
        _ kernel: @escaping (bss_dtype, _ shift: UInt64, UnsafeMutableRawPointer, Int64) -> Int32
    ) throws {
        let call = try KernelCall(operation, out)
        let count = out.elementCount
        let memory = try call.memory(out, count)
        let draws = KernelCall.draws(key: key)
        try run(name, writes: count, { kernel(call.dtype.c, draws?.shift ?? 0, memory, Int64(count)) })
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
