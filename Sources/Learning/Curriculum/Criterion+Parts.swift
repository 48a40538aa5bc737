import BSSCore

private struct Weight: OptionGroup {
    @Option("weight", "factor of its normalised value in the score", .atLeast(0)) var factor = 1.0
}

private struct PredictionSimilarity: OptionGroup {
    @Option(
        "similarity_space", aliases: ["space"],
        "what the cosine compares: \"probs\" (softmax, Eq. 4), \"logits\" (as released for NVGesture) or \"features\"")
    var space = Similarity.Space.probs
    @Option("pairs", Similarity.pairsHelp) var pairs = Similarity.Pairs.mean
    var weight = Weight()

    var needs: Set<Criterion.Need> {
        (space == .features ? [.features] : Set()).union(pairs == .fused ? [.fused] : [])
    }
}

private struct FeatureSimilarity: OptionGroup {
    @Option("pairs", Similarity.pairsHelp) var pairs = Similarity.Pairs.mean
    var weight = Weight()
}

private struct CustomCriterion: OptionGroup {
    enum Direction: String, Choice { case high, low }

    @Required(
        "function",
        "function(evidence) returning one number per sample; evidence has logits, fused, labels (class positions from "
            + "1), loss (and features, gradient_norms where known)",
        called: Signature([("evidence", LuaType.name("evidence"))], returns: "number[]"))
    var callback: Callback
    @Option("direction", "which values mean balanced: \"high\" or \"low\"") var direction = Direction.low
    var weight = Weight()

    func values(_ evidence: Evidence) throws -> [Double] {
        let answer = try callback.function.call([.table(evidence.table())]).first ?? .null
        if let values = answer.numbers, values.count == evidence.count { return values }
        throw BSSError(
            "bss.criterion.custom",
            "the function at \(callback.function.definition) must return \(evidence.count) numbers, got "
                + answer.described)
    }
}

extension Evidence {
    /// As scripts see it.
    fileprivate func table() throws -> Table {
        var table = Table(fields: [
            ("logits", .fields(zip(modalities, logits).map { ($0, $1.plain) })),
            ("labels", .list(labels.map { .int($0 + 1) })), ("loss", .list(try totalLoss())),
        ])
        if let fused { table["fused"] = fused.plain }
        if let features { table["features"] = .fields(zip(modalities, features).map { ($0, $1.plain) }) }
        if let gradientNorms { table["gradient_norms"] = .list(gradientNorms) }
        return table
    }
}

extension Criterion {
    public static let parts: [Part<Criterion>] = [
        predictionSimilarity, featureSimilarity, loss, gradientNorm, custom,
    ]

    private static let predictionSimilarity = Part<Criterion>(
        "prediction_similarity",
        "Cosine of the unimodal predictions of a sample, mean over modality pairs (Eq. 4). High means balanced.",
        options: PredictionSimilarity.self,
        source: "\(Scheduler.paper), Eq. 4; three modalities: mean of the pairs as in the released code",
        example: "bss.criterion.prediction_similarity{ pairs = \"min\" }"
    ) { o in
        Criterion(
            name: "prediction_similarity", label: "similarity", direction: 1, weight: o.weight.factor, needs: o.needs
        ) { try Similarity.values($0, space: o.space, pairs: o.pairs) }
    }

    private static let featureSimilarity = Part<Criterion>(
        "feature_similarity",
        "Cosine of the modalities' features, mean over pairs; features must have equal sizes. High means balanced.",
        options: FeatureSimilarity.self, source: "\(Scheduler.paper), supplement A (criteria)",
        example: "bss.criterion.feature_similarity{}"
    ) { o in
        Criterion(
            name: "feature_similarity", label: "feature_similarity", direction: 1, weight: o.weight.factor,
            needs: [.features]
        ) { try Similarity.values($0, space: .features, pairs: o.pairs) }
    }

    private static let loss = Part<Criterion>(
        "loss", "Total loss of a sample with the weights of the training (Eq. 5). Low means balanced.",
        options: Weight.self, source: "\(Scheduler.paper), Eq. 5", example: "bss.criterion.loss{}"
    ) { o in
        Criterion(name: "loss", label: "loss", direction: -1, weight: o.factor, needs: [.fused]) {
            try $0.totalLoss()
        }
    }

    private static let gradientNorm = Part<Criterion>(
        "gradient_norm", "Magnitude of a sample's loss gradient, as the scan measured it. Low means balanced.",
        options: Weight.self, source: "\(Scheduler.paper), supplement A (criteria)",
        example: "bss.criterion.gradient_norm{}"
    ) { o in
        Criterion(
            name: "gradient_norm", label: "gradient_norm", direction: -1, weight: o.factor,
            needs: [.fused, .gradientNorms]
        ) {
            if let norms = $0.gradientNorms { return norms }
            throw BSSError(
                "gradient_norm", "this scan measured no gradient norms",
                hint: "pass gradient_norms = { … }, one per sample")
        }
    }

    private static let custom = Part<Criterion>(
        "custom", "A criterion written in Lua.", options: CustomCriterion.self,
        example: "bss.criterion.custom(function(e) return e.loss end)"
    ) { o in
        Criterion(
            name: "custom", label: "custom", direction: o.direction == .high ? 1 : -1, weight: o.weight.factor,
            needs: [.fused], values: o.values)
    }
}
