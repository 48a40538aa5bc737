import BSSCore

/// What most paces are told: where they begin, and when everything is available.
private struct Growing: OptionGroup {
    @Option(Pace.startName, "fraction at t = 0", .above(0, upTo: 1)) var start = 0.1
    @Option(Pace.growName, "epoch at which everything is available", .above(0)) var grow = 40.0
    @Option("offset", "added to t (the released code uses 1)", .atLeast(0)) var offset = 0.0
}

private struct Root: OptionGroup {
    @Option(Pace.startName, "fraction at t = 0", .above(0, upTo: 1)) var start = 0.1
    @Option(Pace.growName, "epoch at which everything is available", .above(0)) var grow = 40.0
    @Option(
        "p", "root: the square of the fraction grows linearly for 2 (Eq. 7), its p-th power in general", .above(0))
    var power = 2.0
    @Option("offset", "added to t (the released code uses 1)", .atLeast(0)) var offset = 0.0
}

private struct Buckets: OptionGroup {
    @Option("buckets", "number of buckets of equal size", .atLeast(1)) var count = 10
    @Option(Pace.growName, "epoch at which everything is available", .above(0)) var grow = 40.0
    @Option("offset", "added to t (the released code uses 1)", .atLeast(0)) var offset = 0.0
}

/// lambda_0 · increase^floor(t / every)
private struct Exponential: OptionGroup {
    @Option var start: Double
    @Option var increase: Double
    @Option var every: Double
    @Option var offset: Double

    init() { self.init(start: 0.04, increase: 1.9, every: 10) }
    private init(start: Double, increase: Double, every: Double) {
        _start = Option(wrappedValue: start, Pace.startName, "fraction at t = 0", .above(0, upTo: 1))
        _increase = Option(wrappedValue: increase, "increase", "factor at each step", .atLeast(1))
        _every = Option(wrappedValue: every, "every", "epochs between steps", .above(0))
        _offset = Option(wrappedValue: 0, "offset", "added to t (the released code uses 1)", .atLeast(0))
    }

    func at(_ t: Double) -> Double { start * Math.pow(increase, ((t + offset) / every).rounded(.down)) }

    struct Adaptive: OptionGroup { var exponential = Exponential(start: 0.1, increase: 1.2, every: 15) }
}

private struct Steps: OptionGroup {
    @Option(Pace.startName, "fraction at t = 0", .above(0, upTo: 1)) var start = 0.04
    @Option("increase", "factor at each step", .atLeast(1)) var increase = 1.9
    @Option("steps", "lengths of the steps, in epochs") var lengths: [Double] = [10, 10, 10]
    @Option("offset", "added to t (the released code uses 1)", .atLeast(0)) var offset = 0.0

    func check(_ operation: String) throws {
        guard let wrong = lengths.first(where: { !($0 > 0) }) else { return }
        throw BSSError(
            operation, "option 'steps' expects lengths greater than 0, got \(Text.number(wrong))", kind: .usage)
    }
}

private struct Staircase: OptionGroup {
    @Option(Pace.startName, "fraction at t = 0", .above(0, upTo: 1)) var start = 0.1
    @Option("rate", "fraction added at each step", .above(0, upTo: 1)) var rate = 0.1
    @Option("every", "epochs between steps", .above(0)) var every = 20.0
    @Option("offset", "added to t (the released code uses 1)", .atLeast(0)) var offset = 0.0
}

private struct Custom: OptionGroup {
    @Required(
        "function", "function(t) returning a fraction in (0, 1]; t counts from 0",
        called: Signature([("t", "integer")], returns: "number"))
    var callback: Callback

    func at(_ t: Double) throws -> Double {
        let argument = Double(Int(exactly: t) ?? -1) == t ? Value.int(Int(t)) : .number(t)
        let result = try callback.function.call([argument]).first ?? .null
        guard let value = result.double, value > 0, value <= 1 else {
            throw BSSError(
                "bss.pace.custom",
                "at t = \(Text.number(t)) the function at \(callback.function.definition) returned "
                    + result.described,
                hint: "expected a fraction greater than 0, at most 1")
        }
        return value
    }
}

extension Pace {
    private static let survey = "Wang, Chen, Zhu, A survey on curriculum learning, TPAMI 2022"
    private static let wu = "Wu, Dyer, Neyshabur, When do curricula work?, ICLR 2021"
    private static let hacohen = "Hacohen, Weinshall, On the power of curriculum learning, ICML 2019"

    /// A part whose fraction depends on (t, lambda_0, t_grow) only.
    private static func growing(
        _ name: String, _ summary: String, source: String,
        _ formula: @escaping (_ t: Double, _ low: Double, _ grow: Double) -> Double
    ) -> Part<Pace> {
        Part(
            name, summary, options: Growing.self, source: source,
            example: "bss.pace.\(name){ lambda_0 = 0.1, t_grow = 40 }:at(10)"
        ) { o in Pace(name) { formula($0 + o.offset, o.start, o.grow) } }
    }

    public static let parts: [Part<Pace>] = [
        root,
        growing(
            "linear", "lambda(t) = lambda_0 + (1 - lambda_0) t / T.", source: "\(survey); Platanios et al., NAACL 2019"
        ) { t, low, grow in low + (1 - low) * t / grow },
        babyStep,
        growing(
            "geometric", "lambda(t) = lambda_0^(1 - t/T); slow first, then fast.",
            source: "Penha, Hauff, ECIR 2020; \(survey)"
        ) { t, low, grow in Math.pow(low, max(0, 1 - t / grow)) },
        growing("logarithmic", "lambda(t) = lambda_0 + (1 - lambda_0) (1 + 0.1 ln(t/T + e^-10)).", source: wu) {
            t, low, grow in low + (1 - low) * (1 + 0.1 * Math.log(t / grow + Math.exp(-10)))
        },
        growing("exponential", "lambda(t) = lambda_0 + (1 - lambda_0) (e^(10 t/T) - 1) / (e^10 - 1).", source: wu) {
            t, low, grow in
            t >= grow ? 1 : low + (1 - low) * (Math.exp(10 * t / grow) - 1) / (Math.exp(10) - 1)
        },
        growing("quadratic", "lambda(t) = lambda_0 + (1 - lambda_0) (t/T)^2.", source: wu) { t, low, grow in
            low + (1 - low) * (t / grow) * (t / grow)
        },
        growing(
            "square_root", "lambda(t) = lambda_0 + (1 - lambda_0) (t/T)^(1/2); not the root function of Eq. 7.",
            source: wu
        ) { t, low, grow in low + (1 - low) * (t / grow).squareRoot() },
        growing(
            "step", "lambda_0 before epoch T, everything from then on.", source: "\(wu); single step of \(hacohen)"
        ) { t, low, grow in low + (t / grow).rounded(.down) },
        fixedExponential, variedExponential, adaptive, staircase, onePass, full, custom,
    ]

    private static let root = Part<Pace>(
        "root",
        "Root function: lambda^p grows linearly, lambda(t) = ((1 - lambda_0^p) t / T + lambda_0^p)^(1/p); fast first, "
            + "then slow.",
        options: Root.self,
        source: "Platanios et al., NAACL 2019 (p = 2); Penha, Hauff, ECIR 2020 (any p); Guan, Jiang, Yang, IJCAI 2025, "
            + "Eq. 7",
        example: "bss.pace.root{ lambda_0 = 0.1, t_grow = 40 }:at(10)   -- 0.5074"
    ) { o in
        let (low, grow, p, offset) = (o.start, o.grow, o.power, o.offset)
        // The order of operations is part of the definition: at t = T rounding decides whether the last sample is in.
        if p == 2 { return Pace("root") { ((1 - low * low) / grow * ($0 + offset) + low * low).squareRoot() } }
        let lowest = Math.pow(low, p)
        return Pace("root") { Math.pow((1 - lowest) / grow * ($0 + offset) + lowest, 1 / p) }
    }

    private static let babyStep = Part<Pace>(
        "baby_step", "Buckets of equal size are added one after the other and kept: ceil((t + 1) J / T) / J.",
        options: Buckets.self, source: "Bengio et al., ICML 2009; Spitkovsky et al., NAACL 2010; Cirik et al., 2016",
        example: "bss.pace.baby_step{ buckets = 10, t_grow = 40 }:at(5)   -- 0.2"
    ) { o in
        let count = Double(o.count)
        return Pace("baby_step") { min(count, (($0 + o.offset + 1) / (o.grow / count)).rounded(.up)) / count }
    }

    private static let onePass = Part<Pace>(
        "one_pass",
        "Buckets of equal size one after the other, each ALONE: bucket min(J - 1, floor(t J / T)); at(t) is where the "
            + "bucket ends.",
        options: Buckets.self, source: "Bengio et al., ICML 2009; Cirik et al., 2016",
        example: "bss.pace.one_pass{ buckets = 4, t_grow = 8 }:window(3)   -- 0.25  0.5"
    ) { o in
        let count = Double(o.count)
        func bucket(_ t: Double) -> Double { min(count - 1, ((t + o.offset) * count / o.grow).rounded(.down)) }
        return Pace("one_pass", start: { bucket($0) / count }) { (bucket($0) + 1) / count }
    }

    private static let fixedExponential = Part<Pace>(
        "fixed_exponential", "lambda(t) = lambda_0 * increase^floor(t / every).", options: Exponential.self,
        source: hacohen,
        example: "bss.pace.fixed_exponential{ lambda_0 = 0.04, increase = 1.9, every = 10 }:at(20)   -- 0.1444"
    ) { o in Pace("fixed_exponential") { o.at($0) } }

    private static let variedExponential = Part<Pace>(
        "varied_exponential",
        "lambda(t) = lambda_0 * increase^j, j = number of the given step lengths that t has passed; everything after "
            + "the last.",
        options: Steps.self, source: hacohen, example: "bss.pace.varied_exponential{ steps = {5, 10, 20} }:at(7)"
    ) { o in
        var ends: [Double] = []
        for length in o.lengths { ends.append((ends.last ?? 0) + length) }
        return Pace("varied_exponential") { [ends] t in
            let passed = ends.filter { $0 <= t + o.offset }.count
            return passed == ends.count ? 1 : o.start * Math.pow(o.increase, Double(passed))
        }
    }

    private static let adaptive = Part<Pace>(
        "adaptive",
        "lambda(t) = lambda_0 * increase^floor(t / every), with the constants of adaptive curriculum learning.",
        options: Exponential.Adaptive.self, source: "Kong et al., ICCV 2021",
        example: "bss.pace.adaptive{}:at(15)   -- 0.12"
    ) { o in Pace("adaptive") { o.exponential.at($0) } }

    private static let staircase = Part<Pace>(
        "staircase", "lambda(t) = lambda_0 + rate * floor(t / every).", options: Staircase.self,
        source: "the baby_step of Zhou et al., CurML, ACM MM 2022",
        example: "bss.pace.staircase{ rate = 0.1, every = 20 }:at(20)   -- 0.2"
    ) { o in Pace("staircase") { o.start + o.rate * (($0 + o.offset) / o.every).rounded(.down) } }

    private static let full = Part<Pace>(
        "full", "Everything from the first epoch: lambda(t) = 1.", source: "the usual training",
        example: "bss.pace.full{}:at(0)   -- 1"
    ) { _ in Pace("full") { _ in 1 } }

    private static let custom = Part<Pace>(
        "custom", "A pace function written in Lua.", options: Custom.self,
        example: "bss.pace.custom(function(t) return math.min(1, 0.2 + 0.1 * t) end):at(3)"
    ) { o in Pace("custom") { try o.at($0) } }
}
