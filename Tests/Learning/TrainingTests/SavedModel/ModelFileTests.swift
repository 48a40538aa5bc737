import BSSBackend
import BSSCore
import BSSData
import BSSNetworks
import BSSTensor
import Foundation
import Testing
import _BSSTestSupport

@testable import BSSTraining

/// A model as one file: it loads without anything else, says what differs, and predicts on raw values by name.
@Suite(.serialized) struct ModelFileTests {
    private static let encoder = #"{"name": "mlp", "hidden": [16]}"#

    private func recipe(_ names: [String], _ encoder: String = encoder, fusion: String = "concat") throws -> ModelRecipe
    {
        let part = try Configured<EncoderRecipe>(value: .table(SmallTraining.table(encoder)))
        return ModelRecipe(
            encoders: names.map { ($0, part) }, fusion: try Configured<FusionRecipe>(fusion), initialWeights: .pytorch,
            sharesHead: false)
    }

    private struct Trained {
        let source: DatasetSource, recipe: ModelRecipe, result: TrainingResult, card: ModelCard, path: String
        var dataset: Dataset { source.dataset }
    }

    /// A training of three epochs, saved.
    private func trained(_ options: String = "{}", fusion: String = "concat") throws -> Trained {
        let source = try SmallTraining.data()
        let recipe = try recipe(source.modalities, fusion: fusion)
        var all = try SmallTraining.table(#"{"epochs": 3, "batch_size": 32}"#)
        for (key, value) in try SmallTraining.table(options).fields { all[key] = value }
        let parsed = try SmallTraining.options(JSON.text(.table(all)))
        let shapes = source.modalities.enumerated().map { (modality: $1, shape: source.sampleShape($0)) }
        let network = try recipe.build(sampleShapes: shapes, classes: source.classes, seed: 1)
        let trainer = try Trainer(parsed, model: network, source: source)
        let result = try trainer.run(resumes: false)
        var card = ModelCard(source.dataset)
        card.inference = try InferenceRule.used(by: trainer)
        let path = SmallTraining.temporaryFile("model-\(UUID().uuidString).safetensors")
        try ModelFile.save(result.model, recipe, card, to: path)
        return Trained(source: source, recipe: recipe, result: result, card: card, path: path)
    }

    private func accuracy(_ prediction: ModelPrediction, _ output: String = "total") -> Double {
        let logits = prediction.outputs.first { $0.name == output }?.logits ?? []
        let classes = prediction.classNames.count
        let hits = prediction.labels.enumerated().count { place, label in
            let row = logits[place * classes..<(place + 1) * classes]
            return row.firstIndex(of: row.max() ?? 0) == row.startIndex + label
        }
        return Double(hits) / Double(prediction.count)
    }

    @Test(arguments: [
        #"{"rebalance": "joint"}"#, #"{"rebalance": "none"}"#, #"{"rebalance": "ogm"}"#, #"{"rebalance": "mmpareto"}"#,
        #"{"rebalance": "joint", "inference_heads": "unimodal"}"#,
    ])
    func aFileGivesTheRunsOwnNumbers(_ options: String) throws {
        let made = try trained(options)
        let loaded = try ModelFile.load(made.path)
        #expect(try loaded.network.parametersHash() == made.result.model.parametersHash())
        #expect(
            loaded.card.classNames == made.dataset.classNames
                && loaded.recipe.configuration.keys == made.recipe.configuration.keys)
        let prediction = try ModelPredictor(loaded.network, loaded.card).predict(made.dataset, rows: made.dataset.test)
        for output in ["total", "fused", "a", "b"] {
            let recorded = made.result.selections.table.value(atPath: "last.test.\(output).accuracy")?.double
            #expect(recorded == accuracy(prediction, output), "\(options) \(output)")
        }
    }

    /// The numbers of a file of halves are those of the model, rounded.
    @Test(arguments: [DType.float16, .bfloat16])
    func filesOfHalves(dtype: DType) throws {
        let made = try trained()
        let path = SmallTraining.temporaryFile("half-\(UUID().uuidString).safetensors")
        try ModelFile.save(made.result.model, made.recipe, made.card, to: path, as: dtype)
        let loaded = try ModelFile.load(path)
        let pairs = zip(loaded.network.parameters(), made.result.model.parameters())
        for ((name, mine), (_, own)) in pairs {
            let rounded = try own.value.detached.converted(to: dtype).values(Float.self)
            #expect(try mine.value.values(Float.self) == rounded, "\(name)")
        }
        func bytes(_ path: String) throws -> Int {
            try TensorFile.read(path).tensors.values.reduce(0) { $0 + $1.byteCount }
        }
        #expect(try 2 * bytes(path) == bytes(made.path))
    }

    @Test func rawValuesGetTheModelsStatisticsOnce() throws {
        let made = try trained()
        let predictor = try ModelPredictor(made.result.model, made.card)
        let own = try predictor.predict(made.dataset, rows: made.dataset.test)
        // The same data without standardisation, and with other samples to fit it on.
        let raw = try SmallTraining.data(#"{"standardise": false}"#).dataset
        let bare = try predictor.predict(raw, rows: raw.test)
        #expect(bare.outputs[0].logits == own.outputs[0].logits && bare.ids == own.ids)
        let tensors = try Dictionary(
            uniqueKeysWithValues: raw.modalities.map { modality in
                (modality.name, try Tensor.from(modality.rows(raw.test), [raw.test.count, modality.size]))
            })
        #expect(try predictor.predict(tensors).outputs[0].logits == own.outputs[0].logits)
        let other = try SmallTraining.data(#"{"val": 0.6}"#).dataset
        #expect(other.modalities[0].standardisation != made.dataset.modalities[0].standardisation)
        let again = try predictor.predict(other, rows: Array(0..<other.count))
        let direct = try predictor.predict(raw, rows: Array(0..<raw.count))
        for (a, b) in zip(again.outputs[0].logits, direct.outputs[0].logits) { #expect(abs(a - b) < 1e-4) }
    }

    @Test func modalitiesAndClassesGoByName() throws {
        let made = try trained()
        let predictor = try ModelPredictor(made.result.model, made.card)
        // Another order of modalities, and labels that are other numbers with the same names.
        let swapped = try SmallTraining.data(
            #"{"modalities": {"b": {"dim": 8, "noise": 0.15, "speed": 0.6}, "a": {"dim": 12, "noise": 0.1}}}"#
        ).dataset
        #expect(swapped.modalities.map(\.name) == ["b", "a"])
        let prediction = try predictor.predict(swapped, rows: [0, 1])
        #expect(prediction.outputs.map(\.name) == ["total", "fused", "a", "b"])
        let more = try SmallTraining.data(#"{"classes": 4}"#).dataset
        #expect(throws: BSSError.self) { try predictor.predict(more, rows: Array(0..<more.count)) }
        let wide = try SmallTraining.data(#"{"modalities": {"a": {"dim": 13}, "b": {"dim": 8}}}"#).dataset
        do {
            _ = try predictor.predict(wide, rows: [0])
            Issue.record("a wider modality was taken")
        } catch {
            #expect("\(error)".contains("modality 'a': samples of the data have the shape [13], the model's have [12]"))
        }
    }

    @Test func amodalityMayBeMissing() throws {
        let made = try trained()
        let predictor = try ModelPredictor(made.result.model, made.card, missing: ["a"])
        let prediction = try predictor.predict(made.dataset, rows: made.dataset.test)
        #expect(prediction.outputs.map(\.name) == ["total", "fused", "b"])
        // By hand: features of 'a' are 0, the total is the fused output and b's head.
        let network = made.result.model
        let x = try Tensor.from(made.dataset.modalities[1].rows(made.dataset.test), [made.dataset.test.count, 8])
        let context = ForwardContext(.evaluation)
        let h = try network.encode(1, x, context)
        let zeros = try Tensor.zeros([made.dataset.test.count, network.encoders[0].featureCount])
        let fused = try network.fusion.fuse([zeros, h], context).logits
        let total: [Float] = try (fused + network.heads[1](h, context)).values()
        #expect(total == prediction.outputs[0].logits)
        #expect(throws: BSSError.self) { try ModelPredictor(network, made.card, missing: ["c"]) }
        #expect(throws: BSSError.self) { try ModelPredictor(network, made.card, missing: ["a", "b"]) }
    }

    @Test func aRuleOfItsOwnIsNoRuleOfTheFile() throws {
        #expect(try trained(#"{"rebalance": "mla"}"#).card.inference == nil)
        #expect(try trained(#"{"rebalance": "joint"}"#).card.inference?.weights == [1, 1, 1])
        #expect(try trained(#"{"rebalance": "none"}"#).card.inference?.weights == [1, 0, 0])
    }

    @Test func anotherModelIsNamedByWhatDiffers() throws {
        let made = try trained()
        let other = try recipe(made.source.modalities, #"{"name": "mlp", "hidden": [24]}"#, fusion: "sum")
        let shapes = made.source.modalities.enumerated().map { (modality: $1, shape: made.source.sampleShape($0)) }
        let network = try other.build(sampleShapes: shapes, classes: 3, seed: 1)
        do {
            try ModelFile.load(made.path, into: network, other, ModelCard(made.dataset))
            Issue.record("another model was loaded")
        } catch {
            let said = "\(error)"
            #expect(said.contains("encoders.a.hidden: {16} in the file, {24} here"), "\(said)")
            #expect(said.contains("fusion.name: \"concat\" in the file, \"sum\" here"), "\(said)")
        }
        // Weights alone, as earlier builds wrote them: into a model of the same form, or said what they lack.
        let old = SmallTraining.temporaryFile("old-\(UUID().uuidString).safetensors")
        try made.result.model.save(to: old)
        let same = try made.recipe.build(sampleShapes: shapes, classes: 3, seed: 9)
        try ModelFile.load(old, into: same, made.recipe, nil)
        #expect(try same.parametersHash() == made.result.model.parametersHash())
        do {
            _ = try ModelFile.load(old)
            Issue.record("weights alone made a model")
        } catch { #expect("\(error)".contains("holds weights alone, as earlier builds")) }
    }

    // MARK: PyTorch

    private static let script = Repository.root + "/scripts/interop/load_in_pytorch.py"

    private func python(_ arguments: [String]) throws -> (code: Int32, output: String) {
        let process = Process()
        let pipe = Pipe()
        let own = ProcessInfo.processInfo.environment["BSS_PYTHON"]
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [own ?? "python3"] + arguments
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    private struct Pair {
        let name: String, encoder: String, fusion: String, shapes: [[Int]]
    }

    /// A modality as a file describes it, with a standardisation that is not 0 and 1.
    private func form(_ name: String, _ shape: [Int], _ kind: Value) -> Value {
        let mean = (0..<shape[0]).map { Value.number(0.1 * Double($0)) }
        let deviation = (0..<shape[0]).map { Value.number(1 + 0.05 * Double($0)) }
        return .fields([
            ("name", .string(name)), ("kind", kind), ("shape", .list(shape.map(Value.int))),
            ("mean", .list(mean)), ("deviation", .list(deviation)),
        ])
    }

    @Test func pyTorchGivesTheSameLogitsAndItsWeightsComeBack() throws {
        let pairs = [
            Pair(name: "mlp", encoder: Self.encoder, fusion: "concat", shapes: [[12], [8]]),
            Pair(
                name: "mlp, batch norm", encoder: #"{"name": "mlp", "hidden": [16], "norm": "batch", "features": 5}"#,
                fusion: "sum", shapes: [[12], [8]]),
            Pair(
                name: "resnet18", encoder: #"{"name": "resnet18", "width": 8}"#, fusion: "concat",
                shapes: [[1, 24, 24], [3, 20, 20]]),
        ]
        guard try python(["-c", "import torch"]).code == 0 else {
            return print("interop with PyTorch: 0 of \(pairs.count) ran (no torch for python3 or BSS_PYTHON)")
        }
        for pair in pairs {
            let recipe = try recipe(["a", "b"], pair.encoder, fusion: pair.fusion)
            let dataset = try SmallTraining.data().dataset
            let shapes = zip(["a", "b"], pair.shapes).map { (modality: $0, shape: $1) }
            let network = try recipe.build(sampleShapes: shapes, classes: 3, seed: 4)
            // Statistics of batches that are not 0 and 1.
            var random = RandomStream(seed: 3, name: "interop")
            let inputs = try pair.shapes.map { shape in
                let values = (0..<8 * shape.reduce(1, *)).map { _ in Float(random.normal()) }
                return try Tensor.from(values, Shape([8] + shape))
            }
            _ = try network.forward(inputs, ForwardContext(.training))
            var table = ModelCard(dataset).table(configuration: recipe.configuration)
            let kind = Value.string(pair.shapes[0].count == 3 ? "image" : "features")
            table["modalities"] = .list(shapes.map { form($0.modality, $0.shape, kind) })
            let card = try ModelCard(table, source: "test")
            let path = SmallTraining.temporaryFile("torch-\(UUID().uuidString).safetensors")
            try ModelFile.save(network, recipe, card, to: path)
            let raw = SmallTraining.temporaryFile("inputs-\(UUID().uuidString).safetensors")
            try TensorFile.write(zip(["a", "b"], inputs).map { (name: $0, tensor: $1) }, to: raw)
            let weights = path + ".pt"
            let answer = try python([Self.script, path, raw, "--save", weights])
            let theirs = try JSON.parse(answer.output).table?.items.flatMap {
                $0.table?.items.compactMap(\.double) ?? []
            }
            let ours = try ModelPredictor(network, card).predict(["a": inputs[0], "b": inputs[1]]).outputs[0].logits
            #expect(theirs?.count == ours.count, "\(pair.name): \(answer.output.prefix(200))")
            let worst = zip(ours, theirs ?? []).map { abs(Double($0) - $1) }.max() ?? .infinity
            #expect(worst < 1e-5, "\(pair.name): \(worst)")
            let other = try recipe.build(sampleShapes: shapes, classes: 3, seed: 5)
            #expect(try other.parametersHash() != network.parametersHash())
            try ModelFile.load(weights, into: other, recipe, card)
            #expect(try other.parametersHash() == network.parametersHash(), "\(pair.name)")
        }
        print("interop with PyTorch: \(pairs.count) of \(pairs.count) ran")
    }
}
