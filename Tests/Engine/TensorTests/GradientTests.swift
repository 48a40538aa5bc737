import BSSBackend
import BSSCore
import BSSTensor
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct GradientTests {
    /// Every differentiable case of the reference numbers once more in f64: all operations with all their attributes.
    @Test func referenceCasesAgreeWithFiniteDifferences() throws {
        guard FixtureFolder.isPresent else { return FixtureFolder.reportAbsence("gradients") }
        var count = 0
        for item in try FixtureFolder.open().cases(group: "ops") {
            let names = item.arrays.map(\.name).filter { !item.arrays(role: "grad_of_\($0)").isEmpty }
            // The row of a padding index has no gradient by definition, whatever its slope.
            if names.isEmpty || item.attrs["padding_idx"]?.int != nil { continue }
            count += 1
            let doubles = try OpCase(item, dtype: .float64)
            let keys = item.arrays(role: "output").map(\.name)
            let failures = try GradientCheck(elements: 10).mismatches(names.map { try doubles($0).detached }) {
                leaves in
                let variant = doubles.replacing(Dictionary(uniqueKeysWithValues: zip(names, leaves)))
                let outputs = try ElementwiseOpCases.outputs(variant) ?? StructuredOpCases.outputs(variant) ?? [:]
                return keys.filter { item.has("g_\($0)") }.compactMap { outputs[$0] }
            }
            for failure in failures.prefix(3) { Issue.record("\(item.id): \(failure)") }
        }
        print("gradients: \(count) cases of group ops compared with finite differences")
        #expect(count > 0)
    }

    /// Elementwise functions that the reference numbers might leave out.
    @Test(
        arguments: UnaryOp.allCases.filter {
            !$0.yieldsBool && ![.trigamma, .sign, .floor, .ceil, .round].contains($0)
        })
    func unary(_ op: UnaryOp) throws {
        let needsPositive: Set<UnaryOp> = [.log, .log1p, .sqrt, .rsqrt, .reciprocal, .powScalar, .digamma, .lgamma]
        let x = try GradientCheck.irregular([17], seed: 3, offset: needsPositive.contains(op) ? 1.6 : 0, scale: 1.5)
        let (p0, p1): (Double, Double) = op == .clamp ? (-0.5, 0.7) : op == .powScalar ? (1.7, 0) : (1.3, 5)
        #expect(try GradientCheck().mismatches([x]) { [try $0[0].unary(op, p0, p1)] } == [])
    }

    @Test func flooredDivision() throws {
        let x = try GradientCheck.irregular([17], seed: 3, scale: 1.5)
        let y = try GradientCheck.irregular([17], seed: 4, offset: 2, scale: 0.5)
        #expect(try GradientCheck().mismatches([x, y]) { [try Tensor.binary(.remainder, $0[0], $0[1])] } == [])
        #expect(try GradientCheck().mismatches([x, y]) { [try Tensor.binary(.floorDivide, $0[0], $0[1])] } == [])
    }

    /// Finite differences cannot see it: the identity forward, a scaled gradient backward, each path by its own factor.
    @Test func scaledGradient() throws {
        let x = try GradientCheck.irregular([3, 4], seed: 5).requiringGradient()
        let y = x.scalingGradient(by: -0.25)
        #expect(try y.values(Double.self) == x.values(Double.self))
        let plain = try #require(try x.square().sum().backward()[x]).values(Double.self)
        let scaled = try #require(try y.square().sum().backward()[x]).values(Double.self)
        #expect(scaled == plain.map { $0 * -0.25 })
        let both = try #require(
            try (x.scalingGradient(by: 2).square() + x.square().scalingGradient(by: 0.5)).sum().backward()[x]
        ).values(Double.self)
        for (a, b) in zip(both, plain) { #expect(abs(a - 2.5 * b) < 1e-12) }
        #expect(try x.scalingGradient(by: 0).sum().backward()[x]?.values(Double.self) == Array(repeating: 0, count: 12))
        #expect(!Autograd.withoutRecording { x.scalingGradient(by: 2) }.requiresGradient)
    }

    private struct Case: CustomTestStringConvertible {
        let name: String
        let shapes: [Shape]
        let function: ([Tensor]) throws -> [Tensor]
        var testDescription: String { name }
    }

    /// What the reference numbers do not hold: gradients of masks, unused parts of a source, uncommon geometry.
    private static let more: [Case] = [
        Case(name: "attention, gradient of an added mask", shapes: [[2, 3, 4], [2, 5, 4], [2, 5, 3], [3, 5]]) {
            [try Tensor.attention($0[0], $0[1], $0[2], mask: $0[3]).output]
        },
        Case(name: "attention, causal with fewer keys than queries", shapes: [[1, 5, 2], [1, 3, 2], [1, 3, 2]]) {
            [try Tensor.attention($0[0], $0[1], $0[2], isCausal: true).output]
        },
        Case(name: "scatter_add, source larger than the index", shapes: [[3, 4], [5, 4]]) {
            [try $0[0].scatterAdd(0, Tensor.from([0, 2, 2, 1, 0, 0, 1, 2], [2, 4]), $0[1])]
        },
        Case(name: "conv3d, strided groups with dilation", shapes: [[2, 4, 5, 6, 7], [6, 2, 2, 3, 2], [6]]) {
            [
                try $0[0].convolution(
                    $0[1], bias: $0[2], stride: [2, 1, 2], padding: [1, 2, 0], dilation: [1, 2, 3], groups: 2)
            ]
        },
        Case(name: "conv2d, depthwise strided", shapes: [[2, 3, 7, 6], [3, 1, 3, 2]]) {
            [try $0[0].convolution($0[1], stride: [2, 1], padding: [1], groups: 3)]
        },
        Case(name: "conv1d without a batch axis", shapes: [[2, 9], [3, 2, 4]]) {
            [try $0[0].convolution($0[1], padding: [2])]
        },
        Case(name: "conv2d of transposed memory", shapes: [[6, 5, 2, 2], [3, 2, 3, 3]]) {
            [try $0[0].permuted([3, 2, 1, 0]).convolution($0[1])]
        },
        Case(name: "same_conv2d, even kernel", shapes: [[1, 2, 5, 7], [3, 2, 4, 2]]) {
            [try $0[0].sameConvolution($0[1], stride: [2, 3])]
        },
        Case(name: "batch norm, own statistics", shapes: [[3, 2, 4], [2], [2]]) {
            [try $0[0].batchNormalized(weight: $0[1], bias: $0[2]).output]
        },
        Case(name: "batch norm, bias only", shapes: [[5, 3], [3]]) {
            [try $0[0].batchNormalized(weight: nil, bias: $0[1]).output]
        },
        Case(name: "layer norm, two axes", shapes: [[3, 2, 5], [2, 5], [2, 5]]) {
            [try $0[0].layerNormalized(over: [2, 5], weight: $0[1], bias: $0[2])]
        },
        Case(name: "replicate padding of three axes", shapes: [[2, 3, 4]]) {
            [try $0[0].padded([(2, 1), (1, 3), (0, 2)], mode: .replicate)]
        },
        Case(name: "sort along the first axis, descending", shapes: [[7, 3]]) {
            [try $0[0].sorted(0, descending: true).values]
        },
        Case(name: "top_k of the middle axis", shapes: [[2, 6, 3]]) {
            [try $0[0].topK(2, axis: 1, largest: false).values]
        },
        Case(
            name: "gru, bidirectional with lengths",
            shapes: [[2, 4, 3], [6, 3], [6, 2], [6], [6], [6, 3], [6, 2], [2, 2, 2]]
        ) { p in
            let forward = RecurrentWeights(input: p[1], hidden: p[2], inputBias: p[3], hiddenBias: p[4])
            let result = try p[0].recurrent(
                .gru, [forward, RecurrentWeights(input: p[5], hidden: p[6])], isBidirectional: true, lengths: [4, 2],
                hidden: p[7])
            return [result.output, result.hidden]
        },
        Case(
            name: "lstm, two layers with lengths and something between",
            shapes: [[3, 4, 2], [8, 2], [8, 2], [8], [8, 2], [8, 2], [2, 3, 2], [2, 3, 2]]
        ) { p in
            let layers = [
                RecurrentWeights(input: p[1], hidden: p[2], hiddenBias: p[3]),
                RecurrentWeights(input: p[4], hidden: p[5]),
            ]
            let result = try p[0].recurrent(.lstm, layers, lengths: [1, 4, 3], hidden: p[6], cellState: p[7]) {
                try $0.multiplied(by: 0.5)
            }
            return [result.output, result.hidden, result.cellState!]
        },
    ]

    @Test(arguments: more.indices) func uncommon(_ index: Int) throws {
        let test = GradientTests.more[index]
        let inputs = try test.shapes.enumerated().map { try GradientCheck.irregular($1, seed: $0 + 11) }
        let failures = try GradientCheck().mismatches(inputs, test.function)
        #expect(failures == [], "\(test.name)")
    }
}
