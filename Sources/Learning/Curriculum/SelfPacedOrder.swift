import BSSCore

/// Self-paced learning: samples whose current loss is below a growing threshold, or weights that fall with the loss.
/// Kumar, Packer, Koller, NeurIPS 2010; the threshold as a quantile of the current losses follows Zhou et al., CurML,
/// 2022.
struct SelfPacedOrder: OrderPolicy {
    @Option("weighting", "weight as a function of the loss") var weight = SelfPacedWeight.hard
    @Option("pace", "quantile of the losses that is the threshold at epoch t")
    var growth = Configured<Pace>.named("linear")
    var shorthands = PaceShorthands()
    @Option("pace_offset", PaceShorthands.offsetHelp, .range(0...1_000_000)) var paceOffset = 0
    @Option(
        "threshold", "a first loss threshold that grows, instead of the pace's quantile", .optional(.above(0)))
    var threshold: Double? = nil
    @Option("growth", "factor of the threshold per epoch", .above(0)) var factor = 1.1
    @Option("gamma", "g of the mixture weight", .above(0)) var gamma = 0.5
    @Option("polynomial_order", "t of the polynomial weight", .above(1)) var order = 3.0
    @Option("rescale", "rescale losses to [0, 1) first (the logarithmic weight needs it)") var rescales = false
    /// mu: within a class, rank r passes if l < lam + mu / (sqrt(r) + sqrt(r - 1)) (Jiang et al., NeurIPS 2014).
    @Option("diversity", "mu of the diversity term: lets the easiest of every class in", .atLeast(0))
    var diversity = 0.0
    @Option("normalize_weights", "scale soft weights to mean 1") var normalizesWeights = true
    @Option(
        "prior",
        "self-paced curriculum learning: a prior order (scores, high = easy: list or CSV file) along which weights "
            + "never rise; for hard and linear")
    var prior: GivenScores? = nil
    @Option("stale", "after one scan, use the losses that training itself showed last") var isStale = false
    @Option("score_interval", aliases: ["every"], "epochs between two scans", .atLeast(1)) var interval = 1
    @Option("anti", PaceShorthands.antiHelp) var isAnti = false
    var scan = ScannedScores.ofLoss()
    var rule = BatchRule()

    var scores: PriorScores { PriorScores(scan: scan, prior: prior) }

    /// Scans beside a prior order.
    struct PriorScores: ScoreOptions {
        var scan = ScannedScores.ofLoss(), prior: GivenScores?
        var scoredBy: Measurer? { scan.scoredBy }
        var settings: ScanSettings { scan.settings }
        var warmup: Int { scan.warmup }
        var given: DifficultySource? { prior.map { DifficultySource($0, isDifficulty: false) } }
    }

    func check(_ operation: String) throws {
        _ = try shorthands.adjusted(growth, operation)
        func ignored(_ option: String, _ why: String) -> BSSError {
            BSSError(operation, "\(option) has no effect \(why)", kind: .usage)
        }
        let isPaced = shorthands.isGiven || JSON.lua(growth.plain) != JSON.lua(SelfPacedOrder().growth.plain)
        if threshold != nil, isPaced {
            throw ignored("the pace", "with a threshold, which takes the place of its quantile")
        }
        if threshold == nil, factor != SelfPacedOrder().factor {
            throw ignored("growth", "without a threshold, which it multiplies")
        }
        guard prior != nil, ![.hard, .linear].contains(weight) || diversity > 0 else { return }
        throw BSSError(
            operation, "a prior order has a solution for weighting = \"hard\" and \"linear\" without diversity",
            kind: .usage)
    }

    func needsScores(t: Int, evaluations: Int) -> Bool { evaluations == 0 || (!isStale && t % interval == 0) }
    var startsFromGiven: Bool { false }
    var observesTraining: Bool { isStale }

    func observed(_ training: TrainingObservation, scores: inout [Double], _ memory: inout OrderMemory) {
        guard scores.count == training.count else { return }
        for (k, sample) in training.positions.enumerated() { scores[sample] = -training.losses[k] }
    }

    func ranking(_ scores: [Double]) -> [Int] { RankedSubset.ranking(scores, isAnti: isAnti) }

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        let n = request.count
        let t = request.t + paceOffset
        // Scores are high for easy samples; the difficulty is their negative: the loss, for the default measurer.
        var losses = request.scores.map { isAnti ? $0 : -$0 }
        if isAnti, let low = losses.min() { losses = losses.map { $0 - low } }
        if rescales, let low = losses.min(), let high = losses.max() {
            losses = losses.map { high > low ? ($0 - low) / (high - low) * (1 - 1e-6) : 0 }
        }
        let fraction = try shorthands.adjusted(growth).at(Double(t))
        let ranking = Ranking.ascending(losses)
        let available = rule.size(fraction, of: n, batchSize: request.batchSize)
        let lam: Double
        if let threshold {
            lam = threshold * Math.pow(factor, Double(t))
        } else {
            // Between the last sample in and the first one out, so that `l < lam` holds for exactly `available`
            // distinct losses.
            let next = available < n ? losses[ranking[available]] : (ranking.last.map { losses[$0].nextUp } ?? 1)
            // The mixture weight ends at lam^2.
            lam = weight == .mixture ? max(0, next).squareRoot() : next
        }
        if let prior = request.perSample("given") { return try ordered(by: prior, losses, lam, request) }
        var random = request.random
        if weight == .hard {
            var pool =
                threshold == nil && diversity == 0
                ? Array(ranking[0..<available]) : try kept(ranking, losses, lam, request.labels)
            if pool.count < min(n, rule.minBatches * request.batchSize) {
                pool = Array(ranking[0..<min(n, rule.minBatches * request.batchSize)])
            }
            return OrderDraft(
                indices: try WeightedOrder.shuffled(pool, from: &random),
                fraction: Double(pool.count) / Double(max(1, n)), isSequential: false)
        }
        let weights = try weight.weights(
            losses, threshold: rescales ? min(lam, 1 - 1e-9) : lam, gamma: gamma, order: order)
        let pool = ranking.filter { weights[$0] > 0 }
        return try weighted(
            pool.isEmpty ? Array(ranking.prefix(max(1, rule.minBatches * request.batchSize))) : pool,
            pool.isEmpty ? nil : weights, request)
    }

    /// The pool, shuffled, with its weights (`nil` = none is above 0: all the same).
    private func weighted(_ pool: [Int], _ weights: [Double]?, _ request: PlanRequest) throws -> OrderDraft {
        var random = request.random
        let indices = try WeightedOrder.shuffled(pool, from: &random)
        var chosen = indices.map { weights?[$0] ?? 1 }
        if normalizesWeights, !chosen.isEmpty {
            let mean = chosen.reduce(0, +) / Double(chosen.count)
            chosen = chosen.map { $0 / mean }
        }
        return OrderDraft(
            indices: indices, fraction: Double(pool.count) / Double(max(1, request.count)), isSequential: false,
            weights: chosen)
    }

    /// Self-paced curriculum learning with the linear order of a prior (Jiang et al., AAAI 2015): weights never rise
    /// along it.
    ///
    /// hard: the prefix of the prior that minimises Σ (l_i - lam); linear: min Σ v_i l_i + lam Σ (v_i² / 2 - v_i),
    /// which is the isotonic regression of max(1 - l / lam, 0), by pooling adjacent violators.
    private func ordered(
        by prior: [Double], _ losses: [Double], _ lam: Double, _ request: PlanRequest
    ) throws -> OrderDraft {
        let order = isAnti ? Ranking.ascending(prior) : Ranking.descending(prior)
        let least = min(order.count, max(1, rule.minBatches * request.batchSize))
        if weight == .hard {
            var sum = 0.0
            var best = 0.0
            var length = 0
            for (place, sample) in order.enumerated() {
                sum += losses[sample] - lam
                if sum < best { (best, length) = (sum, place + 1) }
            }
            var random = request.random
            let pool = order.prefix(max(length, least))
            return OrderDraft(
                indices: try WeightedOrder.shuffled(pool, from: &random),
                fraction: Double(pool.count) / Double(max(1, request.count)), isSequential: false)
        }
        let wanted = try weight.weights(losses, threshold: lam, gamma: gamma, order: self.order)
        let fitted = SelfPacedOrder.falling(order.map { wanted[$0] })
        var weights = [Double](repeating: 0, count: order.count)
        for (sample, value) in zip(order, fitted) { weights[sample] = value }
        let pool = order.filter { weights[$0] > 0 }
        return try weighted(pool.isEmpty ? Array(order.prefix(least)) : pool, pool.isEmpty ? nil : weights, request)
    }

    /// The nearest sequence (least squares) that never rises.
    static func falling(_ values: [Double]) -> [Double] {
        var blocks: [(mean: Double, count: Int)] = []
        for value in values {
            blocks.append((value, 1))
            while blocks.count > 1, blocks[blocks.count - 2].mean < blocks[blocks.count - 1].mean {
                let last = blocks.removeLast()
                let before = blocks.removeLast()
                let count = last.count + before.count
                blocks.append(
                    ((before.mean * Double(before.count) + last.mean * Double(last.count)) / Double(count), count))
            }
        }
        return blocks.flatMap { Array(repeating: $0.mean, count: $0.count) }
    }

    /// Samples below the threshold, with the diversity allowance of their rank within their class.
    private func kept(_ ranking: [Int], _ losses: [Double], _ lam: Double, _ labels: [Int]?) throws -> [Int] {
        guard diversity > 0 else { return ranking.filter { losses[$0] < lam } }
        guard let labels else { throw BSSError("bss.scheduler.self_paced", "diversity needs labels") }
        var rank: [Int: Double] = [:]
        return ranking.filter { sample in
            let r = (rank[labels[sample]] ?? 0) + 1
            rank[labels[sample]] = r
            return losses[sample] < lam + diversity / (r.squareRoot() + (r - 1).squareRoot())
        }
    }

    static let part = Part<Scheduler>(
        "self_paced", "Self-paced learning: low losses first, by a threshold (hard) or by weights (soft).",
        policy: SelfPacedOrder.self,
        source:
            "Kumar, Packer, Koller, NeurIPS 2010; Jiang et al., ACM MM 2014, NeurIPS 2014 (diversity) and AAAI 2015 "
            + "(prior); Xu et al., IJCAI 2015; Gong et al., TEVC 2018",
        example: "bss.scheduler.self_paced{ weighting = \"linear\", pace = \"linear\" }")
}
