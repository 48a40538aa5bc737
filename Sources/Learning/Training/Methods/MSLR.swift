import BSSCore
import BSSNetworks
import BSSTensor

/// Modality-specific learning rates: encoder and head of modality m learn at a rate of their own, and so does its
/// classifier W_m, b_m where the fusion is z = Σ_m (W_m h_m + b_m) (`fusion = "sum"`); any other fusion keeps the base
/// rate.
///
///     η_m(t) = mult_m(t) · η(t),  η(t) the schedule's rate, η*_m = rates[m] · η(t) the best rate of modality m alone
///     keep      mult_m = rates[m]
///     smooth    mult_m = rates[m]^{1 - r} · ρ^r,  r = t / (epochs - 1),  ρ = geometric mean of the rates
///     dynamic   mult_m = rates[m] · acc_m / mean of the n accuracies before;  rates[m] until there are n
///
/// acc_m: accuracy of z_m on the monitored samples, at least 1 / C. Multipliers act on the optimizer's rate, so they
/// compose with schedules and change Adam's steps too. The paper's model is late fusion, z = Σ_m z_m (`fusion =
/// "sum"`); with a fusion that is not additive the accuracies are those of masks. Source: Yao, Mihalcea, Findings of
/// ACL 2022.
///
/// Deviation: the formula of `smooth` is our reading; the paper names the strategy, the rest could not be recovered.
/// The paper starts from fine-tuned unimodal models; here training starts as the model is.
///
/// Deviation: of the public re-implementations, one multiplies gradients (`apply_to = "gradient"`, which Adam undoes);
/// the other multiplies the present rate every n epochs, by a ratio whose mean includes the present accuracy (`update =
/// "cumulative"`). One monitors the test split, which no option offers.
final class MSLR: BaseLossMethod {
    struct Options: OptionGroup {
        enum Strategy: String, Choice { case keep, smooth, dynamic }
        enum Update: String, Choice { case relative, cumulative }
        enum Target: String, Choice { case rate, gradient }

        @Option(
            "strategy",
            "\"keep\": the rates throughout; \"smooth\": from the rates to a shared one; \"dynamic\": by the change "
                + "of accuracy")
        var strategy = Strategy.dynamic
        @Option(
            "rates",
            "multiplier of each modality's learning rate { audio = 0.9, image = 1.1 }; 1 where none is given")
        var rates = Table()
        @Option("window", "n: accuracies that the present one is compared with", .range(1...100_000)) var window = 5
        @Option(
            "update",
            "\"relative\" to the given rate, anew every epoch; \"cumulative\": the present multiplier, every n epochs, "
                + "as one re-implementation does")
        var update = Update.relative
        @Option("apply_to", "\"rate\": the learning rate; \"gradient\": as one re-implementation does")
        var target = Target.rate
        var monitored = MonitoredShare()
        var base = BaseLoss()

        /// The rates in the order of `modalities`.
        func rates(of modalities: [String]) throws -> [Double] {
            if !rates.items.isEmpty {
                throw BSSError(
                    "bss.rebalance.mslr", "rates expects { <modality> = multiplier }, got a list", kind: .usage)
            }
            return try modalities.map { name in
                guard let given = rates[name] else { return 1 }
                guard let rate = given.double, rate > 0, rate.isFinite else {
                    throw BSSError(
                        "bss.rebalance.mslr", "rates.\(name) expects a number greater than 0, got \(given.described)",
                        kind: .usage)
                }
                return rate
            }
        }
    }

    private let options: Options
    private let rule: AccuracyRatio
    private let rates: [Double]
    private var multipliers: [Double]
    /// Monitored accuracies of every modality so far, as many as the rule needs.
    private var accuracies: [[Double]]

    init(_ options: Options, _ setup: MethodSetup) throws {
        let modalities = setup.context.model.modalities
        self.options = options
        rule = AccuracyRatio(window: options.window, isCumulative: options.update == .cumulative)
        rates = try options.rates(of: modalities)
        multipliers = rates
        accuracies = Array(repeating: [], count: modalities.count)
        super.init(options.base, setup.context)
        try checkNames(options.rates, "rates", of: "mslr", known: modalities)
        if options.strategy == .dynamic { try context.requireMonitor("mslr") }
    }

    override func epochBegan() throws {
        if options.strategy == .smooth {
            multipliers = MSLR.smooth(rates, epoch: context.epoch, epochs: context.options.epochs)
        }
        guard options.target == .rate else { return }
        for (index, name) in context.model.modalities.enumerated() {
            for scope in TrainingContext.parts(of: name) {
                context.optimizer.scaleRate(scope, by: multipliers[index])
            }
        }
    }

    static func smooth(_ rates: [Double], epoch: Int, epochs: Int) -> [Double] {
        let r = epochs > 1 ? min(Double(epoch) / Double(epochs - 1), 1) : 0
        let shared = Math.exp(rates.reduce(0) { $0 + Math.log($1) } / Double(rates.count))
        return rates.map { Math.pow($0, 1 - r) * Math.pow(shared, r) }
    }

    override func epochEnded() throws {
        guard options.strategy == .dynamic else { return }
        let monitored = try context.monitored(predict)
        for (index, name) in context.model.modalities.enumerated() {
            guard let accuracy = monitored[name]?.accuracy else { continue }
            let floored = max(accuracy, 1 / Double(context.model.classes))
            multipliers[index] = rule.multiplier(
                base: rates[index], present: multipliers[index], history: accuracies[index], accuracy: floored,
                epoch: context.epoch)
            accuracies[index] = Array((accuracies[index] + [floored]).suffix(rule.window))
        }
    }

    override func adjust(_ gradients: inout Gradients, _ output: MultimodalOutput, _ batch: TrainingBatch) throws {
        guard options.target == .gradient else { return }
        for (index, name) in context.model.modalities.enumerated() where multipliers[index] != 1 {
            let parameters = context.optimizer.parameters(TrainingContext.parts(of: name))
            try gradients.scale(parameters, by: multipliers[index])
        }
    }

    override func report() -> Table? {
        Table(fields: [("multipliers", byModality(multipliers))])
    }

    // MARK: Checkpoints

    override var state: Value {
        get {
            .fields([("multipliers", .list(multipliers)), ("accuracies", .list(accuracies.map { Value.list($0) }))])
        }
        set {
            let saved = newValue.table?["multipliers"]?.table?.items.compactMap(\.double) ?? []
            let lists =
                newValue.table?["accuracies"]?.table?.items.map { $0.table?.items.compactMap(\.double) ?? [] } ?? []
            guard saved.count == multipliers.count, lists.count == multipliers.count else { return }
            (multipliers, accuracies) = (saved, lists)
        }
    }

    static let part = Part<RebalanceRecipe>(
        "mslr", "Modality-specific learning rates: kept, smoothed to a shared one, or led by each modality's accuracy.",
        options: Options.self,
        source: "Yao, Mihalcea, Modality-specific Learning Rates for Effective Multimodal Additive Late-fusion, "
            + "Findings of ACL 2022",
        example: "bss.rebalance.mslr{ strategy = \"dynamic\", window = 5 }",
        traits: { options in
            var traits = options.base.traits(.silent)
            traits.holdout = options.strategy == .dynamic ? options.monitored.share : 0
            return traits
        }, make: MSLR.init)
}

/// How an accuracy changes a modality's multiplier (MSLR, dynamic).
struct AccuracyRatio {
    var window = 5
    var isCumulative = false

    /// `history`: the accuracies of earlier epochs, at most `window` of them; `epoch` counts from 0.
    func multiplier(base: Double, present: Double, history: [Double], accuracy: Double, epoch: Int) -> Double {
        guard isCumulative else { return history.count < window ? base : base * accuracy / mean(history) }
        return (epoch + 1) % window == 0 ? present * accuracy / mean((history + [accuracy]).suffix(window)) : present
    }

    private func mean(_ values: some Collection<Double>) -> Double {
        values.reduce(0, +) / Double(max(values.count, 1))
    }
}
