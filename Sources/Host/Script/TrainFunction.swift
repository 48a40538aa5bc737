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
        "function(e) after each epoch: e.epoch, e.train, e.val, e.test, e.order, e.scores; return false to stop")
    private static let name = Argument("name", default: "train", "name of the run in its record")
    private static let record = Argument("record", default: true, "write the run's files (scripts, or with --out)")
    private static let own: [any AnyArgument] = [data, model, onEpoch, name, record]

    static func make(_ session: Session) -> Function {
        Function(
            "train", "Trains a multimodal model: the one loop, with any scheduler, rebalancing method and optimizer.",
            own + TrainingOptions.arguments, returns: "run",
            example:
                "bss.train{ data = bss.data.synthetic{ samples = 300 }, epochs = 2 }.result.last.test.total.accuracy",
            source: "Guan, Jiang, Yang, IJCAI 2025, Algorithm 1"
        ) { a in
            let options = try TrainingOptions(a, defaultSeed: session.seed)
            let dataset = a[data].product
            let source = DatasetSource(dataset)
            let recipe = try a[model] ?? ModelObject.automatic(dataset)
            let trainer = try Trainer(options, model: recipe.instantiate(source, seed: options.seed), source: source)
            if session.options.check {
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
                ? try RunRecorder(session, name: a[name], configuration, source: source, seed: options.seed) : nil
            if let finished = try recorder?.finishedRun(), session.options.resume {
                return [.object(RunObject(finished, recorder: recorder!))]
            }
            try recorder?.claim()
            let standing = Standing()
            let watcher = Observers([recorder, standing, Progress.make(session.options, name: a[name])])
            trainer.observer = watcher
            recorder?.trainer = trainer
            trainer.checkpointPath = recorder.map { $0.folder + "/checkpoint.safetensors" }
            if let callback = a[onEpoch] { trainer.onEpoch = { try call(callback, $0, $1) } }
            do {
                let result = try trainer.run(resumes: session.options.resume)
                try recorder?.finish(result, trainer)
                return [
                    .object(
                        RunObject(
                            result, recipe: recipe.recipe, configuration: configuration, recorder: recorder,
                            trainer: trainer, dataset: dataset))
                ]
            } catch {
                recorder?.fail(error)
                if (error as? BSSError)?.kind == .cancelled, !session.options.quiet {
                    Progress.write("\r\u{1B}[K" + standing.note(a[name], folder: recorder?.folder) + "\n")
                }
                throw error
            }
        }
    }

    private static func call(_ callback: Callback, _ record: Table, _ trainer: Trainer) throws -> Bool {
        var event = record
        if trainer.lastPlan != nil { event["order"] = .list(trainer.lastOrder.map { .int($0 + 1) }) }
        if !trainer.scores.isEmpty { event["scores"] = .list(trainer.scores) }
        if case .bool(false)? = try callback.function.call([.table(event)]).first { return false }
        return true
    }
}

/// Several observers as one.
final class Observers: TrainingObserver {
    private let all: [any TrainingObserver]
    init(_ observers: [(any TrainingObserver)?]) { all = observers.compactMap { $0 } }
    func trainingBegan(epochs: Int, resumedAt: Int) {
        for o in all { o.trainingBegan(epochs: epochs, resumedAt: resumedAt) }
    }
    func stepEnded(epoch: Int, step: Int, steps: Int, loss: Double) {
        for o in all { o.stepEnded(epoch: epoch, step: step, steps: steps, loss: loss) }
    }
    func epochEnded(_ record: Table, epoch: Int) { for o in all { o.epochEnded(record, epoch: epoch) } }
    func checkpointing() throws { for o in all { try o.checkpointing() } }
    func trainingEnded(_ result: TrainingResult) { for o in all { o.trainingEnded(result) } }
}
