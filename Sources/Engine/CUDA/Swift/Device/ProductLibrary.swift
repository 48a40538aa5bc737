import BSSBackend
import BSSCore
import CBSSCUDA

/// cuBLAS on one card and one stream. Its memory is given to it once, so that it allocates nothing while a step is
/// captured, and so that the same call gives the same bits (cuBLAS manual, "Results reproducibility").
final class ProductLibrary {
    private let handle: cublasHandle
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
        self.handle = handle
        var version: Int32 = 0
        try ProductLibrary.check(bss_cublas_version(handle, &version))
        // 12.9.1 is 120901; 11 and before have other numbers, and are not looked for.
        self.version = Int(version)
        try ProductLibrary.check(bss_cublas_set_stream(handle, stream))
        // As much as NVIDIA recommends for the card's generation.
        let bytes = card.capability.major >= 9 ? 32 << 20 : 8 << 20
        var workspace: CUdeviceptr = 0
        try Driver.check(bss_cuda_allocate(&workspace, bytes), "cuBLAS")
        try ProductLibrary.check(
            bss_cublas_set_workspace(handle, UnsafeMutableRawPointer(bitPattern: UInt(workspace)), bytes))
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
        switch x.precision {
        case .f32: return try call(float, 68, Float.self)
        case .tf32: return try call(float, 77, Float.self)
        case .bf16: return try call(float, 75, Float.self)
        }
    }

    private static func check(_ status: Int32) throws {
        if status != 0 { throw BSSError("matmul", "cuBLAS answers with status \(status)", kind: .device) }
    }
}
