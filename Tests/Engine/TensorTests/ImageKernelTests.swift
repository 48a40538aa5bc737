import BSSBackend
import BSSCPU
import BSSCore
import BSSTensor
import Testing
import _BSSTestSupport

/// The fast paths of image networks: convolution of every kind against double precision, batch norm fused with what
/// follows.
@Suite(.oneAtATime) struct ImageKernelTests {
    private func numbers(_ shape: Shape, _ seed: Int) throws -> Tensor {
        try GradientCheck.irregular(shape, seed: seed).converted(to: .float32)
    }

    struct Kind { let x: Shape, weight: Shape, stride: Int, padding: Int }

    /// Shapes that reach every path: minimal filtering with shared and with gathered gradients, odd maps, no and wide
    /// padding; strided, pointwise and stem kernels; maps too small and channels unfit for the fast ones.
    static let kinds = [
        Kind(x: [8, 32, 23, 22], weight: [48, 32, 3, 3], stride: 1, padding: 1),
        Kind(x: [6, 160, 15, 13], weight: [128, 160, 3, 3], stride: 1, padding: 1),
        Kind(x: [8, 32, 25, 24], weight: [16, 32, 3, 3], stride: 1, padding: 0),
        Kind(x: [8, 32, 21, 20], weight: [32, 32, 3, 3], stride: 1, padding: 2),
        Kind(x: [4, 64, 15, 14], weight: [96, 64, 3, 3], stride: 2, padding: 1),
        Kind(x: [4, 64, 15, 14], weight: [96, 64, 1, 1], stride: 2, padding: 0),
        Kind(x: [4, 64, 9, 9], weight: [130, 64, 1, 1], stride: 1, padding: 0),
        Kind(x: [3, 3, 45, 38], weight: [64, 3, 7, 7], stride: 2, padding: 3),
        Kind(x: [3, 1, 45, 38], weight: [16, 1, 7, 7], stride: 2, padding: 3),
        Kind(x: [2, 32, 5, 5], weight: [32, 32, 3, 3], stride: 1, padding: 1),
        Kind(x: [7, 20, 19, 18], weight: [33, 20, 3, 3], stride: 1, padding: 1),
        Kind(x: [7, 20, 19, 18], weight: [33, 20, 3, 3], stride: 2, padding: 1),
        Kind(x: [1, 8, 6, 150], weight: [24, 8, 5, 5], stride: 3, padding: 2),
    ]

    /// y, dx, dw and db of Σ y · r.
    private func passes(_ kind: Kind, _ dtype: DType) throws -> [[Double]] {
        let x = try numbers(kind.x, 1).converted(to: dtype).requiringGradient()
        let w = try numbers(kind.weight, 2).converted(to: dtype).requiringGradient()
        let b = try numbers([kind.weight[0]], 3).converted(to: dtype).requiringGradient()
        let y = try x.convolution(w, bias: b, stride: [kind.stride], padding: [kind.padding])
        let gradients = try (y * numbers(y.shape, 4).converted(to: dtype)).sum().backward()
        return try [y, gradients[x]!, gradients[w]!, gradients[b]!].map { try $0.values(Double.self) }
    }

    @Test func convolutionIsExactToRounding() throws {
        for kind in Self.kinds {
            for (name, (got, exact)) in try zip(
                ["y", "dx", "dw", "db"], zip(passes(kind, .float32), passes(kind, .float64)))
            {
                let scale = exact.map { abs($0) }.max()!
                let worst = zip(got, exact).map { abs($0 - $1) }.max()!
                #expect(worst <= 1.5e-6 * scale, "\(kind): \(name) is off by \(worst / scale) of its largest element")
            }
        }
    }

    @Test func bitsDoNotDependOnThreads() throws {
        defer { CPUBackend.setThreads(1) }
        for kind in Self.kinds {
            CPUBackend.setThreads(1)
            let one = try passes(kind, .float32)
            for threads in [2, 3] {
                CPUBackend.setThreads(threads)
                #expect(
                    try passes(kind, .float32).map { $0.map(\.bitPattern) } == one.map { $0.map(\.bitPattern) },
                    "\(kind), \(threads) threads")
            }
        }
    }

    // MARK: Batch norm

    /// Fused and by parts: (output, gradients of x, residual, weight, bias).
    private func normalised(_ shape: Shape, residual: Bool, relu: Bool, training: Bool, fused: Bool) throws -> [Tensor]
    {
        let x = try numbers(shape, 1).requiringGradient()
        let added = try numbers(shape, 2).requiringGradient()
        let w = try numbers([shape[1]], 3).adding(1).requiringGradient()
        let b = try numbers([shape[1]], 4).requiringGradient()
        let mean = try numbers([shape[1]], 5)
        let variance = try numbers([shape[1]], 6).square().adding(0.5)
        func norm(_ residual: Tensor?, _ epilogue: Epilogue) throws -> Tensor {
            training
                ? try x.batchNormalized(weight: w, bias: b, adding: residual, epilogue: epilogue).output
                : try x.batchNormalized(
                    mean: mean, variance: variance, weight: w, bias: b, adding: residual, epilogue: epilogue)
        }
        var y: Tensor
        if fused {
            y = try norm(residual ? added : nil, relu ? .relu : .none)
        } else {
            y = try norm(nil, .none)
            if residual { y = try y + added }
            if relu { y = try y.relu() }
        }
        let gradients = try (y * numbers(shape, 7)).sum().backward()
        return [y] + [x, added, w, b].compactMap { gradients[$0] }
    }

    @Test func fusedBatchNormEqualsItsParts() throws {
        for shape in [[6, 40, 9, 7], [3, 5, 4, 4], [4, 300, 3, 3], [50, 3, 2, 1]] as [Shape] {
            for (residual, relu, training) in [
                (true, true, true), (true, false, true), (false, true, true), (true, true, false), (false, true, false),
            ] {
                let fused = try normalised(shape, residual: residual, relu: relu, training: training, fused: true)
                let parts = try normalised(shape, residual: residual, relu: relu, training: training, fused: false)
                #expect(fused.count == parts.count && fused.count == (residual ? 5 : 4))
                for (a, b) in zip(fused, parts) {
                    #expect(
                        zip(try a.values(Double.self), try b.values(Double.self)).allSatisfy {
                            abs($0 - $1) <= 1e-5 * (1 + abs($1))
                        }, "\(shape) \(residual) \(relu) \(training)")
                }
            }
        }
    }

    @Test func fusedBatchNormHasTheDerivativeOfItsValue() throws {
        let inputs = try [
            GradientCheck.irregular([3, 4, 3, 3], seed: 1), GradientCheck.irregular([3, 4, 3, 3], seed: 2),
            GradientCheck.irregular([4], seed: 3, offset: 1), GradientCheck.irregular([4], seed: 4),
        ]
        for residual in [true, false] {
            let failures = try GradientCheck().mismatches(residual ? inputs : [inputs[0], inputs[2], inputs[3]]) { t in
                [
                    try t[0].batchNormalized(
                        weight: t[t.count - 2], bias: t[t.count - 1], adding: residual ? t[1] : nil, epilogue: .relu
                    ).output
                ]
            }
            #expect(failures.isEmpty, "\(failures)")
        }
    }

    @Test func residualsOfAnotherShapeAreExplained() throws {
        #expect(throws: BSSError.self) {
            _ = try self.numbers([2, 3, 4, 4], 1).batchNormalized(
                weight: nil, bias: nil, adding: self.numbers([2, 3, 4, 5], 2))
        }
    }
}
