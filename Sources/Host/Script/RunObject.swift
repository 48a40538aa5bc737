import BSSCore
import BSSCurriculum
import BSSData
import BSSNetworks
import BSSPlot
import BSSTensor
import BSSTraining

/// A finished training in scripts.
final class RunObject: HostObject {
    let facts: RunFacts
    private let model: ModelObject?
    private let dataset: Dataset?
    let scores: [Double]
    /// The training samples behind `scores`.
    let samples: [(row: Int, id: String, label: String, files: Table)]
    private let order: [Int]
    private let measurement: Measurement?
    /// For a run whose model is not at hand: trains it once more, to the same bits, for what no record holds.
    private let retrain: (() throws -> RunObject)?
    private var retrained: RunObject?

    init(
        _ result: TrainingResult, recipe: ModelRecipe, configuration: Table, recorder: RunRecorder?, trainer: Trainer,
        dataset: Dataset
    ) throws {
        facts = RunFacts(result, configuration: configuration, recorder: recorder)
        var card = ModelCard(dataset)
        card.inference = try InferenceRule.used(by: trainer)
        card.identity = ModelObject.maker()
        card.identity["data"] = .string(dataset.name)
        card.identity["run"] = recorder.map { .string($0.id) } ?? .null
        card.identity["method"] = configuration["rebalance"]?.table?["name"] ?? .null
        model = ModelObject(recipe, network: result.model, card: card)
        self.dataset = dataset
        (scores, order) = (result.scores, result.order)
        samples =
            result.scores.isEmpty ? [] : result.rows.map { RunObject.sample($0, of: dataset) }
        measurement = trainer.measurement
        retrain = nil
    }

    /// A run of which the facts are there. Model, scores and order are not among them: whoever asks for them has it
    /// trained again.
    init(_ facts: RunFacts, retrain: @escaping () throws -> RunObject) {
        (self.facts, self.retrain) = (facts, retrain)
        (model, dataset, measurement) = (nil, nil, nil)
        (scores, order, samples) = ([], [], [])
    }

    /// The run with its model.
    func whole() throws -> RunObject {
        guard let retrain else { return self }
        if let retrained { return retrained }
        let made = try retrain()
        retrained = made
        return made
    }

    var history: [Table] { facts.history }

    private static func sample(_ row: Int, of data: Dataset) -> (row: Int, id: String, label: String, files: Table) {
        let files = data.modalities.compactMap { modality in
            modality.file(row).map { (modality.name, Value.string($0)) }
        }
        return (row, data.ids[row], data.classNames[data.labels[row]], Table(fields: files))
    }

    /// The samples at both ends of the scores.
    /// - Throws: the run has no scores.
    func extremes(_ count: Int, _ operation: String) throws -> ExtremesObject {
        let ends = try ends(count, operation)
        guard let dataset else { throw BSSError(operation, "the run has no data") }
        func listed(_ positions: [Int]) -> [ExtremesObject.Sample] {
            positions.map {
                .init(
                    position: $0, row: samples[$0].row, id: samples[$0].id, label: samples[$0].label,
                    score: scores[$0], files: samples[$0].files)
            }
        }
        return ExtremesObject(lowest: listed(ends.lowest), highest: listed(ends.highest), of: dataset)
    }

    /// What its model says of a split of its data.
    func predict(_ split: String, _ missing: [String], _ operation: String) throws -> ModelPrediction {
        guard let model, let dataset else { throw BSSError(operation, "the run has no model") }
        let rows = try PredictFunctions.rows(dataset, split, operation)
        return try model.predictor(operation, missing: missing).predict(dataset, rows: rows)
    }

    var objectType: ObjectType { RunObject.type }
    func choices(of option: String) -> [String] { option == "metric" ? metricPaths : [] }

    /// A table of metrics by split and output, for the selected epoch.
    var summary: String {
        let selection = facts.configuration["select"]?.string ?? "last"
        let chosen = facts.result[selection]?.table ?? Table()
        let epoch = chosen["epoch"]?.int ?? 0
        let length = "\(history.count) epochs in \(Text.fixed(facts.seconds, 2)) s"
        let stop = facts.stopReason.map { "; \($0)" } ?? ""
        var lines = ["run \(facts.id ?? "(not recorded)"): \(length)\(stop); \(selection) = epoch \(epoch)"]
        lines += ["train.loss", "val.total.accuracy"].compactMap { path in
            let values = curve(path)
            guard let first = values.first, let last = values.last, values.count > 1, first.isFinite, last.isFinite
            else { return nil }
            return Text.padded(path, to: 20)
                + "\(Text.fixed(first, 4)) \(Sparkline.text(values, on: Display.output)) \(Text.fixed(last, 4))"
        }
        // Narrow terminals get narrower columns, and shorter names in them.
        let isNarrow = Display.output.columns < 80
        let metrics = ["accuracy", "map", "macro_f1", "weighted_f1", "loss"]
        let names = isNarrow ? ["acc", "map", "macro_f1", "w_f1", "loss"] : metrics
        let (first, width) = isNarrow ? (14, 9) : (20, 12)
        lines.append(Text.padded("", to: first) + names.map { Text.padded($0, to: width, right: true) }.joined())
        for split in ["train", "val", "test"] {
            guard let outputs = chosen[split]?.table else { continue }
            for (name, value) in outputs.fields {
                guard let table = value.table else { continue }
                let cells = metrics.map {
                    Text.padded(table[$0]?.double.map { Text.fixed($0, 4) } ?? "", to: width, right: true)
                }
                lines.append(Text.padded("\(split) \(name)", to: first) + cells.joined())
            }
        }
        return lines.joined(separator: "\n")
    }

    /// The metrics of the selected epoch as a table, for notebooks and texts.
    private var markdown: String {
        let selection = facts.configuration["select"]?.string ?? "last"
        let chosen = facts.result[selection]?.table ?? Table()
        let metrics = ["accuracy", "map", "macro_f1", "weighted_f1", "loss"]
        var lines = [summary.split(separator: "\n").first.map(String.init) ?? "", ""]
        lines += ["| split | output | \(metrics.joined(separator: " | ")) |", "|---|---|---|---|---|---|---|"]
        for split in ["train", "val", "test"] {
            for (name, value) in chosen[split]?.table?.fields ?? [] {
                guard let table = value.table else { continue }
                let cells = metrics.map { table[$0]?.double.map { Text.fixed($0, 4) } ?? "" }
                lines.append("| \(([split, name] + cells).joined(separator: " | ")) |")
            }
        }
        return lines.joined(separator: "\n")
    }

    private static let markdownMethod = Function(
        "markdown", "The metrics of the selected epoch as a Markdown table.", returns: "string",
        example: "print(bss.train{ data = bss.data.synthetic{ samples = 300 }, epochs = 2 }:markdown())"
    ) { a in [.string(try a.receiver(as: RunObject.self).markdown)] }

    /// The results and the parameters' hash; no times and no paths.
    func resultData() throws -> Value? {
        .fields([
            ("result", .table(facts.result)), ("epochs", .int(history.count)),
            ("parameters_hash", .string(facts.parametersHash)),
        ])
    }

    static let type = ObjectType(
        "run", help: "A finished training: results, history, scores and the trained model.",
        methods: RunPlots.methods + [PredictFunctions.ofRun, PredictFunctions.confusion, markdownMethod],
        properties: [
            Property(
                "result",
                "result.<selection>.<split>.<output>.<metric>; selections last, val_best, test_best, selected."
            ) { (r: RunObject) in .table(r.facts.result) },
            Property("history", "Per epoch: train, val, test, learning_rate, samples, seconds, plan.") {
                (r: RunObject) in .list(r.history.map(Value.table))
            },
            Property(
                "scores",
                "Balance score of each training sample (s_upd), by position in the training split; "
                    + "empty without a scoring scheduler."
            ) { (r: RunObject) in .list(try r.whole().scores) },
            Property(
                "order",
                "The last epoch's samples in the order in which batches were cut from them, "
                    + "as positions (from 1) in the training split."
            ) {
                (r: RunObject) in .list(try r.whole().order.map { .int($0 + 1) })
            },
            Property(
                "measurement",
                "The last scan in full: score, ranking, and each criterion raw and normalised; nil without one."
            ) { (r: RunObject) in try r.whole().measurement.map { .table($0.table) } ?? .null },
            Property("model", "The trained model; a run that was taken from its record is trained again for it.") {
                (r: RunObject) in try r.whole().model.map { .object($0) } ?? .null
            },
            Property("config", "Every option, defaults filled in.") { (r: RunObject) in
                Value.table(r.facts.configuration).recorded
            },
            Property("parameters_hash", "SHA-256 of the trained parameters and buffers.") { (r: RunObject) in
                .string(r.facts.parametersHash)
            },
            Property("seconds", "Wall time of the training.") { (r: RunObject) in .number(r.facts.seconds) },
            Property("scoring_seconds", "Wall time of the scheduler's scans in it.") { (r: RunObject) in
                .number(r.facts.scoringSeconds)
            },
            Property(
                "cost",
                "parameters: trainable numbers (probes and method parameters counted); "
                    + "samples: training samples that went forward and backward."
            ) { (r: RunObject) in .table(r.facts.cost) },
            Property("stop_reason", "Why the method ended the training early; nil if it did not.") { (r: RunObject) in
                r.facts.stopReason.map { .string($0) } ?? .null
            },
            Property("id", "Short hash of configuration, script, data and engine; nil if not recorded.") {
                (r: RunObject) in r.facts.id.map { .string($0) } ?? .null
            },
            Property("seed", "Of its random streams.") { (r: RunObject) in r.facts.configuration["seed"] ?? .null },
            Property("arm", "The arm of its experiment; nil outside of one.") { (r: RunObject) in
                r.facts.arm.map { .string($0) } ?? .null
            },
            Property("folder", "Where its files are; nil if not recorded.") { (r: RunObject) in
                r.facts.folder.map { .string($0) } ?? .null
            },
        ])
}
