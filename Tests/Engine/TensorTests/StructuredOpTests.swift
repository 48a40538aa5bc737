import BSSBackend
import BSSCPU
import BSSCore
import BSSTensor
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct StructuredOpTests {
    private func numbers(_ shape: Shape, _ seed: Int = 1) throws -> Tensor {
        try GradientCheck.irregular(shape, seed: seed).converted(to: .float32)
    }

    // MARK: Errors name the operation and both shapes

    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "no error"
        } catch { return "\(error)" }
    }

    @Test func wrongShapesAreExplained() throws {
        let image = try numbers([2, 3, 8, 8])
        let weight = try numbers([4, 3, 3, 3])
        let row = try numbers([4, 5])
        let index = try Tensor.from([0, 1])
        let cases: [(String, () throws -> Void)] = [
            (
                "conv2d: input [2, 3, 8, 8] has 3 channels, weight [4, 2, 3, 3] needs 2",
                { _ = try image.convolution(self.numbers([4, 2, 3, 3])) }
            ),
            (
                "conv2d: groups = 2 does not divide the channels of input [2, 3, 8, 8] and weight [4, 3, 3, 3]",
                { _ = try image.convolution(weight, groups: 2) }
            ),
            ("conv2d: stride must be at least 1, got 0", { _ = try image.convolution(weight, stride: [0]) }),
            (
                "conv2d: padding needs 1 or 2 values, got [1, 1, 1]",
                { _ = try image.convolution(weight, padding: [1, 1, 1]) }
            ),
            (
                "conv2d: bias has shape [3], weight [4, 3, 3, 3] needs [4]",
                { _ = try image.convolution(weight, bias: self.numbers([3])) }
            ),
            (
                "conv2d: kernel of weight [4, 3, 9, 9] spans 9 positions, input [2, 3, 8, 8] has 8 and padding 0",
                { _ = try image.convolution(self.numbers([4, 3, 9, 9])) }
            ),
            (
                "conv2d: input is f32, weight is f64 (convert one with :to())",
                { _ = try image.convolution(weight.converted(to: .float64)) }
            ),
            (
                "conv1d: input [2, 3, 8, 8] and weight [4, 3, 3] differ in the number of axes",
                { _ = try image.convolution(self.numbers([4, 3, 3])) }
            ),
            (
                "max_pool2d: padding 2 is more than half of the kernel, 3",
                { _ = try image.maxPool(kernel: [3, 3], padding: [2]) }
            ),
            (
                "max_pool2d: a window of [9, 9] (dilation [1, 1]) does not fit input [2, 3, 8, 8] with padding [0, 0]",
                { _ = try image.maxPool(kernel: [9, 9]) }
            ),
            (
                "batch_norm: weight has shape [4], input [2, 3, 8, 8] needs [3]",
                { _ = try image.batchNormalized(weight: self.numbers([4]), bias: nil) }
            ),
            (
                "batch_norm: needs more than one value a channel in training, got input [1, 3]",
                { _ = try self.numbers([1, 3]).batchNormalized(weight: nil, bias: nil) }
            ),
            (
                "layer_norm: input [4, 5] does not end in the normalised shape [4]",
                { _ = try row.layerNormalized(over: [4], weight: nil, bias: nil) }
            ),
            (
                "embedding: index 7 at position 2 is outside 0 to 3",
                { _ = try Tensor.embedding(Tensor.from([0, 7]), row) }
            ),
            ("embedding: ids must be i64, got f32 [4, 5]", { _ = try Tensor.embedding(row, row) }),
            ("topk: k = 6 is outside 0 to 5, axis 2 of [4, 5]", { _ = try row.topK(6) }),
            (
                "sort: axis 3 does not exist in shape [4, 5] (axes are 1 to 2, or -1 for the last)",
                { _ = try row.sorted(2) }
            ),
            (
                "index_add: indices i64 [2] and source [4, 5] do not fit [4, 5] along axis 1 "
                    + "(the source needs shape [2, 5])",
                { _ = try row.indexAdd(0, index, row) }
            ),
            ("one_hot: index 1 at position 2 is outside 0 to 0", { _ = try index.oneHot(classes: 1) }),
            (
                "pad: mode reflect takes amounts 0 to 4 for axis 2 of [4, 5], got (5, 0)",
                { _ = try row.padded([(5, 0)], mode: .reflect) }
            ),
            (
                "attention: query [4, 5], key [4, 4] and value [4, 5] do not fit ([.., L, E], [.., S, E], [.., S, F])",
                { _ = try Tensor.attention(row, self.numbers([4, 4]), row) }
            ),
            (
                "lstm: input weight has shape [8, 4], input with 5 features needs [8, 5]",
                {
                    _ = try self.numbers([1, 4, 5]).recurrent(
                        .lstm, [RecurrentWeights(input: self.numbers([8, 4]), hidden: self.numbers([8, 2]))])
                }
            ),
            (
                "lstm: lengths need 1 values from 1 to 4, got [5]",
                {
                    _ = try self.numbers([1, 4, 5]).recurrent(
                        .lstm, [RecurrentWeights(input: self.numbers([8, 5]), hidden: self.numbers([8, 2]))],
                        lengths: [5])
                }
            ),
            (
                "dempster_shafer_combine: opinions [4, 5] and [2, 3, 8, 8] must have one shape [N, K]",
                { _ = try Tensor.dempsterShafer(row, image) }
            ),
        ]
        for (expected, body) in cases { #expect(message(body) == expected) }
    }

    // MARK: Layout

    @Test func resultsDoNotDependOnMemoryLayout() throws {
        let x = try numbers([2, 6, 9, 7])
        let weight = try numbers([8, 6, 3, 3], 2)
        let turned = try x.permuted([3, 2, 1, 0]).contiguous().permuted([3, 2, 1, 0])
        let expected = try x.convolution(weight, stride: [2], padding: [1]).values(Float.self)
        #expect(
            try x.inChannelsLastMemory().convolution(weight.inKernelMemory(), stride: [2], padding: [1]).values(
                Float.self) == expected)
        #expect(try turned.convolution(weight, stride: [2], padding: [1]).values(Float.self) == expected)
        #expect(try turned.maxPool(kernel: [2, 2]).values(Float.self) == x.maxPool(kernel: [2, 2]).values(Float.self))
        #expect(try turned.flipped([1, 3]).flipped([3, 1]).values(Float.self) == x.values(Float.self))
        #expect(try x.convolution(weight).view.strides[1] == 1, "channels stay last in memory")
        #expect(try x.convolution(weight).relu().view.strides[1] == 1)
    }

    @Test func emptyBatchesPass() throws {
        let x = try Tensor.zeros([0, 3, 8, 8])
        let weight = try numbers([4, 3, 3, 3]).requiringGradient()
        let y = try x.convolution(weight, bias: numbers([4]))
        #expect(y.shape == [0, 4, 6, 6])
        #expect(try y.sum().backward()[weight]?.values(Float.self).allSatisfy { $0 == 0 } == true)
        #expect(try x.maxPool(kernel: [2, 2]).shape == [0, 3, 4, 4])
        #expect(try x.adaptiveAveragePool([1, 1]).shape == [0, 3, 1, 1])
        #expect(try Tensor.zeros([0, 5]).sorted(0).indices.shape == [0, 5])
        #expect(try Tensor.zeros([3, 0]).layerNormalized(over: [0], weight: nil, bias: nil).shape == [3, 0])
    }

    // MARK: Determinism

    /// One training step of each parallel kernel, large enough for several tasks.
    private func step() throws -> [[Float]] {
        let x = try numbers([6, 16, 40, 40]).requiringGradient()
        let w = try numbers([24, 16, 3, 3], 2).requiringGradient()
        let strided = try numbers([24, 24, 3, 3], 3).requiringGradient()
        let depth = try numbers([24, 1, 5, 5], 4).requiringGradient()
        let scale = try numbers([24], 5).requiringGradient()
        let shift = try numbers([24], 6).requiringGradient()
        var y = try x.convolution(w, bias: shift, padding: [1]).convolution(strided, stride: [2], padding: [1])
            .convolution(depth, padding: [2], groups: 24)
        y = try y.batchNormalized(weight: scale, bias: shift).output.maxPool(kernel: [3, 3], stride: [2], padding: [1])
        y = try y.layerNormalized(over: Shape(Array(y.shape.array.dropFirst(2))), weight: nil, bias: nil).averagePool(
            kernel: [2, 2])
        let loss = try (y * y * y).mean()
        let gradients = try loss.backward()
        let ids = try Tensor.from((0..<60_000).map { $0 * $0 % 97 })
        let table = try numbers([97, 40], 7).requiringGradient()
        let looked = try Tensor.embedding(ids, table)
        let lookedGradient = try (looked * looked).sum().backward()
        return try [y.values(Float.self), lookedGradient[table]!.values(Float.self)]
            + [x, w, strided, depth, scale, shift].map { try gradients[$0]!.values(Float.self) }
    }

    @Test func bitsDoNotDependOnThreads() throws {
        defer { CPUBackend.setThreads(1) }
        CPUBackend.setThreads(1)
        let one = try step()
        for threads in [2, 3] {
            CPUBackend.setThreads(threads)
            let many = try step()
            for (a, b) in zip(one, many) { #expect(a.map(\.bitPattern) == b.map(\.bitPattern), "\(threads) threads") }
        }
    }

    // MARK: Values by hand

    @Test func valuesByHand() throws {
        let x = try Tensor.from([1, 2, 3, 4, 5, 6] as [Float], [1, 1, 6])
        #expect(
            try x.convolution(Tensor.from([1, 0, -1] as [Float], [1, 1, 3])).values(Float.self) == [-2, -2, -2, -2])
        #expect(try x.negated().sameMaxPool(kernel: [3]).values(Float.self) == [-1, -4])
        #expect(try x.averagePool(kernel: [4], padding: [2], countPadding: false).values(Float.self) == [1.5, 4.5])
        let nan = try Tensor.from([2, .nan, -0.0, 0, 2, -.infinity] as [Float])
        #expect(try nan.argsorted().values(Int.self) == [5, 2, 3, 0, 4, 1])
        #expect(try nan.argsorted(descending: true).values(Int.self) == [1, 0, 4, 2, 3, 5])
        #expect(try Tensor.from([3, 1, 3, 2]).topK(2).indices.values(Int.self) == [0, 2])
        let steps = try Tensor.from([1, 2, 3, 4] as [Float], [2, 2])
        #expect(try steps.cumulativeSum(0).values(Float.self) == [1, 2, 4, 6])
        #expect(try steps.padded([(-1, 2)], value: 9).values(Float.self) == [2, 9, 9, 4, 9, 9])
        #expect(
            try steps.scatterAdd(1, Tensor.from([1, 1, 0, 0], [2, 2]), steps).values(Float.self) == [1, 5, 10, 4])
    }

    /// A batch with mean 10,000 and deviation 1: E[x²] - E[x]² in f32 would be noise.
    @Test func batchNormSurvivesALargeOffset() throws {
        let base = try GradientCheck.irregular([400, 3], seed: 9)
        let x = try base.converted(to: .float32).adding(10_000)
        let exact = try x.converted(to: .float64)
        let centred = try exact - exact.mean([0])
        let expected = try (centred / centred.square().mean([0]).adding(1e-5).sqrt()).values(Double.self)
        let got = try x.batchNormalized(weight: nil, bias: nil).output.values(Double.self)
        #expect(zip(got, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    }
}
