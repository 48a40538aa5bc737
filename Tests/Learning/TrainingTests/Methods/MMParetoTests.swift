import BSSBackend
import BSSCore
import BSSNetworks
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSTraining

/// Check numbers of methods.md B9.
@Suite(.oneAtATime) struct MMParetoTests {
    private func products(_ f: [Float], _ m: [Float]) throws -> MMPareto.Products {
        try MMPareto.Products(Tensor.from(f), Tensor.from(m))
    }

    @Test func mmpareto_min_norm() throws {
        let p = try products([1, 0], [-0.5, 1])
        #expect(abs(p.cross / (p.ff * p.mm).squareRoot() + 0.447214) < 1e-6)
        let c = p.weight
        #expect(abs(c - 0.538462) < 1e-6)
        func length(_ c: Double) -> Double { (c * c * p.ff + (1 - c) * (1 - c) * p.mm + 2 * c * (1 - c) * p.cross) }
        let best = (0...100_000).map { Double($0) / 100_000 }.min { length($0) < length($1) }!
        #expect(abs(best - c) < 1e-5)
        let h = [2 * c * 1 + 2 * (1 - c) * -0.5, 2 * (1 - c)]
        #expect(isNear(h, [0.615385, 0.923077], 1e-5))
        #expect(abs(p.recovery(c) - 1.118034 / 1.109400) < 1e-6)
        #expect(isNear(h.map { $0 * 1.5 * p.recovery(c) }, [0.930261, 1.395391], 1e-5))
    }

    @Test("the ends of the segment are 0.001 away") func ends() throws {
        #expect(try products([0.1, 0], [-1, 0.1]).weight > 0.5)
        let swallowed = MMPareto.Products.of(ff: 1, mm: 0.2, cross: 0)
        #expect(abs(swallowed.weight - 0.2 / 1.2) < 1e-12)
        #expect(MMPareto.Products.of(ff: 0, mm: 1, cross: 0).weight == 0.999)
        #expect(MMPareto.Products.of(ff: 1, mm: 0, cross: 0).weight == 0.001)
    }

    /// Gradients that the method gives for a batch, and those of the plain sum of its losses.
    private func gradients(
        _ method: String
    ) throws -> (trainer: Trainer, own: Gradients, fused: Gradients, unimodal: [Gradients]) {
        let trainer = try MethodTrial.quick(method)
        _ = try trainer.run()
        let batch = try MethodTrial.batch(trainer, Array(0..<32))
        let pass = BatchPass(trainer.model, batch, ForwardContext(.evaluation))
        let own = try trainer.method.steps(batch)[0].gradients(pass).gradients
        let passes = try trainer.method.loss(pass.output(), batch).map {
            try [$0].total(batch).backward()
        }
        return (trainer, own, passes[0], Array(passes.dropFirst()))
    }

    @Test func mmpareto_no_conflict_is_sum_times_gamma() throws {
        let (trainer, own, fused, unimodal) = try gradients(#"{"name": "mmpareto", "gamma": 1.5}"#)
        var checked = 0
        for (m, name) in trainer.model.modalities.enumerated() {
            let parameters = trainer.loop.optimizer.parameters([.encoder(name)]).map(\.parameter.value)
            let whole = try parameters.reduce(MMPareto.Products()) {
                try $0 + MMPareto.Products(fused[$1]!, unimodal[m][$1]!)
            }
            guard whole.cross > 0 else { continue }
            for leaf in parameters {
                let expected = try zip(fused[leaf]!.values(Double.self), unimodal[m][leaf]!.values(Double.self)).map {
                    1.5 * ($0 + $1)
                }
                #expect(isNear(try own[leaf]!.values(Double.self), expected, 1e-4))
                checked += 1
            }
        }
        #expect(checked > 0)
        for (m, name) in trainer.model.modalities.enumerated() {
            for (_, parameter) in trainer.loop.optimizer.parameters([.head(name)]) {
                #expect(
                    try own[parameter.value]!.values(Float.self) == unimodal[m][parameter.value]!.values(Float.self))
            }
        }
        for (_, parameter) in trainer.loop.optimizer.parameters([.fusion]) {
            #expect(try own[parameter.value]!.values(Float.self) == fused[parameter.value]!.values(Float.self))
        }
    }

    @Test("magnitude by encoder keeps the direction of the whole, by tensor that of each tensor")
    func mmpareto_norm_recovery_tensor_vs_encoder() {
        let first = MMPareto.Products.of(ff: 1, mm: 1.25, cross: -0.5)
        let second = MMPareto.Products.of(ff: 4, mm: 0.1, cross: -0.3)
        let whole = first + second
        let c = whole.weight
        #expect(whole.ff == 5 && abs(whole.cross + 0.8) < 1e-12)
        #expect(first.recovery(c) != second.recovery(c) && whole.recovery(c) != first.recovery(c))
        #expect(MMPareto.Products.of(ff: 1, mm: 1, cross: 1).recovery(0.5) == 1)
    }

    @Test("resumed, two and three modalities", arguments: [2, 3]) func resume(_ modalities: Int) throws {
        try MethodTrial.expectResumes(
            MethodTrial.data(modalities),
            MethodTrial.quickOptions(#"{"name": "mmpareto"}"#, #", "scheduler": "heuristic""#),
            killedIn: [1, 2, 3])
    }
}

extension MMPareto.Products {
    static func of(ff: Double, mm: Double, cross: Double) -> MMPareto.Products {
        var made = MMPareto.Products()
        (made.ff, made.mm, made.cross) = (ff, mm, cross)
        return made
    }
}
