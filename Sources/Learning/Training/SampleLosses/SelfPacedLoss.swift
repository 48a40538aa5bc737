import BSSCore
import BSSCurriculum
import BSSTensor

/// Self-paced weights inside the loss: with `on = "each"`, every modality's loss of every sample has a weight of its
/// own (multi-view self-paced learning), which no order of samples can express.
///
/// Deviation: the threshold is the pace's quantile of the batch's losses, not of the training set's, so no scan is
/// needed.
final class SelfPacedLoss: SampleLoss {
    struct Options: OptionGroup {
        @Option("pace", "quantile of the batch's losses that is the threshold at epoch t")
        var pace = Configured<Pace>.named("linear")
        @Option("weighting", "weight as a function of the loss") var weighting = SelfPacedWeight.linear
        @Option("gamma", "g of the mixture weight", .above(0)) var gamma = 0.5
        @Option("polynomial_order", "t of the polynomial weight", .above(1)) var order = 3.0
        @Option("normalize_weights", "scale the weights of a batch to mean 1") var normalizes = true
        @Option("on", SampleLoss.targetHelp) var target = Target.each
    }

    private let options: Options

    init(_ options: Options, _ setup: SampleLossSetup) {
        self.options = options
        super.init(options.target, setup.context)
    }

    override func applied(_ terms: [LossTerm], _ batch: TrainingBatch) throws -> [LossTerm] {
        let fraction = try options.pace.product.at(Double(context.epoch))
        return try replacing(terms) { term, _ in
            let losses = try term.perSample.detached.values(Double.self)
            let weights = try SelfPacedLoss.weights(of: losses, fraction, options)
            return try term.perSample * Tensor.from(weights.map(Float.init)).converted(to: term.perSample.dtype)
        }
    }

    static func weights(of given: [Double], _ fraction: Double, _ options: Options) throws -> [Double] {
        let weighting = options.weighting
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
        let weights = try weighting.weights(losses, threshold: threshold, gamma: options.gamma, order: options.order)
        let mean = Math.mean(weights)
        return options.normalizes && mean > 0 ? weights.map { $0 / mean } : weights
    }

    static let part = Part<SampleLossRecipe>(
        "self_paced", "Self-paced weights of every loss term for itself: one weight per sample and modality.",
        options: Options.self, source: "Kumar, Packer, Koller, NeurIPS 2010; weights as in bss.scheduler.self_paced",
        example: "bss.sample_loss.self_paced{ weighting = \"linear\" }", make: SelfPacedLoss.init)
}
