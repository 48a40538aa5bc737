import BSSCore

/// The learning rate of each epoch (0-based). A schedule that listens (plateau) keeps state for checkpoints.
open class LearningRateSchedule {
    public let base: Double
    public init(base: Double) { self.base = base }
    /// The rate used in `epoch`.
    open func rate(epoch: Int) -> Double { base }
    /// Told the watched metric after each epoch.
    open func observe(_ metric: Double) {}
    open var state: [Double] {
        get { [] }
        set {}
    }
}

/// A rate that is a function of the epoch alone.
final class FormulaSchedule: LearningRateSchedule {
    private let factor: (Int) -> Double
    init(base: Double, factor: @escaping (Int) -> Double) {
        self.factor = factor
        super.init(base: base)
    }
    override func rate(epoch: Int) -> Double { factor(epoch) }
}

/// Cut the rate when the metric stops improving (PyTorch `ReduceLROnPlateau`).
public final class PlateauSchedule: LearningRateSchedule {
    public var factor = 0.1, patience = 10, threshold = 1e-4, cooldown = 0, minimum = 0.0, eps = 1e-8
    public var seeksMaximum = false, isRelative = true
    private var current: Double
    private var best: Double?
    private var bad = 0, cooling = 0

    public override init(base: Double) {
        current = base
        super.init(base: base)
    }

    public override func rate(epoch: Int) -> Double { current }

    public override func observe(_ metric: Double) {
        if isBetter(metric) {
            best = metric
            bad = 0
        } else {
            bad += 1
        }
        if cooling > 0 {
            cooling -= 1
            bad = 0
        }
        if bad > patience {
            let lower = max(current * factor, minimum)
            if current - lower > eps { current = lower }
            cooling = cooldown
            bad = 0
        }
    }

    private func isBetter(_ metric: Double) -> Bool {
        let best = best ?? (seeksMaximum ? -Double.infinity : .infinity)
        switch (seeksMaximum, isRelative) {
        case (false, true): return metric < best * (1 - threshold)
        case (false, false): return metric < best - threshold
        case (true, true): return metric > best * (1 + threshold)
        case (true, false): return metric > best + threshold
        }
    }

    public override var state: [Double] {
        get { [current, best ?? .nan, Double(bad), Double(cooling)] }
        set {
            guard newValue.count == 4 else { return }
            current = newValue[0]
            best = newValue[1].isNaN ? nil : newValue[1]
            (bad, cooling) = (Int(newValue[2]), Int(newValue[3]))
        }
    }
}

/// `bss.learning_rate.<part>{…}`; the optimizer's `learning_rate` is the base.
public struct LearningRateRecipe: Family {
    public static let familyName = "learning_rate"
    public static let noun = "learning-rate schedule"
    public static let help = "How the learning rate changes from epoch to epoch."
    public let make: (Double) -> LearningRateSchedule
    /// The watched metric, for schedules that listen: "train_loss", "val_loss", "val_accuracy".
    public var watches = "train_loss"

    public init(make: @escaping (Double) -> LearningRateSchedule) { self.make = make }

    private static func formula(_ factor: @escaping (Double, Int) -> Double) -> LearningRateRecipe {
        LearningRateRecipe { base in FormulaSchedule(base: base) { factor(base, $0) } }
    }

    public static let parts: [Part<LearningRateRecipe>] = [
        constant, step, multistep, exponential, cosine, warmup, plateau,
    ]

    static let constant = Part<LearningRateRecipe>(
        "constant", "The base rate throughout.", example: "bss.learning_rate.constant{}"
    ) { _ in formula { base, _ in base } }

    static let step: Part<LearningRateRecipe> = {
        let size = Argument("step_size", default: 70, "epochs between cuts", check: .atLeast(1))
        let gamma = Argument("gamma", default: 0.1, "factor of each cut", check: .above(0))
        return Part(
            "step", "lr(t) = base · gamma^⌊t / step_size⌋; the released BSS code uses (70, 0.1).", [size, gamma],
            source: "PyTorch StepLR", example: "bss.learning_rate.step{ step_size = 70, gamma = 0.1 }"
        ) { a in formula { base, t in base * Math.pow(a[gamma], Double(t / a[size])) } }
    }()

    static let multistep: Part<LearningRateRecipe> = {
        let milestones = Argument<[Int]>("milestones", "epochs at which the rate is cut")
        let gamma = Argument("gamma", default: 0.1, "factor of each cut", check: .above(0))
        return Part(
            "multistep", "lr(t) = base · gamma^(milestones ≤ t).", [milestones, gamma], source: "PyTorch MultiStepLR",
            example: "bss.learning_rate.multistep{ milestones = {10, 20} }"
        ) { a in
            formula { base, t in base * Math.pow(a[gamma], Double(a[milestones].filter { $0 <= t }.count)) }
        }
    }()

    static let exponential: Part<LearningRateRecipe> = {
        let gamma = Argument("gamma", default: 0.95, "factor of every epoch", check: .above(0))
        return Part("exponential", "lr(t) = base · gamma^t.", [gamma], source: "PyTorch ExponentialLR") { a in
            formula { base, t in base * Math.pow(a[gamma], Double(t)) }
        }
    }()

    static let cosine: Part<LearningRateRecipe> = {
        let period = Argument("t_max", default: 100, "epochs to the minimum", check: .atLeast(1))
        let minimum = Argument("eta_min", default: 0.0, "rate at t_max", check: .atLeast(0))
        return Part(
            "cosine", "lr(t) = eta_min + (base - eta_min)(1 + cos(π t / t_max)) / 2.", [period, minimum],
            source: "Loshchilov, Hutter, ICLR 2017 (SGDR), without restarts"
        ) { a in
            formula { base, t in
                a[minimum] + (base - a[minimum]) * (1 + Math.cos(.pi * Double(t) / Double(a[period]))) / 2
            }
        }
    }()

    static let warmup: Part<LearningRateRecipe> = {
        let epochs = Argument("epochs", default: 5, "epochs of linear growth", check: .atLeast(0))
        let decay = Argument("decay", default: "none", "what follows", check: .oneOf(["none", "linear", "cosine"]))
        let total = Argument<Int?>(
            "total", default: nil, "epoch at which linear or cosine decay reaches its end",
            check: Check("at least 1") { $0 ?? 1 >= 1 })
        let cycles = Argument("cycles", default: 0.5, "cosine waves after the warm-up", check: .above(0))
        return Part(
            "warmup",
            "Linear growth, then constant, linear or cosine decay. Without decay lr(t) = base (t + 1) / epochs; with "
                + "decay lr(t) = base t / epochs, as Hugging Face's schedules.",
            [epochs, decay, total, cycles],
            source: "Goyal et al., arXiv 1706.02677, 2017; Hugging Face get_linear/cosine_schedule_with_warmup"
        ) { a in
            let warm = a[epochs]
            let kind = a[decay]
            guard kind == "none" || a[total] != nil else {
                throw BSSError(
                    a.operation, "decay = \"\(kind)\" needs total = epochs of the whole schedule", kind: .usage)
            }
            let end = a[total] ?? 0
            return formula { base, t in
                if kind == "none" { return t < warm ? base * Double(t + 1) / Double(warm) : base }
                if t < warm { return base * Double(t) / Double(warm) }
                if kind == "linear" { return base * max(0, Double(end - t) / Double(max(1, end - warm))) }
                let progress = Double(t - warm) / Double(max(1, end - warm))
                return base * max(0, 0.5 * (1 + Math.cos(.pi * a[cycles] * 2 * progress)))
            }
        }
    }()

    static let plateau: Part<LearningRateRecipe> = {
        let watch = Argument(
            "metric", default: "train_loss", "what is watched",
            check: .oneOf(["train_loss", "val_loss", "val_accuracy"]))
        let mode = Argument<String?>(
            "mode", default: nil,
            "whether the metric should fall (\"min\") or rise (\"max\"); without it losses fall, accuracies rise",
            check: Check("\"min\" or \"max\"") { $0.map(["min", "max"].contains) ?? true })
        let factor = Argument("factor", default: 0.1, "factor of each cut", check: .above(0))
        let patience = Argument(
            "patience", default: 10, "epochs without improvement that are let pass", check: .atLeast(0))
        let threshold = Argument("threshold", default: 1e-4, "smallest change that counts")
        let relative = Argument(
            "threshold_mode", default: "rel", "whether the threshold is relative", check: .oneOf(["rel", "abs"]))
        let cooldown = Argument("cooldown", default: 0, "epochs of rest after a cut", check: .atLeast(0))
        let minimum = Argument("min_lr", default: 0.0, "lowest rate", check: .atLeast(0))
        let eps = Argument("eps", default: 1e-8, "smallest change of the rate that is made", check: .atLeast(0))
        return Part(
            "plateau", "Cuts the rate when the watched metric saturates, as the BSS paper says; its details are ours.",
            [watch, mode, factor, patience, threshold, relative, cooldown, minimum, eps],
            source: "PyTorch ReduceLROnPlateau"
        ) { a in
            var recipe = LearningRateRecipe { base in
                let made = PlateauSchedule(base: base)
                made.factor = a[factor]
                made.patience = a[patience]
                made.threshold = a[threshold]
                made.isRelative = a[relative] == "rel"
                made.seeksMaximum = a[mode].map { $0 == "max" } ?? (a[watch] == "val_accuracy")
                made.cooldown = a[cooldown]
                made.minimum = a[minimum]
                made.eps = a[eps]
                return made
            }
            recipe.watches = a[watch]
            return recipe
        }
    }()
}
