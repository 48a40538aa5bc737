import BSSCore
import BSSTraining

/// What the record of a run holds of it: everything but its model, scores and order.
struct RunFacts {
    let id: String?
    let folder: String?
    let result: Table
    let history: [Table]
    let configuration: Table
    let parametersHash: String
    let seconds: Double
    let scoringSeconds: Double
    /// `{ parameters, samples }`
    let cost: Table
    let stopReason: String?
    /// Of the experiment that it is a run of.
    var arm: String?

    init(_ result: TrainingResult, configuration: Table, recorder: RunRecorder?) {
        (id, folder) = (recorder?.id, recorder?.folder)
        self.result = result.selections.table
        history = result.history.map(\.table)
        self.configuration = configuration
        (parametersHash, seconds, scoringSeconds) = (result.parametersHash, result.seconds, result.scoringSeconds)
        cost = RunFacts.cost(result)
        stopReason = result.stopReason
    }

    /// Of a run that was finished earlier.
    init(_ record: Table, recorder: RunRecorder) {
        (id, folder) = (recorder.id, recorder.folder)
        result = record["result"]?.table ?? Table()
        history = RunFacts.history(record)
        configuration = record["config"]?.table ?? Table()
        parametersHash = record["parameters_hash"]?.string ?? ""
        seconds = record.value(atPath: "time.training_seconds")?.double ?? 0
        scoringSeconds = record.value(atPath: "time.scoring_seconds")?.double ?? 0
        cost = record["cost"]?.table ?? Table()
        stopReason = record["stop_reason"]?.string
    }

    /// The epochs of a record, with the times that stand apart in it.
    private static func history(_ record: Table) -> [Table] {
        let times = record.value(atPath: "time.epochs")?.table ?? Table()
        let epochs = record["history"]?.table?.items.compactMap(\.table) ?? []
        return epochs.enumerated().map { index, epoch in
            var whole = epoch
            for (key, values) in times.fields {
                guard let items = values.table?.items, items.indices.contains(index) else { continue }
                whole[key] = items[index]
            }
            return whole
        }
    }

    /// Trainable numbers (probes and method parameters counted) and training samples that went forward and backward.
    static func cost(_ result: TrainingResult) -> Table {
        Table(fields: [("parameters", .int(result.model.parameterCount)), ("samples", .int(result.samples))])
    }

    /// What experiments take numbers from: the selected epoch's metrics, the selections by name, the costs.
    var numbers: Table {
        var table = selected
        for (key, value) in result.fields + cost.fields + [("seconds", .number(seconds))] where table[key] == nil {
            table[key] = value
        }
        return table
    }

    /// `{train, val, test}` of the epoch that `select` asked for.
    private var selected: Table { (result["selected"] ?? result["last"])?.table ?? Table() }
}
