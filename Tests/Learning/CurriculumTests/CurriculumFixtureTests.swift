import BSSCodecs
import BSSCore
import BSSCurriculum
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct CurriculumFixtureTests {
    /// Draws for the statistical cases.
    private static let draws = 20_000

    @Test func bss() throws {
        let failures = try FixtureGroup.run("bss", handled: { $1.sigmas != nil }) { try outputs(of: $0) }
        for failure in failures { Issue.record("\(failure)") }
    }

    private func outputs(of item: FixtureCase) throws -> [String: NpyArray] {
        switch item.op {
        case "bss_scores": return try scores(item)
        case "bss_ema": return try ema(item)
        case "bss_pace": return try pace(item)
        case "sampling_without_replacement": return try samplingLaw(item)
        default: throw BSSError("bss", "unknown operation '\(item.op)'")
        }
    }

    private func matrix(_ item: FixtureCase, _ name: String) throws -> Matrix {
        let shape = try item.array(name).shape
        return Matrix(rows: shape[0], columns: shape[1], values: try item.floats(name))
    }

    private func scores(_ item: FixtureCase) throws -> [String: NpyArray] {
        let names = (1...(try item.int("modalities"))).map { "uni\($0)" }
        let labels = try item.integers("labels")
        let logits = try names.map { try matrix(item, "logits_\($0)") }
        let fused = try matrix(item, "logits_multi")
        func evidence(_ weights: LossWeights) throws -> Evidence {
            try Evidence(modalities: names, logits: logits, fused: fused, labels: labels, lossWeights: weights)
        }
        func criterion(_ name: String, _ options: [(String, Value)] = []) throws -> Criterion {
            try Configured<Criterion>(name, Table(fields: options)).product
        }
        let plain = try evidence(LossWeights(alpha: 0.2, modalities: names.count))
        var out: [String: NpyArray] = [
            "similarity": NpyArray(try criterion("prediction_similarity").values(plain)),
            "similarity_raw_logits": NpyArray(
                try criterion("prediction_similarity", [("similarity_space", .string("logits"))]).values(plain)),
            "ce_multi": NpyArray(plain.fusedCrossEntropy ?? []),
        ]
        for (index, name) in names.enumerated() { out["ce_\(name)"] = NpyArray(plain.crossEntropy(modality: index)) }
        let sum = LossWeights(multi: 1, uni: names.map { _ in 1 })
        var measured: [String: Measurement] = [:]
        for alpha in try item.doubles("alphas") {
            let label = "alpha\(alpha == alpha.rounded() ? "\(Int(alpha)).0" : Text.number(alpha))"
            measured[label] = try Measurer.paper.score(evidence(LossWeights(alpha: alpha, modalities: names.count)))
        }
        measured["alpha0.2"] = try Measurer.paper.score(plain)
        measured["sum"] = try Measurer.paper.score(evidence(sum))
        for (label, m) in measured {
            out["loss_\(label)"] = NpyArray(m.terms[1].raw)
            out["score_\(label)"] = NpyArray(m.score)
        }
        let released = try #require(measured[try item.string("released_loss")])
        out["similarity_minmax"] = NpyArray(released.terms[0].normalized)
        out["loss_minmax"] = NpyArray(released.terms[1].normalized)
        out["released_difficulty"] = NpyArray(
            zip(released.terms[0].normalized, released.terms[1].normalized).map { 1 - $0 + $1 })
        // The released heuristic's ascending difficulty is our descending score.
        out["released_order"] = NpyArray(try Configured<Scheduler>("heuristic").product.policy.ranking(released.score))
        out["released_weights"] = NpyArray(released.score.map { 1 + $0 + 0.01 })
        func probabilities(_ score: [Double], _ options: [(String, Value)]) throws -> NpyArray {
            NpyArray(
                try Configured<Scheduler>("learned", Table(fields: options)).product.policy.probabilities(score) ?? [])
        }
        let linear = ("prob_map", Value.string("linear"))
        out["released_probabilities"] = try probabilities(released.score, [linear])
        out["released_probabilities_twitter"] = try probabilities(released.score, [linear, ("order_sign", .int(-1))])
        out["released_probabilities_nvgesture"] = try probabilities(released.score, [linear, ("eps", .number(0))])
        let paper = try #require(measured["alpha0.2"])
        out["paper_probabilities_single"] = try probabilities(paper.score, [])
        out["paper_rank"] = NpyArray(paper.ranking)
        // Eqs. 12 and 13.
        var total = fused.values
        for one in logits { for i in total.indices { total[i] += one.values[i] } }
        let predictions = labels.indices.map { row -> Int in
            let values = total[row * fused.columns..<(row + 1) * fused.columns]
            return values.firstIndex(of: values.max()!)! - row * fused.columns
        }
        out["logits_total"] = NpyArray(total, shape: [labels.count, fused.columns])
        out["prediction_total"] = NpyArray(predictions)
        out["accuracy_total"] = NpyArray(
            [Double(zip(predictions, labels).filter { $0 == $1 }.count) / Double(labels.count)], shape: [])
        return out
    }

    private func ema(_ item: FixtureCase) throws -> [String: NpyArray] {
        let shape = try item.array("score_current").shape
        let current = try item.floats("score_current").map(Double.init)
        let scheduler = try Configured<Scheduler>(
            "learned", Table(fields: [("every", .int(3)), ("beta", .number(try item.double("beta")))])
        ).product
        let sequencer = scheduler.begin(count: shape[1])
        var updated: [Double] = []
        var probabilities: [Double] = []
        for k in 0..<shape[0] {
            #expect(sequencer.needsScores(atEpoch: 3 * k))
            try sequencer.receive(scores: Array(current[k * shape[1]..<(k + 1) * shape[1]]), epoch: 3 * k)
            updated += sequencer.scores
            probabilities += try #require(try sequencer.probabilities())
        }
        return [
            "score_updated": NpyArray(updated, shape: shape), "probabilities": NpyArray(probabilities, shape: shape),
        ]
    }

    private func pace(_ item: FixtureCase) throws -> [String: NpyArray] {
        let n = try item.int("samples")
        var out: [String: NpyArray] = [:]
        for (suffix, offset) in [("", 0), ("_released", 1)] {
            let root = try Configured<Pace>(
                "root",
                Table(fields: [
                    ("lambda_0", .number(try item.double("lambda0"))), ("t_grow", .number(try item.double("t_grow"))),
                    ("offset", .int(offset)),
                ])
            ).product
            let lambda = try item.integers("t").map { try root.at(Double($0)) }
            var rule = BatchRule()
            rule.minBatches = 0
            out["lambda\(suffix)"] = NpyArray(lambda)
            out["count\(suffix)"] = NpyArray(lambda.map { rule.size($0, of: n, batchSize: 64) })
        }
        return out
    }

    /// |frequency - p| <= sigmas * sqrt(p (1 - p) / draws) for every item at every position.
    private func samplingLaw(_ item: FixtureCase) throws -> [String: NpyArray] {
        let weights = try #require(try item.array("probabilities").doubles)
        let n = weights.count
        let law = try #require(try item.array("position_probability").doubles)
        let sigmas = item.description(of: "position_probability")?.sigmas ?? 5
        let scores = try item.floats("score").map(Double.init)
        let scheduler = try Configured<Scheduler>("learned").product
        for source in ["weights", "scheduler"] {
            var counts = [Double](repeating: 0, count: n * n)
            let stream = RandomStream(seed: 7, name: source)
            let sequencer = scheduler.begin(count: n)
            // The softmax of log p is p, whichever map the fixture's scores went through.
            try sequencer.receive(scores: zip(scores, weights).map { Math.log($0.1) }, epoch: 0)
            for draw in 0..<Self.draws {
                var random = stream.child("draw \(draw)")
                let order =
                    source == "weights"
                    ? try WeightedOrder.drawn(weights: weights, from: &random)
                    : try sequencer.plan(epoch: draw, batchSize: 2, random: stream).indices
                for (position, i) in order.enumerated() { counts[position * n + i] += 1 }
            }
            for (index, p) in law.enumerated() {
                let distance = abs(counts[index] / Double(Self.draws) - p)
                let limit = sigmas * (p * (1 - p) / Double(Self.draws)).squareRoot()
                guard distance <= limit else {
                    throw BSSError(
                        item.id,
                        "\(source): item \(index % n) at position \(index / n) has frequency "
                            + "\(counts[index] / Double(Self.draws)), expected \(p) ± \(limit)"
                    )
                }
            }
        }
        return [:]
    }
}
