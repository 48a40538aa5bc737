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
    enum Strategy: String, CaseIterable { case keep, smooth, dynamic }
    enum Target: String, CaseIterable { case rate, gradient }
    private let strategy: Strategy, target: Target, given: Table, share: Double
    private let rule: AccuracyRatio
    private var rates: [Double] = []
    private var multipliers: [Double] = []
    /// Monitored accuracies of every modality so far, as many as the rule needs.
    private var accuracies: [[Double]] = []

    init(_ base: BaseLoss, strategy: Strategy, rates: Table, rule: AccuracyRatio, target: Target, holdout: Double) {
        (self.strategy, self.target, given, share, self.rule) = (strategy, target, rates, holdout, rule)
        super.init(base)
    }

    override var holdout: Double { strategy == .dynamic ? share : 0 }

    override func setup(_ context: TrainingContext) throws {
        let modalities = context.model.modalities
        for (key, value) in given.fields {
            guard modalities.contains(key) else {
                throw BSSError(
                    "bss.rebalance.mslr", "rates has no modality '\(key)'",
                    hint: "modalities: \(modalities.joined(separator: ", "))", kind: .usage)
            }
            guard let rate = value.double, rate > 0, rate.isFinite else {
                throw BSSError(
                    "bss.rebalance.mslr", "rates.\(key) expects a number greater than 0, got \(value.described)",
                    kind: .usage)
            }
        }
        if !given.items.isEmpty {
            throw BSSError("bss.rebalance.mslr", "rates expects { <modality> = multiplier }, got a list", kind: .usage)
        }
        if strategy == .dynamic { try context.requireMonitor("mslr") }
        rates = modalities.map { given[$0]?.double ?? 1 }
        multipliers = rates
        accuracies = Array(repeating: [], count: modalities.count)
    }

    override func epochBegan(_ context: TrainingContext) throws {
        if strategy == .smooth {
            multipliers = MSLR.smooth(rates, epoch: context.epoch, epochs: context.options.epochs)
        }
        guard target == .rate else { return }
        for (index, name) in context.model.modalities.enumerated() {
            for scope in TrainingContext.parts(of: name) {
                context.optimizer.modify(scope) { $0.multiplier = multipliers[index] }
            }
        }
    }

    static func smooth(_ rates: [Double], epoch: Int, epochs: Int) -> [Double] {
        let r = epochs > 1 ? min(Double(epoch) / Double(epochs - 1), 1) : 0
        let shared = Math.exp(rates.reduce(0) { $0 + Math.log($1) } / Double(rates.count))
        return rates.map { Math.pow($0, 1 - r) * Math.pow(shared, r) }
    }

    override func epochEnded(_ context: TrainingContext) throws {
        guard strategy == .dynamic else { return }
        let monitored = try context.monitored()
        for (index, name) in context.model.modalities.enumerated() {
            guard let accuracy = monitored[name]?.table?["accuracy"]?.double else { continue }
            let floored = max(accuracy, 1 / Double(context.model.classes))
            multipliers[index] = rule.multiplier(
                base: rates[index], present: multipliers[index], history: accuracies[index], accuracy: floored,
                epoch: context.epoch)
            accuracies[index] = Array((accuracies[index] + [floored]).suffix(rule.window))
        }
    }

    override func adjust(
        _ gradients: inout Gradients, _ context: TrainingContext, _ output: MultimodalOutput, _ batch: TrainingBatch
    ) throws {
        guard target == .gradient else { return }
        for (index, name) in context.model.modalities.enumerated() where multipliers[index] != 1 {
            for (_, parameter) in context.optimizer.parameters(TrainingContext.parts(of: name)) {
                gradients[parameter.value] = try gradients[parameter.value]?.multiplied(by: multipliers[index])
            }
        }
    }

    override func report(_ context: TrainingContext) -> Table? {
        Table(fields: [("multipliers", .fields(zip(context.model.modalities, multipliers).map { ($0, .number($1)) }))])
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

    // MARK: Declaration

    static let part: Part<RebalanceRecipe> = {
        let strategy = Argument(
            "strategy", default: "dynamic",
            "\"keep\": the rates throughout; \"smooth\": from the rates to a shared one; \"dynamic\": by the change of accuracy",
            check: .oneOf(Strategy.allCases.map(\.rawValue)))
        let rates = Argument(
            "rates", default: Table(),
            "multiplier of each modality's learning rate { audio = 0.9, image = 1.1 }; 1 where none is given")
        let window = Argument(
            "window", default: 5, "n: accuracies that the present one is compared with", check: .range(1...100_000))
        let update = Argument(
            "update", default: "relative",
            "\"relative\" to the given rate, anew every epoch; \"cumulative\": the present multiplier, every n epochs, as one re-implementation does",
            check: .oneOf(["relative", "cumulative"]))
        let target = Argument(
            "apply_to", default: "rate", "\"rate\": the learning rate; \"gradient\": as one re-implementation does",
            check: .oneOf(Target.allCases.map(\.rawValue)))
        return Part(
            "mslr",
            "Modality-specific learning rates: kept, smoothed to a shared one, or led by each modality's accuracy.",
            [strategy, rates, window, update, target, Holdout.argument] + BaseLoss.arguments,
            source:
                "Yao, Mihalcea, Modality-specific Learning Rates for Effective Multimodal Additive Late-fusion, Findings of ACL 2022",
            example: "bss.rebalance.mslr{ strategy = \"dynamic\", window = 5 }"
        ) { a in
            RebalanceRecipe {
                MSLR(
                    BaseLoss(a), strategy: Strategy(rawValue: a[strategy]) ?? .dynamic, rates: a[rates],
                    rule: AccuracyRatio(window: a[window], isCumulative: a[update] == "cumulative"),
                    target: Target(rawValue: a[target]) ?? .rate, holdout: a[Holdout.argument])
            }
        }
    }()
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
