import BSSBackend
import BSSCPU
import BSSCore
import BSSTensor
import Testing
import _BSSTestSupport

/// Attention of heads that lie side by side against the composed operation, and against finite differences.
@Suite(.oneAtATime) struct HeadAttentionTests {
    private struct Setting: CustomTestStringConvertible {
        var batch = 2, length = 5, span = 5, heads = 2, width = 3
        var hidden: [Int] = []
        var isCausal = false
        var dropout = 0.0
        var testDescription: String {
            "\(batch)×\(length)×\(span), \(heads) heads of \(width), \(hidden.count) keys hidden"
                + (isCausal ? ", causal" : "") + (dropout > 0 ? ", dropout" : "")
        }

        func keys() throws -> Tensor? {
            hidden.isEmpty
                ? nil : try Tensor.from((0..<batch * span).map { hidden.contains($0) ? 0.0 : 1.0 }, [batch, span])
        }
        func inputs() throws -> [Tensor] {
            let e = heads * width
            return try [[batch, length, e], [batch, span, e], [batch, span, e]].enumerated().map {
                try GradientCheck.irregular(Shape($1), seed: $0 + 1, scale: 1.5)
            }
        }
        func attention(_ t: [Tensor]) throws -> Tensor {
            var stream = RandomStream(seed: 5, name: "attention")
            return try Tensor.headAttention(
                t[0], t[1], t[2], heads: heads, keys: keys(), isCausal: isCausal, dropout: dropout, using: &stream)
        }
    }

    private static let settings = [
        Setting(), Setting(length: 3, span: 7), Setting(batch: 3, length: 1, span: 4, heads: 3, width: 1),
        Setting(hidden: [3, 4, 9]), Setting(isCausal: true),
        Setting(hidden: [4, 8, 9], isCausal: true), Setting(length: 6, span: 6, dropout: 0.4),
        Setting(batch: 1, length: 17, span: 17, heads: 1, width: 20, hidden: [16], isCausal: true),
    ]

    @Test(arguments: settings.indices) func slopes(_ i: Int) throws {
        let setting = Self.settings[i]
        #expect(try GradientCheck().mismatches(setting.inputs()) { [try setting.attention($0)] } == [], "\(setting)")
    }

    @Test(arguments: settings.indices) func equalsTheComposedOperation(_ i: Int) throws {
        let setting = Self.settings[i]
        let t = try setting.inputs()
        guard setting.dropout == 0 else { return }
        func split(_ x: Tensor) throws -> Tensor {
            try x.reshaped([x.shape[0], x.shape[1], setting.heads, setting.width]).transposed(1, 2)
        }
        let mask = try setting.keys()?.reshaped([setting.batch, 1, 1, setting.span]).converted(to: .bool)
        let wanted = try Tensor.attention(split(t[0]), split(t[1]), split(t[2]), mask: mask, isCausal: setting.isCausal)
            .output.transposed(1, 2)
            .reshaped(t[0].shape).values(Double.self)
        let got = try setting.attention(t).values(Double.self)
        #expect(zip(got, wanted).allSatisfy { abs($0 - $1) < 1e-12 })
        // Rows with gaps, as a joined projection has them, are read in place.
        let joined = try Tensor.concatenated([t[0], t[0]], axis: 2).sliced(2, from: 0, to: t[0].shape[2])
        #expect(try setting.attention([joined, t[1], t[2]]).values(Double.self) == got)
    }

    @Test func sameBitsOnAnyNumberOfThreads() throws {
        var results: [[Float]] = []
        defer { CPUBackend.setThreads(CPUBackend.processorCount) }
        for threads in [1, 2, 3, 7] {
            CPUBackend.setThreads(threads)
            let t = try (0..<3).map {
                try GradientCheck.irregular([3, 40, 48], seed: $0).converted(to: .float32).requiringGradient()
            }
            var stream = RandomStream(seed: 5, name: "attention")
            let y = try Tensor.headAttention(t[0], t[1], t[2], heads: 4, dropout: 0.1, using: &stream)
            let gradients = try y.multiplied(by: y).sum().backward()
            results.append(try y.values(Float.self) + t.flatMap { try gradients[$0]!.values(Float.self) })
        }
        #expect(results.allSatisfy { $0.map(\.bitPattern) == results[0].map(\.bitPattern) })
    }

    @Test func dropoutKeepsTheMean() throws {
        let ones = try Tensor.ones([4, 64, 32])
        var stream = RandomStream(seed: 9, name: "attention")
        let y = try Tensor.headAttention(ones, ones, ones, heads: 2, dropout: 0.25, using: &stream)
        #expect(abs(try y.mean().item() - 1) < 0.02)
    }

    @Test func shapesThatDoNotFit() throws {
        var stream = RandomStream(seed: 1, name: "x")
        let x = try Tensor.ones([2, 3, 4])
        let y = try Tensor.ones([2, 3, 5])
        #expect(throws: BSSError.self) { try Tensor.headAttention(x, y, y, heads: 2, using: &stream) }
        #expect(throws: BSSError.self) { try Tensor.headAttention(x, x, x, heads: 3, using: &stream) }
        #expect(throws: BSSError.self) { try Tensor.headAttention(x, x, x, heads: 0, using: &stream) }
        #expect(throws: BSSError.self) {
            try Tensor.headAttention(x, x, x, heads: 2, keys: Tensor.ones([2, 4]), using: &stream)
        }
        #expect(throws: BSSError.self) {
            try Tensor.headAttention(x, x.converted(to: .float64), x.converted(to: .float64), heads: 2, using: &stream)
        }
    }
}
