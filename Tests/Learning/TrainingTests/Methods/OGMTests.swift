import BSSBackend
import BSSCore
import BSSNetworks
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSTraining

/// Check numbers of methods.md B4.
@Suite(.oneAtATime) struct OGMTests {
    static let labels = [0, 1]
    static let a: [Float] = [2, 0, 0, 0, 1, 0], v: [Float] = [0.5, 0, 0, 0, 0, 0.5], t: [Float] = [0, 0, 0, 0, 2, 0]

    private func scores(_ sets: [[Float]]) throws -> [Double] {
        try sets.map { try OGM.score(Tensor.from($0, [2, 3]), Tensor.from(Self.labels)) }
    }

    private func options(
        _ alpha: Double, _ ratio: OGM.Ratio = .pairwise, _ variant: OGM.Options.Variant = .published
    ) -> OGM.Options {
        var options = OGM.Options()
        (options.alpha, options.ratio, options.variant) = (alpha, ratio, variant)
        return options
    }

    @Test func ogm_coefficients() throws {
        let s = try scores([Self.a, Self.v])
        #expect(isNear(s, [1.363103, 0.725931], 1e-5))
        for (alpha, expected) in [(0.1, 0.814403), (0.3, 0.489564), (0.8, 0.094458)] {
            #expect(isNear(OGM.coefficients(s, options(alpha)), [expected, 1], 1e-5))
        }
    }

    @Test func ogm_tie() {
        #expect(OGM.coefficients([1, 1], options(0.5)) == [1, 1])
        let released = OGM.coefficients([1, 1], options(0.5, .pairwise, .released))
        #expect(isNear(released, [1 - Math.tanh(0.5), 1], 1e-5))
    }

    @Test func ogm_three_modalities() throws {
        let s = try scores([Self.a, Self.v, Self.t])
        #expect(isNear(OGM.coefficients(s, options(0.3)), [0.566527, 1, 0.659396], 1e-5))
        #expect(
            isNear(OGM.coefficients(s, options(0.3, .minimum)), [0.489564, 1, 0.567486], 1e-5))
        // s_m / Σ of the others: 3 / (1 + 1) = 1.5, 1 / 4 and 1 / 4.
        let sum = OGM.coefficients([3, 1, 1], options(0.5, .sum))
        #expect(isNear(sum, [1 - Math.tanh(0.75), 1, 1], 1e-5))
        #expect(OGM.coefficients(s, options(0.3, .sum)) == [1, 1, 1])
    }

    /// One step of a method by hand: gradients before and after `adjust`.
    private func adjusted(_ trainer: Trainer, step: Int = 0) throws -> (before: Gradients, after: Gradients) {
        let batch = try MethodTrial.batch(trainer, Array(0..<32))
        let pass = BatchPass(trainer.model, batch, ForwardContext(.evaluation))
        let before = try trainer.method.loss(pass.output(), batch).total(batch).backward()
        var after = before
        trainer.loop.state.step = step
        try trainer.method.adjust(&after, pass.output(), batch)
        return (before, after)
    }

    @Test("the encoder that is ahead is slowed, nothing else changes") func ogm_scope() throws {
        let slow = try MethodTrial.quick(#"{"name": "ogm", "alpha": 0.5}"#)
        let (before, after) = try adjusted(slow)
        var changed: Set<String> = []
        for (name, parameter) in slow.model.parameters() {
            guard let b = before[parameter.value], let a = after[parameter.value] else { continue }
            if try a.values(Float.self) != b.values(Float.self) {
                changed.insert(String(name.split(separator: ".").prefix(2).joined(separator: ".")))
            }
        }
        #expect(changed.count == 1 && changed.isSubset(of: ["encoder.a", "encoder.b"]), "\(changed)")
    }

    @Test func ogm_ge_noise_std() throws {
        let trainer = try MethodTrial.quick(#"{"name": "ogm_ge", "alpha": 0.5}"#)
        let plain = try MethodTrial.quick(#"{"name": "ogm", "alpha": 0.5}"#)
        let scaled = try adjusted(plain).after
        let weights = zip(trainer.model.parameters(), plain.model.parameters()).filter {
            $0.0.name.hasPrefix("encoder.") && $0.0.parameter.value.elementCount > 50
        }
        var ratios: [Double] = []
        for step in 0..<40 {
            let (before, after) = try adjusted(trainer, step: step)
            for (noisy, silent) in weights {
                let difference = try zip(
                    after[noisy.parameter.value]!.values(Double.self),
                    scaled[silent.parameter.value]!.values(Double.self)
                ).map { $0 - $1 }
                let variance = difference.reduce(0) { $0 + $1 * $1 } / Double(difference.count)
                ratios.append(try variance / before[noisy.parameter.value]!.variance().item())
            }
        }
        let mean = ratios.reduce(0, +) / Double(ratios.count)
        #expect(!ratios.isEmpty && abs(mean - 1) < 0.05, "variance of the noise / variance of the gradient: \(mean)")
    }

    @Test("Adam ignores a constant factor on gradients, so the learning rate is scaled")
    func ogm_adam_constant_scale_is_noop() throws {
        func end(_ factor: Double) throws -> [Float] {
            let parameter = try Parameter([1], .constant(0.5))
            var stream = RandomStream(seed: 0, name: "init")
            try parameter.initialize(using: &stream)
            let adam = Adam(
                groups: [ParameterGroup(scope: .fusion, parameters: [("p", parameter)])], learningRate: 1e-2)
            adam.eps = 1e-12
            var noise = RandomStream(seed: 7, name: "noise")
            for _ in 0..<200 {
                let g = try parameter.value.multiplied(by: factor * (1 + 0.5 * noise.normal())).sum()
                try adam.step(g.backward())
            }
            return try parameter.value.values(Float.self)
        }
        #expect(try zip(end(1), end(0.1)).allSatisfy { abs($0 - $1) < 1e-5 })
        #expect(
            Modulation().scalesRate(OptimizerControl(Adam(groups: [], learningRate: 1)))
                && !Modulation().scalesRate(OptimizerControl(SGD(groups: [], learningRate: 1))))
        let trainer = try MethodTrial.quick(
            #"{"name": "ogm", "alpha": 0.5}"#, #", "optimizer": {"name": "adam", "learning_rate": 0.01}"#)
        let (before, after) = try adjusted(trainer)
        for (_, parameter) in trainer.model.parameters() {
            #expect(try before[parameter.value]?.values(Float.self) == after[parameter.value]?.values(Float.self))
        }
        #expect(trainer.loop.optimizer.groups.contains { $0.multiplier < 1 })
    }

    @Test("resumed", arguments: [#"{"name": "ogm"}"#, #"{"name": "ogm_ge", "base": "joint"}"#]) func resume(
        _ method: String
    ) throws {
        try MethodTrial.expectResumes(
            MethodTrial.data(), MethodTrial.quickOptions(method, #", "scheduler": {"name": "learned", "every": 2}"#),
            killedIn: [1, 2, 3])
    }
}
