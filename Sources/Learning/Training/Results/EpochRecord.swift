import BSSCore

/// What one epoch did: an entry of `run.history`.
public struct EpochRecord {
    /// From 1.
    public let epoch: Int
    public let learningRate: Double
    /// Samples trained on.
    public let samples: Int
    public let train: SplitMetrics
    public var val, test, holdout: SplitMetrics?
    /// The scheduler's fraction, class histogram and deciles of scores.
    public var plan = Table()
    /// What method and sample loss say they did.
    public var method, sampleLoss: Table?
    /// Samples of probe trainings.
    public var extraSamples = 0
    public var scoringSeconds = 0.0, stepSeconds = 0.0, seconds = 0.0

    init(epoch: Int, learningRate: Double, samples: Int, train: SplitMetrics) {
        (self.epoch, self.learningRate, self.samples, self.train) = (epoch, learningRate, samples, train)
    }

    /// Of the rows that a method monitors: its hold-out, else the validation split.
    var monitored: SplitMetrics? { holdout ?? val }

    /// The figure that a learning-rate schedule watches.
    func watched(_ name: String) -> Double? {
        switch name {
        case "val_loss": return val?.loss
        case "val_accuracy": return val?.total?.accuracy
        default: return train.loss
        }
    }

    // MARK: As a table

    /// Which of its keys are times: they differ from call to call.
    public static let times = ["scoring_seconds", "step_seconds", "seconds"]

    public var table: Table {
        var table = Table(fields: [
            ("epoch", .int(epoch)), ("learning_rate", .number(learningRate)), ("samples", .int(samples)),
            ("train", .table(train.table)),
        ])
        for (key, part) in [("val", val), ("test", test), ("holdout", holdout)] {
            table[key] = part.map { .table($0.table) }
        }
        table["plan"] = .table(plan)
        table["method"] = method.map(Value.table)
        table["sample_loss"] = sampleLoss.map(Value.table)
        if extraSamples > 0 { table["extra_samples"] = .int(extraSamples) }
        for (key, value) in zip(EpochRecord.times, [scoringSeconds, stepSeconds, seconds]) {
            table[key] = .number(value)
        }
        return table
    }

    /// From its `table`; nil from one that is none.
    init?(_ table: Table) {
        guard let epoch = table["epoch"]?.int, let samples = table["samples"]?.int,
            let train = table["train"]?.table
        else { return nil }
        self.init(
            epoch: epoch, learningRate: table["learning_rate"]?.restored ?? .nan, samples: samples,
            train: SplitMetrics(train))
        (val, test) = (table["val"]?.table.map(SplitMetrics.init), table["test"]?.table.map(SplitMetrics.init))
        holdout = table["holdout"]?.table.map(SplitMetrics.init)
        plan = table["plan"]?.table ?? Table()
        (method, sampleLoss) = (table["method"]?.table, table["sample_loss"]?.table)
        extraSamples = table["extra_samples"]?.int ?? 0
        let times = EpochRecord.times.map { table[$0]?.double ?? 0 }
        (scoringSeconds, stepSeconds, seconds) = (times[0], times[1], times[2])
    }
}
