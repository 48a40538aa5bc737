import BSSCore

/// Sample weights of self-paced learning as functions of the loss l and the age parameter lam.
public enum SelfPacedWeight: String, CaseIterable {
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
    public func weights(_ losses: [Double], threshold lam: Double, gamma: Double = 0.5, order: Double = 3) throws -> [Double] {
        switch self {
        case .hard: return losses.map { $0 < lam ? 1 : 0 }
        case .linear: return losses.map { lam > 0 ? max(1 - $0 / lam, 0) : 0 }
        case .logarithmic:
            guard lam > 0, lam < 1 else {
                throw BSSError("bss.scheduler.self_paced", "the logarithmic weight needs a threshold between 0 and 1, it is \(Text.number(lam))", hint: "set rescale = true")
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
/// Kumar, Packer, Koller, NeurIPS 2010; the threshold as a quantile of the current losses follows Zhou et al., CurML, 2022.
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
    /// mu of the diversity term: within a class, rank r passes if l < lam + mu / (sqrt(r) + sqrt(r - 1)) (Jiang et al., NeurIPS 2014).
    var diversity = 0.0
    /// Soft weights are scaled to mean 1, so that the learning rate keeps its meaning.
    var normalizesWeights = true
    var isAnti = false
    var interval = 1
    var rule = BatchRule()

    func needsScores(t: Int, evaluations: Int) -> Bool { evaluations == 0 || t % interval == 0 }
    func ranking(_ scores: [Double]) -> [Int] {
        let ranking = Ranking.descending(scores)
        return isAnti ? ranking.reversed() : ranking
    }

    func draft(_ request: PlanRequest) throws -> OrderDraft {
        let n = request.count, t = request.t + paceOffset
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
            // Between the last sample in and the first one out, so that `l < lam` holds for exactly `available` distinct losses.
            lam = available < n ? losses[ranking[available]] : (ranking.last.map { losses[$0].nextUp } ?? 1)
        }
        var random = request.random
        if weight == .hard {
            var pool = threshold == nil && diversity == 0 ? Array(ranking[0..<available]) : try kept(ranking, losses, lam, request.labels)
            if pool.count < min(n, rule.minBatches * request.batchSize) { pool = Array(ranking[0..<min(n, rule.minBatches * request.batchSize)]) }
            return OrderDraft(
                indices: try WeightedOrder.shuffled(pool, from: &random), fraction: Double(pool.count) / Double(max(1, n)), isSequential: false)
        }
        let weights = try weight.weights(losses, threshold: rescales ? min(lam, 1 - 1e-9) : lam, gamma: gamma, order: order)
        let pool = ranking.filter { weights[$0] > 0 }
        let indices = try WeightedOrder.shuffled(pool, from: &random)
        var chosen = indices.map { weights[$0] }
        if normalizesWeights, !chosen.isEmpty {
            let mean = chosen.reduce(0, +) / Double(chosen.count)
            chosen = chosen.map { $0 / mean }
        }
        return OrderDraft(indices: indices, fraction: Double(pool.count) / Double(max(1, n)), isSequential: false, weights: chosen)
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
