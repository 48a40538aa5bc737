import BSSCore

/// The metrics of one chosen epoch.
public struct Selection {
    /// From 1.
    public let epoch: Int
    public let train: SplitMetrics
    public let val, test: SplitMetrics?

    init(_ record: EpochRecord) {
        (epoch, train, val, test) = (record.epoch, record.train, record.val, record.test)
    }

    /// `{ epoch, train, val, test }`
    public var table: Table {
        var table = Table(fields: [("epoch", .int(epoch)), ("train", .table(train.table))])
        table["val"] = val.map { .table($0.table) }
        table["test"] = test.map { .table($0.table) }
        return table
    }
}

/// `run.result`: the epochs that a training may be judged by. nil without epochs.
public struct RunResult {
    public enum Select: String, Choice {
        case last
        case valBest = "val_best"
        case testBest = "test_best"
    }

    public let last, valBest, testBest: Selection?
    private let choice: Select

    /// The best epochs by the total output's accuracy; without the split it is the last.
    ///
    /// Equal validation accuracies are told apart by the lower validation loss: small splits reach 100 % long before
    /// the weaker heads have learned. The test selection keeps the first of equals, as the released code does.
    init(_ history: [EpochRecord], _ choice: Select) {
        self.choice = choice
        last = history.last.map(Selection.init)
        valBest = RunResult.best(history, \.val) { $0.loss < $1.loss }.map(Selection.init) ?? last
        testBest = RunResult.best(history, \.test) { _, _ in false }.map(Selection.init) ?? last
    }

    private static func best(
        _ history: [EpochRecord], _ split: KeyPath<EpochRecord, SplitMetrics?>,
        breaksTie: (_ new: SplitMetrics, _ old: SplitMetrics) -> Bool
    ) -> EpochRecord? {
        var best: (record: EpochRecord, metrics: SplitMetrics, accuracy: Double)?
        for record in history {
            guard let metrics = record[keyPath: split], let accuracy = metrics.total?.accuracy else { continue }
            // NaN is worse than any number.
            let isBetter = best.map { old in
                accuracy > old.accuracy || (old.accuracy.isNaN && !accuracy.isNaN)
                    || (accuracy == old.accuracy && breaksTie(metrics, old.metrics))
            }
            if isBetter ?? true { best = (record, metrics, accuracy) }
        }
        return best?.record
    }

    /// What `bss.train`'s option `select` asked for.
    public var selected: Selection? {
        switch choice {
        case .last: return last
        case .valBest: return valBest
        case .testBest: return testBest
        }
    }

    /// `{ last, val_best, test_best, selected }`
    public var table: Table {
        let all = [("last", last), ("val_best", valBest), ("test_best", testBest), ("selected", selected)]
        return Table(fields: all.map { ($0, .table($1?.table ?? Table())) })
    }
}
