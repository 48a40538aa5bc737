import BSSCPU
import BSSCore
import BSSNetworks
import BSSTensor
import Testing

@testable import BSSTraining

/// What every rebalancing method must hold, whatever it does: options of a method come as JSON.
enum MethodChecks {
    static let schedulers = [
        #""random""#, #"{"name": "heuristic", "lambda_0": 0.4, "t_grow": 3}"#, #"{"name": "learned", "every": 1}"#,
    ]
    static let encoder = #"{"name": "mlp", "hidden": [12], "dropout": 0.1, "norm": "batch"}"#

    static func data(_ modalities: Int, samples: Int = 120) throws -> DatasetSource {
        let all = [
            #""a": {"dim": 12, "noise": 0.1}"#, #""b": {"dim": 8, "noise": 0.15, "speed": 0.6}"#,
            #""c": {"dim": 6, "noise": 0.2}"#,
        ]
        return try SmallTraining.data(
            samples: samples, #"{"modalities": {\#(all.prefix(modalities).joined(separator: ", "))}}"#)
    }

    static func options(
        _ method: String, _ scheduler: String = #""random""#, epochs: Int = 4, more: String = ""
    ) -> String {
        #"{"epochs": \#(epochs), "batch_size": 16, "checkpoint_every": 1, "rebalance": \#(method), "scheduler": \#(scheduler)\#(more.isEmpty ? "" : ", " + more)}"#
    }

    static func batch(_ trainer: Trainer, _ count: Int = 12, keeps: [UInt32]? = nil) throws -> TrainingBatch {
        let rows = Array(trainer.trainRows.prefix(count))
        return TrainingBatch(
            inputs: try trainer.source.inputs(
                trainer.model.modalities, rows: rows, augments: false, random: RandomStream(seed: 1, name: "x")),
            labels: try Tensor.from(rows.map { trainer.source.classColumns[$0] }), positions: Array(0..<count),
            weights: nil, keeps: keeps)
    }

    /// Gradients of the method's loss by parameter name; a parameter outside the graph is missing.
    static func gradients(_ trainer: Trainer, _ batch: TrainingBatch) throws -> [String: [Float]] {
        let output = try BatchPass(trainer.model, batch, ForwardContext(.training)).output()
        let all = try trainer.method.loss(output, batch).total(batch).backward()
        return Dictionary(
            uniqueKeysWithValues: try trainer.model.parameters().compactMap { name, parameter in
                try all[parameter.value].map { (name, try $0.values(Float.self)) }
            })
    }

    static func weights(_ model: MultimodalModel, _ prefix: String) throws -> [Float] {
        try model.parameters().filter { $0.name.hasPrefix(prefix) }.flatMap {
            try $0.parameter.value.values(Float.self)
        }
    }

    /// One, two and three modalities under every scheduler: trains, says what it did, and shows every planned sample.
    static func composes(_ method: String) throws {
        for modalities in 1...3 {
            let source = try data(modalities)
            for scheduler in schedulers.map({ MethodHarness.scheduler($0, modalities: modalities) }) {
                let result = try SmallTraining.trainer(source, options(method, scheduler, epochs: 2), encoder: encoder)
                    .run()
                #expect(
                    result.history.count == 2
                        && result.history.allSatisfy { $0.value(atPath: "test.loss")?.double?.isFinite ?? false },
                    "\(method), \(scheduler), \(modalities)")
                #expect(
                    result.history.allSatisfy { $0["method"]?.table?.isEmpty == false }, "\(method) reports nothing")
            }
        }
    }

    /// Killed after each epoch and resumed, and with other thread counts: the same bits.
    static func repeats(_ method: String, more: String = "") throws {
        let source = try data(2, samples: 90)
        for scheduler in schedulers {
            let options = options(method, scheduler, more: more)
            func train(threads: Int) throws -> String {
                CPUBackend.setThreads(threads)
                defer { CPUBackend.setThreads(CPUBackend.processorCount) }
                return SmallTraining.bits(try SmallTraining.trainer(source, options, encoder: encoder).run())
            }
            let whole = try train(threads: 1)
            for threads in [2, 3] { #expect(try train(threads: threads) == whole, "\(method), \(threads) threads") }
            let path = SmallTraining.temporaryFile("method.safetensors")
            defer { Files.remove(path) }
            for last in 1...3 {
                Files.remove(path)
                let killed = try SmallTraining.trainer(source, options, encoder: encoder)
                killed.checkpoints.path = path
                killed.onEpoch = { record, _ in
                    if record["epoch"]?.int == last + 1 { throw Killed() }
                    return true
                }
                #expect(throws: Killed.self) { try killed.run() }
                let again = try SmallTraining.trainer(source, options, encoder: encoder)
                again.checkpoints.path = path
                #expect(
                    SmallTraining.bits(try again.run(resumes: true)) == whole,
                    "\(method), \(scheduler), killed in epoch \(last)")
            }
        }
    }

    /// Test accuracy of the total output after some epochs; chance is 1/3.
    static func accuracy(
        _ method: String, modalities: Int, epochs: Int = 12,
        more: String = #""optimizer": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9}"#
    ) throws -> Double {
        let result = try SmallTraining.trainer(
            data(modalities, samples: 400), options(method, epochs: epochs, more: more),
            encoder: #"{"name": "mlp", "hidden": [24]}"#
        ).run()
        return result.selections.value(atPath: "last.test.total.accuracy")?.double ?? 0
    }

    static func learns(_ method: String) throws {
        for modalities in 1...3 {
            let accuracy = try accuracy(method, modalities: modalities)
            print("\(method), \(modalities) modalities: test accuracy \(Text.fixed(accuracy, 3))")
            #expect(accuracy > 0.6, "\(method), \(modalities) modalities")
        }
    }

    /// How far training moves each encoder from its start, on a strong and a weak modality: √Σ (θ - θ₀)².
    static func movement(_ method: String, epochs: Int, more: String) throws -> (strong: Double, weak: Double) {
        let source = try SmallTraining.data(
            samples: 900,
            #"{"classes": 4, "modalities": {"strong": {"dim": 24, "noise": 0.12}, "weak": {"dim": 24, "noise": 0.2, "speed": 0.4}}}"#
        )
        let trainer = try SmallTraining.trainer(
            source, options(method, epochs: epochs, more: more), encoder: #"{"name": "mlp", "hidden": [32]}"#)
        let names = ["encoder.strong.", "encoder.weak."]
        let before = try names.map { try weights(trainer.model, $0) }
        _ = try trainer.run()
        let moved = try zip(names, before).map { name, old in
            try zip(weights(trainer.model, name), old).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
                .squareRoot()
        }
        return (moved[0], moved[1])
    }
}

func isNear(_ a: Double, _ b: Double, _ tolerance: Double = 1e-6) -> Bool { abs(a - b) <= tolerance }
func isNear(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-6) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { isNear($0, $1, tolerance) }
}
