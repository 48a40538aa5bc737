import BSSBackend
import BSSCore
import CBSSCUDA

/// cuBLAS on one card and one stream. Its memory is given to it once, so that it allocates nothing while a step is
/// captured, and so that the same call gives the same bits (cuBLAS manual, "Results reproducibility").
final class ProductLibrary {
    private let handle: cublasHandle
    private let stream: CUstream
    /// Of cublasLt, which comes with cuBLAS; nil: bias and ReLU are a kernel of their own.
    let linear: LinearLibrary?
    private let workspace: Address?
    private let workspaceSize: Int
    private let version: Int
    /// "cuBLAS 12.9"
    var summary: String { "cuBLAS \(version / 10_000).\(version % 10_000 / 100)" }
    /// Products so far.
    private(set) var calls = 0

    /// - Throws: kind `.device`: it is not there, not wanted (`BSS_CUDA_BLAS=none`), or refuses the card.
    init(_ card: GraphicsCard, _ stream: CUstream) throws {
        _ = try NVIDIALibrary.products.open(driverMajor: card.driverVersion / 1000)
        var handle: cublasHandle?
        try ProductLibrary.check(bss_cublas_create(&handle))
        guard let handle else { throw BSSError("cuBLAS", "gave no handle", kind: .device) }
        (self.handle, self.stream) = (handle, stream)
        var version: Int32 = 0
        try ProductLibrary.check(bss_cublas_version(handle, &version))
        // 12.9.1 is 120901; 11 and before have other numbers, and are not looked for.
        self.version = Int(version)
        try ProductLibrary.check(bss_cublas_set_stream(handle, stream))
        // As much as NVIDIA recommends for the card's generation.
        let bytes = card.capability.major >= 9 ? 32 << 20 : 8 << 20
        var workspace: CUdeviceptr = 0
        try Driver.check(bss_cuda_allocate(&workspace, bytes), "cuBLAS")
        (self.workspace, workspaceSize) = (Address(bitPattern: UInt(workspace)), bytes)
        // Nothing depends on it.
        linear = try? LinearLibrary(card)
        try ProductLibrary.check(bss_cublas_set_workspace(handle, self.workspace, bytes))
    }

    /// Row-major matrices as their column-major transposes: C' = B' A'.
    struct Product {
        var transposeA, transposeB: Bool
        var numbers: bss_product
        var dtype: DType
        var precision: Precision
        var batch: Int
        var a, b, out: UnsafeMutableRawPointer

        /// Rows that overlap, or sizes beyond 32 bits, are for own kernels.
        var isForLibrary: Bool {
            let p = numbers
            let (widthA, widthB) = (transposeA ? p.m : p.k, transposeB ? p.k : p.n)
            let sizes = [p.m, p.n, p.k, p.lda, p.ldb, p.ldc]
            return p.lda >= widthA && p.ldb >= widthB && p.ldc >= p.n && sizes.allSatisfy { 0 < $0 && $0 < 1 << 31 }
        }
    }

    /// Enqueues it.
    func multiply(_ x: Product) throws -> Int32 {
        let p = x.numbers
        calls += 1
        func call<F: BinaryFloatingPoint & BitwiseCopyable>(_ kind: Int32, _ compute: Int32, _: F.Type) throws -> Int32
        {
            var (alpha, beta) = (F(p.alpha), F(p.beta))
            let defaultAlgorithm: Int32 = -1
            try ProductLibrary.check(
                bss_cublas_gemm(
                    handle, x.transposeB ? 1 : 0, x.transposeA ? 1 : 0, Int32(p.n), Int32(p.m), Int32(p.k), &alpha,
                    x.b, kind, Int32(p.ldb), p.stride_b, x.a, kind, Int32(p.lda), p.stride_a, &beta, x.out, kind,
                    Int32(p.ldc), p.stride_c, Int32(x.batch), compute, defaultAlgorithm))
            return 0
        }
        let (float, double): (Int32, Int32) = (0, 1)
        if x.dtype == .float64 { return try call(double, 70, Double.self) }
        return try call(float, ProductLibrary.compute(x.precision), Float.self)
    }

    /// What enqueues the product with its bias and ReLU as one kernel; nil: cublasLt does not.
    func fused(_ x: Product, bias: Address?) -> (() throws -> Int32)? {
        let areAligned = [x.a, x.b, x.out, bias].allSatisfy { $0.map { UInt(bitPattern: $0) % 16 == 0 } ?? true }
        guard x.dtype == .float32, x.batch == 1, areAligned, let linear else { return nil }
        let request = bss_linear_request(
            product: x.numbers, turn_a: x.transposeA, turn_b: x.transposeB, has_bias: bias != nil,
            compute: ProductLibrary.compute(x.precision), most_workspace: Int64(workspaceSize))
        guard let found = linear.find(request) else { return nil }
        return { [self] in
            calls += 1
            try ProductLibrary.check(linear.run(found, x.a, x.b, bias, x.out, workspace, stream))
            return 0
        }
    }

    private static func compute(_ precision: Precision) -> Int32 {
        switch precision {
        case .f32: return 68
        case .tf32: return 77
        case .bf16: return 75
        }
    }

    private static func check(_ status: Int32) throws {
        if status != 0 { throw BSSError("matmul", "cuBLAS answers with status \(status)", kind: .device) }
    }
}
