import BSSBackend
import BSSCore
import BSSTensor
import Glibc
import Testing
import _BSSEmulatedCard
import _BSSTestSupport

@testable import BSSCUDA

/// Products by cuBLAS and by own kernels, in every precision: one is the other's oracle.
@Suite(.oneAtATime) struct GPUProductTests {
    /// A product of float32 factors that precision rounds, and what it costs.
    private func product(
        _ card: CUDABackend, by library: Bool, _ precision: Precision, _ dtype: DType
    ) throws
        -> [[Double]]
    {
        card.usesLibraries = library
        defer { card.usesLibraries = false }
        return try card.with(precision) {
            var results: [[Double]] = []
            for (m, n, k, batch) in [(64, 30, 100, 1), (5, 7, 3, 4), (1, 1, 70, 1), (33, 129, 65, 1)] {
                for turns in 0..<4 {
                    let a = try normal(turns & 1 == 0 ? [batch, m, k] : [batch, k, m], 1, dtype)
                    let b = try normal(turns & 2 == 0 ? [batch, k, n] : [batch, n, k], 2, dtype)
                    let left = try turns & 1 == 0 ? a : a.transposed(1, 2)
                    let right = try turns & 2 == 0 ? b : b.transposed(1, 2)
                    results.append(try left.matmul(right).values(Double.self))
                }
            }
            let x = try normal([40, 50], 3, dtype), weight = try normal([50, 20], 4, dtype)
            let bias = try normal([20], 5, dtype)
            for activation in [Epilogue.none, .relu] {
                let out = try Tensor.allocate([40, 20], dtype, on: card)
                try card.gemmBias(
                    transposeA: false, transposeB: false, m: 40, n: 20, k: 50, a: x.view, lda: 50, b: weight.view,
                    ldb: 20, bias: bias.view, epilogue: activation, out: out, ldc: 20)
                results.append(try Tensor(out).values(Double.self))
            }
            return results
        }
    }

    private func normal(_ shape: Shape, _ key: UInt64, _ dtype: DType) throws -> Tensor {
        let out = try Tensor.allocate(shape, dtype, on: Devices.current)
        try Devices.current.randomNormal(key: key, block: 0, mean: 0, std: 1, out: out)
        return Tensor(out)
    }

    private func distance(_ a: [[Double]], _ b: [[Double]]) -> Double {
        zip(a.joined(), b.joined()).reduce(0) { max($0, abs($1.0 - $1.1) / (1 + abs($1.0))) }
    }

    @Test("cuBLAS and own kernels agree in every precision, and a precision does what it says")
    func agree() throws {
        try EmulatedCard.run("products in every precision") { card in
            let exact = try product(card, by: false, .f32, .float32)
            for precision in Precision.allCases {
                let own = try product(card, by: false, precision, .float32)
                let before = card.products?.calls ?? 0, fused = card.products?.linear?.calls ?? 0
                let library = try product(card, by: true, precision, .float32)
                #expect((card.products?.calls ?? 0) - before == 18)
                #expect((card.products?.linear?.calls ?? 0) - fused == 2)
                #expect(distance(own, library) < 1e-5, "\(precision)")
                #expect(try product(card, by: true, precision, .float32) == library)
                // Fractions of 10 and 7 bits.
                let (least, most) =
                    [Precision.f32: (0, 0), .tf32: (1e-5, 1e-2), .bf16: (1e-4, 1e-1)][precision] ?? (0, 0)
                #expect((least...most).contains(distance(exact, own)), "\(precision) \(distance(exact, own))")
            }
            let doubles = try product(card, by: false, .bf16, .float64)
            #expect(distance(doubles, try product(card, by: true, .bf16, .float64)) < 1e-13)
            #expect(distance(doubles, try product(card, by: false, .f32, .float64)) == 0)
            #expect(card.precision == .f32)
        }
    }

    @Test("convolutions round their factors as products do")
    func convolution() throws {
        try EmulatedCard.run("convolutions in every precision") { card in
            func results(_ precision: Precision) throws -> [[Double]] {
                try card.with(precision) {
                    let x = try normal([2, 4, 9, 7], 1, .float32).requiringGradient()
                    let weight = try normal([6, 4, 3, 3], 2, .float32).requiringGradient()
                    let y = try x.convolution(weight, padding: [1])
                    let gradients = try (y * y).sum().backward()
                    return try [y, gradients[x], gradients[weight]].compactMap { try $0?.values(Double.self) }
                }
            }
            let exact = try results(.f32)
            #expect(exact.count == 3)
            for (precision, least, most) in [(Precision.tf32, 1e-5, 2e-3), (.bf16, 1e-4, 2e-2)] {
                for (one, other) in zip(exact, try results(precision)) {
                    let apart = zip(one, other).reduce(0) { max($0, abs($1.0 - $1.1)) }
                    let scale = one.reduce(0) { max($0, abs($1)) }
                    #expect((least...most).contains(apart / scale), "\(precision)")
                }
            }
        }
    }

    @Test("a card without cuBLAS multiplies by own kernels, and says so")
    func absent() throws {
        try EmulatedCard.run("products without cuBLAS") { card in
            #expect(card.summary.contains("cuBLAS 12.9"))
            setenv("BSS_CUDA_BLAS", "none", 1)
            defer { unsetenv("BSS_CUDA_BLAS") }
            let error = #expect(throws: BSSError.self) { try ProductLibrary(card.card, card.stream) }
            #expect(error?.message.contains("cuBLAS is left out by BSS_CUDA_BLAS=none") == true)
        }
    }
}
