import BSSBackend
import BSSCore
import CBSSCUDA

// What the card does at most, measured: the ceilings of peak.cu.h and of its library.

extension CUDABackend {
    /// The card, its driver and libraries, or for each that is not used, why.
    public var facts: [(name: String, text: String)] {
        func said<L>(_ library: Result<L, any Error>, _ summary: (L) -> String) -> String {
            switch library {
            case .success(let library): return summary(library)
            case .failure(let error):
                guard let error = error as? BSSError else { return "own kernels: \(error)" }
                return "own kernels: \(error.message)" + (error.hint.map { "; \($0)" } ?? "")
            }
        }
        return [
            ("name", card.summary), ("driver", "CUDA \(card.driverText)"), ("compiler", kernels.summary),
            ("products", said(productLibrary, \.summary)), ("convolutions", said(convolutionLibrary, \.summary)),
        ]
    }

    /// Gigabytes a second that a copy reads and writes; 10⁹ operations a second of multiply-adds in registers, and of
    /// products of matrices: in f32, and where cuBLAS is there in every precision.
    public func peaks() throws -> [(name: String, value: Double)] {
        var peaks = [("copy_gb_per_second", try copyRate()), ("multiply_add_gflops", try multiplyAddRate())]
        for precision in Precision.allCases where precision == .f32 || products != nil {
            peaks.append(("product_\(precision)_gflops", try with(precision) { try productRate() }))
        }
        return peaks.map { ($0, $1 / 1e9) }
    }

    private func copyRate() throws -> Double {
        // More than a cache of the card holds.
        let size = max(card.memory / 64, 1 << 20)
        let (x, out) = (try scratch(size), try scratch(size))
        try fill(ArrayView(storage: x, shape: [size / 8], dtype: .int64), integer: 0)
        let kernel = Kernel("copy_words", "peak", .float32)
        return try rate(from: 1, to: 1, { _ in Double(2 * size) }) { _ in
            try launch(kernel, elements(size / 16), size / 16, x.address, out.address)
        }
    }

    private func multiplyAddRate() throws -> Double {
        let blocks = 8 * card.multiprocessors
        let out = try scratch(blocks * 256 * 4)
        return try rate(from: 16, to: 1 << 14, { Double(blocks * 256 * $0 * 16 * 2) }) { rounds in
            try launch(Kernel("multiply_adds", "peak", .float32), Grid(blocks), rounds, out.address)
        }
    }

    private func productRate() throws -> Double {
        var factors: [ArrayView] = []
        func made(_ n: Int) throws -> ArrayView {
            ArrayView(storage: try scratch(n * n * 4), shape: [n, n], dtype: .float32)
        }
        return try rate(from: 256, to: 8192, { 2 * Double($0) * Double($0) * Double($0) }) { n in
            if factors.first?.shape[0] != n {
                factors = try [made(n), made(n), made(n)]
                for factor in factors { try fill(factor, 0.5) }
            }
            try gemm(
                transposeA: false, transposeB: false, m: n, n: n, k: n, alpha: 1, a: factors[0], lda: n, strideA: 0,
                b: factors[1], ldb: n, strideB: 0, beta: 0, out: factors[2], ldc: n, strideC: 0, batch: 1)
        }
    }

    /// What `work` does in a second: it is made larger, then repeated, until the clock's steps do not count.
    private func rate(
        from least: Int, to most: Int, _ amount: (Int) -> Double, _ work: (Int) throws -> Void
    ) throws
        -> Double
    {
        var (size, repeats) = (least, 1)
        func seconds() throws -> Double {
            try synchronise()
            let start = Clock.seconds()
            for _ in 0..<repeats { try work(size) }
            try synchronise()
            return Clock.seconds() - start
        }
        _ = try seconds()  // compiles the kernel
        while size < most, try seconds() < 0.005 { size *= 2 }
        while repeats < 1024, try seconds() < 0.02 { repeats *= 2 }
        let best = try (0..<3).map { _ in try seconds() }.min() ?? 0
        return amount(size) * Double(repeats) / max(best, 1e-9)
    }
}
