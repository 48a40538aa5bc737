import BSSCore

/// Sample weights of self-paced learning as functions of the loss l and the age parameter lam.
public enum SelfPacedWeight: String, Choice {
    /// 1 if l < lam, else 0 (Kumar et al., NeurIPS 2010).
    case hard
    /// max(1 - l/lam, 0) (Jiang et al., ACM MM 2014).
    case linear
    /// ln(l + zeta) / ln(zeta), zeta = 1 - lam, for l < lam < 1 (Jiang et al., ACM MM 2014).
    case logarithmic
    /// 1 if l <= (lam g / (lam + g))^2, 0 if l >= lam^2, else g (1/sqrt(l) - 1/lam) (Jiang et al., ACM MM 2014).
    case mixture
    /// (1 + e^-lam) / (1 + e^(l - lam)) (Xu et al., IJCAI 2015).
    case logistic
    /// (1 - l/lam)^(1/(t - 1)), t > 1 (Gong et al., TEVC 2018).
    case polynomial

    /// - Parameters: `gamma` is g of the mixture, `order` is t of the polynomial.
    /// - Throws: `logarithmic` outside 0 < lam < 1.
    public func weights(
        _ losses: [Double], threshold lam: Double, gamma: Double = 0.5, order: Double = 3
    ) throws -> [Double] {
        switch self {
        case .hard: return losses.map { $0 < lam ? 1 : 0 }
        case .linear: return losses.map { lam > 0 ? max(1 - $0 / lam, 0) : 0 }
        case .logarithmic:
            guard lam > 0, lam < 1 else {
                throw BSSError(
                    "bss.scheduler.self_paced",
                    "the logarithmic weight needs a threshold between 0 and 1, it is \(Text.number(lam))",
                    hint: "set rescale = true")
            }
            let zeta = 1 - lam
            return losses.map { $0 < lam ? Math.log($0 + zeta) / Math.log(zeta) : 0 }
        case .mixture:
            let full = lam * gamma / (lam + gamma) * (lam * gamma / (lam + gamma))
            return losses.map { $0 <= full ? 1 : $0 >= lam * lam ? 0 : gamma * (1 / $0.squareRoot() - 1 / lam) }
        case .logistic: return losses.map { (1 + Math.exp(-lam)) / (1 + Math.exp($0 - lam)) }
        case .polynomial: return losses.map { $0 < lam ? Math.pow(1 - $0 / lam, 1 / (order - 1)) : 0 }
        }
    }
}

/// Self-paced learning: samples whose current loss is below a growing threshold, or weights that fall with the loss.
/// Kumar, Packer, Koller, NeurIPS 2010; the threshold as a quantile of the current losses follows Zhou et al., CurML,
/// 2022.
struct SelfPacedOrder: OrderPolicy {
    var pace: Pace
    var paceOffset = 0
    var weight = SelfPacedWeight.hard
    var gamma = 0.5
    var order = 3.0
    /// A fixed first threshold that is multiplied by `growth` every epoch; `nil` = the pace's quantile of the losses.
    var threshold: Double?
    var growth = 1.1
    /// Losses rescaled to [0, 1) before weighting.
    var rescales = false
    /// mu of the diversity term: within a class, rank r passes if l < lam + mu / (sqrt(r) + sqrt(r - 1)) (Jiang et al.,
    /// NeurIPS 2014).
    var diversity = 0.0
    /// Soft weights are scaled to mean 1, so that the learning rate keeps its meaning.
    var normalizesWeights = true
    var isAnti = false
    var interval = 1
    /// After one scan, the losses are those that training itself showed last: no further passes.
    var isStale = false
    var rule = BatchRule()

    func needsScores(t: Int, evaluations: Int) -> Bool { evaluations == 0 || (!isStale && t % interval == 0) }
    var startsFromGiven: Bool { false }
    var observesTraining: Bool { isStale }

    func observed(_ training: TrainingObservation, scores: inout [Double], _ memory: inout OrderMemory) {
        guard scores.count == training.count else { return }
        for (k, sample) in training.positions.enumerated() { scores[sample] = -training.losses[k] }
    }

    func ranking(_ scores: [Double]) -> [Int] {
        let ranking = Ranking.descending(scores)
        return isAnti ? ranking.reversed() : ranking
    }

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        let n = request.count
        let t = request.t + paceOffset
        // Scores are high for easy samples; the difficulty is their negative: the loss, for the default measurer.
        var losses = request.scores.map { isAnti ? $0 : -$0 }
        if isAnti, let low = losses.min() { losses = losses.map { $0 - low } }
        if rescales, let low = losses.min(), let high = losses.max() {
            losses = losses.map { high > low ? ($0 - low) / (high - low) * (1 - 1e-6) : 0 }
        }
        let fraction = try pace.at(Double(t))
        let ranking = Ranking.ascending(losses)
        let available = rule.size(fraction, of: n, batchSize: request.batchSize)
        let lam: Double
        if let threshold {
            lam = threshold * Math.pow(growth, Double(t))
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
}
