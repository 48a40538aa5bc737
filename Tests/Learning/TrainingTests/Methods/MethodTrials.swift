import BSSCPU
import BSSCore
import BSSNetworks
import BSSTensor
import Testing

@testable import BSSTraining

/// What every rebalancing method promises, whatever it does: it learns, resumes with the same bits, and does not depend
/// on threads.
enum MethodTrials {
    /// Batch norm and dropout: running statistics and random masks are part of the bits.
    static let encoder = #"{"name": "mlp", "hidden": [10], "dropout": 0.2, "norm": "batch"}"#
    static let momentum = #""optimizer": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "weight_decay": 0.01}"#
    static let schedulers = [
        #"{"name": "random"}"#, #"{"name": "heuristic", "t_grow": 4}"#,
        #"{"name": "learned", "every": 2, "ema_beta": 0.4}"#,
    ]

    /// `count` modalities a, b, … of different widths.
    static func data(_ count: Int, samples: Int = 120) throws -> DatasetSource {
        let all = [
            #""a": {"dim": 12, "noise": 0.1}"#, #""b": {"dim": 8, "noise": 0.15, "speed": 0.6}"#,
            #""c": {"dim": 10, "noise": 0.2}"#,
        ]
        return try SmallTraining.data(
            samples: samples, "{\"modalities\": {\(all.prefix(count).joined(separator: ", "))}}")
    }

    static func options(
        _ rebalance: String, epochs: Int, scheduler: String = schedulers[0], more: String = ""
    ) -> String {
        "{\"epochs\": \(epochs), \"batch_size\": 16, \"checkpoint_every\": 1, \"rebalance\": \(rebalance), \"scheduler\": \(scheduler), \(momentum)\(more)}"
    }

    static func bits(_ source: DatasetSource, _ options: String, threads: Int) throws -> String {
        CPUBackend.setThreads(threads)
        defer { CPUBackend.setThreads(CPUBackend.processorCount) }
        return SmallTraining.bits(try SmallTraining.trainer(source, options, encoder: encoder).run())
    }

    /// Killed in each of `epochs` and resumed: the bits of a training that was not.
    static func expectResumes(_ source: DatasetSource, _ options: String, killedIn epochs: [Int], _ name: String) throws
    {
        let whole = SmallTraining.bits(try SmallTraining.trainer(source, options, encoder: encoder).run())
        let path = SmallTraining.temporaryFile(name)
        defer { Files.remove(path) }
        for last in epochs {
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
            #expect(SmallTraining.bits(try again.run(resumes: true)) == whole, "killed in epoch \(last)")
        }
    }

    /// Test accuracy after a training that is long enough to learn the generated data; chance is 1/3.
    static func accuracy(_ rebalance: String, modalities: Int, scheduler: String, epochs: Int = 16) throws -> Double {
        let options =
            "{\"epochs\": \(epochs), \"batch_size\": 32, \"rebalance\": \(rebalance), \"scheduler\": \(MethodHarness.scheduler(scheduler, modalities: modalities)), \"optimizer\": {\"name\": \"sgd\", \"learning_rate\": 0.05, \"momentum\": 0.9}}"
        let result = try SmallTraining.trainer(data(modalities, samples: 400), options).run()
        return result.selections.value(atPath: "last.test.total.accuracy")?.double ?? .nan
    }

    /// Parameters, buffers and optimizer state of some scopes, bit for bit.
    static func values(_ trainer: Trainer, _ scopes: Set<Scope>?, optimizer: Bool = true) throws -> [String: [Float]] {
        try trainer.context.snapshot(scopes).tensors.filter { optimizer || $0.key.hasPrefix("value.") }.mapValues {
            try $0.values(Float.self)
        }
    }
}

/// Runs a closure after every step.
final class StepObserver: TrainingObserver {
    private let body: (_ epoch: Int, _ step: Int) -> Void
    init(_ body: @escaping (Int, Int) -> Void) { self.body = body }
    func stepEnded(epoch: Int, step: Int, steps: Int, loss: Double) { body(epoch, step) }
}

extension TrainingResult {
    /// Samples beyond those of the history: probe trainings.
    var extraSamples: Int { samples - history.reduce(0) { $0 + ($1["samples"]?.int ?? 0) } }
}
