import BSSBackend
import BSSCore
import BSSTensor
import Foundation
import Testing
import _BSSTestSupport

@testable import BSSNetworks

/// Fusions of feature vectors against the check numbers of methods.md, section A, under the names of its section G.
@Suite(.oneAtATime) struct FusionTests {
    // methods.md, 0.2
    private let exampleA = [[2.0, 0, 0], [0, 1, 0]], exampleV = [[0.5, 0, 0], [0, 0, 0.5]]
    private let unit: [Double] = [1, 0, 0, 0, 1, 0, 0, 0, 1]

    // MARK: concat and sum

    /// W = [1, 2 | 3, -1], b = 0.6, h_a = (1, 1), h_v = (2, 1), one class.
    private func sliced() throws -> (FusionCase, [Tensor]) {
        let concat = try FusionCase("concat", sizes: [2, 2], classes: 1)
        try concat.set(["layers.0.weight": [1, 2, 3, -1], "layers.0.bias": [0.6]])
        return (concat, [try matrix([[1, 1]]), try matrix([[2, 1]])])
    }

    @Test func slice_additivity() throws {
        let (concat, features) = try sliced()
        let slices = try #require(try concat.fusion.slices(features, ForwardContext(.evaluation)))
        expectNear(try slices[0].values(Double.self), [3.3])
        expectNear(try slices[1].values(Double.self), [5.3])
        expectNear(try concat.logits(features), [8.6])
    }

    static let additive = [
        ("concat", "{}"), ("sum", "{}"), ("weight", "{}"), ("weight", #"{"variant": "gated"}"#),
        ("weight", #"{"variant": "cmml"}"#), ("weight", #"{"variant": "cmml_mlp", "scorer": [5]}"#), ("mean", "{}"),
    ]

    @Test("slices add up to the logits", arguments: additive.indices, 1...3)
    func slicesAddUp(index: Int, count: Int) throws {
        let (name, options) = Self.additive[index]
        let subject = try FusionCase(name, options, sizes: Array(repeating: 4, count: count)).inDoubles()
        let features = try subject.features(rows: 5, scale: 3)
        let slices = try #require(try subject.fusion.slices(features, ForwardContext(.evaluation)))
        #expect(slices.count == count)
        expectNear(
            try slices.dropFirst().reduce(slices[0]) { try $0 + $1 }.values(Double.self), try subject.logits(features),
            within: 1e-12)
    }

    @Test(
        "fusions that are no sum say so",
        arguments: [
            ("concat", #"{"hidden": [5]}"#), ("affine", "{}"), ("ml_lstm", #"{"hidden": 4}"#), ("etmc", "{}"),
            ("gated", "{}"), ("max", "{}"), ("mean", #"{"hidden": [5]}"#),
        ])
    func noSlices(name: String, options: String) throws {
        let subject = try FusionCase(name, options, sizes: [4, 4])
        #expect(try subject.fusion.slices(subject.inDoubles().features(rows: 2), ForwardContext(.evaluation)) == nil)
    }

    /// Without v the whole bias stays: W_a h_a + b = 3.6, b (1 - 1/K) = 0.3 more than the slice.
    @Test func mask_equals_partial_fusion() throws {
        let (concat, features) = try sliced()
        expectNear(try concat.logits([features[0], Tensor.zeros([1, 2])]), [3.6])
        let model = try ChannelCase.identityModel("concat", sizes: [2, 2], classes: 1)
        for (name, values) in ["layers.0.weight": [1, 2, 3, -1], "layers.0.bias": [0.6]] as [String: [Float]] {
            let parameter = try #require(model.fusion.parameters().first { $0.name == name }).parameter
            try parameter.assign(Tensor.from(values, parameter.value.shape))
        }
        let output = try model.forward(features, ForwardContext(.evaluation))
        let masks = try model.unimodal(output, .mask, ForwardContext(.evaluation))
        let slices = try model.unimodal(output, .slice, ForwardContext(.evaluation))
        expectNear(try masks.map { try $0.item() }, [3.6, 5.6])
        expectNear(try slices.map { try $0.item() }, [3.3, 5.3])
        expectNear(
            try model.forward(features, ForwardContext(.evaluation), keeps: [0b10]).fused.values(Double.self), [5.6])
    }

    @Test func sum_full_bias() throws {
        let sum = try FusionCase("sum", sizes: [3, 3])
        try sum.set(["0.weight": unit, "1.weight": unit, "0.bias": [0, 0, 0], "1.bias": [0, 0, 0]])
        let a = try matrix(exampleA)
        let v = try matrix(exampleV)
        expectNear(try sum.logits([a, v]), [2.5, 0, 0, 0, 1, 0.5])
        try sum.set(["0.bias": [0.1, 0.1, 0.1], "1.bias": [0.2, 0.2, 0.2]])
        expectNear(try sum.logits([a, v]), [2.8, 0.3, 0.3, 0.3, 1.3, 0.8])
        let slices = try #require(try sum.fusion.slices([a, v], ForwardContext(.evaluation)))
        expectNear(try slices[1].values(Double.self), [0.7, 0.2, 0.2, 0.2, 0.2, 0.7])
        expectNear(try sum.logits([a, Tensor.zeros([2, 3])]), [2.3, 0.3, 0.3, 0.3, 1.3, 0.3])
    }

    // MARK: affine

    /// gamma = (1, -0.5), beta = (0.2, 0.3), h_v = (2, 4) → u = (2.2, -1.7).
    @Test func film_affine() throws {
        for (options, wanted) in [
            ("{}", [2.2, -1.7]), (#"{"residual": true}"#, [4.2, 2.3]), (#"{"target": "b"}"#, [2.2, -1.7]),
        ] {
            let film = try FusionCase("affine", options, sizes: [3, 2], classes: 2)
            try film.set([
                "modulation.b.weight": Array(repeating: 0, count: 12), "modulation.b.bias": [1, -0.5, 0.2, 0.3],
                "classifier.b.weight": [1, 0, 0, 1], "classifier.b.bias": [0, 0],
            ])
            expectNear(try film.logits([matrix([[5, 6, 7]]), matrix([[2, 4]])]), wanted)
            #expect(film.fusion.parameterCount == (3 + 1) * 2 * 2 + (2 + 1) * 2)
        }
    }

    @Test("affine agrees with the op of the reference numbers; the first modality conditions the second")
    func affineOp() throws {
        let film = try FusionCase("affine", sizes: [3, 4]).inDoubles()
        let features = try film.features(rows: 5)
        func parameter(_ name: String) throws -> Tensor {
            try #require(film.fusion.parameters().first { $0.name == name }).parameter.value
        }
        let wanted = try Tensor.fusionFiLM(
            features[0], features[1], weight: parameter("modulation.b.weight").transposed(0, 1),
            bias: parameter("modulation.b.bias"),
            outWeight: parameter("classifier.b.weight").transposed(0, 1), outBias: parameter("classifier.b.bias"))
        expectNear(try film.logits(features), try wanted.values(Double.self), within: 1e-12)
    }

    @Test("affine with three modalities: the others condition in order; \"each\" averages over targets")
    func affineThree() throws {
        let each = try FusionCase("affine", #"{"target": "each"}"#, sizes: [2, 3, 4])
        let features = try each.features(rows: 5).map { try $0.converted(to: .float32) }
        var sum = Array(repeating: 0.0, count: 15)
        for target in ["a", "b", "c"] {
            let one = try FusionCase("affine", #"{"target": "\#(target)"}"#, sizes: [2, 3, 4])
            for (name, _) in one.fusion.parameters() { try one.set([name: try each.value(name)]) }
            for (index, value) in try one.logits(features).enumerated() { sum[index] += value / 3 }
        }
        expectNear(try each.logits(features), sum, within: 1e-5)
        let conditioned = try FusionCase("affine", #"{"target": "b"}"#, sizes: [2, 3, 4])
        #expect(conditioned.fusion.parameterCount == (2 + 4 + 1) * 2 * 3 + (3 + 1) * 3)
        // Only c's first feature, row 2 of the condition [a; c], opens gamma of b's first feature.
        var weight = Array(repeating: 0.0, count: 36)
        weight[2 * 6] = 1
        try conditioned.set([
            "modulation.b.weight": weight, "modulation.b.bias": Array(repeating: 0, count: 6),
            "classifier.b.weight": unit, "classifier.b.bias": [0, 0, 0],
        ])
        expectNear(
            try conditioned.logits([matrix([[9, 9]]), matrix([[2, 9, 9]]), matrix([[3, 9, 9, 9]])]), [6, 0, 0])
    }

    // MARK: ml_lstm

    /// All weights 1, biases 0, inputs 1 then 0.5: h = 0.369606, then 0.500047.
    @Test func lstm_scalar_cell() throws {
        let cell = try LSTM(1, 1)
        for (name, parameter) in cell.parameters() {
            try parameter.assign(Tensor.full([4, 1], name.hasPrefix("weight") ? 1 : 0).reshaped(parameter.value.shape))
        }
        let x = try Tensor.from([Float(1), 0.5], [1, 2, 1])
        expectNear(try cell(x, ForwardContext(.evaluation)).values(Double.self), [0.369606, 0.500047])
        expectNear(try cell.last(x, ForwardContext(.evaluation)).values(Double.self), [0.500047])
    }

    @Test("an LSTM layer of 512 has 2,101,248 parameters, two 4,202,496; the forget gate starts at 1")
    func lstmParameters() throws {
        #expect(try LSTM(512, 512).parameterCount == 2_101_248)
        let fusion = try FusionCase("ml_lstm", sizes: [3, 5])
        #expect(fusion.fusion.parameterCount == 4_202_496 + (3 + 5 + 2) * 512 + 513 * 3)
        let progressive = try FusionCase("ml_lstm", #"{"variant": "progressive", "hidden": 6}"#, sizes: [3, 5, 2])
        #expect(
            progressive.fusion.parameterCount == (3 + 5 + 2 + 3) * 6 + 4 * 6 * (6 + 6 + 2) + 2 * (4 * 6 * (12 + 6 + 2))
                + 7 * 3)
        let bias = try fusion.value("lstm.bias_ih_l1")
        let inner = try fusion.value("lstm.bias_hh_l1")
        #expect(bias[512..<1024].allSatisfy { $0 == 1 } && inner[512..<1024].allSatisfy { $0 == 0 })
        #expect((bias[..<512] + bias[1024...]).allSatisfy { abs($0) <= 1 / 512.0.squareRoot() && $0 != 1 })
    }

    @Test("both wirings against the cell equations by hand")
    func lstmWiring() throws {
        func sigma(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        for variant in ["sequence", "progressive"] {
            let fusion = try FusionCase(
                "ml_lstm",
                #"{"variant": "\#(variant)", "hidden": 1\#(variant == "sequence" ? #", "layers": 1"# : "")}"#,
                sizes: [1, 1], classes: 1
            ).inDoubles()
            let features = [0.7, -0.4]
            let u = try zip(["a", "b"], features).map {
                try fusion.value("projection.\($0).weight")[0] * $1 + fusion.value("projection.\($0).bias")[0]
            }
            func step(_ prefix: String, _ input: [Double], _ h: Double, _ c: Double) throws -> (h: Double, c: Double) {
                let w = try fusion.value(prefix + ".weight_ih_l0")
                let v = try fusion.value(prefix + ".weight_hh_l0")
                let b = try fusion.value(prefix + ".bias_ih_l0")
                let d = try fusion.value(prefix + ".bias_hh_l0")
                let gates = (0..<4).map { g in
                    zip(input, w[g * input.count..<(g + 1) * input.count]).reduce(b[g] + d[g] + v[g] * h) {
                        $0 + $1.0 * $1.1
                    }
                }
                let next = sigma(gates[1]) * c + sigma(gates[0]) * tanh(gates[2])
                return (sigma(gates[3]) * tanh(next), next)
            }
            let h: Double
            if variant == "sequence" {
                let first = try step("lstm", [u[0]], 0, 0)
                h = try step("lstm", [u[1]], first.h, first.c).h
            } else {
                h = try step("lstm.b", [step("lstm.a", [u[0]], 0, 0).h, u[1]], 0, 0).h
            }
            let wanted = try fusion.value("classifier.weight")[0] * h + fusion.value("classifier.bias")[0]
            expectNear(try fusion.logits(features.map { try Tensor.from([$0], [1, 1]) }), [wanted], within: 1e-12)
        }
    }

    // MARK: weight

    /// w = (0, 1) → pi = (0.268941, 0.731059); sample 0 class 0 of A, V: 0.903412.
    @Test func weight_softmax() throws {
        let weight = try FusionCase("weight", sizes: [3, 3])
        try weight.set([
            "classifier.a.weight": unit, "classifier.b.weight": unit, "classifier.a.bias": [0, 0, 0],
            "classifier.b.bias": [0, 0, 0],
        ])
        let features = [try matrix(exampleA), try matrix(exampleV)]
        expectNear(try weight.logits(features), [1.25, 0, 0, 0, 0.5, 0.25])
        try weight.set(["weights": [0, 1]])
        let logits = try weight.logits(features)
        expectNear(logits, [0.903412, 0, 0, 0, 0.268941, 0.731059 * 0.5])
        #expect(weight.fusion.parameterCount == 3 * 6 + 2 * 3 + 2)
        #expect(weight.fusion.undecayed.count == 1 && weight.fusion.undecayed[0].value.shape == [2])
    }

    @Test("static weights are in a group that weight decay leaves alone")
    func undecayed() throws {
        let groups = try ChannelCase.identityModel("weight", sizes: [2, 3]).parameterGroups()
        #expect(groups.filter { !$0.decays }.flatMap(\.parameters).map(\.name) == ["fusion.weights"])
        #expect(
            groups.filter { $0.decays && $0.scope == .fusion }.flatMap(\.parameters).map(\.name).allSatisfy {
                $0.hasPrefix("fusion.classifier.")
            })
        #expect(groups.flatMap(\.parameters).count == 2 * 2 + 2 * 2 + 1)
    }

    @Test("gated weights follow each sample; cmml follows its formula, also where a softmax underflows")
    func weightVariants() throws {
        let gated = try FusionCase("weight", #"{"variant": "gated"}"#, sizes: [3, 3])
        try gated.set([
            "classifier.a.weight": unit, "classifier.b.weight": unit, "classifier.a.bias": [0, 0, 0],
            "classifier.b.bias": [0, 0, 0],
            "gate.weight": Array(repeating: 0, count: 7) + [0.5] + Array(repeating: 0, count: 4), "gate.bias": [0, 0],
        ])
        // The gate reads V's first element, 0.5 and 0, times 0.5 for modality b: pi_b = σ(0.25) and 1/2.
        let open = 1 / (1 + exp(-0.25))
        expectNear(
            try gated.logits([matrix(exampleA), matrix(exampleV)]), [2 * (1 - open) + 0.5 * open, 0, 0, 0, 0.5, 0.25])
        #expect(gated.fusion.parameterCount == 3 * 6 + 2 * 3 + (6 + 1) * 2)

        let cmml = try FusionCase("weight", #"{"variant": "cmml"}"#, sizes: [3, 3])
        try cmml.set(["classifier.weight": unit, "classifier.bias": [0, 0, 0]])
        func softmax(_ x: [Double]) -> [Double] {
            let total = x.map { exp($0) }.reduce(0, +)
            return x.map { exp($0) / total }
        }
        let hA = exampleA[0]
        let hV = exampleV[0]
        let aA = softmax(hA)
        let aV = softmax(hV)
        let wanted = (0..<3).map { (c: Int) -> Double in (aA[c] * hA[c] + aV[c] * hV[c]) / (aA[c] + aV[c]) }
        expectNear(try cmml.logits([matrix([hA]), matrix([hV])]), wanted)
        #expect(try cmml.logits([matrix([[300, -300, 0]]), matrix([[300, -300, 0]])]) == [300, -300, 0])
        #expect(cmml.fusion.parameterCount == 3 * 3 + 3)
    }

    @Test("cmml_mlp: one MLP scores every modality: f(1) = ln 3, f(0) = 0 give π = (3/4, 1/4)")
    func attention() throws {
        let subject = try FusionCase("weight", #"{"variant": "cmml_mlp", "scorer": [1]}"#, sizes: [1, 1], classes: 1)
        try subject.set([
            "scorer.0.weight": [1], "scorer.0.bias": [0], "scorer.1.weight": [log(3)], "scorer.1.bias": [0],
            "classifier.weight": [4], "classifier.bias": [1],
        ])
        // u = 3/4 · 1 + 1/4 · 0 and 4/7 of 2 beside 3/7 of 1 (scores ln 9 and ln 3): z = 4 u + 1.
        expectNear(
            try subject.logits([matrix([[1], [2]]), matrix([[0], [1]])]), [4, 4 * (0.75 * 2 + 0.25 * 1) + 1])
        let whole = try FusionCase("weight", #"{"variant": "cmml_mlp"}"#, sizes: [128, 128])
        #expect(whole.fusion.parameterCount == 129 * 64 + 65 * 32 + 33 + 129 * 3)
    }

    @Test("gated: σ(W x) ⊙ y, with projections σ(W x) ⊙ (W' y + b')")
    func gatedFusion() throws {
        let subject = try FusionCase("gated", sizes: [2, 2], classes: 2)
        try subject.set([
            "gate.weight": [1, 0, 0, 1], "gate.bias": [0, 0], "classifier.weight": [1, 0, 0, 1],
            "classifier.bias": [0, 1],
        ])
        let features = [try matrix([[0, log(3)]]), try matrix([[4, 8]])]
        expectNear(try subject.logits(features), [0.5 * 4, 0.75 * 8 + 1])
        let projected = try FusionCase("gated", #"{"project": 1, "target": "a"}"#, sizes: [1, 2], classes: 1)
        try projected.set([
            "gate.weight": [1, 0], "gate.bias": [0], "projection.weight": [3], "projection.bias": [1],
            "classifier.weight": [1], "classifier.bias": [0],
        ])
        expectNear(try projected.logits([matrix([[5]]), matrix([[log(3), 9]])]), [0.75 * 16])
        #expect(projected.fusion.parameterCount == (2 + 1 + 2) * 1 + (1 + 1) * 1)
    }

    @Test("mean and max of the features, element by element")
    func pooled() throws {
        for (name, wanted) in [("mean", [2.0, 0]), ("max", [3, 2])] {
            let subject = try FusionCase(name, sizes: [2, 2], classes: 2)
            try subject.set(["layers.0.weight": [1, 0, 0, 1], "layers.0.bias": [0, 0.5]])
            expectNear(try subject.logits([matrix([[1, 2]]), matrix([[3, -2]])]), [wanted[0], wanted[1] + 0.5])
        }
    }

    // MARK: Every fusion

    static let all: [(String, String)] = [
        ("concat", "{}"), ("concat", #"{"hidden": [5]}"#), ("sum", "{}"), ("weight", "{}"),
        ("weight", #"{"variant": "gated"}"#), ("weight", #"{"variant": "cmml"}"#),
        ("affine", "{}"), ("affine", #"{"target": "each", "residual": true}"#), ("ml_lstm", #"{"hidden": 3}"#),
        ("ml_lstm", #"{"hidden": 3, "variant": "progressive"}"#),
        ("etmc", "{}"), ("etmc", #"{"hidden": [4]}"#), ("etmc", #"{"pseudo_view": false}"#),
        ("weight", #"{"variant": "cmml_mlp", "scorer": [5]}"#), ("gated", "{}"),
        ("gated", #"{"project": 4, "target": "a"}"#),
        ("mean", "{}"), ("max", #"{"hidden": [5]}"#),
    ]

    @Test("derivatives of features and parameters against finite differences", arguments: all.indices, 1...3)
    func gradients(index: Int, count: Int) throws {
        let (name, options) = Self.all[index]
        if ["affine", "gated"].contains(name), count == 1 { return }  // refused: see oneModality
        let subject = try FusionCase(name, options, sizes: Array(repeating: 3, count: count)).inDoubles()
        let features = try subject.features(rows: 4, scale: 2)
        let failures = try FiniteDifferences.mismatches(features, subject.fusion.parameters()) { features in
            let result = try subject.fusion.fuse(features, ForwardContext(.evaluation))
            return try FiniteDifferences.projection(result.logits)
        }
        #expect(failures.isEmpty, "\(name) \(options), \(count) modalities: \(failures.prefix(3))")
    }

    @Test("affine and gated need a second modality, and say so")
    func oneModality() throws {
        for (name, options) in [("affine", "{}"), ("affine", #"{"target": "each"}"#), ("gated", "{}")] {
            #expect { try FusionCase(name, options, sizes: [3]) } throws: {
                "\($0)".contains("needs two modalities or more, got a") && ($0 as? BSSError)?.kind == .usage
            }
        }
    }

    @Test(
        "what does not fit is explained",
        arguments: [
            ("affine", #"{"target": "d"}"#, "target 'd' is no modality of the model"),
            ("weight", #"{"variant": "cmml"}"#, "one size, got a 3, b 4"),
            ("weight", #"{"variant": "cmml_mlp"}"#, "one size, got a 3, b 4"),
            ("weight", #"{"scorer": [3]}"#, "option 'scorer' belongs to variant"),
            ("weight", #"{"variant": "cmml_mlp", "scorer": [0]}"#, "positive widths"),
            ("mean", "{}", "one size, got a 3, b 4"), ("max", "{}", "one size, got a 3, b 4"),
            ("gated", #"{"target": "d"}"#, "target 'd' is no modality of the model"),
            ("gated", #"{"project": 0}"#, "from 1 to 65536"), ("etmc", #"{"pseudo_view": 2}"#, "pseudo_view"),
            ("ml_lstm", #"{"variant": "progressive", "layers": 2}"#, "option 'layers' belongs to"),
            ("etmc", #"{"annealing": 0}"#, "greater than 0"),
            ("channel", "{}", "needs encoders with feature maps, but that of 'a'"),
        ])
    func misfits(name: String, options: String, message: String) throws {
        #expect { try FusionCase(name, options, sizes: [3, 4]) } throws: {
            "\($0)".contains(message) && ($0 as? BSSError)?.kind == .usage
        }
    }
}
