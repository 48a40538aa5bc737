import BSSBackend
import BSSCPU
import BSSCore
import BSSTensor
import Testing
import _BSSTestSupport

/// The door between arrays and kernels: what a kernel is not written for never reaches it.
@Suite(.oneAtATime) struct KernelCallTests {
    private let cpu = CPUBackend.shared

    private func view(_ shape: Shape, _ dtype: DType) throws -> ArrayView {
        try Tensor.zeros(shape, dtype).view
    }

    @Test("float kernels refuse integers and bools", arguments: [DType.int64, .bool])
    func dtypes(dtype: DType) throws {
        let x = try view([4, 5], dtype)
        let out = try view([4, 5], dtype)
        let calls: [(String, () throws -> Void)] = [
            ("randn", { try cpu.randomNormal(key: 1, block: 0, mean: 0, std: 1, out: out) }),
            ("rand", { try cpu.randomUniform(key: 1, block: 0, low: 0, high: 1, out: out) }),
            ("mask", { try cpu.randomMask(key: 1, block: 0, p: 0.5, value: 1, out: out) }),
            ("softmax", { try cpu.softmax(x, log: false, out: out) }),
            ("logsumexp", { try cpu.logSumExp(x, out: view([4], dtype)) }),
            ("exp", { try cpu.unary(.exp, x, 0, 0, out: out) }), ("squares", { try cpu.sumOfSquares([x], out: out) }),
            ("statistics", { try cpu.batchStatistics(x, mean: view([5], .float64), variance: view([5], .float64)) }),
        ]
        for (name, call) in calls { #expect(throws: BSSError.self, "\(name) of \(dtype.name)") { try call() } }
    }

    @Test("results of another dtype, shape or size are refused before anything is written")
    func sizes() throws {
        let x = try view([4, 5], .float32)
        let calls: [(String, () throws -> Void)] = [
            ("shorter result", { try cpu.softmax(x, log: false, out: view([4, 4], .float32)) }),
            ("wider result", { try cpu.softmax(x, log: false, out: view([4, 5], .float64)) }),
            ("another shape", { try cpu.binary(.add, x, x, out: view([5, 4], .float32)) }),
            (
                "indices of another type",
                { try cpu.sort(x, descending: false, values: nil, indices: view([4, 5], .float64)) }
            ),
            (
                "statistics in f32",
                { try cpu.batchStatistics(x, mean: view([5], .float32), variance: view([5], .float64)) }
            ),
            (
                "a matrix that ends early",
                {
                    try cpu.gemm(
                        transposeA: false, transposeB: false, m: 4, n: 5, k: 6, alpha: 1, a: x, lda: 5, strideA: 0,
                        b: view([6, 5], .float32), ldb: 5, strideB: 0, beta: 0, out: view([4, 5], .float32), ldc: 5,
                        strideC: 0,
                        batch: 1)
                }
            ),
            (
                "a view beyond its memory",
                {
                    var beyond = x
                    beyond.offset = 1
                    try cpu.unary(.neg, beyond, 0, 0, out: view([4, 5], .float32))
                }
            ),
            ("gaps", { try cpu.softmax(x.broadcast(to: [2, 4, 5]), log: false, out: view([2, 4, 5], .float32)) }),
        ]
        for (name, call) in calls { #expect(throws: BSSError.self, "\(name)") { try call() } }
    }

    @Test("sizes that no memory holds are one clear error that names both")
    func memory() throws {
        for shape in [[1 << 30, 1 << 20], [1 << 31, 1 << 31]] as [Shape] {
            let error = #expect(throws: BSSError.self) { try Tensor.zeros(shape) }
            let text = error?.description ?? ""
            #expect(text.contains("GiB") && text.contains("free") || text.contains("too many elements"), "\(text)")
        }
        #expect(throws: BSSError.self) { try Memory.array(1 << 50, "test") { $0 } }
        #expect(try Memory.array(3, "test") { $0 * 2 } == [0, 2, 4])
        #expect(Memory.available > 1 << 20)
        #expect(
            [Int(saturating: .nan), Int(saturating: 1e300), Int(saturating: -.infinity), Int(saturating: -2.9)] == [
                0, 1 << 53, -(1 << 53), -2,
            ])
    }

    @Test("integers of scripts are bounded unless declared otherwise")
    func bounds() throws {
        func decode(_ argument: Argument<Int>, _ value: Int) throws {
            _ = try argument.decode(.int(value), operation: "f")
        }
        let plain = Argument<Int>("n", "count")
        let least = Argument<Int>("n", "count", check: .atLeast(1))
        let seed = Argument<Int>("seed", "seed", check: .anyInteger)
        try decode(plain, 1 << 30)
        try decode(seed, .min)
        for value in [Int.max, .min, 1 << 40] {
            #expect(throws: BSSError.self) { try decode(plain, value) }
            #expect(throws: BSSError.self) { try decode(least, value) }
        }
        let lists = Argument<[Int]>("n", "counts")
        #expect(throws: BSSError.self) { try lists.decode(.list([.int(1), .int(.max)]), operation: "f") }
        let optional = Argument<Int?>("n", default: nil, "count")
        #expect(throws: BSSError.self) { try optional.decode(.int(.max), operation: "f") }
    }
}
