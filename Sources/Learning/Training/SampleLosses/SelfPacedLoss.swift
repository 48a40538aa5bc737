import BSSCore
import BSSCurriculum
import BSSTensor

/// Self-paced weights inside the loss: with `on = "each"`, every modality's loss of every sample has a weight of its
/// own (multi-view self-paced learning), which no order of samples can express.
///
/// Deviation: the threshold is the pace's quantile of the batch's losses, not of the training set's, so no scan is
/// needed.
final class SelfPacedLoss: SampleLoss {
    private let pace: Pace
    private let weighting: SelfPacedWeight
    private let gamma: Double, order: Double
    private let normalizes: Bool
    private unowned var context: TrainingContext!

    init(_ pace: Pace, _ weighting: SelfPacedWeight, gamma: Double, order: Double, normalizes: Bool, target: Target) {
        (self.pace, self.weighting, self.gamma, self.order, self.normalizes) = (
            pace, weighting, gamma, order, normalizes
        )
        super.init(target)
    }

    override func setup(_ context: TrainingContext) { self.context = context }

    override func applied(_ terms: [LossTerm], _ batch: TrainingBatch) throws -> [LossTerm] {
        let fraction = try pace.at(Double(context.epoch))
        return try replacing(terms) { term, _ in
            let weights = try weights(of: term.perSample.detached.values(Double.self), fraction)
            return try term.perSample * Tensor.from(weights.map(Float.init)).converted(to: term.perSample.dtype)
        }
    }

    func weights(of given: [Double], _ fraction: Double) throws -> [Double] {
        var losses = given
        // The logarithmic weight is defined for losses in [0, 1).
        if weighting == .logarithmic, let low = given.min(), let high = given.max() {
            losses = given.map { high > low ? ($0 - low) / (high - low) * (1 - 1e-6) : 0 }
        }
        let sorted = losses.sorted()
        let available = Int(saturating: (Double(sorted.count) * fraction).rounded(.up))
        guard let last = sorted.last else { return [] }
        let next = available < sorted.count ? sorted[available] : last.nextUp
        let threshold =
            weighting == .mixture
            ? max(0, next).squareRoot() : weighting == .logarithmic ? min(max(next, 1e-9), 1 - 1e-9) : next
        let weights = try weighting.weights(losses, threshold: threshold, gamma: gamma, order: order)
        let mean = Math.mean(weights)
        return normalizes && mean > 0 ? weights.map { $0 / mean } : weights
    }

    static let part: Part<SampleLossRecipe> = {
        let pace = Argument(
            "pace", default: Configured<Pace>.named("linear"),
            "quantile of the batch's losses that is the threshold at epoch t")
        let weighting = Argument(
            "weighting", default: "linear", "weight as a function of the loss",
            check: .oneOf(SelfPacedWeight.allCases.map(\.rawValue)))
        let gamma = Argument("gamma", default: 0.5, "g of the mixture weight", check: .above(0))
        let order = Argument("polynomial_order", default: 3.0, "t of the polynomial weight", check: .above(1))
        let normalize = Argument("normalize_weights", default: true, "scale the weights of a batch to mean 1")
        let on = targetArgument(.each)
        return Part(
            "self_paced", "Self-paced weights of every loss term for itself: one weight per sample and modality.",
            [pace, weighting, gamma, order, normalize, on],
            source: "Kumar, Packer, Koller, NeurIPS 2010; weights as in bss.scheduler.self_paced",
            example: "bss.sample_loss.self_paced{ weighting = \"linear\" }"
        ) { a in
            SampleLossRecipe {
                SelfPacedLoss(
                    a[pace].product, SelfPacedWeight(rawValue: a[weighting]) ?? .linear, gamma: a[gamma],
                    order: a[order], normalizes: a[normalize],
                    target: Target(rawValue: a[on]) ?? .each)
            }
        }
    }()
}
