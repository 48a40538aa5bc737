import BSSCore
import BSSCurriculum
import BSSData
import BSSNetworks
import BSSRuns
import BSSTensor
import BSSTraining

/// `bss.train{ data =, model =, … }`
enum TrainFunction {
    private static let data = Argument<Configured<Dataset>>("data", "what to train on")
    private static let model = Argument<ModelObject?>(
        "model", default: nil, "the network; by default an mlp or cnn a modality, by its shape")
    private static let onEpoch = Argument<Callback?>(
        "on_epoch", default: nil,
        "function(e) after each epoch: e.epoch (from 1), e.t = e.epoch - 1, e.train, e.val, e.test, "
            + "e.order, e.scores; return false to stop",
        called: Signature([CallbackTypes.e], returns: "boolean?"))
    private static let name = Argument("name", default: "train", "name of the run in its record")
    private static let record = Argument("record", default: true, "write the run's files (scripts, or with --out)")
    private static let own: [any AnyArgument] = [data, model, onEpoch, name, record]

    static func make(_ workbench: Workbench) -> Function {
        Function(
            "train", "Trains a multimodal model: the one loop, with any scheduler, rebalancing method and optimizer.",
            own + TrainingOptions.arguments, returns: "run",
            example:
                "bss.train{ data = bss.data.synthetic{ samples = 300 }, epochs = 2 }.result.last.test.total.accuracy",
            source: "Guan, Jiang, Yang, IJCAI 2025, Algorithm 1"
        ) { a in
            try workbench.endDescription(arms: [], seeds: 0)
            try workbench.checkPlace(of: "bss.train")
            let options = try TrainingOptions(a, defaultSeed: workbench.seed)
            let dataset = a[data].product
            let source = DatasetSource(dataset)
            let recipe = try a[model] ?? ModelObject.automatic(dataset)
            if recipe.network != nil {
                try recipe.card?.requireClasses(dataset.classNames, of: "the given model", a.operation)
            }
            if workbench.options.check {
                let trainer = try Trainer(
                    options, model: recipe.instantiate(source, seed: options.seed), source: source)
                throw BSSError(
                    "bss.train",
                    "checked: '\(a[name])' would train \(trainer.model.parameterCount) parameters on \(dataset.name)",
                    kind: .checked)
            }
            var configuration = options.configuration
            configuration["data"] = .table(a[data].configuration)
            configuration["model"] = .table(recipe.configuration)
            if let network = recipe.network {
                configuration["initial_parameters"] = .string(try network.parametersHash())
            }
            let recorder =
                a[record]
                ? try RunRecorder(
                    workbench, name: a[name], configuration, onEpoch: a[onEpoch], source: source, seed: options.seed)
                : nil
            let training = Training(
                workbench: workbench, name: a[name], options: options, dataset: dataset, source: source, recipe: recipe,
                configuration: configuration, onEpoch: a[onEpoch])
            if let recorder, let found = try recorder.reusable() {
                return [.object(try training.reuse(found, recorder))]
            }
            let again = try workbench.options.rerun || recorder?.isFinished() ?? false
            return [.object(try training.run(recorder, again: again))]
        }
    }
}

/// One call of `bss.train`, with everything that it needs to train once more.
struct Training {
    let workbench: Workbench
    let name: String
    let options: TrainingOptions
    let dataset: Dataset
    let source: DatasetSource
    let recipe: ModelObject
    let configuration: Table
    let onEpoch: Callback?

    /// The run from its record.
    func reuse(_ record: Table, _ recorder: RunRecorder) throws -> RunObject {
        workbench.tally.reused(name, recorder.id)
        try recorder.replay()
        let facts = RunFacts(record, recorder: recorder)
        return workbench.trained(RunObject(facts) { try run(recorder, again: true, isShown: false) })
    }

    /// - Parameter isShown: false where what it prints was shown before.
    func run(_ recorder: RunRecorder?, again: Bool, isShown: Bool = true) throws -> RunObject {
        let trainer = try Trainer(options, model: recipe.instantiate(source, seed: options.seed), source: source)
        var checkpoint: String?
        switch try recorder?.begin(again: again) {
        case .finished(let record)?: if let recorder { return try reuse(record, recorder) }
        case .train(let path)?: checkpoint = path
        case nil: break
        }
        let standing = Standing()
        let watcher = Observers([recorder, standing, workbench.progressObserver(name)])
        trainer.observer = watcher
        recorder?.trainer = trainer
        trainer.checkpoints.path = recorder.map { checkpoint ?? $0.folder }
        if let onEpoch { trainer.onEpoch = { try Training.call(onEpoch, $0, $1) } }
        do {
            let body = { try StatusLine.sharing { try trainer.run(resumes: checkpoint != nil) } }
            let finish = { (result: TrainingResult) in try recorder?.finish(result, trainer) }
            let result: TrainingResult
            if let recorder {
                result = try workbench.state.leavingAtCheckpoints {
                    let result = try recorder.keepingOutput(isShown: isShown, body)
                    try finish(result)
                    return result
                }
            } else {
                result = try body()
            }
            workbench.tally.trained(isContinued: checkpoint != nil)
            let run = try RunObject(
                result, recipe: recipe.recipe, configuration: configuration, recorder: recorder, trainer: trainer,
                dataset: dataset)
            return workbench.trained(run)
        } catch {
            recorder?.fail(error)
            if (error as? BSSError)?.kind == .cancelled {
                workbench.note(standing.note(name, folder: recorder?.folder))
                workbench.state.leftBehind = partial(trainer, recorder)
            }
            throw error
        }
    }

    /// The run as far as it came, for whoever interrupted it.
    private func partial(_ trainer: Trainer, _ recorder: RunRecorder?) -> RunObject? {
        // Reading the model must not end like the training; the interrupt itself stays.
        let isRequested = Cancellation.isRequested
        Cancellation.clear()
        defer { if isRequested { Cancellation.request() } }
        // The interrupt is what is told; without a partial run there is just less to look at.
        guard let result = try? trainer.partialResult() else { return nil }
        return try? RunObject(  // as above
            result, recipe: recipe.recipe, configuration: configuration, recorder: recorder, trainer: trainer,
            dataset: dataset)
    }

    private static func call(_ callback: Callback, _ record: EpochRecord, _ trainer: Trainer) throws -> Bool {
        var event = record.table
        event["t"] = .int(record.epoch - 1)
        if trainer.lastSamples != nil { event["order"] = .list(trainer.lastOrder.map { .int($0 + 1) }) }
        if !trainer.scores.isEmpty { event["scores"] = .list(trainer.scores) }
        if case .bool(false)? = try callback.function.call([.table(event)]).first { return false }
        return true
    }
}

/// Several observers as one.
final class Observers: TrainingObserver {
    private let all: [any TrainingObserver]
    init(_ observers: [(any TrainingObserver)?]) { all = observers.compactMap { $0 } }
    func trainingBegan(epochs: Int, resumedAt: Int) throws {
        for o in all { try o.trainingBegan(epochs: epochs, resumedAt: resumedAt) }
    }
    func stepEnded(epoch: Int, step: Int, steps: Int, loss: () throws -> Double) throws {
        for o in all { try o.stepEnded(epoch: epoch, step: step, steps: steps, loss: loss) }
    }
    func epochEnded(_ record: EpochRecord) throws { for o in all { try o.epochEnded(record) } }
    func checkpointing() throws { for o in all { try o.checkpointing() } }
    func checkpointed() throws { for o in all { try o.checkpointed() } }
    func trainingEnded(_ result: TrainingResult) { for o in all { o.trainingEnded(result) } }
}
