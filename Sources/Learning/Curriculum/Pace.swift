import BSSCore

/// A pacing function: which part of the ranked training set is available at epoch t (t counts from 0, as in Algorithm
/// 1).
public struct Pace: Family {
    public let name: String
    /// lambda(t): the share of the ranking that is available, in (0, 1].
    private let fraction: (Double) throws -> Double
    /// Where the available part begins; 0 except for one-pass buckets.
    private let start: ((Double) -> Double)?

    init(_ name: String, start: ((Double) -> Double)? = nil, _ fraction: @escaping (Double) throws -> Double) {
        self.name = name
        self.start = start
        self.fraction = fraction
    }

    /// lambda(t), capped at 1.
    public func at(_ epoch: Double) throws -> Double { min(1, try fraction(epoch)) }

    /// The available part of the ranking as fractions: from `start` (0 unless earlier buckets are dropped) to
    /// lambda(t).
    public func window(_ epoch: Double) throws -> (start: Double, end: Double) { (start?(epoch) ?? 0, try at(epoch)) }

    public static let familyName = "pace"
    public static let noun = "pace function"
    public static let help =
        "How fast the training set grows: lambda(t), the most balanced fraction available at epoch t = 0, 1, …"

    // MARK: Arguments

    private static let lambda0 = Argument("lambda_0", default: 0.1, "fraction at t = 0", check: .above(0, upTo: 1))
    private static let grow = Argument(
        "t_grow", default: 40.0, "epoch at which everything is available", check: .above(0))
    private static let power = Argument(
        "p", default: 2.0, "root: the square of the fraction grows linearly for 2 (Eq. 7), its p-th power in general",
        check: .above(0))
    private static let offset = Argument(
        "offset", default: 0.0, "added to t (the released code uses 1)", check: .atLeast(0))
    private static let buckets = Argument("buckets", default: 10, "number of buckets of equal size", check: .atLeast(1))
    private static let fixedStart = Argument("lambda_0", default: 0.04, "fraction at t = 0", check: .above(0, upTo: 1))
    private static let increase = Argument("increase", default: 1.9, "factor at each step", check: .atLeast(1))
    private static let every = Argument("every", default: 10.0, "epochs between steps", check: .above(0))
    private static let steps = Argument<[Double]>("steps", default: [10, 10, 10], "lengths of the steps, in epochs")
    private static let adaptiveFactor = Argument("increase", default: 1.2, "factor at each step", check: .atLeast(1))
    private static let adaptiveEvery = Argument("every", default: 15.0, "epochs between steps", check: .above(0))
    private static let rate = Argument("rate", default: 0.1, "fraction added at each step", check: .above(0, upTo: 1))
    private static let staircaseEvery = Argument("every", default: 20.0, "epochs between steps", check: .above(0))
    private static let function = Argument<Callback>(
        "function", "function(t) returning a fraction in (0, 1]; t counts from 0")

    /// Names of the arguments that a scheduler may set for its pace.
    static let start0 = lambda0.name, growName = grow.name

    // MARK: Parts

    private static let growing: [any AnyArgument] = [lambda0, grow, offset]
    private static let survey = "Wang, Chen, Zhu, A survey on curriculum learning, TPAMI 2022"
    private static let wu = "Wu, Dyer, Neyshabur, When do curricula work?, ICLR 2021"
    private static let hacohen = "Hacohen, Weinshall, On the power of curriculum learning, ICML 2019"

    /// A part whose fraction depends on (t, lambda_0, t_grow) only.
    private static func growingPart(
        _ name: String, _ summary: String, source: String,
        _ formula: @escaping (_ t: Double, _ low: Double, _ grow: Double) -> Double
    ) -> Part<Pace> {
        Part(name, summary, growing, source: source, example: "bss.pace.\(name){ lambda_0 = 0.1, t_grow = 40 }:at(10)")
        { arguments in
            let low = arguments[lambda0]
            let grow = arguments[grow]
            let offset = arguments[offset]
            return Pace(name) { formula($0 + offset, low, grow) }
        }
    }

    public static let parts: [Part<Pace>] = [
        Part(
            "root",
            "Root function: lambda^p grows linearly, lambda(t) = ((1 - lambda_0^p) t / T + lambda_0^p)^(1/p); fast first, then slow.",
            [lambda0, grow, power, offset],
            source:
                "Platanios et al., NAACL 2019 (p = 2); Penha, Hauff, ECIR 2020 (any p); Guan, Jiang, Yang, IJCAI 2025, Eq. 7",
            example: "bss.pace.root{ lambda_0 = 0.1, t_grow = 40 }:at(10)   -- 0.5074"
        ) { arguments in
            let low = arguments[lambda0]
            let grow = arguments[grow]
            let p = arguments[power]
            let offset = arguments[offset]
            // The order of operations is part of the definition: at t = T rounding decides whether the last sample is
            // in.
            if p == 2 { return Pace("root") { ((1 - low * low) / grow * ($0 + offset) + low * low).squareRoot() } }
            let lowest = Math.pow(low, p)
            return Pace("root") { Math.pow((1 - lowest) / grow * ($0 + offset) + lowest, 1 / p) }
        },
        growingPart(
            "linear", "lambda(t) = lambda_0 + (1 - lambda_0) t / T.", source: "\(survey); Platanios et al., NAACL 2019"
        ) { t, low, grow in
            low + (1 - low) * t / grow
        },
        Part(
            "baby_step", "Buckets of equal size are added one after the other and kept: ceil((t + 1) J / T) / J.",
            [buckets, grow, offset],
            source: "Bengio et al., ICML 2009; Spitkovsky et al., NAACL 2010; Cirik et al., 2016",
            example: "bss.pace.baby_step{ buckets = 10, t_grow = 40 }:at(5)   -- 0.2"
        ) { arguments in
            let count = Double(arguments[buckets])
            let grow = arguments[grow]
            let offset = arguments[offset]
            return Pace("baby_step") { min(count, (($0 + offset + 1) / (grow / count)).rounded(.up)) / count }
        },
        growingPart(
            "geometric", "lambda(t) = lambda_0^(1 - t/T); slow first, then fast.",
            source: "Penha, Hauff, ECIR 2020; \(survey)"
        ) { t, low, grow in
            Math.pow(low, max(0, 1 - t / grow))
        },
        growingPart("logarithmic", "lambda(t) = lambda_0 + (1 - lambda_0) (1 + 0.1 ln(t/T + e^-10)).", source: wu) {
            t, low, grow in
            low + (1 - low) * (1 + 0.1 * Math.log(t / grow + Math.exp(-10)))
        },
        growingPart("exponential", "lambda(t) = lambda_0 + (1 - lambda_0) (e^(10 t/T) - 1) / (e^10 - 1).", source: wu) {
            t, low, grow in
            t >= grow ? 1 : low + (1 - low) * (Math.exp(10 * t / grow) - 1) / (Math.exp(10) - 1)
        },
        growingPart("quadratic", "lambda(t) = lambda_0 + (1 - lambda_0) (t/T)^2.", source: wu) { t, low, grow in
            low + (1 - low) * (t / grow) * (t / grow)
        },
        growingPart(
            "square_root", "lambda(t) = lambda_0 + (1 - lambda_0) (t/T)^(1/2); not the root function of Eq. 7.",
            source: wu
        ) { t, low, grow in
            low + (1 - low) * (t / grow).squareRoot()
        },
        growingPart(
            "step", "lambda_0 before epoch T, everything from then on.", source: "\(wu); single step of \(hacohen)"
        ) { t, low, grow in
            low + (t / grow).rounded(.down)
        },
        Part(
            "fixed_exponential", "lambda(t) = lambda_0 * increase^floor(t / every).",
            [fixedStart, increase, every, offset], source: hacohen,
            example: "bss.pace.fixed_exponential{ lambda_0 = 0.04, increase = 1.9, every = 10 }:at(20)   -- 0.1444"
        ) { arguments in
            stepped(
                "fixed_exponential", arguments[fixedStart], arguments[increase], arguments[every], arguments[offset])
        },
        Part(
            "varied_exponential",
            "lambda(t) = lambda_0 * increase^j, j = number of the given step lengths that t has passed; everything after the last.",
            [fixedStart, increase, steps, offset], source: hacohen,
            example: "bss.pace.varied_exponential{ steps = {5, 10, 20} }:at(7)"
        ) { arguments in
            let low = arguments[fixedStart]
            let factor = arguments[increase]
            let offset = arguments[offset]
            var ends: [Double] = []
            for length in arguments[steps] {
                guard length > 0 else {
                    throw BSSError(
                        arguments.operation,
                        "option 'steps' expects lengths greater than 0, got \(Text.number(length))", kind: .usage)
                }
                ends.append((ends.last ?? 0) + length)
            }
            return Pace("varied_exponential") { t in
                let passed = ends.filter { $0 <= t + offset }.count
                return passed == ends.count ? 1 : low * Math.pow(factor, Double(passed))
            }
        },
        Part(
            "adaptive",
            "lambda(t) = lambda_0 * increase^floor(t / every), with the constants of adaptive curriculum learning.",
            [lambda0, adaptiveFactor, adaptiveEvery, offset], source: "Kong et al., ICCV 2021",
            example: "bss.pace.adaptive{}:at(15)   -- 0.12"
        ) { arguments in
            stepped(
                "adaptive", arguments[lambda0], arguments[adaptiveFactor], arguments[adaptiveEvery], arguments[offset])
        },
        Part(
            "staircase", "lambda(t) = lambda_0 + rate * floor(t / every).", [lambda0, rate, staircaseEvery, offset],
            source: "the baby_step of Zhou et al., CurML, ACM MM 2022",
            example: "bss.pace.staircase{ rate = 0.1, every = 20 }:at(20)   -- 0.2"
        ) { arguments in
            let low = arguments[lambda0]
            let rate = arguments[rate]
            let every = arguments[staircaseEvery]
            let offset = arguments[offset]
            return Pace("staircase") { low + rate * (($0 + offset) / every).rounded(.down) }
        },
        Part(
            "one_pass",
            "Buckets of equal size one after the other, each ALONE: bucket min(J - 1, floor(t J / T)); at(t) is where the bucket ends.",
            [buckets, grow, offset], source: "Bengio et al., ICML 2009; Cirik et al., 2016",
            example: "bss.pace.one_pass{ buckets = 4, t_grow = 8 }:window(3)   -- 0.25  0.5"
        ) { arguments in
            let count = Double(arguments[buckets])
            let grow = arguments[grow]
            let offset = arguments[offset]
            func bucket(_ t: Double) -> Double { min(count - 1, ((t + offset) * count / grow).rounded(.down)) }
            return Pace("one_pass", start: { bucket($0) / count }) { (bucket($0) + 1) / count }
        },
        Part(
            "full", "Everything from the first epoch: lambda(t) = 1.", source: "the usual training",
            example: "bss.pace.full{}:at(0)   -- 1"
        ) { _ in Pace("full") { _ in 1 } },
        Part(
            "custom", "A pace function written in Lua.", [function],
            example: "bss.pace.custom(function(t) return math.min(1, 0.2 + 0.1 * t) end):at(3)"
        ) { arguments in
            let callback = arguments[function]
            return Pace("custom") { t in
                let result =
                    try callback.function.call([Double(Int(exactly: t) ?? -1) == t ? .int(Int(t)) : .number(t)]).first
                    ?? .null
                guard let value = result.double, value > 0, value <= 1 else {
                    throw BSSError(
                        "bss.pace.custom",
                        "at t = \(Text.number(t)) the function at \(callback.function.definition) returned \(result.described)",
                        hint: "expected a fraction greater than 0, at most 1")
                }
                return value
            }
        },
    ]

    private static func stepped(
        _ name: String, _ low: Double, _ factor: Double, _ every: Double, _ offset: Double
    ) -> Pace {
        Pace(name) { low * Math.pow(factor, (($0 + offset) / every).rounded(.down)) }
    }

    // MARK: Methods

    private static let epoch = Argument(
        "t", aliases: ["epoch"], "epoch t, counted from 0", check: Check<Double>.atLeast(0))
    private static let epochs = Argument("epochs", "how many epochs", check: Check<Int>.range(1...1_000_000))

    public static let methods: [Function] = [
        Function(
            "at", "lambda(t): the fraction available at epoch t, counted from 0.", [epoch], returns: "number",
            example: "bss.pace.linear{}:at(20)   -- 0.55"
        ) {
            [.number(try $0.part(Pace.self).at($0[epoch]))]
        },
        Function(
            "window", "Start and end of the available part of the ranking; the start is 0 except for one_pass.",
            [epoch], returns: "number, number",
            example: "bss.pace.root{}:window(0)   -- 0  0.1"
        ) { arguments in
            let (start, end) = try arguments.part(Pace.self).window(arguments[epoch])
            return [.number(start), .number(end)]
        },
        Function(
            "curve", "lambda(0), …, lambda(epochs - 1).", [epochs], returns: "list of numbers",
            example: "bss.pace.root{ t_grow = 5 }:curve(6)"
        ) { arguments in
            let pace = try arguments.part(Pace.self)
            let count = arguments[epochs]
            try Memory.reserve(count, of: 64, arguments.operation, "a list of \(count) numbers")
            return [.list(try Memory.array(count, arguments.operation) { try pace.at(Double($0)) })]
        },
    ]
}
