import BSSCore

/// The samples of one epoch, in the order in which batches are cut from them.
public struct EpochPlan {
    public let epoch: Int
    /// Positions in the training split, from 0; already shuffled where the scheduler shuffles.
    public let indices: [Int]
    /// The order carries the curriculum; otherwise it is a shuffle.
    public let isSequential: Bool
    /// Loss weight of each entry of `indices`; `nil` = 1 for all.
    public let weights: [Double]?
    /// Leave out a last batch that is smaller than the others.
    public let dropsLast: Bool
    /// lambda(t), or the share of the training set in this epoch.
    public let fraction: Double
    public let log: PlanLog

    /// Batches that the trainer will make.
    public func batchCount(_ batchSize: Int) -> Int {
        dropsLast ? indices.count / batchSize : (indices.count + batchSize - 1) / batchSize
    }
}

/// What a plan looks like from afar: does the early subset favour classes, do scores really fall along the order.
public struct PlanLog {
    /// Samples per class; empty without labels.
    public var histogram: [Int] = []
    /// Entropy of the class histogram in nats, and its value for equal shares.
    public var entropy: Double?
    public var maximumEntropy: Double?
    /// Mean score of the first and last tenth of the order; `nil` without scores.
    public var firstDecile: Double?
    public var lastDecile: Double?

    public var table: Table {
        var table = Table()
        if !histogram.isEmpty { table["class_histogram"] = .list(histogram.map(Value.int)) }
        for (name, value) in [
            ("entropy", entropy), ("maximum_entropy", maximumEntropy), ("first_decile", firstDecile),
            ("last_decile", lastDecile),
        ] {
            if let value { table[name] = .number(value) }
        }
        return table
    }
}

/// The state of one training's sample sequence: current scores, smoothed scores, when they were made.
///
/// Per epoch: `if needsScores(atEpoch: e) { receive(measurer.score(scan), epoch: e) }`, then `plan(epoch: e, …)`.
/// Epochs count from 0. Random numbers come from `random.child("epoch e")`, so nothing but the scores has to be saved.
public final class Sequencer {
    public let scheduler: Scheduler
    public let count: Int
    private let labels: [Int]?
    private let classes: Int
    /// s_cur of the last scan; empty before it.
    public private(set) var current: [Double] = []
    /// s_upd (Eq. 9); empty before the first scan.
    public private(set) var scores: [Double] = []
    public private(set) var evaluations = 0
    /// Epoch of the last scan; -1 before it.
    public private(set) var lastScan = -1
    /// What the policy keeps beside the scores.
    private var memory: OrderMemory = [:]
    /// The last scan in full, for records; not part of the saved state.
    public private(set) var measurement: Measurement?

    init(_ scheduler: Scheduler, count: Int, labels: [Int]?, classes: Int) {
        self.scheduler = scheduler
        self.count = count
        self.labels = labels
        self.classes = max(classes, (labels?.max() ?? -1) + 1)
    }

    /// True if the training set has to be scored before this epoch.
    public func needsScores(atEpoch epoch: Int) -> Bool {
        let t = epoch - scheduler.warmupEpochs
        return scheduler.measurer != nil && t >= 0 && lastScan != epoch
            && scheduler.policy.needsScores(t: t, evaluations: evaluations)
    }

    /// `evidence`: the scan behind the scores, for policies that want more of it.
    public func receive(_ measurement: Measurement, _ evidence: Evidence? = nil, epoch: Int) throws {
        try receive(scores: measurement.score, epoch: epoch)
        self.measurement = measurement
        if let evidence {
            try scheduler.policy.measured(evidence, t: epoch - scheduler.warmupEpochs, scores: scores, &memory)
        }
    }

    /// Takes scores that came with the scheduler: those of all samples, in the order of the training split.
    public func take(given: [Double]) throws {
        guard given.count == count else {
            throw BSSError("bss.scheduler.\(scheduler.name)", "expected \(count) scores, got \(given.count)")
        }
        memory["given"] = given
        if scheduler.policy.startsFromGiven { try receive(scores: given, epoch: 0) }
    }

    /// True if `observed` has to be called after every epoch of training.
    public var observesTraining: Bool { scheduler.policy.observesTraining }

    /// Takes what an epoch of training showed of the samples at `positions` (one row of `evidence` each).
    public func observed(_ positions: [Int], _ evidence: Evidence, learningRate: Double, epoch: Int) throws {
        let losses = try evidence.totalLoss()
        try Measurer.checkFinite(losses, "loss")
        let observation = TrainingObservation(
            t: epoch - scheduler.warmupEpochs, positions: positions, losses: losses, isCorrect: evidence.isCorrect,
            learningRate: learningRate, count: count)
        try scheduler.policy.observed(observation, scores: &scores, &memory)
        if current.isEmpty { current = scores }
    }

    /// Takes the validation loss (else the training loss) of an epoch that has ended.
    public func epochEnded(loss: Double, epoch: Int) {
        if epoch >= scheduler.warmupEpochs { scheduler.policy.epochEnded(loss: loss, &memory) }
    }

    /// Takes scores of all samples, in the order of the training split.
    /// - Throws: another number of scores than samples, NaN or infinite scores.
    public func receive(scores new: [Double], epoch: Int) throws {
        guard new.count == count else {
            throw BSSError("bss.scheduler.\(scheduler.name)", "expected \(count) scores, got \(new.count)")
        }
        try Measurer.checkFinite(new, "score")
        current = new
        scores = scheduler.policy.updated(current: new, previous: evaluations == 0 ? nil : scores)
        evaluations += 1
        lastScan = epoch
    }

    /// The sample sequence of an epoch. `random` is the run's stream `order`; the plan of an epoch depends on its seed,
    /// the epoch and the scores only.
    public func plan(epoch: Int, batchSize: Int, random: RandomStream) throws -> EpochPlan {
        let t = epoch - scheduler.warmupEpochs
        var draft: OrderDraft
        if t < 0 {
            var stream = random.child("epoch \(epoch)")
            draft = OrderDraft(
                indices: try WeightedOrder.shuffled(count, from: &stream), fraction: 1, isSequential: false)
        } else {
            if scores.isEmpty, count > 0, scheduler.policy.needsScores(t: t, evaluations: 0) {
                throw BSSError(
                    "bss.scheduler.\(scheduler.name)", "has no scores at t = \(epoch)",
                    hint: "pass scores, one per sample")
            }
            draft = try scheduler.policy.draft(
                PlanRequest(
                    epoch: epoch, t: t, count: count, batchSize: batchSize, scores: scores, labels: labels,
                    memory: memory, random: random.child("epoch \(epoch)"),
                    scoringRandom: random.child("epoch \(max(lastScan, 0))"), runRandom: random))
        }
        return EpochPlan(
            epoch: epoch, indices: draft.indices, isSequential: draft.isSequential, weights: draft.weights,
            dropsLast: scheduler.rule.dropsLast,
            fraction: draft.fraction, log: log(draft.indices))
    }

    private func log(_ indices: [Int]) -> PlanLog {
        var log = PlanLog()
        if let labels, classes > 0 {
            var histogram = [Int](repeating: 0, count: classes)
            for i in indices { histogram[labels[i]] += 1 }
            let total = Double(max(1, indices.count))
            log.histogram = histogram
            log.entropy = histogram.reduce(0) { $1 == 0 ? $0 : $0 - Double($1) / total * Math.log(Double($1) / total) }
            log.maximumEntropy = Math.log(Double(classes))
        }
        if !scores.isEmpty, !indices.isEmpty {
            let tenth = max(1, indices.count / 10)
            func mean(_ part: ArraySlice<Int>) -> Double { part.reduce(0) { $0 + scores[$1] } / Double(part.count) }
            log.firstDecile = mean(indices.prefix(tenth))
            log.lastDecile = mean(indices.suffix(tenth))
        }
        return log
    }

    // MARK: Diagnostics

    /// p of Eq. 10 from s_upd; `nil` for schedulers without probabilities or before the first scan.
    public func probabilities() throws -> [Double]? {
        scores.isEmpty ? nil : try scheduler.policy.probabilities(scores)
    }
    /// Samples in this scheduler's order of preference, from s_upd; empty before the first scan.
    public var ranking: [Int] { scores.isEmpty ? [] : scheduler.policy.ranking(scores) }

    // MARK: Checkpoints

    /// Everything that `restore` needs; the ranking and the probabilities follow from it.
    public var state: Value {
        .fields([
            ("evaluations", .int(evaluations)), ("last_scan", .int(lastScan)), ("current", .list(current)),
            ("scores", .list(scores)),
            ("memory", .fields(memory.sorted { $0.key < $1.key }.map { ($0.key, .list($0.value)) })),
        ])
    }

    /// - Throws: a state of another shape or of another number of samples.
    public func restore(_ state: Value) throws {
        func damaged(_ what: String) -> BSSError {
            BSSError("restore scheduler", "the saved state \(what)", kind: .data)
        }
        guard let table = state.table, let evaluations = table["evaluations"]?.int,
            let lastScan = table["last_scan"]?.int,
            let current = table["current"]?.numbers,
            let scores = table["scores"]?.numbers
        else { throw damaged("lacks evaluations, last_scan, current or scores") }
        guard [0, count].contains(scores.count), scores.count == current.count,
            evaluations == 0 || scores.count == count
        else {
            throw damaged("has \(scores.count) scores for \(count) samples")
        }
        var memory: OrderMemory = [:]
        for (name, value) in table["memory"]?.table?.fields ?? [] {
            guard let numbers = value.numbers else {
                throw damaged("has a memory '\(name)' that is \(value.described)")
            }
            memory[name] = numbers
        }
        (self.evaluations, self.lastScan, self.current, self.scores, self.memory) = (
            evaluations, lastScan, current, scores, memory
        )
        measurement = nil
    }
}
