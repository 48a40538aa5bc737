import BSSBackend
import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSTraining

/// Every fusion through the one training loop.
@Suite(.oneAtATime) struct FusionTrainingTests {
    static let vectors: [(String, String)] = [
        ("concat", "{}"), ("concat", #"{"hidden": [16]}"#), ("sum", "{}"), ("weight", "{}"),
        ("weight", #"{"variant": "gated"}"#), ("weight", #"{"variant": "cmml"}"#),
        ("affine", "{}"), ("affine", #"{"target": "each"}"#), ("ml_lstm", #"{"hidden": 16}"#),
        ("ml_lstm", #"{"hidden": 16, "variant": "progressive"}"#), ("etmc", #"{"annealing": 2}"#),
        ("etmc", #"{"hidden": [16]}"#),
    ]
    static let images: [(String, String)] = [
        ("channel", "{}"), ("channel", #"{"gate": "code", "reduction": 2}"#), ("channel", #"{"variant": "cen"}"#),
        ("channel", #"{"variant": "cen", "share": false, "penalty": "code"}"#),
    ]
    static let counts = [2, 3]
    /// Recurrent weights that only see zero states.
    private static func isIdle(_ name: String) -> Bool { name.hasPrefix("lstm.") && name.contains("weight_hh") }

    private func source(_ count: Int, _ shape: [Int]) -> GivenSource {
        GivenSource(
            Array(["a", "b", "c"].prefix(count)).map { ($0, shape) }, count: 180, classes: 3,
            splits: [.train: 0..<120, .val: 120..<150, .test: 150..<180])
    }

    private func network(
        _ source: GivenSource, _ fusion: String, _ options: String, encoder: String
    ) throws -> MultimodalModel {
        let recipe = try Configured<EncoderRecipe>(value: JSON.parse(encoder))
        return try ModelRecipe(
            encoders: source.modalities.map { ($0, recipe) },
            fusion: Configured<FusionRecipe>(fusion, SmallTraining.table(options)), initialWeights: .pytorch,
            sharesHead: false
        ).build(
            sampleShapes: source.modalities.indices.map { (modality: source.modalities[$0], shape: source.shapes[$0]) },
            classes: source.classes, seed: 1)
    }

    private func values(_ module: Module) throws -> [(name: String, values: [Float])] {
        try module.parameters().map { ($0.name, try $0.parameter.value.values(Float.self)) }
    }

    /// One epoch moves every parameter; some more and the fused output is far above chance.
    private func check(_ source: GivenSource, _ fusion: String, _ options: String, encoder: String) throws {
        func trained(
            epochs: Int
        ) throws -> (model: MultimodalModel, before: [(name: String, values: [Float])], result: TrainingResult) {
            let model = try network(source, fusion, options, encoder: encoder)
            let before = try values(model.fusion)
            let settings = try SmallTraining.options(
                #"{"epochs": \#(epochs), "batch_size": 24, "rebalance": "none", "optimizer": {"name": "adam", "#
                    + #""learning_rate": 0.01}}"#
            )
            return (model, before, try Trainer(settings, model: model, source: source).run())
        }
        let (model, before, result) = try trained(epochs: 1)
        #expect(result.history.count == 1 && result.history[0].value(atPath: "train.loss")?.double?.isFinite == true)
        for (old, new) in zip(before, try values(model.fusion))
        where !(options.contains("progressive") && Self.isIdle(old.name)) {
            #expect(old.values != new.values, "\(fusion) \(options): \(old.name) did not move")
        }
        let accuracy = try #require(
            trained(epochs: 10).result.history.last?.value(atPath: "test.fused.accuracy")?.double)
        #expect(accuracy > 0.8, "\(fusion) \(options), \(source.modalities.count) modalities: \(accuracy)")
    }

    @Test("fusions of vectors train", arguments: vectors.indices, counts)
    func vectors(index: Int, count: Int) throws {
        try check(
            source(count, [10]), Self.vectors[index].0, Self.vectors[index].1,
            encoder: #"{"name": "mlp", "hidden": [16]}"#)
    }

    @Test("channel fusions of images train", arguments: images.indices, counts)
    func images(index: Int, count: Int) throws {
        try check(
            source(count, [1, 8, 8]), Self.images[index].0, Self.images[index].1,
            encoder: #"{"name": "cnn", "widths": [6, 8]}"#)
    }

    @Test(
        "one modality trains with every fusion that can, under joint and fused losses",
        arguments: ["concat", "sum", "weight", "ml_lstm", "etmc"], ["joint", "none"])
    func unimodal(fusion: String, rebalance: String) throws {
        let source = source(1, [10])
        let model = try network(
            source, fusion, fusion == "ml_lstm" ? #"{"hidden": 16}"# : "{}",
            encoder: #"{"name": "mlp", "hidden": [16]}"#)
        let settings = try SmallTraining.options(
            #"{"epochs": 10, "batch_size": 24, "rebalance": "\#(rebalance)", "optimizer": {"name": "adam", "#
                + #""learning_rate": 0.01}}"#
        )
        let last = try #require(Trainer(settings, model: model, source: source).run().history.last)
        for output in ["total", "fused", "a"] {
            #expect(try #require(last.value(atPath: "test.\(output).accuracy")?.double) > 0.7, "\(fusion) \(output)")
        }
    }

    @Test(
        "BSS-L with the joint loss runs on every kind of fusion",
        arguments: [("etmc", "{}"), ("affine", "{}"), ("channel", #"{"variant": "cen"}"#)])
    func learnedOrder(fusion: String, options: String) throws {
        let source = source(2, fusion == "channel" ? [1, 8, 8] : [10])
        let model = try network(
            source, fusion, options,
            encoder: fusion == "channel" ? #"{"name": "cnn", "widths": [6, 8]}"# : #"{"name": "mlp", "hidden": [16]}"#)
        let settings = try SmallTraining.options(
            #"{"epochs": 3, "batch_size": 24, "scheduler": {"name": "learned", "every": 1}}"#)
        let result = try Trainer(settings, model: model, source: source).run()
        #expect(result.scores.count == 120 && result.scores.allSatisfy(\.isFinite) && Set(result.order).count == 120)
    }

    @Test("the exchange penalty reaches training: |w| shrinks in each modality's own part of the channels")
    func penalty() throws {
        let source = source(2, [1, 8, 8])
        let model = try network(
            source, "channel", #"{"variant": "cen", "sparsity": 0.2, "stages": 1}"#,
            encoder: #"{"name": "cnn", "widths": [6, 8]}"#)
        let settings = try SmallTraining.options(
            #"{"epochs": 4, "batch_size": 24, "optimizer": {"name": "sgd", "learning_rate": 0.1, "momentum": 0, "#
                + #""weight_decay": 0}}"#
        )
        _ = try Trainer(settings, model: model, source: source).run()
        for m in 0..<2 {
            let name = "blocks.1.norm.weight"
            let weights = try #require(model.encoders[m].parameters().first { $0.name == name }).parameter.value.values(
                Double.self)
            let halves = [weights[..<4], weights[4...]].map { $0.reduce(0) { $0 + abs($1) } / 4 }
            #expect(halves[m] < halves[1 - m] - 0.2, "\(halves)")
        }
    }

    @Test(
        "killed and resumed: the same bits, also where a fusion owns convolutions of the encoders",
        arguments: [("weight", "{}"), ("channel", #"{"variant": "cen", "threshold": 0.99}"#), ("etmc", "{}")])
    func resume(fusion: String, options: String) throws {
        let source = source(2, fusion == "channel" ? [1, 8, 8] : [10])
        let settings = try SmallTraining.options(
            #"{"epochs": 4, "batch_size": 24, "checkpoint_every": 1, "optimizer": {"name": "adam", "learning_rate": "#
                + #"0.01}}"#
        )
        func trainer() throws -> Trainer {
            let model = try network(
                source, fusion, options,
                encoder: fusion == "channel"
                    ? #"{"name": "cnn", "widths": [6, 8]}"# : #"{"name": "mlp", "hidden": [16]}"#)
            return try Trainer(settings, model: model, source: source)
        }
        let whole = SmallTraining.bits(try trainer().run())
        let path = SmallTraining.temporaryFile("fusion.safetensors")
        defer { Files.remove(path) }
        let killed = try trainer()
        killed.checkpoints.path = path
        killed.onEpoch = { record, _ in
            if record["epoch"]?.int == 3 { throw Killed() }
            return true
        }
        #expect(throws: Killed.self) { try killed.run() }
        let again = try trainer()
        again.checkpoints.path = path
        #expect(SmallTraining.bits(try again.run(resumes: true)) == whole)
    }

    @Test("weight decay leaves the static weights alone")
    func decay() throws {
        let source = source(2, [10])
        let model = try network(source, "weight", "{}", encoder: #"{"name": "identity"}"#)
        let weights = model.fusion.undecayed[0]
        try weights.assign(Tensor.from([Float(0), 1]))
        // alpha = 1: the fused loss has no weight, so that decay alone would move the fusion.
        let settings = try SmallTraining.options(
            #"{"epochs": 1, "alpha": 0.999999, "optimizer": {"name": "sgd", "learning_rate": 0.1, "weight_decay": "#
                + #"0.5}}"#
        )
        let before = try values(model.fusion)
        _ = try Trainer(settings, model: model, source: source).run()
        let moved = try #require(weights.value.values(Double.self).last)
        #expect(abs(moved - 1) < 1e-3)
        let classifier = try zip(before, values(model.fusion)).first { $0.0.name == "classifier.a.weight" }
        let (old, new) = try #require(classifier)
        #expect(new.values.reduce(0) { $0 + abs($1) } < 0.95 * old.values.reduce(0) { $0 + abs($1) })
    }
}
