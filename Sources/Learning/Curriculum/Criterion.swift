import BSSCore

/// One perspective on a sample: a value per sample and the direction in which it means "balanced".
public struct Criterion: Family {
    /// What the scan must collect beyond logits and labels.
    public enum Need: Hashable { case fused, features, gradientNorms }

    public let name: String
    /// The key of its values in result tables: `similarity`, `loss`, …
    public let label: String
    /// +1: high values are balanced (similarities); -1: low values are (losses).
    public let direction: Double
    /// Factor of its normalised value in the score.
    public let weight: Double
    public let needs: Set<Need>
    public let values: (Evidence) throws -> [Double]

    public init(
        name: String, label: String, direction: Double, weight: Double, needs: Set<Need> = [],
        values: @escaping (Evidence) throws -> [Double]
    ) {
        self.name = name
        self.label = label
        self.direction = direction
        self.weight = weight
        self.needs = needs
        self.values = values
    }

    public static let familyName = "criterion"
    public static let noun = "criterion"
    public static let help =
        "One perspective on how balanced or easy a sample is; a measurer combines several into the balance score."

    private static let paper =
        "Guan, Jiang, Yang, Balance-aware Sequence Sampling Makes Multi-modal Learning Better, IJCAI 2025"
    static let weightArgument = Argument(
        "weight", default: 1.0, "factor of its normalised value in the score", check: .atLeast(0))

    // MARK: Parts

    private static let space = Argument(
        "similarity_space", aliases: ["space"], default: "probs",
        "what the cosine compares: \"probs\" (softmax, Eq. 4), \"logits\" (as released for NVGesture) or \"features\"",
        check: .oneOf(["probs", "logits", "features"]))
    private static let pairs = Argument(
        "pairs", default: "mean",
        "how the modality pairs are combined: \"mean\", \"min\", \"product\", or \"fused\" (mean similarity of each modality with the fused prediction)",
        check: .oneOf(["mean", "min", "product", "fused"]))
    private static let direction = Argument(
        "direction", default: "low", "which values mean balanced: \"high\" or \"low\"", check: .oneOf(["high", "low"]))
    private static let function = Argument<Callback>(
        "function",
        "function(evidence) returning one number per sample; evidence has logits, fused, labels (class positions from 1), loss (and features, gradient_norms where known)"
    )

    public static let parts: [Part<Criterion>] = [
        Part(
            "prediction_similarity",
            "Cosine of the unimodal predictions of a sample, mean over modality pairs (Eq. 4). High means balanced.",
            [space, pairs, weightArgument],
            source: "\(paper), Eq. 4; three modalities: mean of the pairs as in the released code",
            example: "bss.criterion.prediction_similarity{ pairs = \"min\" }"
        ) { arguments in
            let space = arguments[space]
            let pairs = arguments[pairs]
            var needs: Set<Need> = space == "features" ? [.features] : []
            if pairs == "fused" { needs.insert(.fused) }
            return Criterion(
                name: "prediction_similarity", label: "similarity", direction: 1, weight: arguments[weightArgument],
                needs: needs
            ) {
                try Similarity.values($0, space: space, pairs: pairs)
            }
        },
        Part(
            "feature_similarity",
            "Cosine of the modalities' features, mean over pairs; features must have equal sizes. High means balanced.",
            [pairs, weightArgument], source: "\(paper), supplement A (criteria)",
            example: "bss.criterion.feature_similarity{}"
        ) { arguments in
            let pairs = arguments[pairs]
            return Criterion(
                name: "feature_similarity", label: "feature_similarity", direction: 1,
                weight: arguments[weightArgument], needs: [.features]
            ) {
                try Similarity.values($0, space: "features", pairs: pairs)
            }
        },
        Part(
            "loss", "Total loss of a sample with the weights of the training (Eq. 5). Low means balanced.",
            [weightArgument], source: "\(paper), Eq. 5", example: "bss.criterion.loss{}"
        ) { arguments in
            Criterion(name: "loss", label: "loss", direction: -1, weight: arguments[weightArgument], needs: [.fused]) {
                try $0.totalLoss()
            }
        },
        Part(
            "gradient_norm", "Magnitude of a sample's loss gradient, as the scan measured it. Low means balanced.",
            [weightArgument], source: "\(paper), supplement A (criteria)", example: "bss.criterion.gradient_norm{}"
        ) { arguments in
            Criterion(
                name: "gradient_norm", label: "gradient_norm", direction: -1, weight: arguments[weightArgument],
                needs: [.fused, .gradientNorms]
            ) {
                guard let norms = $0.gradientNorms else {
                    throw BSSError(
                        "gradient_norm", "this scan measured no gradient norms",
                        hint: "pass gradient_norms = { … }, one per sample")
                }
                return norms
            }
        },
        Part(
            "custom", "A criterion written in Lua.", [function, direction, weightArgument],
            example: "bss.criterion.custom(function(e) return e.loss end)"
        ) { arguments in
            let callback = arguments[function]
            return Criterion(
                name: "custom", label: "custom", direction: arguments[direction] == "high" ? 1 : -1,
                weight: arguments[weightArgument], needs: [.fused]
            ) { evidence in
                let result = try callback.function.call([.table(evidenceTable(evidence))]).first ?? .null
                guard let values = (try? Vector(value: result))?.values, values.count == evidence.count else {
                    throw BSSError(
                        "bss.criterion.custom",
                        "the function at \(callback.function.definition) must return \(evidence.count) numbers, got \(result.described)"
                    )
                }
                return values
            }
        },
    ]

    public static let methods: [Function] = [
        Function(
            "values", "The criterion's value for every sample, in its own unit.", MeasurerInput.arguments,
            returns: "list of numbers",
            example:
                "bss.criterion.loss{}:values{ logits = { a = {{2, 0}}, b = {{1, 0}} }, fused = {{3, 0}}, labels = {1} }"
        ) { arguments in
            let criterion = try arguments.part(Criterion.self)
            return [.list(try criterion.values(MeasurerInput.evidence(arguments)))]
        }
    ]

    private static func evidenceTable(_ evidence: Evidence) throws -> Table {
        var table = Table(fields: [
            ("logits", .fields(zip(evidence.modalities, evidence.logits).map { ($0, $1.plain) })),
            ("labels", .list(evidence.labels.map { .int($0 + 1) })), ("loss", .list(try evidence.totalLoss())),
        ])
        if let fused = evidence.fused { table["fused"] = fused.plain }
        if let features = evidence.features {
            table["features"] = .fields(zip(evidence.modalities, features).map { ($0, $1.plain) })
        }
        if let norms = evidence.gradientNorms { table["gradient_norms"] = .list(norms) }
        return table
    }
}

/// Cosine similarities between modalities, Eq. 4: `sim(u, v) = <u, v> / (|u| |v|)`.
enum Similarity {
    /// Below this length a vector counts as this long, so that an all-zero row gives 0 instead of a division by zero.
    private static let shortest = 1e-8

    static func values(_ evidence: Evidence, space: String, pairs: String) throws -> [Double] {
        var blocks: [(name: String, columns: Int, values: [Double])]
        switch space {
        case "features":
            guard let features = evidence.features else {
                throw BSSError(
                    "similarity", "this scan collected no features",
                    hint: "pass features = { … }, one matrix per modality")
            }
            blocks = zip(evidence.modalities, features).map { ($0, $1.columns, $1.values) }
            if let other = blocks.first(where: { $0.columns != blocks[0].columns }) {
                throw BSSError(
                    "similarity",
                    "\(blocks[0].name) has \(blocks[0].columns) features, \(other.name) has \(other.columns): a cosine needs equal sizes",
                    hint: "use encoders of equal output size, or similarity_space = \"probs\"")
            }
        case "logits": blocks = zip(evidence.modalities, evidence.logits).map { ($0, $1.columns, $1.values) }
        default:
            blocks = zip(evidence.modalities, zip(evidence.logits, evidence.probabilities)).map {
                ($0, $1.0.columns, $1.1)
            }
        }
        var chosen: [(Int, Int)] = []
        if pairs == "fused" {
            guard let fused = evidence.fused, space != "features" else {
                throw BSSError("similarity", "pairs = \"fused\" needs fused logits", hint: "pass fused = …")
            }
            blocks.append(("fused", fused.columns, space == "logits" ? fused.values : Evidence.softmax(fused)))
            chosen = (0..<blocks.count - 1).map { ($0, blocks.count - 1) }
        } else {
            for i in blocks.indices { for j in blocks.indices where j > i { chosen.append((i, j)) } }
        }
        guard !chosen.isEmpty else {
            throw BSSError(
                "similarity", "there is one modality (\(blocks[0].name)): a similarity compares at least two",
                hint: "use the loss criterion alone")
        }
        return combine(chosen.map { cosine(blocks[$0].values, blocks[$1].values, columns: blocks[$0].columns) }, pairs)
    }

    private static func combine(_ similarities: [[Double]], _ how: String) -> [Double] {
        var total = similarities[0]
        for next in similarities.dropFirst() {
            for i in total.indices {
                switch how {
                case "min": total[i] = Swift.min(total[i], next[i])
                case "product": total[i] *= next[i]
                default: total[i] += next[i]
                }
            }
        }
        if how == "mean" || how == "fused" { for i in total.indices { total[i] /= Double(similarities.count) } }
        return total
    }

    /// Row-wise cosine of two [n, columns] blocks.
    static func cosine(_ a: [Double], _ b: [Double], columns: Int) -> [Double] {
        guard columns > 0 else { return [] }
        return a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                (0..<a.count / columns).map { row in
                    var dot = 0.0
                    var lengthA = 0.0
                    var lengthB = 0.0
                    for j in row * columns..<(row + 1) * columns {
                        dot += a[j] * b[j]
                        lengthA += a[j] * a[j]
                        lengthB += b[j] * b[j]
                    }
                    return dot / (max(lengthA.squareRoot(), shortest) * max(lengthB.squareRoot(), shortest))
                }
            }
        }
    }
}
