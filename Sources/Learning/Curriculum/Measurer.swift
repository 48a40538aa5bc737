import BSSCore

/// Scores of one scan: the balance score of every sample and what it was made of.
public struct Measurement {
    public struct Term {
        public let criterion: Criterion
        /// In the criterion's own unit.
        public let raw: [Double]
        /// After Norm().
        public let normalized: [Double]
    }

    public var terms: [Term]
    /// s, one per sample; high = balanced.
    public var score: [Double]

    /// Samples from most to least balanced; ties in sample order.
    public var ranking: [Int] { Ranking.descending(score) }

    /// Per-sample lists for scripts: `score`, `rank` (1 = most balanced), and each criterion under its label
    /// (`similarity`, `loss`, …) in its own unit and as `normalized_…`.
    public var table: Table {
        var rank = [Int](repeating: 0, count: score.count)
        for (position, sample) in ranking.enumerated() { rank[sample] = position + 1 }
        var table = Table(fields: [("score", .list(score)), ("rank", .list(rank.map(Value.int)))])
        for term in terms {
            var label = term.criterion.label
            var copy = 2
            while table[label] != nil {
                label = "\(term.criterion.label)_\(copy)"
                copy += 1
            }
            table[label] = .list(term.raw)
            table["normalized_\(label)"] = .list(term.normalized)
        }
        return table
    }
}

/// The multi-perspective measurer: normalises criteria over the training set and adds them with their directions.
///
///     s(x) = sum_c direction_c * weight_c * Norm(c(x))
///
/// With prediction similarity and loss this is Eq. 6, `s = Norm(sim) - Norm(L)`; with one of them `s = Norm(sim)` or
/// `s = -Norm(L)`; with none all scores are 0, a uniform order. Source: Guan, Jiang, Yang, IJCAI 2025, Eqs. 4-6.
public final class Measurer: ConfiguredObject, ArgumentType {
    public let criteria: [Configured<Criterion>]
    public let normalization: Normalization
    /// Fraction clipped at both ends before Norm(); 0 = off.
    public let clip: Double
    public var needs: Set<Criterion.Need> { criteria.reduce(into: []) { $0.formUnion($1.product.needs) } }

    public init(criteria: [Configured<Criterion>], normalization: Normalization = .minMax, clip: Double = 0) {
        self.criteria = criteria
        self.normalization = normalization
        self.clip = clip
    }

    /// Eqs. 4-6 over one scan.
    /// - Throws: a criterion that is NaN or infinite, with the samples; what criteria need and the evidence lacks.
    public func score(_ evidence: Evidence) throws -> Measurement {
        var score = [Double](repeating: 0, count: evidence.count)
        var terms: [Measurement.Term] = []
        for configured in criteria {
            let criterion = configured.product
            let raw = try criterion.values(evidence)
            try Measurer.checkFinite(raw, "criterion \(criterion.name)")
            let normalized = normalization.apply(Normalization.clipped(raw, fraction: clip))
            let factor = criterion.direction * criterion.weight
            for i in score.indices { score[i] += factor * normalized[i] }
            terms.append(.init(criterion: criterion, raw: raw, normalized: normalized))
        }
        return Measurement(terms: terms, score: score)
    }

    /// - Throws: naming the (1-based) samples whose value is NaN or infinite.
    static func checkFinite(_ values: [Double], _ what: String) throws {
        let bad = values.indices.filter { !values[$0].isFinite }
        guard let first = bad.first else { return }
        try Cancellation.check("scoring")
        let listed =
            bad.prefix(5).map { String($0 + 1) }.joined(separator: ", ")
            + (bad.count > 5 ? ", … (\(bad.count) in all)" : "")
        throw BSSError(
            what, "is \(Text.number(values[first])) for \(bad.count == 1 ? "sample" : "samples") \(listed)",
            hint: "a score needs finite logits and losses; check the data and the learning rate")
    }

    // MARK: As scripts see it

    private static let criteriaArgument = Argument<[Configured<Criterion>]>(
        "criteria", aliases: ["score_terms"],
        default: Measurer.paper.criteria,
        "criteria by name or as constructed; an empty list scores every sample 0")
    private static let normArgument = Argument(
        "norm", default: Normalization.minMax, "how each criterion is normalised over the training set")
    private static let clipArgument = Argument(
        "clip", default: 0.0,
        "fraction of values clipped at both ends before normalising (outliers compress min-max); 0 = off",
        check: Check("from 0 to below 0.5") { $0 >= 0 && $0 < 0.5 })
    static let arguments: [any AnyArgument] = [criteriaArgument, normArgument, clipArgument]

    /// `bss.measurer{ "prediction_similarity", "loss", norm = "min_max" }`
    public static let constructor = Function(
        "measurer",
        "The balance score s = Norm(similarity) - Norm(loss) of Eq. 6, or any other combination of criteria.",
        arguments,
        returns: "measurer", example: "bss.measurer{ \"prediction_similarity\", \"loss\", norm = \"rank\" }",
        source: "Guan, Jiang, Yang, IJCAI 2025, Eqs. 4-6"
    ) { [.object(Measurer($0))] }

    private convenience init(_ arguments: Arguments) {
        self.init(
            criteria: arguments[Measurer.criteriaArgument],
            normalization: arguments[Measurer.normArgument],
            clip: arguments[Measurer.clipArgument])
    }

    public static let expected = "measurer"
    public static let luaType = LuaType.name("measurer")

    /// Accepts a measurer, a list of criteria, or a table of the constructor's options.
    public convenience init(value: Value) throws {
        switch value {
        case .object(let object):
            guard let other = object as? Measurer else { throw Mismatch() }
            self.init(criteria: other.criteria, normalization: other.normalization, clip: other.clip)
        case .table:
            do { self.init(try Measurer.constructor.decode([value], path: "measurer")) } catch let error as BSSError {
                throw Mismatch(error.message)
            }
        case .string(let name): self.init(criteria: [try Configured(name)])
        default: throw Mismatch()
        }
    }

    public var configuration: Table {
        Table(fields: [
            ("criteria", .list(criteria.map(\.plain))), ("norm", .string(normalization.rawValue)),
            ("clip", .number(clip)),
        ])
    }
    public var plain: Value { .table(configuration) }

    public static let type = ObjectType(
        "measurer", help: "Turns what a scan knows about each sample into its balance score.",
        methods: [
            Function(
                "score", "Scores given logits and labels: lists score, rank and one per criterion.",
                MeasurerInput.arguments, returns: "table of lists",
                example:
                    "bss.measurer{ \"loss\" }:score{ logits = { a = {{2, 0}, {0, 1}}, b = {{1, 0}, {0, 2}} }, fused = "
                    + "{{3, 0}, {0, 3}}, labels = {1, 2} }",
                source: "Guan, Jiang, Yang, IJCAI 2025, Eq. 6"
            ) { arguments in
                let measurer = try arguments.receiver(as: Measurer.self)
                return [.table(try measurer.score(MeasurerInput.evidence(arguments)).table)]
            }
        ])
    public var objectType: ObjectType { Measurer.type }
    public var summary: String {
        let names = criteria.map { JSON.lua(.string($0.name)) }.joined(separator: ", ")
        return
            "bss.measurer{\(names.isEmpty ? "criteria = {}" : names), norm = "
            + "\"\(normalization.rawValue)\"\(clip > 0 ? ", clip = \(Text.number(clip))" : "")}"
    }
    public func member(_ name: String) -> Value? { configuration[name] }
    public var memberNames: [String] { configuration.keys }
}

/// One label per sample: a list of whatever names classes, or a tensor of numbers.
private struct Labels: ArgumentType, ListArgument {
    let values: [Value]
    static let expected = [Value].expected
    static let luaType = "any[]|\(LuaType.name("tensor"))"
    init(value: Value) throws {
        if case .object = value {
            values = try Vector(value: value).values.map { number in
                Int(exactly: number).map(Value.int) ?? .number(number)
            }
        } else {
            values = try [Value](value: value)
        }
    }
    var plain: Value { .list(values) }
}

/// Arguments of `measurer:score{…}` and `criterion:values{…}`: the evidence, as a script writes it.
enum MeasurerInput {
    private static let logits = Argument<MatrixPerModality>(
        "logits", "unimodal logits by modality, each [samples, classes]")
    private static let fused = Argument<Matrix?>("fused", default: nil, "fused logits [samples, classes]")
    private static let labels = Argument<Labels>(
        "labels", "one label per sample: class positions 1 … C, or members of classes")
    private static let classes = Argument<[Value]?>(
        "classes", default: nil, "label of each column, if labels are not its positions 1 … C")
    private static let features = Argument<MatrixPerModality?>(
        "features", default: nil, "features by modality, each [samples, size]")
    private static let gradientNorms = Argument<Vector?>(
        "gradient_norms", default: nil, "gradient magnitude per sample")
    private static let alpha = Argument<Double?>(
        "alpha", default: nil,
        "loss weights (1 - alpha) fused, alpha per modality (Eq. 5); 0.2 if no weights are given",
        check: Check("from 0 to 1") { $0.map { (0...1).contains($0) } ?? true })
    private static let wMulti = Argument<Double?>("w_multi", default: nil, "weight of the fused loss, instead of alpha")
    private static let wUni = Argument<Double?>("w_uni", default: nil, "weight of each unimodal loss, instead of alpha")
    static let arguments: [any AnyArgument] = [
        logits, fused, labels, classes, features, gradientNorms, alpha, wMulti, wUni,
    ]

    static func evidence(_ arguments: Arguments) throws -> Evidence {
        let logits = arguments[logits]
        let operation = arguments.operation
        let modalities = logits.modalities.count
        let weights: LossWeights
        if arguments[wMulti] != nil || arguments[wUni] != nil {
            guard arguments[alpha] == nil else {
                throw BSSError(
                    operation, "alpha and w_multi / w_uni are two ways to say the same", hint: "give one of them",
                    kind: .usage)
            }
            weights = LossWeights(
                multi: arguments[wMulti] ?? 1, uni: Array(repeating: arguments[wUni] ?? 1, count: modalities))
        } else {
            weights = LossWeights(alpha: arguments[alpha] ?? 0.2, modalities: modalities)
        }
        let features = try arguments[features].map { given in
            try logits.modalities.map { name -> Matrix in
                guard let index = given.modalities.firstIndex(of: name) else {
                    throw BSSError(operation, "features of '\(name)' are missing", kind: .usage)
                }
                return given.matrices[index]
            }
        }
        return try Evidence(
            modalities: logits.modalities, logits: logits.matrices, fused: arguments[fused], labels: columns(arguments),
            features: features,
            gradientNorms: arguments[gradientNorms]?.values, lossWeights: weights)
    }

    private static func columns(_ arguments: Arguments) throws -> [Int] {
        let labels = arguments[labels].values
        guard let classes = arguments[classes] else {
            return try labels.enumerated().map { index, label in
                guard let position = label.int, position >= 1 else {
                    throw BSSError(
                        arguments.operation,
                        "label \(index + 1) is \(label.described), expected a class position from 1",
                        hint: "labels count from 1; pass classes = {…} to name the columns", kind: .usage)
                }
                return position - 1
            }
        }
        var columnOf: [String: Int] = [:]
        for (column, label) in classes.enumerated() { columnOf[JSON.text(.list([label]))] = column }
        return try labels.enumerated().map { index, label in
            guard let column = columnOf[JSON.text(.list([label]))] else {
                throw BSSError(
                    arguments.operation, "label \(index + 1) is \(label.described), which is not in classes",
                    kind: .usage)
            }
            return column
        }
    }
}
