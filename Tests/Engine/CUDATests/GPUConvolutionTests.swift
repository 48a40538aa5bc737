import BSSBackend
import BSSCore
import BSSTensor
import Glibc
import Testing
import _BSSEmulatedCard
import _BSSTestSupport

@testable import BSSCUDA

/// Convolutions by cuDNN and by own kernels, every pass in every precision: one is the other's oracle.
@Suite(.oneAtATime) struct GPUConvolutionTests {
    struct Case: CustomTestStringConvertible {
        let testDescription: String
        let x, weight: Shape
        var stride = [1], padding = [0], dilation = [1], groups = 1
        /// Whether cuDNN, as it is emulated, has a kernel for it.
        var isInLibrary = true
    }

    static let cases = [
        Case(testDescription: "3x3", x: [2, 4, 9, 7], weight: [6, 4, 3, 3], padding: [1]),
        Case(testDescription: "1x1", x: [3, 5, 4, 6], weight: [7, 5, 1, 1]),
        Case(
            testDescription: "a stride that leaves a rest", x: [2, 3, 10, 9], weight: [4, 3, 5, 3], stride: [2],
            padding: [2]),
        Case(testDescription: "groups", x: [2, 6, 6, 6], weight: [9, 2, 3, 3], padding: [1], groups: 3),
        Case(
            testDescription: "dilated: a fallback of cuDNN's", x: [2, 3, 11, 9], weight: [4, 3, 3, 3], padding: [2],
            dilation: [2]),
        Case(testDescription: "one axis", x: [3, 4, 17], weight: [5, 4, 3], stride: [2], padding: [1]),
        Case(
            testDescription: "three axes", x: [2, 3, 5, 6, 4], weight: [4, 3, 3, 2, 3], stride: [1, 2, 1],
            padding: [1]),
        Case(
            testDescription: "three axes in groups, which cuDNN does not take", x: [2, 4, 4, 5, 4],
            weight: [4, 2, 2, 2, 2], groups: 2, isInLibrary: false),
        Case(testDescription: "no image", x: [0, 4, 9, 7], weight: [6, 4, 3, 3], isInLibrary: false),
    ]

    static let rounding: [Precision: ClosedRange<Double>] = [.f32: 0...1e-5, .tf32: 1e-5...5e-3, .bf16: 1e-4...5e-2]

    /// y and the gradients of Σ y² for x, weight and bias.
    private func passes(_ item: Case, _ dtype: DType = .float32) throws -> [[Double]] {
        func normal(_ shape: Shape, _ key: UInt64) throws -> Tensor {
            let out = try Tensor.allocate(shape, dtype, on: Devices.current)
            try Devices.current.randomNormal(key: key, block: 0, mean: 0, std: 1, out: out)
            return try Tensor(out).requiringGradient()
        }
        let (x, weight, bias) = (try normal(item.x, 1), try normal(item.weight, 2), try normal([item.weight[0]], 3))
        let y = try x.convolution(
            weight, bias: bias, stride: item.stride, padding: item.padding, dilation: item.dilation, groups: item.groups
        )
        let gradients = try (y * y).sum().backward()
        return try [y, gradients[x], gradients[weight], gradients[bias]].compactMap { try $0?.values(Double.self) }
    }

    /// The greatest difference, by array, as a part of its greatest number.
    private func distances(_ a: [[Double]], _ b: [[Double]]) -> [Double] {
        zip(a, b).map { one, other in
            let scale = one.reduce(1e-30) { max($0, abs($1)) }
            return zip(one, other).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
        }
    }

    @Test("cuDNN and own kernels agree in every precision", arguments: cases)
    func agree(_ item: Case) throws {
        try EmulatedCard.run("convolution by cuDNN, \(item.testDescription)") { card in
            let exact = try passes(item)
            #expect(exact.count == 4)
            for precision in Precision.allCases {
                try card.with(precision) {
                    let own = try passes(item)
                    card.usesLibraries = true
                    defer { card.usesLibraries = false }
                    let before = card.convolutions?.calls ?? 0
                    let library = try passes(item)
                    #expect((card.convolutions?.calls ?? 0) - before == (item.isInLibrary ? 3 : 0))
                    #expect(try passes(item) == library)
                    for distance in distances(own, library) { #expect(distance < 1e-5, "\(precision)") }
                    // Fractions of 10 and 7 bits; the bias has none of it.
                    let limits = Self.rounding[precision, default: 0...0]
                    for distance in distances(exact, library).prefix(3) where item.x[0] > 0 {
                        #expect(limits.contains(distance), "\(precision)")
                    }
                }
            }
        }
    }

    @Test("float64, and tensors that begin between the addresses that cuDNN takes, are for own kernels")
    func own() throws {
        try EmulatedCard.run("convolutions that cuDNN is not given") { card in
            card.usesLibraries = true
            let before = card.convolutions?.calls
            #expect(try passes(Self.cases[0], .float64).count == 4)
            let geometry = ConvolutionGeometry(
                batch: 1, inChannels: 2, outChannels: 3, groups: 1, input: [1, 4, 5], output: [1, 3, 4],
                kernel: [1, 2, 2], stride: .one, padding: .zero, dilation: .one)
            let numbers = try (0...1).map { offset in
                func view(_ count: Int) throws -> ArrayView {
                    let all = try Tensor.from((0..<count + offset).map { Float(($0 - offset) * 7 % 5) })
                    return try all.sliced(0, from: offset, to: count + offset).view
                }
                let (x, weight, out) = (try view(40), try view(24), try view(36))
                try card.convolution(geometry, x: x, weight: weight, bias: nil, out: out)
                return try Tensor(out).values(Double.self)
            }
            #expect(numbers[0] == numbers[1])
            #expect((card.convolutions?.calls ?? 0) - (before ?? 0) == 1)
        }
    }

    @Test("recorded passes are one graph, on memory that nobody else gets")
    func recorded() throws {
        try EmulatedCard.run("convolutions in a graph") { card in
            card.usesLibraries = true
            try card.with(.bf16) {
                let geometry = ConvolutionGeometry(
                    batch: 2, inChannels: 4, outChannels: 3, groups: 1, input: [1, 6, 5], output: [1, 6, 5],
                    kernel: [1, 3, 3], stride: .one, padding: [0, 1, 1], dilation: .one)
                func made(_ count: Int) throws -> ArrayView {
                    try Tensor.from((0..<count).map { Float($0 * 7 % 11) / 3 }).view
                }
                let (x, weight, grad) = (try made(240), try made(108), try made(180))
                let outs = try [180, 240, 108].map(made)
                func step() throws {
                    try card.convolution(geometry, x: x, weight: weight, bias: nil, out: outs[0])
                    try card.convolutionInputGradient(geometry, weight: weight, grad: grad, out: outs[1])
                    try card.convolutionWeightGradient(geometry, x: x, grad: grad, out: outs[2], biasOut: nil)
                }
                func numbers() throws -> [[Double]] { try outs.map { try Tensor($0).values(Double.self) } }
                try step()
                let eager = try numbers()
                let recording = Recording()
                try recording.record(step)
                let (graphs, calls) = (card.graphs, card.convolutions?.calls ?? 0)
                for _ in 0..<2 {
                    for out in outs { try card.fill(out, 0) }
                    // Blocks of the sizes that the passes work in.
                    for count in [108, 180, 240, 1024] { _ = try Tensor.full([count], -1) }
                    try recording.replay()
                    #expect(try numbers() == eager)
                }
                #expect(recording.isComplete && card.graphs - graphs == 1)
                // Captured once, then the graph alone.
                #expect((card.convolutions?.calls ?? 0) - calls == 3)
            }
        }
    }

    @Test("a card without cuDNN convolves by own kernels, and says why")
    func absent() throws {
        try EmulatedCard.run("convolutions without cuDNN") { card in
            #expect(card.summary.hasSuffix("cuDNN 9.26"))
            for (value, words) in [
                ("none", "cuDNN is left out by BSS_CUDA_CUDNN=none"), ("some", "\"auto\" or \"none\""),
            ] {
                setenv("BSS_CUDA_CUDNN", value, 1)
                defer { unsetenv("BSS_CUDA_CUDNN") }
                let error = #expect(throws: BSSError.self) {
                    try NVIDIALibrary.checkChoices()
                    _ = try ConvolutionLibrary(card.card, card.stream)
                }
                #expect(error?.kind == .device && error?.message.contains(words) == true)
            }
        }
    }

    @Test("measured peaks, and what the card is")
    func peaks() throws {
        try EmulatedCard.run("peaks of the card") { card in
            card.usesLibraries = true
            let names =
                ["copy_gb_per_second", "multiply_add_gflops"] + ["f32", "tf32", "bf16"].map { "product_\($0)_gflops" }
            let peaks = try card.peaks()
            #expect(peaks.map(\.name) == names && peaks.allSatisfy { $0.value > 0 && $0.value.isFinite })
            #expect(card.facts.map(\.name) == ["name", "driver", "compiler", "products", "convolutions"])
            #expect(card.precision == .f32)
        }
    }
}
