import BSSBackend
import BSSCore
import BSSCurriculum
import BSSData
import BSSNetworks
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSTraining

/// BSS × every method × {2, 3} modalities: a whole training works, plans hold what they promise, resuming changes no
/// bit. The methods are those of the catalogue, so that a new one is covered when it is declared.
@Suite(.oneAtATime) struct ConflictMatrixTests {
    static let methods = RebalanceRecipe.parts.map(\.name)
    static let schedulers = MethodTrial.schedulers

    @Test("one epoch of every combination", arguments: methods, schedulers) func bss_compose_with_each_method(
        _ method: String, _ scheduler: String
    ) throws {
        for modalities in [2, 3] {
            for base in ["fused", "joint"] {
                let part = try RebalanceRecipe.part(named: method)
                let takesBase = part.arguments.contains { $0.name == "base" }
                if base == "joint", !takesBase { continue }
                let options = takesBase ? #"{"name": "\#(method)", "base": "\#(base)"}"# : #"{"name": "\#(method)"}"#
                let trainer = try MethodTrial.quick(
                    options, modalities: modalities, #", "epochs": 2, "scheduler": \#(scheduler)"#)
                let result = try trainer.run()
                #expect(result.history.allSatisfy { $0.value(atPath: "train.loss")?.double?.isFinite ?? false })
                #expect(result.history.allSatisfy { ($0["samples"]?.int ?? 0) > 0 })
                // Every base sample of the plan is there; whole-split schedulers show each.
                let last = try #require(trainer.lastPlan)
                if !scheduler.contains("heuristic") {
                    #expect(Set(last.indices) == Set(trainer.trainRows.indices), "\(method)")
                }
                #expect(Set(last.indices).count == last.indices.count)
                if scheduler.contains("learned") {
                    #expect(
                        result.scores.count == trainer.trainRows.count
                            && result.scores.allSatisfy { (-1...1).contains($0) })
                }
            }
        }
    }

    @Test("killed and resumed with BSS-L", arguments: methods) func resumed(_ method: String) throws {
        try MethodTrial.expectResumes(
            MethodTrial.data(),
            MethodTrial.quickOptions(#"{"name": "\#(method)"}"#, #", "scheduler": {"name": "learned", "every": 2}"#),
            killedIn: [1, 2, 3])
    }

    @Test("a single modality is an ordinary configuration", arguments: ["none", "joint"]) func unimodal(
        _ method: String
    ) throws {
        let source = try MethodTrial.data()
        let options = try SmallTraining.options(
            #"{"epochs": 3, "batch_size": 16, "rebalance": "\#(method)", "optimizer": {"name": "sgd", "#
                + #""learning_rate": 0.1, "momentum": 0.9}}"#
        )
        let recipe = ModelRecipe(
            encoders: [("b", .named("mlp"))], fusion: .named("concat"), initialWeights: .pytorch, sharesHead: false)
        let model = try recipe.build(
            sampleShapes: source.modalities.enumerated().map { (modality: $1, shape: source.sampleShape($0)) },
            classes: source.classes, seed: 1)
        let result = try Trainer(options, model: model, source: source).run()
        #expect((result.history.last?.value(atPath: "train.total.accuracy")?.double ?? 0) > 0.6)
    }

    @Test("a sample budget ends a training, probe trainings and copies counted") func budget() throws {
        let trainer = try MethodTrial.quick(#"{"name": "joint"}"#, #", "epochs": 50, "sample_budget": 200"#)
        let result = try trainer.run()
        #expect(result.samples >= 200 && result.samples < 200 + trainer.trainRows.count && result.isComplete)
    }
}

/// On a strong and a weak modality every gradient-modulating method gives the weak encoder a larger part of the
/// movement than training on the fused loss alone does.
@Suite(.oneAtATime) struct WeakEncoderTests {
    /// |Δθ| of the weak and of the strong encoder after training.
    static func movement(
        _ method: String, optimizer: String = #"{"name": "sgd", "learning_rate": 0.02, "momentum": 0.9}"#
    ) throws -> (weak: Double, strong: Double) {
        let source = try SmallTraining.data(
            samples: 600,
            #"{"classes": 4, "modalities": {"strong": {"dim": 40, "noise": 0.3}, "#
                + #""weak": {"dim": 40, "noise": 1.0}}}"#)
        let options = try SmallTraining.options(
            #"{"epochs": 10, "batch_size": 32, "rebalance": \#(method), "optimizer": \#(optimizer)}"#)
        let trainer = try Trainer(options, model: SmallTraining.model(source), source: source)
        let before = try ["weak", "strong"].map { try MethodTrial.weights(trainer.model, "encoder.\($0)") }
        _ = try trainer.run()
        let after = try ["weak", "strong"].map { try MethodTrial.weights(trainer.model, "encoder.\($0)") }
        let moved = zip(before, after).map(MethodTrial.distance)
        return (moved[0], moved[1])
    }

    @Test(
        "weak encoder",
        arguments: [
            #"{"name": "ogm", "alpha": 0.8}"#, #"{"name": "ogm_ge", "alpha": 0.8}"#, #"{"name": "mmpareto"}"#,
        ]) func movesMore(_ method: String) throws
    {
        let plain = try Self.movement(#"{"name": "none", "probes": false}"#)
        let modulated = try Self.movement(method)
        #expect(
            modulated.weak / modulated.strong > plain.weak / plain.strong, "\(method): \(modulated) against \(plain)")
        #expect(modulated.weak > plain.weak, "\(method): \(modulated) against \(plain)")
    }
}
