import BSSCore
import BSSCurriculum
import BSSData
import BSSNetworks
import BSSTensor
import Foundation
import Testing

@testable import BSSTraining

/// What every method's tests ask: one epoch of hooks by hand, bits after killing and resuming, bits by thread count.
enum MethodHarness {
    static let encoder = #"{"name": "mlp", "hidden": [10], "dropout": 0.2, "norm": "batch"}"#

    /// Three classes, two or three modalities of different strength; separable by any method that learns.
    static func data(modalities: Int = 2, samples: Int = 120) throws -> DatasetSource {
        let sets = [
            #""a": {"dim": 12, "noise": 0.1}"#, #""b": {"dim": 8, "noise": 0.15, "speed": 0.6}"#,
            #""c": {"dim": 10, "noise": 0.2, "speed": 0.8}"#,
        ]
        return try SmallTraining.data(
            samples: samples, #"{"modalities": {\#(sets.prefix(modalities).joined(separator: ", "))}}"#)
    }

    static func trainer(
        _ method: String, modalities: Int = 2, samples: Int = 120, _ more: String = "", encoder: String = encoder,
        fusion: String = "concat"
    ) throws -> Trainer {
        let source = try data(modalities: modalities, samples: samples)
        var table = try SmallTraining.table(
            #"""
            {"epochs": 4, "batch_size": 16, "checkpoint_every": 1, "rebalance": \#(method), "optimizer": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9}\#(more)}
            """#)
        if var rebalance = table["rebalance"]?.table, rebalance["name"]?.string == "custom" {
            for (hook, function) in CustomHooks.all { rebalance[hook] = .function(function) }
            table["rebalance"] = .table(rebalance)
        }
        let options = try TrainingOptions(
            Arguments(operation: "bss.train", declared: TrainingOptions.arguments, named: table), defaultSeed: 1)
        return try Trainer(options, model: SmallTraining.model(source, encoder, fusion: fusion), source: source)
    }

    /// One modality has no similarity to score by: the loss alone.
    static func scheduler(_ scheduler: String, modalities: Int) -> String {
        guard modalities == 1, scheduler.contains("heuristic") || scheduler.contains("learned") else {
            return scheduler
        }
        return scheduler.replacingOccurrences(of: "}", with: #", "measurer": ["loss"]}"#)
    }

    /// Killed after every epoch and resumed: the bits of a training that was never stopped.
    static func checkResuming(_ method: String, modalities: Int = 2, _ more: String = "") throws {
        let whole = SmallTraining.bits(try trainer(method, modalities: modalities, more).run())
        let path = SmallTraining.temporaryFile("method-\(abs(method.hashValue)).safetensors")
        defer { Files.remove(path) }
        for last in 0..<3 {
            Files.remove(path)
            let killed = try trainer(method, modalities: modalities, more)
            killed.checkpoints.path = path
            killed.onEpoch = { record, _ in
                if record["epoch"]?.int == last + 2 { throw Killed() }
                return true
            }
            #expect(throws: Killed.self) { _ = try killed.run() }
            let resumed = try trainer(method, modalities: modalities, more)
            resumed.checkpoints.path = path
            #expect(
                SmallTraining.bits(try resumed.run(resumes: true)) == whole, "\(method), resumed after epoch \(last)")
        }
    }

    /// Parameters and buffers of a scope as numbers.
    static func numbers(_ trainer: Trainer, _ prefix: String) throws -> [Float] {
        try trainer.model.stateTensors().filter { $0.name.hasPrefix(prefix) }.flatMap {
            try $0.tensor.values(Float.self)
        }
    }

    /// A batch of the training split.
    static func batch(_ trainer: Trainer, _ positions: [Int]) throws -> TrainingBatch {
        let rows = positions.map { trainer.trainRows[$0] }
        let inputs = try trainer.source.inputs(
            trainer.model.modalities, rows: rows, augments: false, random: RandomStream(seed: 0, name: "none"))
        return TrainingBatch(
            inputs: inputs, labels: try Tensor.from(rows.map { trainer.source.classColumns[$0] }), positions: positions,
            weights: nil, keeps: nil)
    }

    static func isNear(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-5) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
    }
}
