import BSSCore
import BSSNetworks
import BSSTensor

/// SuperLoss: losses above τ count less, those below more, by a confidence in closed form.
/// Castells, Weinzaepfel, Revaud, NeurIPS 2020.
///
///     σ*(l) = exp(-W(max(-2/e, (l - τ)/λ) / 2)),   L = (l - τ) σ* + λ (ln σ*)²,   dL/dl = σ*
///
/// W is Lambert's function on its principal branch. σ* is the minimum of L over σ, so no gradient flows through it.
final class SuperLoss: SampleLoss {
    enum Threshold: ArgumentType {
        case logClasses, runningMean
        case value(Double)

        static let expected = "\"log_classes\", \"running_mean\" or number"
        static let luaType = "\"log_classes\"|\"running_mean\"|number"
        init(value: Value) throws {
            switch value {
            case .string("log_classes"): self = .logClasses
            case .string("running_mean"): self = .runningMean
            default:
                guard let number = value.double, number.isFinite else { throw Mismatch() }
                self = .value(number)
            }
        }
        var plain: Value {
            switch self {
            case .logClasses: return .string("log_classes")
            case .runningMean: return .string("running_mean")
            case .value(let number): return .number(number)
            }
        }
    }

    struct Options: OptionGroup {
        @Option(
            "tau", "the loss that counts once: ln C (times the loss weights on \"total\"), a running mean, or a number")
        var tau = Threshold.logClasses
        @Option("lambda", "how slowly the confidence falls with the loss", .above(0)) var lambda = 1.0
        @Option("newest", "share of the running mean that a batch replaces", .above(0, upTo: 1)) var newest = 0.1
        @Option("on", SampleLoss.targetHelp) var target = Target.total
    }

    private let options: Options
    /// (mean, 1 once there is one) by term.
    private let means: [String: StateTensor]
    private var sigmaSum = 0.0, seen = 0

    init(_ options: Options, _ setup: SampleLossSetup) throws {
        self.options = options
        let module = Module()
        var means: [String: StateTensor] = [:]
        if case .runningMean = options.tau {
            for name in ["total", "fused"] + setup.context.model.modalities {
                means[name] = module.add("tau." + name, StateTensor(try Tensor.zeros([2], .float64)))
            }
            try setup.add(module)
        }
        self.means = means
        super.init(options.target, setup.context)
    }

    override func applied(_ terms: [LossTerm], _ batch: TrainingBatch) throws -> [LossTerm] {
        try replacing(terms) { term, scale in
            let losses = try term.perSample.detached.values(Double.self)
            let tau = try threshold(term.name, losses, scale)
            let sigma = losses.map { SuperLoss.sigma($0, tau: tau, lambda: options.lambda) }
            sigmaSum += sigma.reduce(0, +)
            seen += sigma.count
            // L = σ l + (λ (ln σ)² - σ τ), σ constant.
            let slope = try Tensor.from(sigma.map(Float.init)).converted(to: term.perSample.dtype)
            let rest = try Tensor.from(sigma.map { Float(options.lambda * Math.log($0) * Math.log($0) - $0 * tau) })
                .converted(
                    to: term.perSample.dtype)
            return try term.perSample * slope + rest
        }
    }

    private func threshold(_ name: String, _ losses: [Double], _ scale: Double) throws -> Double {
        switch options.tau {
        case .value(let value): return value
        case .logClasses: return Math.log(Double(context.model.classes)) * scale
        case .runningMean:
            guard let state = means[name] else {
                throw BSSError(
                    "bss.sample_loss.superloss", "the term '\(name)' has no running mean", hint: "use on = \"total\"",
                    kind: .usage)
            }
            let old = try state.value.values(Double.self)
            let mean = Math.mean(losses)
            let new = old[1] == 0 ? mean : (1 - options.newest) * old[0] + options.newest * mean
            try state.assign(Tensor.from([new, 1]))
            return new
        }
    }

    override func report() -> Table? {
        defer { (sigmaSum, seen) = (0, 0) }
        return Table(fields: [("mean_sigma", .number(seen == 0 ? 1 : sigmaSum / Double(seen)))])
    }

    /// σ*(l).
    static func sigma(_ loss: Double, tau: Double, lambda: Double) -> Double {
        Math.exp(-lambertW(max(-2 / Math.exp(1), (loss - tau) / lambda) / 2))
    }

    /// W(x) e^W(x) = x, W >= -1, by Halley's iteration. x is kept just above -1/e, where W has no derivative.
    static func lambertW(_ x: Double) -> Double {
        let x = max(x, -Math.exp(-1) + 1e-12)
        // Near the branch point: √(2 (e x + 1)) - 1; else a logarithm.
        var w = x < 0 ? (2 * (Math.exp(1) * x + 1)).squareRoot() - 1 : Math.log(1 + x)
        for _ in 0..<50 {
            let e = Math.exp(w)
            let f = w * e - x
            let step = f / (e * (w + 1) - (w + 2) * f / (2 * w + 2))
            guard step.isFinite else { break }
            w -= step
            if abs(step) <= 1e-15 * max(1, abs(w)) { break }
        }
        return w
    }

    static let part = Part<SampleLossRecipe>(
        "superloss", "SuperLoss: large losses count less and small ones more, by a confidence in closed form.",
        options: Options.self, source: "Castells, Weinzaepfel, Revaud, NeurIPS 2020",
        example: "bss.sample_loss.superloss{ lambda = 1 }", make: SuperLoss.init)
}
