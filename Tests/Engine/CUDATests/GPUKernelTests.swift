import BSSBackend
import BSSCPU
import BSSTensor
import Testing
import _BSSEmulatedCard
import _BSSTestSupport

/// Kernels whose bits are promised: those of the CPU, or the same whatever the order of threads and blocks.
@Suite(.oneAtATime) struct GPUKernelTests {
    @Test("random numbers are the CPU's bit for bit")
    func random() throws {
        try EmulatedCard.run("random numbers") { card in
            for dtype in [DType.float32, .float64] {
                for count in [1, 3, 1003] {
                    func drawn(_ backend: any Backend) throws -> [[Double]] {
                        func values(_ fill: (ArrayView) throws -> Void) throws -> [Double] {
                            let out = try Tensor.allocate([count], dtype, on: backend)
                            try fill(out)
                            return try Tensor(out).values(Double.self)
                        }
                        return [
                            try values {
                                try backend.randomUniform(key: 0x1234_5678_9abc, block: 42, low: -1, high: 3, out: $0)
                            },
                            try values {
                                try backend.randomNormal(key: 99, block: 1 << 40, mean: 2, std: 0.5, out: $0)
                            },
                            try values { try backend.randomMask(key: 7, block: 3, p: 0.9, value: 1 / 0.9, out: $0) },
                        ]
                    }
                    let (here, there) = (try drawn(card), try drawn(CPUBackend.shared))
                    #expect(here == there, "\(dtype.name) \(count)")
                }
            }
        }
    }

    @Test("the order of threads and blocks changes no bit")
    func orders() throws {
        try EmulatedCard.run("orders of threads and blocks") { card in
            let results = try EmulatedCard.Order.allCases.map { order in
                EmulatedCard.set(order)
                return try everything().flatMap { try $0.values(Double.self).map(\.bitPattern) }
            }
            EmulatedCard.set(.forward)
            #expect(results[0] == results[1])
            #expect(results[0] == results[2])
            #expect(results[0].count > 10_000)
        }
    }

    /// Results of every kernel in which threads of a block meet; scripts/gpu-mutants takes their barriers away.
    private func everything() throws -> [Tensor] {
        let x = try normal([70, 1500], 1), few = try normal([70, 40], 2), image = try normal([3, 8, 9, 7], 3)
        let rows = try Tensor.from((0..<200).map { ($0 * 31 + $0 / 7) % 50 })
        let weight = try normal([6, 4, 3, 3], 4), gain = try normal([1500], 5), channel = try normal([8], 6)
        var results = [
            try x.sum(), try x.sum([0]), try x.sum([1]), try x.argExtremum(.argmax, 1), try x.sorted().values,
            try x.argsorted(), try normal([20_000], 7).sum(), try normal([2, 600], 8).argsorted(),
        ]
        let target = try Tensor.from((0..<70).map { $0 % 40 })
        try add(&results, few) { try $0.softmax(axis: -1) }
        try add(&results, x) { try $0.softmax(axis: -1) }
        try add(&results, x) { try $0.softmax(axis: -1, log: true) }
        try add(&results, x) { try $0.logSumExp([1]) }
        try add(&results, x) { try Tensor.crossEntropy($0, target, labelSmoothing: 0.1) }
        try add(&results, x) { try $0.layerNormalized(over: [1500], weight: gain, bias: gain) }
        try add(&results, image) {
            try $0.batchNormalized(weight: channel, bias: channel, epilogue: .relu).output
        }
        try add(&results, try normal([50, 33], 9)) { try $0.indexSelect(0, rows) }
        for (turnA, turnB) in [(false, false), (false, true), (true, false), (true, true)] {
            let a = try turnA ? normal([35, 70], 10).transposed(0, 1) : normal([70, 35], 10)
            let b = try turnB ? normal([90, 35], 11).transposed(0, 1) : normal([35, 90], 11)
            try add(&results, a) { try $0.matmul(b) }
        }
        try add(&results, weight) { try image.convolution($0, padding: [1], groups: 2) }
        try add(&results, image) { try $0.convolution(weight, stride: [2], groups: 2) }
        return results
    }

    private func normal(_ shape: Shape, _ key: UInt64) throws -> Tensor {
        let out = try Tensor.allocate(shape, .float32, on: Devices.current)
        try Devices.current.randomNormal(key: key, block: 0, mean: 0, std: 1, out: out)
        return Tensor(out)
    }

    /// f(x) and the gradient of Σ f(x)² with respect to x.
    private func add(_ results: inout [Tensor], _ x: Tensor, _ f: (Tensor) throws -> Tensor) throws {
        let leaf = try x.contiguous().requiringGradient(), y = try f(leaf)
        results.append(y.detached)
        if let gradient = try (y * y).sum().backward()[leaf] { results.append(gradient) }
    }
}
