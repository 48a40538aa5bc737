import BSSCore

/// Dynamic instance hardness (DIHCL): a running mean of what training showed of each sample decides how often it is
/// seen; hard samples first, fewer and fewer. Zhou, Wang, Bilmes, NeurIPS 2020.
///
///     r_i ← (1 - g) r_i + g a_i / lr,    a_i = loss | change of the loss | change of right and wrong
///     share(t) = max(decay^(t + 1), floor);    p_i ∝ r_i | exp(√(2 ln n / n) r_i) | θ_i ~ Beta(r_i, c - r_i)
///
/// Constants and the normalisation by the learning rate follow Zhou et al., CurML, ACM MM 2022. Costs no extra passes:
/// the feedback is that of the training passes.
struct HardnessOrder: OrderPolicy {
    enum Feedback: String, Choice {
        case loss
        case lossChange = "loss_change"
        case flips
    }
    enum Map: String, Choice { case proportional, exponential, thompson }

    @Option(
        "feedback",
        "what training shows of a sample: \"loss\", \"loss_change\" or \"flips\" (right to wrong and back)")
    var feedback = Feedback.loss
    @Option(
        "prob_map",
        "from hardness to probabilities: \"proportional\", \"exponential\" or \"thompson\" (Beta)")
    var map = Map.proportional
    @Option("discount", "g: weight of the newest feedback", .above(0, upTo: 1)) var newest = 0.9
    @Option("decay", "factor of the shown fraction per epoch", .above(0, upTo: 1)) var decay = 0.85
    @Option("floor", "smallest shown fraction", .above(0, upTo: 1)) var floor = 0.2
    @Option(
        "warmup_epochs", aliases: ["score_warmup_epochs"], "epochs of uniform order that collect feedback", .atLeast(0))
    var warmup = 10
    @Option("anti", "easy samples first, at equal sizes") var isAnti = false
    var rule = BatchRule()
    var scores: NoScores { NoScores(warmup: warmup) }

    /// Smallest hardness and smallest learning rate that are divided by or drawn from.
    private static let least = 1e-6, leastRate = 1e-3

    var observesTraining: Bool { true }
    var startsFromGiven: Bool { false }

    /// memory: hardness; last = the sample's last loss or correctness; seen = Σ lr when it was last seen; rates = Σ lr
    /// so far.
    func observed(_ training: TrainingObservation, scores: inout [Double], _ memory: inout OrderMemory) {
        func take(_ name: String) -> [Double] {
            if let found = memory.removeValue(forKey: name), found.count == training.count { return found }
            return Array(repeating: 0, count: training.count)
        }
        var hardness = take("hardness")
        var last = take("last")
        var seen = take("seen")
        let rates = (memory["rates"]?.first ?? 0) + training.learningRate
        for (k, sample) in training.positions.enumerated() {
            var value = training.losses[k]
            var rate = training.learningRate
            if feedback != .loss {
                let now = feedback == .flips ? (training.isCorrect[k] ? 1 : 0) : value
                (value, rate) = (abs(now - last[sample]), rates - seen[sample])
                last[sample] = now
            }
            hardness[sample] = (1 - newest) * hardness[sample] + newest * value / max(rate, HardnessOrder.leastRate)
            seen[sample] = rates
        }
        memory["hardness"] = hardness
        memory["rates"] = [rates]
        if feedback != .loss { (memory["last"], memory["seen"]) = (last, seen) }
        scores = hardness.map { -$0 }
    }

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        let n = request.count
        let share = max(Math.pow(decay, Double(request.t + 1)), floor)
        let count = rule.size(share, of: n, batchSize: request.batchSize)
        var random = request.random
        // Given scores (and `scheduler:order`) stand for a hardness until training has shown one.
        let hardness =
            request.perSample("hardness")
            ?? (request.scores.count == n ? request.scores.map { max(0, -$0) } : Array(repeating: 1, count: n))
        let order = try WeightedOrder.drawn(logWeights: logWeights(hardness, &random), from: &random)
        return OrderDraft(
            indices: Array(order[0..<count]), fraction: Double(count) / Double(max(1, n)), isSequential: true)
    }

    private func logWeights(_ hardness: [Double], _ random: inout RandomStream) throws -> [Double] {
        let sign: Double = isAnti ? -1 : 1
        switch map {
        case .proportional: return hardness.map { sign * Math.log(max($0, HardnessOrder.least)) }
        case .exponential:
            let n = Double(max(hardness.count, 2))
            let factor = (2 * Math.log(n) / n).squareRoot()
            return hardness.map { sign * factor * $0 }
        case .thompson:
            let ceiling = max(1, (hardness.max() ?? 0) + 0.1)
            return hardness.map { r in
                let theta = random.beta(max(r, 0.01), ceiling - max(r, 0.01))
                return Math.log(max(isAnti ? 1 - theta : theta, HardnessOrder.least))
            }
        }
    }

    func ranking(_ scores: [Double]) -> [Int] { isAnti ? Ranking.descending(scores) : Ranking.ascending(scores) }

    static let part = Part<Scheduler>(
        "dihcl",
        "Dynamic instance hardness: a running mean of each sample's training feedback decides how often it is seen; "
            + "hard first, fewer and fewer.",
        policy: HardnessOrder.self, source: "Zhou, Wang, Bilmes, NeurIPS 2020; \(Scheduler.curML)",
        example: "bss.scheduler.dihcl{ warmup_epochs = 3 }")
}

extension RandomStream {
    /// Gamma(shape, 1) (Marsaglia & Tsang, ACM TOMS 26, 2000); shapes below 1 by their boost u^(1/shape).
    mutating func gamma(_ shape: Double) -> Double {
        guard shape >= 1 else { return gamma(shape + 1) * Math.pow(1 - uniform(), 1 / shape) }
        let d = shape - 1.0 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            let x = normal()
            let v = (1 + c * x) * (1 + c * x) * (1 + c * x)
            if v > 0, Math.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v) { return d * v }
        }
    }

    /// Beta(a, b) as a ratio of gammas.
    mutating func beta(_ a: Double, _ b: Double) -> Double {
        let x = gamma(a)
        let y = gamma(b)
        return x + y > 0 ? x / (x + y) : 0
    }
}
