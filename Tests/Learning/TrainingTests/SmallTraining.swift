import BSSBackend
import BSSCore
import BSSCurriculum
import BSSData
import BSSNetworks
import BSSTensor
import Foundation

@testable import BSSTraining

/// Trainings of a second or less: what to train on, with what, and what to compare. Options come as JSON.
enum SmallTraining {
    static func table(_ json: String) throws -> Table { try JSON.parse(json).table ?? Table() }

    static func data(samples: Int = 160, _ json: String = "{}") throws -> DatasetSource {
        var options = try table(
            #"{"classes": 3, "modalities": {"a": {"dim": 12, "noise": 0.1}, "b": {"dim": 8, "noise": 0.15, "speed": "#
                + #"0.6}}}"#
        )
        options["samples"] = .int(samples)
        for (key, value) in try table(json).fields { options[key] = value }
        return DatasetSource(try Configured<Dataset>("synthetic", options).product)
    }

    /// Parts named `custom` get functions.
    static func options(_ json: String) throws -> TrainingOptions {
        let named = try CustomHooks.completed(table(json))
        return try TrainingOptions(
            Arguments(operation: "bss.train", declared: TrainingOptions.arguments, named: named), defaultSeed: 1)
    }

    /// One encoder for every modality.
    static func model(
        _ source: any SampleSource, _ encoder: String = #"{"name": "mlp", "hidden": [16]}"#, fusion: String = "concat",
        seed: UInt64 = 1
    ) throws -> MultimodalModel {
        let recipe = try Configured<EncoderRecipe>(value: .table(table(encoder)))
        return try ModelRecipe(
            encoders: source.modalities.map { ($0, recipe) }, fusion: Configured<FusionRecipe>(fusion),
            initialWeights: .pytorch, sharesHead: false
        ).build(
            sampleShapes: source.modalities.enumerated().map { (modality: $1, shape: source.sampleShape($0)) },
            classes: source.classes, seed: seed)
    }

    static func trainer(
        _ source: any SampleSource, _ json: String, encoder: String = #"{"name": "mlp", "hidden": [16]}"#
    ) throws -> Trainer {
        let options = try options(json)
        return try Trainer(options, model: model(source, encoder, seed: UInt64(options.seed)), source: source)
    }

    /// Everything of a result that must be equal for equal trainings: history without times, selections, scores, order,
    /// parameters.
    static func bits(_ result: TrainingResult) -> String {
        func timeless(_ record: EpochRecord) -> Value {
            var table = record.table
            for key in EpochRecord.times { table[key] = nil }
            return .table(table)
        }
        let scores = result.scores.map { String($0.bitPattern, radix: 16) }.joined(separator: " ")
        return JSON.text(.list(result.history.map(timeless))) + JSON.text(.table(result.selections.table)) + scores
            + "\(result.order)" + result.parametersHash
    }

    static func temporaryFile(_ name: String) -> String {
        FileManager.default.temporaryDirectory.path
            + "/bss-training-\(ProcessInfo.processInfo.processIdentifier)-\(name)"
    }
}

/// Samples made in memory: numbers by row and modality; one row can be spoilt.
final class GivenSource: SampleSource {
    let name = "given"
    let modalities: [String]
    let shapes: [[Int]]
    let classes: Int
    let classColumns: [Int]
    var splits: [SplitName: [Int]]
    var values: [[Float]]
    /// Rows that were asked for, in order, for each call on modality 0.
    private(set) var asked: [[Int]] = []

    /// Class patterns with noise, of any shape.
    init(
        _ shapes: [(String, [Int])], count: Int, classes: Int, splits: [SplitName: Range<Int>], noise: Float = 0.5,
        seed: UInt64 = 3
    ) {
        modalities = shapes.map(\.0)
        self.shapes = shapes.map(\.1)
        self.classes = classes
        classColumns = (0..<count).map { $0 % classes }
        self.splits = splits.mapValues(Array.init)
        let labels = classColumns
        values = shapes.map { name, shape in
            let size = shape.reduce(1, *)
            var stream = RandomStream(seed: seed, name: name)
            let patterns = (0..<classes * size).map { _ in Float(stream.normal()) }
            return (0..<count * size).map {
                patterns[labels[$0 / size] * size + $0 % size] + noise * Float(stream.normal())
            }
        }
    }

    func sampleShape(_ modality: Int) -> [Int] { shapes[modality] }
    func rows(_ split: SplitName) -> [Int] { splits[split] ?? [] }
    func describe(row: Int) -> String { "sample-\(row)" }
    var fingerprint: String { "given" }

    func batch(_ modality: Int, rows: [Int], augments: Bool, random: RandomStream) throws -> Tensor {
        if modality == 0 { asked.append(rows) }
        let size = shapes[modality].reduce(1, *)
        return try Tensor.from(
            rows.flatMap { values[modality][$0 * size..<($0 + 1) * size] }, Shape([rows.count] + shapes[modality]))
    }
}

/// Thrown by a test to end a training in its middle, as a kill would.
struct Killed: Error {}

// Records by path, as scripts read them.
extension EpochRecord {
    subscript(key: String) -> Value? { table[key] }
    func value(atPath path: String) -> Value? { table.value(atPath: path) }
}
extension RunResult {
    subscript(key: String) -> Value? { table[key] }
    func value(atPath path: String) -> Value? { table.value(atPath: path) }
}
