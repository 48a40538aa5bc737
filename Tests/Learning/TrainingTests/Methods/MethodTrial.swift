import BSSCPU
import BSSCore
import BSSCurriculum
import BSSData
import BSSNetworks
import BSSTensor
import Testing

@testable import BSSTraining

/// Small trainings with a rebalancing method: what they train on, with what, and what every method must hold. Options
/// of a method come as JSON; `bss.rebalance.custom` gets every hook.
enum MethodTrial {
    /// Batch norm and dropout: running statistics and random masks are part of the bits.
    static let encoder = #"{"name": "mlp", "hidden": [10], "dropout": 0.2, "norm": "batch"}"#
    static let momentum = #""optimizer": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "weight_decay": 0.01}"#
    static let schedulers = [
        #"{"name": "random"}"#, #"{"name": "heuristic", "lambda_0": 0.4, "t_grow": 3}"#,
        #"{"name": "learned", "every": 2, "ema_beta": 0.4}"#,
    ]

    /// Three classes; one to three modalities of different width and strength.
    static func data(_ modalities: Int = 2, samples: Int = 120) throws -> DatasetSource {
        let all = [
            #""a": {"dim": 12, "noise": 0.1}"#, #""b": {"dim": 8, "noise": 0.15, "speed": 0.6}"#,
            #""c": {"dim": 10, "noise": 0.2}"#,
        ]
        return try SmallTraining.data(
            samples: samples, #"{"modalities": {\#(all.prefix(modalities).joined(separator: ", "))}}"#)
    }

    /// `more`: further options, with or without a comma before them.
    static func options(
        _ method: String, _ scheduler: String = schedulers[0], epochs: Int = 4, more: String = ""
    ) -> String {
        let rest = more.isEmpty || more.hasPrefix(",") ? more : ", " + more
        return #"{"epochs": \#(epochs), "batch_size": 16, "checkpoint_every": 1, "rebalance": \#(method), "#
            + #""scheduler": \#(scheduler)\#(rest)}"#
    }

    /// The same with weight decay and a larger rate.
    static func lively(
        _ method: String, epochs: Int = 4, scheduler: String = schedulers[0], more: String = ""
    ) -> String { options(method, scheduler, epochs: epochs, more: momentum + more) }

    /// One modality has no similarity to score by: the loss alone.
    static func scheduler(_ scheduler: String, modalities: Int) -> String {
        guard modalities == 1, scheduler.contains("heuristic") || scheduler.contains("learned") else {
            return scheduler
        }
        return scheduler.dropLast() + #", "measurer": ["loss"]}"#
    }

    static func trainer(
        _ source: any SampleSource, _ options: String, encoder: String = encoder, fusion: String = "concat"
    ) throws -> Trainer {
        let model = try SmallTraining.model(source, encoder, fusion: fusion)
        return try Trainer(SmallTraining.options(options), model: model, source: source)
    }

    /// Options of a training that learns quickly.
    static func quickOptions(_ method: String, _ more: String = "") -> String {
        options(method, more: #""optimizer": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9}"# + more)
    }

    static func quick(_ method: String, modalities: Int = 2, _ more: String = "") throws -> Trainer {
        try trainer(data(modalities), quickOptions(method, more))
    }

    // MARK: By hand

    static func batch(_ trainer: Trainer, _ positions: [Int], keeps: [UInt32]? = nil) throws -> TrainingBatch {
        let rows = positions.map { trainer.trainRows[$0] }
        return TrainingBatch(
            inputs: try trainer.source.inputs(
                trainer.model.modalities, rows: rows, augments: false, random: Evaluator.noDraws),
            labels: try Tensor.from(rows.map { trainer.source.classColumns[$0] }), positions: positions, weights: nil,
            keeps: keeps)
    }

    static func batch(_ trainer: Trainer, _ count: Int = 12, keeps: [UInt32]? = nil) throws -> TrainingBatch {
        try batch(trainer, Array(0..<count), keeps: keeps)
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

    /// Parameters, buffers and optimizer state of some scopes, bit for bit.
    static func values(_ trainer: Trainer, _ scopes: Set<Scope>?, optimizer: Bool = true) throws -> [String: [Float]] {
        try trainer.context.snapshot(scopes).tensors.filter { optimizer || $0.key.hasPrefix("value.") }.mapValues {
            try $0.values(Float.self)
        }
    }
}
