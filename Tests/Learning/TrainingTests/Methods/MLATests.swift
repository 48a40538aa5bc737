import BSSBackend
import BSSCore
import BSSNetworks
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSTraining

/// Check numbers of methods.md B11.
@Suite(.oneAtATime) struct MLATests {
    @Test func mla_projection_kills_seen_direction() throws {
        let r = try Tensor.from([Float(1), 2])
        let p = try MLA.updated(MLA.identity(2), mean: r, alpha: 0.1, isReleased: false)
        #expect(isNear(try p.values(Double.self), [0.803922, -0.392157, -0.392157, 0.215686], 1e-5))
        // The paper's G is [C, d]; here gradients are [d, C].
        let gradient = try Tensor.from([Float(1), 2, 2, -1], [2, 2]).transposed(0, 1)
        let projected = try p.transposed(0, 1).matmul(gradient).transposed(0, 1).contiguous().values(Double.self)
        #expect(isNear(projected, [0.019608, 0.039216, 2, -1], 1e-5))
        let k = try MLA.identity(2).matmul(r.reshaped([2, 1]))
        let raw = try MLA.identity(2) - k.matmul(k.transposed(0, 1)) / k.matmul(r.reshaped([1, 2])).adding(0.1)
        #expect(isNear(try raw.values(Double.self), [0.090909, -0.952381, -0.952381, 0.024390], 1e-5))
        let released = try MLA.updated(MLA.identity(2), mean: r, alpha: 0.1, isReleased: true)
        let norm = try raw.squared.squareRoot()
        #expect(isNear(try released.values(Double.self), try raw.values(Double.self).map { $0 / norm }, 1e-5))
    }

    @Test func mla_entropy_weights_per_sample() throws {
        let z1 = try Tensor.from([Float(2), 0, 0, 0, 0, 0], [2, 3])
        let z2 = try Tensor.from([Float(0.5), 0, 0, 0, 3, 0], [2, 3])
        let z = try MLA.fusedByEntropy([z1, z2]).values(Double.self)
        #expect(isNear(Array(z.prefix(3)), [1.399066, 0, 0], 1e-5))
        // The second sample's first modality knows nothing: the other weighs more than for the first sample.
        #expect(z[4] > 3 * 0.5 && z[4] < 3)
    }

    @Test("every sub-step moves one encoder and the head", arguments: ["rls", "none"]) func mla_substep_scopes(
        _ projection: String
    ) throws {
        let trainer = try MethodTrial.quick(#"{"name": "mla", "projection": "\#(projection)"}"#, modalities: 3)
        let batch = try MethodTrial.batch(trainer, Array(0..<16))
        let steps = try trainer.method.steps(batch)
        #expect(steps.count == 3)
        let pass = BatchPass(trainer.model, batch, ForwardContext(.training))
        for (m, step) in steps.enumerated() {
            let scopes = trainer.loop.optimizer.groups.map(\.scope)
            let before = try scopes.map { scope in
                try trainer.loop.optimizer.parameters([scope]).flatMap { try $0.parameter.value.values(Float.self) }
            }
            let momentum = trainer.loop.optimizer.steps
            let gradients = try step.gradients(pass).gradients.keeping(step.scopes!, trainer.loop.optimizer.groups)
            try trainer.loop.optimizer.step(gradients)
            pass.moved(step.scopes)
            for (index, scope) in scopes.enumerated() {
                let now = try trainer.loop.optimizer.parameters([scope]).flatMap {
                    try $0.parameter.value.values(Float.self)
                }
                let isMoved = scope == .encoder(trainer.model.modalities[m]) || scope == .method
                #expect((now != before[index]) == isMoved, "sub-step \(m), scope \(scope)")
                if !isMoved {
                    for (name, _) in trainer.loop.optimizer.parameters([scope]) {
                        #expect(trainer.loop.optimizer.steps[name] == momentum[name])
                    }
                }
            }
        }
    }

    @Test("features of different sizes are projected, a shared head is the model's") func heads() throws {
        let source = try MethodTrial.data(2)
        let options = try SmallTraining.options(
            #"{"epochs": 2, "batch_size": 16, "rebalance": "mla", "optimizer": {"name": "sgd", "learning_rate": 0.05}}"#
        )
        let trainer = try Trainer(options, model: SmallTraining.model(source, #"{"name": "identity"}"#), source: source)
        #expect(trainer.model.parameters().contains { $0.name.hasPrefix("method.projection.") })
        let result = try trainer.run()
        #expect((result.history.last?.value(atPath: "train.total.accuracy")?.double ?? 0) > 0.4)
    }

    @Test(
        "resumed",
        arguments: [
            #"{"name": "mla"}"#, #"{"name": "mla", "projection": "none", "fusion_weights": {"a": 0.55, "b": 0.45}}"#,
        ]) func resume(_ method: String) throws
    {
        try MethodTrial.expectResumes(
            MethodTrial.data(), MethodTrial.quickOptions(method, #", "scheduler": {"name": "learned", "every": 2}"#),
            killedIn: [1, 2, 3])
    }

    @Test func errors() throws {
        #expect(throws: BSSError.self) { try MethodTrial.quick(#"{"name": "mla", "fusion_weights": {"z": 1}}"#) }
    }
}
