import BSSBackend
import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSTraining

/// Trains on the fused loss alone and lets only the first modality reach the fusion.
private final class FirstModalityOnly: RebalanceMethod {
    override func plan(_ plan: SamplePlan) throws -> SamplePlan {
        SamplePlan(positions: plan.positions, weights: plan.weights, keeps: plan.positions.map { _ in 1 })
    }
}

/// The third extension point: what a method does to the plan reaches the step.
@Suite(.oneAtATime) struct SamplePlanTests {
    @Test("masked features are 0 in the fusion, and the unimodal logits do not see the mask")
    func forward() throws {
        let source = try SmallTraining.data()
        let model = try SmallTraining.model(source)
        let inputs = try (0..<2).map {
            try source.batch($0, rows: [0, 1], augments: false, random: RandomStream(seed: 0, name: "none"))
        }
        let context = ForwardContext(.evaluation)
        let whole = try model.forward(inputs, context)
        let masked = try model.forward(inputs, context, keeps: [0b01, 0b11])
        let cut = try model.fusion.fuse([whole.features[0], whole.features[1].multiplied(by: 0)], context)
        let classes = source.classes
        #expect(try masked.fused.values(Float.self).prefix(classes) == cut.logits.values(Float.self).prefix(classes))
        #expect(try masked.fused.values(Float.self).suffix(classes) == whole.fused.values(Float.self).suffix(classes))
        #expect(try masked.fused.values(Float.self) != whole.fused.values(Float.self))
        for m in 0..<2 { #expect(try masked.unimodal[m].values(Float.self) == whole.unimodal[m].values(Float.self)) }
    }

    @Test("a modality that the plan masks everywhere is not trained; the other is")
    func training() throws {
        let source = try SmallTraining.data()
        var options = try SmallTraining.options(#"{"epochs": 2, "optimizer": {"name": "sgd", "learning_rate": 0.1}}"#)
        options.rebalance = Configured(
            product: RebalanceRecipe(MethodTraits(weights: .fused)) { FirstModalityOnly($0.context) },
            configuration: Table(fields: [("name", .string("first"))]))
        let model = try SmallTraining.model(source)
        func weights(_ prefix: String) throws -> [Float] {
            try model.parameters().filter { $0.name.hasPrefix(prefix) }.flatMap {
                try $0.parameter.value.values(Float.self)
            }
        }
        let before = (try weights("encoder.a"), try weights("encoder.b"))
        _ = try Trainer(options, model: model, source: source).run()
        #expect(try weights("encoder.a") != before.0)
        #expect(try weights("encoder.b") == before.1)
    }
}
