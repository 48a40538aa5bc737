import BSSCore

/// Teacher-student curriculum: a bandit picks, every epoch, the task on which the student's accuracy changes most.
/// Matiisen et al., TNNLS 2020 (2017); Graves et al., ICML 2017.
///
/// Tasks are the J quantiles of the difficulty at the first evaluation. With r the change of accuracy on the task that
/// was trained:
///
///     online     Q_j ← (1 - a) Q_j + a r
///     window     Q_j ← (1 - a) Q_j + a · slope of the accuracy over the task's last `window` epochs
///     sampling   a reward is drawn from the last `window` of every task
///
/// The task of the largest |Q| is shown (so that a forgotten one comes back), any with probability epsilon.
struct TeacherStudentOrder: OrderPolicy {
    enum Variant: String, Choice { case online, window, sampling }

    @Option("tasks", "J: quantiles of the difficulty that the teacher chooses between", .range(1...10_000))
    var tasks = 10
    @Option(
        "variant",
        "reward: \"online\" (change of accuracy), \"window\" (its slope), \"sampling\" (drawn from recent rewards)")
    var variant = Variant.online
    @Option("rate", "a: weight of the newest reward", .above(0, upTo: 1)) var rate = 0.1
    @Option("epsilon", "probability of a random task", .range(0...1)) var epsilon = 0.01
    @Option("window", "rewards or epochs that a task remembers", .range(2...10_000)) var window = 10
    var scores = OwnScores()
    var rule = BatchRule()

    /// A scan before every epoch: it shows what the epoch before has taught.
    func needsScores(t: Int, evaluations: Int) -> Bool { true }
    /// Tasks stay what they were at the first evaluation.
    func updated(current: [Double], previous: [Double]?) -> [Double] { previous ?? current }
    var startsFromGiven: Bool { false }
    var observesTraining: Bool { true }

    private func range(_ task: Int) -> (start: Double, end: Double) {
        (Double(task) / Double(tasks), Double(task + 1) / Double(tasks))
    }

    /// The task of every sample.
    private func taskOf(_ scores: [Double]) -> [Int] {
        var task = [Int](repeating: 0, count: scores.count)
        for (place, sample) in Ranking.descending(scores).enumerated() {
            task[sample] = min(tasks - 1, place * tasks / scores.count)
        }
        return task
    }

    /// Q after a reward.
    func value(_ q: Double, reward: Double) -> Double { (1 - rate) * q + rate * reward }

    /// memory: value (Q), accuracy per task, practised = the task of the last epoch, history j = (epoch, accuracy)
    /// pairs or rewards.
    func measured(_ evidence: Evidence, t: Int, scores: [Double], _ memory: inout OrderMemory) {
        let task = taskOf(memory["given"] ?? scores)
        var right = [Double](repeating: 0, count: tasks)
        var total = right
        for (sample, isCorrect) in evidence.isCorrect.enumerated() {
            total[task[sample]] += 1
            if isCorrect { right[task[sample]] += 1 }
        }
        let accuracy = zip(right, total).map { $1 > 0 ? $0 / $1 : 0 }
        if let j = memory["practised"]?.first.flatMap({ Int(exactly: $0) }), (0..<tasks).contains(j),
            let before = memory["accuracy"], before.count == tasks
        {
            var q = memory["value"] ?? Array(repeating: 0, count: tasks)
            let key = "history \(j)"
            switch variant {
            case .online: q[j] = value(q[j], reward: accuracy[j] - before[j])
            case .window:
                let pairs = Array(
                    ((memory[key] ?? [Double(t - 1), before[j]]) + [Double(t), accuracy[j]]).suffix(2 * window))
                memory[key] = pairs
                q[j] = value(q[j], reward: TeacherStudentOrder.slope(pairs))
            case .sampling: memory[key] = Array(((memory[key] ?? []) + [accuracy[j] - before[j]]).suffix(window))
            }
            memory["value"] = q
        }
        memory["accuracy"] = accuracy
        memory["practised"] = nil
    }

    /// Least-squares slope of (x, y) pairs.
    static func slope(_ pairs: [Double]) -> Double {
        let x = stride(from: 0, to: pairs.count, by: 2).map { pairs[$0] }
        let y = stride(from: 1, to: pairs.count, by: 2).map { pairs[$0] }
        let meanX = Math.mean(x)
        let meanY = Math.mean(y)
        let spread = x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
        return spread == 0 ? 0 : zip(x, y).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) } / spread
    }

    /// The epoch's task follows from memory and stream, so it is drawn again where it is needed.
    func observed(_ training: TrainingObservation, scores: inout [Double], _ memory: inout OrderMemory) {
        guard training.t >= 0, scores.count == training.count, !training.positions.isEmpty else { return }
        // The middle of the shown ranks: neighbours that fill up a batch do not decide.
        let task = taskOf(memory["given"] ?? scores)
        var seen = [Int](repeating: 0, count: tasks)
        for sample in training.positions { seen[task[sample]] += 1 }
        memory["practised"] = [Double(seen.firstIndex(of: seen.max() ?? 0) ?? 0)]
    }

    func choice(_ memory: OrderMemory, _ random: inout RandomStream) -> Int {
        if random.uniform() < epsilon { return random.integer(below: tasks) }
        var q = memory["value"].flatMap { $0.count == tasks ? $0 : nil } ?? Array(repeating: 0, count: tasks)
        if variant == .sampling {
            for j in 0..<tasks {
                // A task without rewards counts as 1: every one is tried.
                let rewards = memory["history \(j)"] ?? []
                q[j] = rewards.isEmpty ? 1 : rewards[random.integer(below: rewards.count)]
            }
        }
        let top = q.map(abs).max() ?? 0
        let best = (0..<tasks).filter { abs(q[$0]) == top }
        return best[random.integer(below: best.count)]
    }

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        var random = request.random
        let window = range(choice(request.memory, &random))
        let ranking = Ranking.descending(request.perSample("given") ?? request.scores)
        let pool = RankedSubset.part(window, of: ranking, rule: rule, batchSize: request.batchSize)
        return OrderDraft(
            indices: try WeightedOrder.shuffled(pool, from: &random), fraction: window.end - window.start,
            isSequential: false)
    }

    static let part = Part<Scheduler>(
        "teacher_student",
        "Teacher-student curriculum: a bandit shows, every epoch, the difficulty decile on which accuracy changes "
            + "most.",
        policy: TeacherStudentOrder.self,
        source: "Matiisen et al., TNNLS 2020; Graves et al., ICML 2017; \(Scheduler.curML)",
        example: "bss.scheduler.teacher_student{ tasks = 5 }")
}
