import BSSBackend
import CBSSCUDA

// Matrix products: gemm.cu.h.

extension CUDABackend {
    public func gemm(
        transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int, alpha: Double, a: ArrayView, lda: Int, strideA: Int,
        b: ArrayView, ldb: Int, strideB: Int, beta: Double, out: ArrayView, ldc: Int, strideC: Int, batch: Int
    ) throws {
        let call = try KernelCall("matmul", out)
        let ((rowsA, columnsA), (rowsB, columnsB)) = (transposeA ? (k, m) : (m, k), transposeB ? (n, k) : (k, n))
        let left = try call.matrices(
            a, rows: rowsA, columns: columnsA, leading: lda, batch: batch, step: strideA)
        let right = try call.matrices(
            b, rows: rowsB, columns: columnsB, leading: ldb, batch: batch, step: strideB)
        let result = try call.matrices(out, rows: m, columns: n, leading: ldc, batch: batch, step: strideC)
        var product = bss_product(m: m, n: n, k: k, lda: lda, ldb: ldb, ldc: ldc, alpha: alpha, beta: beta)
        (product.stride_a, product.stride_b, product.stride_c) = (Int64(strideA), Int64(strideB), Int64(strideC))
        try runKept("matmul", writes: out.elementCount) {
            // A grid is at most 65535 deep.
            for first in stride(from: 0, to: batch, by: 32_768) {
                func moved(_ pointer: UnsafeMutableRawPointer, _ step: Int) -> UnsafeMutableRawPointer {
                    pointer + first * step * call.dtype.byteSize
                }
                try multiply(
                    transposeA, transposeB, product, call.dtype, min(batch - first, 32_768), moved(left, strideA),
                    moved(right, strideB), nil, moved(result, strideC))
            }
            return 0
        }
    }

    public func gemmBias(
        transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int, a: ArrayView, lda: Int, b: ArrayView, ldb: Int,
        bias: ArrayView?, epilogue: Epilogue, out: ArrayView, ldc: Int
    ) throws {
        let call = try KernelCall("linear", out)
        let ((rowsA, columnsA), (rowsB, columnsB)) = (transposeA ? (k, m) : (m, k), transposeB ? (n, k) : (k, n))
        let left = try call.matrices(a, rows: rowsA, columns: columnsA, leading: lda)
        let right = try call.matrices(b, rows: rowsB, columns: columnsB, leading: ldb)
        let result = try call.matrices(out, rows: m, columns: n, leading: ldc)
        let offsets = try call.memory(ifAny: bias, n)
        var product = bss_product(m: m, n: n, k: k, lda: lda, ldb: ldb, ldc: ldc, alpha: 1, beta: 0)
        product.relu = epilogue == .relu ? 1 : 0
        try runKept(
            epilogue == .relu ? "linear relu" : "linear", writes: out.elementCount,
            multiply(transposeA, transposeB, product, call.dtype, 1, left, right, offsets, result))
    }

    @discardableResult
    private func multiply(
        _ turnA: Bool, _ turnB: Bool, _ product: bss_product, _ dtype: DType, _ batch: Int,
        _ a: UnsafeMutableRawPointer, _ b: UnsafeMutableRawPointer, _ bias: UnsafeMutableRawPointer?,
        _ out: UnsafeMutableRawPointer
    ) throws -> Int32 {
        if usesLibraries, let products {
            let wanted = ProductLibrary.Product(
                transposeA: turnA, transposeB: turnB, numbers: product, dtype: dtype, precision: precision,
                batch: batch, a: a, b: b, out: out)
            if wanted.isForLibrary {
                try enter()
                if bias != nil || product.relu != 0, let fused = products.fused(wanted, bias: bias) {
                    KernelCall.add(fused, on: self)
                    return try fused()
                }
                func start() throws -> Int32 { try products.multiply(wanted) }
                KernelCall.add(start, on: self)
                _ = try start()
                return try finish(product, bias, out, dtype)
            }
        }
        var product = product
        product.precision = code(dtype)
        let kernel = Kernel("gemm_\(turnA ? "t" : "n")\(turnB ? "t" : "n")", "gemm", dtype)
        return try launch(kernel, .tiles(Int(product.m), Int(product.n), batch), product, a, b, bias, out)
    }

    /// What cuBLAS leaves to do: bias and ReLU.
    private func finish(
        _ product: bss_product, _ bias: UnsafeMutableRawPointer?, _ out: UnsafeMutableRawPointer, _ dtype: DType
    ) throws -> Int32 {
        if bias == nil, product.relu == 0 { return 0 }
        return try launch(
            Kernel("gemm_epilogue", "gemm", dtype), elements(Int(product.m * product.n)), product, bias, out)
    }

    /// How own kernels round the factors of a product: 0 not at all, 1 to TF32, 2 to bfloat16.
    func code(_ dtype: DType) -> Int64 {
        if dtype != .float32 { return 0 }
        switch precision {
        case .f32: return 0
        case .tf32: return 1
        case .bf16: return 2
        }
    }

    public func linearBackward(grad: ArrayView, y: ArrayView?, out: ArrayView?, biasOut: ArrayView?) throws {
        let call = try KernelCall("linear", grad)
        let (rows, columns, leading) = (grad.shape[0], grad.shape[1], grad.strides[0])
        let source = try call.matrices(grad, rows: rows, columns: columns, leading: leading)
        let (mask, target) = (try call.memory(ifAny: y, rows * columns), try call.memory(ifAny: out, rows * columns))
        let bias = try call.memory(ifAny: biasOut, columns)
        try runKept("linear backward", writes: rows * columns) {
            var (passed, step) = (source, leading)
            if let mask, let target {
                let kernel = Kernel("relu_mask", "arithmetic", call.dtype)
                try launch(kernel, elements(rows * columns), source, leading, mask, rows, columns, target)
                (passed, step) = (target, columns)
            }
            guard let bias else { return 0 }
            try columnSums(passed, rows: rows, columns: columns, leading: step, call.dtype, out: bias)
            return 0
        }
    }
}

extension bss_product {
    fileprivate init(m: Int, n: Int, k: Int, lda: Int, ldb: Int, ldc: Int, alpha: Double, beta: Double) {
        self.init()
        (self.m, self.n, self.k) = (Int64(m), Int64(n), Int64(k))
        (self.lda, self.ldb, self.ldc) = (Int64(lda), Int64(ldb), Int64(ldc))
        (self.alpha, self.beta) = (alpha, beta)
    }
}
