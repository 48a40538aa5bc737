import BSSBackend
import BSSCore
import BSSTensor
import Foundation
import Testing
import _BSSTestSupport

@testable import BSSNetworks

/// Models of small encoders, for fusions that look into them.
enum ChannelCase {
    /// Features as they are.
    static func identityModel(_ fusion: String, sizes: [Int], classes: Int = 3) throws -> MultimodalModel {
        try model(fusion, "{}", encoder: #"{"name": "identity"}"#, shapes: sizes.map { [$0] }, classes: classes)
    }

    static func model(
        _ fusion: String, _ options: String, encoder: String = #"{"name": "cnn", "widths": [4, 6]}"#,
        encoders: [String]? = nil, shapes: [[Int]], classes: Int = 3
    ) throws -> MultimodalModel {
        let names = Array(["a", "b", "c"].prefix(shapes.count))
        let recipes = try names.indices.map {
            try Configured<EncoderRecipe>(value: JSON.parse(encoders?[$0] ?? encoder))
        }
        return try ModelRecipe(
            encoders: zip(names, recipes).map { (modality: $0, recipe: $1) },
            fusion: Configured<FusionRecipe>(fusion, JSON.parse(options).table ?? Table()),
            initialWeights: .pytorch, sharesHead: false
        ).build(sampleShapes: zip(names, shapes).map { (modality: $0, shape: $1) }, classes: classes, seed: 5)
    }

    static func inputs(_ shapes: [[Int]], rows: Int) throws -> [Tensor] {
        try shapes.enumerated().map { try FiniteDifferences.irregular(Shape([rows] + $1), seed: $0 + 1, scale: 2) }
    }

    /// Weights of every batch norm of one encoder, in order.
    static func norms(_ model: MultimodalModel, _ modality: Int) -> [Parameter] {
        model.encoders[modality].descendants().compactMap { ($0.module as? BatchNorm)?.weight }
    }
}

/// `channel` in both variants: methods.md, A3.
@Suite(.oneAtATime) struct ChannelFusionTests {
    private let image = [[1, 6, 6], [1, 6, 6], [1, 6, 6]]

    private func gradientFailures(_ model: MultimodalModel, _ shapes: [[Int]]) throws -> [String] {
        for (_, parameter) in model.parameters() { try parameter.convert(to: .float64) }
        return try FiniteDifferences.mismatches(ChannelCase.inputs(shapes, rows: 3), model.parameters(), elements: 6) {
            inputs in
            let output = try model.forward(inputs, ForwardContext(.batchStatistics))
            return try FiniteDifferences.projection(output.fused) + FiniteDifferences.projection(output.unimodal[0])
        }
    }

    // MARK: mmtm

    /// S_a = (1, 2), S_v = 3, W_s = (0.5, -0.25, 0.1), b_s = 0.1 → Z = 0.4; E = (0.4, -0.4): 2σ and σ.
    @Test(arguments: [(TransferFusion.Gate.paper, [1.197375, 0.802625]), (.code, [0.598688, 0.401312])])
    func mmtm_gate_code_vs_paper(gate: TransferFusion.Gate, scales: [Double]) throws {
        let module = try TransferModule(["a", "v"], [2, 1], gate, 3)
        for (name, values) in [
            "squeeze.weight": [0.5, -0.25, 0.1], "squeeze.bias": [0.1], "excite.a.weight": [1, -1],
            "excite.a.bias": [0, 0], "excite.v.weight": [0], "excite.v.bias": [0],
        ] as [String: [Float]] {
            let parameter = try #require(module.parameters().first { $0.name == name }).parameter
            try parameter.assign(Tensor.from(values, parameter.value.shape))
        }
        let a = try Tensor.from([Float(0), 2, 1, 1, 4, 0, 1, 3], [1, 2, 2, 2])
        let v = try Tensor.from([Float(2), 3, 4], [1, 1, 1, 3])
        let scaled = try module.scaled([a, v], samples: 1)
        expectNear(
            try scaled[0].values(Double.self),
            [0, 2, 1, 1].map { $0 * scales[0] } + [4, 0, 1, 3].map { $0 * scales[1] })
        expectNear(try scaled[1].values(Double.self), gate == .paper ? [2, 3, 4] : [1, 1.5, 2])
        // The same means over two frames of one sample: one gate for both.
        let frames = try Tensor.from([Float(0), 1, 0, 2, 2, 1, 4, 2], [2, 2, 1, 2])
        expectNear(
            try module.scaled([frames, v], samples: 1)[0].values(Double.self),
            zip([0, 1, 0, 2, 2, 1, 4, 2], [0, 0, 1, 1, 0, 0, 1, 1]).map { $0 * scales[$1] })
    }

    @Test("mmtm: parameters, and the identity where E = 0 and g = 2σ", arguments: 1...3)
    func mmtmIdentity(count: Int) throws {
        let shapes = Array([[1, 6, 6], [3, 5, 9], [1, 7, 4]].prefix(count))
        let model = try ChannelCase.model("channel", #"{"stages": 2}"#, shapes: shapes)
        let plain = try ChannelCase.model("concat", "{}", shapes: shapes)
        func module(_ channels: Int) -> Int {
            let size = channels * count / 4
            return (channels * count + 1) * size + (size + 1) * channels * count
        }
        #expect(model.parameterCount == plain.parameterCount + module(4) + module(6))
        let inputs = try ChannelCase.inputs(shapes, rows: 3).map { try $0.converted(to: .float32) }
        let before = try model.forward(inputs, ForwardContext(.batchStatistics))
        for (name, parameter) in model.parameters() where name.contains(".excite.") {
            try parameter.assign(Tensor.zeros(parameter.value.shape))
        }
        let after = try model.forward(inputs, ForwardContext(.batchStatistics))
        let alone = try plain.forward(inputs, ForwardContext(.batchStatistics))
        for m in 0..<count {
            #expect(try after.features[m].values(Float.self) == alone.features[m].values(Float.self))
            #expect(try before.features[m].values(Float.self) != alone.features[m].values(Float.self))
        }
        let code = try ChannelCase.model("channel", #"{"gate": "code", "reduction": 2, "stages": 1}"#, shapes: shapes)
        #expect(
            try #require(code.parameters().first { $0.name == "fusion.transfer.0.squeeze.weight" }).parameter.value
                .shape == [6 * count, 3 * count])
    }

    @Test("mmtm: derivatives against finite differences", arguments: 1...3)
    func mmtmGradients(count: Int) throws {
        let shapes = Array([[1, 6, 6], [2, 5, 4], [1, 4, 7]].prefix(count))
        let failures = try gradientFailures(ChannelCase.model("channel", #"{"reduction": 2}"#, shapes: shapes), shapes)
        #expect(failures.isEmpty, "\(failures.prefix(3))")
    }

    @Test("coupled encoders run together or not at all; a stopped one keeps its running statistics")
    func lockStep() throws {
        let model = try ChannelCase.model("channel", "{}", shapes: [[1, 6, 6], [1, 6, 6]])
        let inputs = try ChannelCase.inputs([[1, 6, 6], [1, 6, 6]], rows: 3).map { try $0.converted(to: .float32) }
        #expect(model.isLockStep)
        #expect { try model.encode(1, inputs[1], ForwardContext(.evaluation)) } throws: {
            "\($0)".contains("'b' cannot be encoded alone")
        }
        func statistics(_ m: Int) throws -> [Float] {
            try model.encoders[m].buffers().flatMap { try $0.buffer.value.values(Float.self) }
        }
        model.frozen = ["a"]
        let before = (try statistics(0), try statistics(1))
        _ = try model.forward(inputs, ForwardContext(.training))
        #expect(try statistics(0) == before.0)
        #expect(try statistics(1) != before.1)
    }

    // MARK: cen

    @Test("channels below the threshold become the mean of the others', of their own values before the exchange")
    func exchange() throws {
        let maps = try [[1.0, 2], [3, 4], [5, 9]].map { try Tensor.from($0.map(Float.init), [1, 2, 1, 1]) }
        func weights(_ list: [[Float]]) throws -> [Tensor] { try list.map { try Tensor.from($0, [2]) } }
        func exchanged(_ count: Int, _ list: [[Float]]) throws -> [[Double]] {
            try ExchangeFusion.exchange(Array(maps.prefix(count)), weights(list), below: 0.02).map {
                try $0.values(Double.self)
            }
        }
        #expect(try exchanged(2, [[0.01, 1], [1, -0.019]]) == [[3, 2], [3, 2]])
        #expect(try exchanged(2, [[0.02, -0.02], [0, 0]]) == [[1, 2], [1, 2]])
        #expect(try exchanged(2, [[0, 0], [0, 0]]) == [[3, 4], [1, 2]])
        #expect(try exchanged(3, [[0, 1], [1, 0], [1, 1]]) == [[4, 2], [3, 5.5], [5, 9]])
    }

    @Test("cen without exchange is concat; convolutions of equal shape are one, batch norms private")
    func sharing() throws {
        let shapes = [[1, 6, 6], [1, 6, 6]]
        let plain = try ChannelCase.model("concat", "{}", shapes: shapes)
        let own = try ChannelCase.model("channel", #"{"variant": "cen", "share": false}"#, shapes: shapes)
        let inputs = try ChannelCase.inputs(shapes, rows: 3).map { try $0.converted(to: .float32) }
        #expect(own.parameterCount == plain.parameterCount)
        let got = try own.forward(inputs, ForwardContext(.batchStatistics))
        let wanted = try plain.forward(inputs, ForwardContext(.batchStatistics))
        for m in 0..<2 { #expect(try got.features[m].values(Float.self) == wanted.features[m].values(Float.self)) }

        let shared = try ChannelCase.model("channel", #"{"variant": "cen"}"#, shapes: shapes)
        let convolutions = 4 * 1 * 9 + 6 * 4 * 9
        #expect(shared.parameterCount == plain.parameterCount - convolutions)
        let names = shared.parameters().map(\.name)
        #expect(
            names.count == Set(names).count
                && names.filter { $0.hasSuffix("conv.weight") } == [
                    "fusion.shared.blocks.0.conv.weight", "fusion.shared.blocks.1.conv.weight",
                ])
        #expect(names.filter { $0.hasPrefix("encoder.") }.allSatisfy { $0.contains(".norm.") })
        #expect(shared.parameterGroups().flatMap(\.parameters).map(\.name).sorted() == names.sorted())
        // One network for both: equal inputs give equal features.
        let same = try shared.forward([inputs[0], inputs[0]], ForwardContext(.batchStatistics))
        #expect(try same.features[0].values(Float.self) == same.features[1].values(Float.self))
        #expect(try same.features[0].values(Float.self).contains { $0 != 0 })
        // Different input channels: the first convolutions stay apart.
        let mixed = try ChannelCase.model("channel", #"{"variant": "cen"}"#, shapes: [[1, 6, 6], [3, 6, 6]])
        #expect(
            mixed.parameters().map(\.name).filter { $0.hasSuffix("conv.weight") } == [
                "encoder.a.blocks.0.conv.weight", "encoder.b.blocks.0.conv.weight",
                "fusion.shared.blocks.1.conv.weight",
            ])
    }

    @Test("the penalty adds |w| over disjoint parts of the channels, once or K + 1 times")
    func penalty() throws {
        for (count, options, factor) in [
            (2, "", 1.0), (2, #", "penalty": "code""#, 3), (3, "", 1), (3, #", "penalty": "code""#, 4),
        ] {
            let model = try ChannelCase.model(
                "channel", #"{"variant": "cen", "sparsity": 0.5, "stages": 1\#(options)}"#,
                shapes: Array(image.prefix(count)))
            for m in 0..<count {
                try ChannelCase.norms(model, m)[1].assign(
                    Tensor.from((0..<6).map { Float(($0 % 2 == 0 ? 1 : -1) * (10 * m + $0 + 1)) }, [6]))
            }
            // Of a channels 1, 2, 3 and of b 14, 15, 16; with three modalities 1, 2 and 13, 14 and 25, 26.
            let wanted: Double = count == 2 ? 51 : 81
            let penalty = try model.fusion.penalty()
            expectNear([try #require(penalty).item()], [0.5 * factor * wanted])
        }
        for options in [#"{"variant": "cen", "sparsity": 0}"#, "{}"] {
            let penalty = try ChannelCase.model("channel", options, shapes: Array(image.prefix(2))).fusion.penalty()
            #expect(penalty == nil)
        }
    }

    @Test("cen: derivatives against finite differences, with exchanged channels", arguments: [2, 3], [true, false])
    func cenGradients(count: Int, shares: Bool) throws {
        let shapes = Array(image.prefix(count))
        let model = try ChannelCase.model("channel", #"{"variant": "cen", "share": \#(shares)}"#, shapes: shapes)
        let before = try model.forward(
            ChannelCase.inputs(shapes, rows: 3).map { try $0.converted(to: .float32) }, ForwardContext(.batchStatistics)
        ).fused.values(Float.self)
        for m in 0..<count {
            try ChannelCase.norms(model, m)[0].assign(
                Tensor.from((0..<4).map { Float($0 == m ? 0.01 : 1 + 0.1 * Double($0)) }, [4]))
            try ChannelCase.norms(model, m)[1].assign(Tensor.from((0..<6).map { Float($0 / 2 == m ? -0.01 : 1) }, [6]))
        }
        let after = try model.forward(
            ChannelCase.inputs(shapes, rows: 3).map { try $0.converted(to: .float32) }, ForwardContext(.batchStatistics)
        ).fused.values(Float.self)
        #expect(before != after)
        let failures = try gradientFailures(model, shapes)
        #expect(failures.isEmpty, "\(failures.prefix(3))")
    }

    @Test(
        "cen in a ResNet exchanges inside every residual block, before its last convolution", arguments: [false, true])
    func residualExchange(isBottleneck: Bool) throws {
        let encoder = #"{"name": "\#(isBottleneck ? "resnet50" : "resnet18")", "width": 2, "blocks": [1, 2]}"#
        let shapes = [[1, 16, 16], [1, 16, 16]]
        func model(_ threshold: Double) throws -> MultimodalModel {
            try ChannelCase.model(
                "channel", #"{"variant": "cen", "share": false, "stages": 1, "threshold": \#(threshold)}"#,
                encoder: encoder, shapes: shapes)
        }
        let evaluation = ForwardContext(.evaluation)
        let inputs = try ChannelCase.inputs(shapes, rows: 2).map { try $0.converted(to: .float32) }
        // No channel is below 0: every encoder for itself.
        let alone = try model(0)
        let features = try alone.encode(inputs, evaluation)
        for m in 0..<2 {
            let wanted = try alone.encoders[m](inputs[m], evaluation).values(Double.self)
            expectNear(try features[m].values(Double.self), wanted, within: 1e-5)
        }
        // All are below 9: the two blocks of the last stage read each other's maps.
        let exchanged = try model(9)
        let encoders = try exchanged.encoders.map { try #require($0 as? ResNetEncoder) }
        var maps = try encoders.indices.map { m in
            try encoders[m].stage(0, encoders[m].stem(inputs[m], evaluation), evaluation)
        }
        for block in 0..<2 {
            let blocks = encoders.map { $0.blocks(ofStage: 1)[block] }
            let normed = try blocks.indices.map { try blocks[$0].toNorm(maps[$0], evaluation) }
            maps = try blocks.indices.map { try blocks[$0].fromNorm(normed[1 - $0], maps[$0], evaluation) }
        }
        let crossed = try exchanged.encode(inputs, evaluation)
        for m in 0..<2 {
            let wanted = try encoders[m].pooled(maps[m], samples: 2, evaluation).values(Double.self)
            expectNear(try crossed[m].values(Double.self), wanted, within: 1e-5)
        }
        // λ Σ |w|: two norms of 4 channels at 1, of each modality its half.
        let penalty = try exchanged.fusion.penalty()
        #expect(try abs(#require(penalty).item() - 2e-4 * 2 * 4) < 1e-9)
        let deep = encoder.replacingOccurrences(of: "[1, 2]", with: "[1, 1]")
        #expect {
            try ChannelCase.model("channel", #"{"variant": "cen"}"#, encoders: [encoder, deep], shapes: shapes)
        } throws: { "\($0)".contains("equal blocks, but coupled stage 2 has a 2, b 1") }
    }

    // MARK: Misfits

    @Test("what cannot be coupled is explained")
    func misfits() throws {
        let cnn = #"{"name": "cnn", "widths": [4, 6]}"#
        let wide = #"{"name": "cnn", "widths": [4, 8]}"#
        let mlp = #"{"name": "mlp"}"#
        let cases: [(options: String, encoders: [String], shapes: [[Int]], message: String)] = [
            ("{}", [cnn, mlp], [[1, 6, 6], [5]], "needs encoders with feature maps, but that of 'b'"),
            (#"{"variant": "cen"}"#, [cnn], [[1, 6, 6]], "needs two or more, got a"),
            (#"{"variant": "cen"}"#, [cnn, wide], [[1, 6, 6], [1, 6, 6]], "coupled stage 2 has a 6, b 8"),
            (
                #"{"variant": "cen"}"#, [cnn, mlp], [[1, 6, 6], [5]], "batch norms to exchange at, but that of 'b'"
            ),
            (
                #"{"variant": "cen", "gate": "code"}"#, [cnn, cnn], [[1, 6, 6], [1, 6, 6]],
                "option 'gate' belongs to variant \"mmtm\", not to \"cen\""
            ),
            (
                #"{"threshold": 0.5}"#, [cnn, cnn], [[1, 6, 6], [1, 6, 6]],
                "option 'threshold' belongs to variant \"cen\", not to \"mmtm\""
            ),
        ]
        for (options, encoders, shapes, message) in cases {
            #expect { try ChannelCase.model("channel", options, encoders: encoders, shapes: shapes) } throws: {
                "\($0)".contains(message) && ($0 as? BSSError)?.kind == .usage
            }
        }
        let unequal = try ChannelCase.model("channel", #"{"variant": "cen"}"#, shapes: [[1, 6, 6], [1, 8, 8]])
        let inputs = try ChannelCase.inputs([[1, 6, 6], [1, 8, 8]], rows: 2).map { try $0.converted(to: .float32) }
        #expect { try unequal.forward(inputs, ForwardContext(.evaluation)) } throws: {
            "\($0)".contains("for 'a' and") && "\($0)".contains("for 'b'")
        }
        // Encoders of other depths are coupled from the last stage, as far as both have them.
        let deep = #"{"name": "cnn", "widths": [3, 4, 6]}"#
        #expect(
            try ChannelCase.model("channel", "{}", encoders: [deep, cnn], shapes: [[1, 9, 9], [1, 6, 6]]).parameters()
                .filter { $0.name.hasSuffix("squeeze.weight") }.count == 2)
    }
}
