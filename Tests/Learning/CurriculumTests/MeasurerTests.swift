import BSSCore
import BSSCurriculum
import Testing
import _BSSTestSupport

@Suite(.oneAtATime) struct MeasurerTests {
    private func evidence(
        _ a: [[Double]], _ b: [[Double]], fused: [[Double]], labels: [Int], alpha: Double = 0.2,
        features: [[[Double]]]? = nil, norms: [Double]? = nil
    ) throws -> Evidence {
        func matrix(_ rows: [[Double]]) -> Matrix {
            Matrix(rows: rows.count, columns: rows[0].count, values: rows.flatMap { $0 })
        }
        return try Evidence(
            modalities: ["audio", "visual"], logits: [matrix(a), matrix(b)], fused: matrix(fused), labels: labels,
            features: features.map { $0.map(matrix) },
            gradientNorms: norms, lossWeights: LossWeights(alpha: alpha, modalities: 2))
    }

    /// methods.md D: z_a = (2, 0, 0), z_v = (.5, 0, 0), z = (1.5, 0, 0), y = 0.
    @Test func bss_score_norm() throws {
        let one = try evidence([[2, 0, 0]], [[0.5, 0, 0]], fused: [[1.5, 0, 0]], labels: [0])
        let measured = try Measurer.paper.score(one)
        #expect(abs(measured.terms[0].raw[0] - 0.867880) < 5e-7)
        #expect(abs(measured.terms[1].raw[0] - 0.501969) < 5e-7)
        let similarity = Normalization.minMax.apply([0.9, 0.5, 0.7])
        let loss = Normalization.minMax.apply([0.5, 2, 1])
        let score = zip(similarity, loss).map(-)
        for (got, wanted) in zip(score, [1, -1, 0.166667]) { #expect(abs(got - wanted) < 5e-7) }
    }

    @Test func normalizations() {
        let values = [3.0, 1, 2, 2]
        #expect(Normalization.minMax.apply(values) == [1, 0, 0.5, 0.5])
        #expect(Normalization.rank.apply(values) == [1, 0, 0.5, 0.5])
        let z = Normalization.zScore.apply(values)
        #expect(abs(z.reduce(0, +)) < 1e-12 && abs(z.reduce(0) { $0 + $1 * $1 } / 4 - 1) < 1e-12)
        #expect(Normalization.none.apply(values) == values)
        #expect(abs(Normalization.l2.apply(values).reduce(0) { $0 + $1 * $1 } - 1) < 1e-12)
        for one in Normalization.allCases {
            #expect(one.apply([]) == [])
            #expect(one.apply([4, 4, 4]).allSatisfy { $0.isFinite }, "\(one) of equal values")
            #expect(one.apply([7]).allSatisfy { $0.isFinite }, "\(one) of one value")
        }
        #expect(Normalization.clipped([0, 1, 2, 3, 100], fraction: 0.25) == [1, 1, 2, 3, 3])
    }

    @Test("one criterion, none, and the direction of each")
    func terms() throws {
        let both = try evidence(
            [[2, 0], [0, 3], [1, 0]], [[1, 0], [2, 0], [0, 1]], fused: [[3, 0], [1, 1], [0, 2]], labels: [0, 1, 0])
        let similarity = try Measurer(criteria: [.named("prediction_similarity")]).score(both)
        #expect(similarity.score == similarity.terms[0].normalized)
        let loss = try Measurer(criteria: [.named("loss")]).score(both)
        #expect(loss.score == loss.terms[0].normalized.map { -$0 })
        #expect(try Measurer(criteria: []).score(both).score == [0, 0, 0])
        let paper = try Measurer.paper.score(both)
        #expect(paper.score == zip(similarity.score, loss.score).map(+))
        #expect(
            paper.table.keys == ["score", "rank", "similarity", "normalized_similarity", "loss", "normalized_loss"])
        #expect(paper.ranking == [0, 2, 1])
    }

    @Test("three modalities: mean, min and product of the pairs; against the fused prediction")
    func pairs() throws {
        let rows = [[2.0, 0, 0], [0.5, 0, 0], [0, 0, 0]].map { Matrix(rows: 1, columns: 3, values: $0) }
        let three = try Evidence(
            modalities: ["a", "v", "t"], logits: rows, fused: Matrix(rows: 1, columns: 3, values: [1.0, 0, 0]),
            labels: [0],
            lossWeights: LossWeights(alpha: 0.2, modalities: 3))
        func similarity(_ pairs: String) throws -> Double {
            try Configured<Criterion>("prediction_similarity", Table(fields: [("pairs", .string(pairs))])).product
                .values(three)[0]
        }
        func cosine(_ x: Double, _ y: Double) -> Double {
            let a = Math.exp(x)
            let b = Math.exp(y)
            return (a * b + 2) / ((a * a + 2).squareRoot() * (b * b + 2).squareRoot())
        }
        let all = [cosine(2, 0.5), cosine(2, 0), cosine(0.5, 0)]
        #expect(try abs(similarity("mean") - all.reduce(0, +) / 3) < 1e-12)
        #expect(try abs(similarity("min") - all.min()!) < 1e-12)
        #expect(try abs(similarity("product") - all.reduce(1, *)) < 1e-12)
        #expect(try abs(similarity("fused") - (cosine(2, 1) + cosine(0.5, 1) + cosine(0, 1)) / 3) < 1e-12)
    }

    @Test("values that are not numbers name their samples")
    func notANumber() throws {
        let bad = try evidence([[2, 0], [.nan, 0]], [[1, 0], [0, 1]], fused: [[1, 0], [1, 0]], labels: [0, 1])
        #expect { try Measurer.paper.score(bad) } throws: { "\($0)".contains("sample 2") && "\($0)".contains("nan") }
    }

    @Test("what a criterion needs and the evidence lacks is said")
    func lacks() throws {
        let plain = try evidence([[2, 0]], [[1, 0]], fused: [[1, 0]], labels: [0])
        #expect { try Measurer(criteria: [.named("feature_similarity")]).score(plain) } throws: {
            "\($0)".contains("features")
        }
        #expect { try Measurer(criteria: [.named("gradient_norm")]).score(plain) } throws: {
            "\($0)".contains("gradient")
        }
        let unequal = try evidence(
            [[2, 0]], [[1, 0]], fused: [[1, 0]], labels: [0], features: [[[1, 2, 3]], [[1, 2]]])
        #expect { try Measurer(criteria: [.named("feature_similarity")]).score(unequal) } throws: {
            "\($0)".contains("audio has 3 features, visual has 2")
        }
        let single = try Evidence(
            modalities: ["a"], logits: [Matrix(rows: 1, columns: 2, values: [1.0, 0])], labels: [0],
            lossWeights: LossWeights(multi: 0, uni: [1]))
        #expect { try Measurer(criteria: [.named("prediction_similarity")]).score(single) } throws: {
            "\($0)".contains("one modality")
        }
        #expect { try evidence([[2, 0]], [[1, 0]], fused: [[1, 0]], labels: [2]) } throws: {
            "\($0)".contains("label 3 of sample 1 has no column: expected a class position from 1 to 2")
        }
        #expect { try evidence([[2, 0]], [[1, 0, 0]], fused: [[1, 0]], labels: [0]) } throws: {
            "\($0)".contains("visual has 3 classes")
        }
    }

    @Test("as a script calls it: nested lists, labels by name, options by position and by name")
    func script() throws {
        let made = try Measurer.constructor.call([.fields([("norm", .string("none")), ("clip", .number(0.1))])])
        guard case .object(let object)? = made.first, let measurer = object as? Measurer else {
            Issue.record("no measurer")
            return
        }
        #expect(measurer.configuration.value(atPath: "criteria.1.name")?.string == "prediction_similarity")
        var named = Table(items: [.string("loss")])
        named["norm"] = .string("none")
        guard case .object(let second)? = try Measurer.constructor.call([.table(named)]).first else { return }
        let input = Table(fields: [
            ("logits", .fields([("a", .list([.list([2.0, 0])])), ("b", .list([.list([1.0, 0])]))])),
            ("fused", .list([.list([3.0, 0])])),
            ("labels", .list(["cat"])), ("classes", .list(["cat", "dog"])), ("w_multi", .int(1)), ("w_uni", .int(1)),
        ])
        let scored = try #require(second.objectType.method("score")).call([.table(input)], receiver: second)
        let wanted = Math.log(1 + Math.exp(-3)) + Math.log(1 + Math.exp(-2)) + Math.log(1 + Math.exp(-1))
        #expect(abs(scored[0].table!.value(atPath: "score.1")!.double! + wanted) < 1e-12)
        #expect { try Measurer.constructor.call([.fields([("nrom", .string("rank"))])]) } throws: {
            "\($0)".contains("did you mean 'norm'")
        }
        #expect { try Measurer.constructor.call([.table(Table(items: [.string("lss")]))]) } throws: {
            "\($0)".contains("did you mean 'loss'")
        }
    }

    @Test("a measurer goes through its plain form unchanged")
    func roundTrip() throws {
        let measurer = Measurer(criteria: [.named("gradient_norm"), .named("loss")], normalization: .rank, clip: 0.05)
        let again = try Measurer(value: measurer.plain)
        #expect(JSON.text(again.plain) == JSON.text(measurer.plain))
    }
}
