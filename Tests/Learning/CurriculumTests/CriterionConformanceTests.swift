import BSSCore
import BSSCurriculum
import Testing
import _BSSTestSupport

/// What every declared criterion, `custom` included, keeps: the measurer counts on it.
@Suite(.oneAtATime) struct CriterionConformanceTests {
    private func criterion(_ part: Part<Criterion>) throws -> Criterion {
        guard part.name == "custom" else { return try Configured<Criterion>(part.name).product }
        let loss = Stand { [$0[0].table?["loss"] ?? .null] }
        return try part.configured([.function(loss)]).product
    }

    /// Seven samples of three classes in `order`; columns are drawn anew for every modality.
    private func evidence(in order: [Int]) throws -> Evidence {
        var stream = RandomStream(seed: 3, name: "criteria")
        func drawn(_ columns: Int) -> Matrix {
            let rows = (0..<7).map { _ in (0..<columns).map { _ in stream.normal() } }
            return Matrix(rows: order.count, columns: columns, values: order.flatMap { rows[$0] })
        }
        let norms = (0..<7).map { _ in stream.uniform() }
        return try Evidence(
            modalities: ["audio", "visual"], logits: [drawn(3), drawn(3)], fused: drawn(3),
            labels: order.map { [0, 1, 2, 0, 1, 2, 0][$0] }, features: [drawn(4), drawn(4)],
            gradientNorms: order.map { norms[$0] }, lossWeights: LossWeights(alpha: 0.2, modalities: 2))
    }

    @Test("one finite value a sample, which follows the sample and depends on no other", arguments: Criterion.parts)
    func values_follow_samples(_ part: Part<Criterion>) throws {
        let criterion = try criterion(part)
        let straight = try criterion.values(evidence(in: Array(0..<7)))
        #expect(straight.count == 7 && straight.allSatisfy(\.isFinite), "\(part.name)")
        #expect(Set(straight).count == 7, "\(part.name) tells the samples apart")
        let order = [4, 0, 6, 2, 5, 1, 3]
        #expect(try criterion.values(evidence(in: order)) == order.map { straight[$0] }, "\(part.name)")
        #expect(try criterion.values(evidence(in: [5])) == [straight[5]], "\(part.name) of one sample")
        #expect(try criterion.values(evidence(in: [])) == [], "\(part.name) of none")
    }

    @Test("its direction and weight carry its normalised values into the score", arguments: Criterion.parts)
    func direction_and_weight(_ part: Part<Criterion>) throws {
        let criterion = try criterion(part)
        #expect(abs(criterion.direction) == 1 && criterion.weight == 1, "\(part.name)")
        let all = try evidence(in: Array(0..<7))
        let configured = Configured(product: criterion, configuration: Table(fields: [("name", .string(part.name))]))
        let measured = try Measurer(criteria: [configured]).score(all)
        let expected = Normalization.minMax.apply(try criterion.values(all)).map { criterion.direction * $0 }
        #expect(measured.score == expected, "\(part.name)")
        #expect(measured.table.keys == ["score", "rank", criterion.label, "normalized_\(criterion.label)"])
    }
}
