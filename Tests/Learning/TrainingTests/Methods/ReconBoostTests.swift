import BSSCore
import BSSNetworks
import BSSTensor
import Testing

@testable import BSSTraining

/// ReconBoost (methods.md B8).
@Suite(.oneAtATime) struct ReconBoostTests {
    private func phaseOne(
        _ rule: BoostLoss, previous: [Float]? = nil
    ) throws -> (loss: Double, gradient: [Double], terms: [LossTerm]) {
        let own = try Tensor.from([Float(1), 0, 0], [1, 3]).requiringGradient()
        let others = try Tensor.from([Float(2), 0, 0], [1, 3])
        let terms = try rule.terms(
            "k", own: own, others: others, previous: previous.map { try Tensor.from($0, [1, 3]) },
            labels: Tensor.from([0]))
        let total = try terms.total(weights: nil)
        return (try total.item(), try total.backward()[own]!.values(Double.self), terms)
    }

    @Test func reconboost_weighted_ce() throws {
        let (loss, gradient, terms) = try phaseOne(BoostLoss(own: 5, others: 1))
        #expect(terms.count == 1)
        #expect(abs(loss - 0.774415) < 1e-6)
        for (a, b) in zip(gradient, [-0.595275, 0.297638, 0.297638]) { #expect(abs(a - b) < 1e-6) }
        // The first stage as released, q = 1: (w1 - w2) / C · -log p; as published 1/C comes from Φ = 0.
        for (others, weight) in [(nil, 4 / 3.0), ([0, 0, 0], (5 - 1 / 3.0) / 3)] as [([Float]?, Double)] {
            let terms = try BoostLoss(own: 5, others: 1).terms(
                "k", own: Tensor.from([Float(1), 0, 0], [1, 3]), others: others.map { try Tensor.from($0, [1, 3]) },
                previous: nil, labels: Tensor.from([0]))
            #expect(try abs(terms[0].perSample.sum().item() - weight * 0.551445) < 1e-5)
        }
        // w1 = w2 = 1: the residual 1 - q.
        let residual = try phaseOne(BoostLoss(own: 1, others: 1)).loss
        #expect(abs(residual - (1 - 0.786986) * 0.551445 / 3) < 1e-6)
    }

    @Test("memory consolidation pulls towards the modality before; as released it has a value and no gradient")
    func reconboost_mcr_has_gradient() throws {
        let before: [Float] = [0, 1, 0]
        let plain = try phaseOne(BoostLoss())
        let paper = try phaseOne(BoostLoss(), previous: before)
        let released = try phaseOne(BoostLoss(consolidation: .released), previous: before)
        #expect(paper.terms.count == 2)
        #expect(released.gradient == plain.gradient)
        #expect(abs(paper.loss - released.loss) < 1e-7 && paper.loss > plain.loss + 1e-3)
        // p = (e, 1, 1) / (e + 2), t = (1, e, 1) / (e + 2): d/dφ of α/3 Σ (p - t)² = 2α/3 p ∘ (d - Σ p d).
        let e = Double(2.718281828459045)
        let p = [e, 1, 1].map { $0 / (e + 2) }
        let t = [1, e, 1].map { $0 / (e + 2) }
        let d = zip(p, t).map { $0 - $1 }
        let mean = zip(p, d).reduce(0) { $0 + $1.0 * $1.1 }
        for k in 0..<3 {
            let expected = 2 * 0.5 / 3 * p[k] * (d[k] - mean)
            #expect(abs(paper.gradient[k] - plain.gradient[k] - expected) < 1e-6)
        }
        #expect(paper.gradient != plain.gradient)
    }

    @Test("stages: e1 epochs of one modality, e2 of all, in turn")
    func stages() {
        var options = ReconBoost.Options()
        (options.alternating, options.rectifying) = (2, 1)
        let stages = (0..<7).map { options.stage(epoch: $0) }
        #expect(stages.map(\.number) == [0, 0, 0, 1, 1, 1, 2])
        #expect(stages.map(\.isAlternating) == [true, true, false, true, true, false, true])
        #expect(stages.map(\.begins) == [true, false, true, true, false, true, true])
        (options.alternating, options.rectifying) = (1, 0)
        #expect(
            (0..<3).map { options.stage(epoch: $0) }
                == (0..<3).map { ReconBoost.Stage(number: $0, isAlternating: true, begins: true) })
    }

    @Test(
        "phase 1 moves encoder k and the head alone, phase 2 the visited encoders, head and b; all else keeps its bits",
        arguments: [2, 3])
    func reconboost_phase1_scope(modalities: Int) throws {
        let rebalance = #"{"name": "reconboost", "e1": 1, "e2": 1, "hidden": 6}"#
        let trainer = try SmallTraining.trainer(
            MethodTrial.data(modalities), MethodTrial.lively(rebalance, epochs: 2 * modalities + 2),
            encoder: MethodTrial.encoder)
        let names = trainer.model.modalities
        func part(_ name: String) -> String {
            if name.hasSuffix("method.ensemble.b") { return "b" }
            if name.contains(".method.head.") { return "shared head" }
            return names.first { name.contains("encoder.\($0).") || name.contains("projection.\($0).") } ?? "unused"
        }
        var last = try MethodTrial.values(trainer, nil)
        var lastEpoch = -1
        let observer = StepObserver { epoch, step in
            do {
                let now = try MethodTrial.values(trainer, nil)
                let stage = epoch / 2
                let isAlternating = epoch % 2 == 0
                let moving: Set<String> =
                    isAlternating
                    ? [names[stage % modalities], "shared head"]
                    : Set(names.prefix(stage + 1)).union(["shared head", "b"])
                var moved: Set<String> = []
                for (name, values) in now where values != last[name] {
                    // A new phase forgets the optimizer's buffers of all.
                    if epoch != lastEpoch, !name.hasPrefix("value.") { continue }
                    moved.insert(part(name))
                }
                #expect(moved == moving, "epoch \(epoch), step \(step)")
                if epoch != lastEpoch {
                    // A fresh optimizer: one update, of what moves.
                    for (name, values) in now where name.hasPrefix("updates.") {
                        #expect(values == [1] && moving.contains(part(name)), "\(name)")
                    }
                }
                (last, lastEpoch) = (now, epoch)
            } catch { Issue.record(error) }
        }
        trainer.observer = observer
        let result = try withExtendedLifetime(observer) { try trainer.run() }
        #expect(last.keys.contains { $0.hasSuffix("running_mean") })
        #expect(
            result.history.map { $0.value(atPath: "method.phase")?.string }
                == (0..<2 * modalities + 2).map { $0 % 2 == 0 ? "alternating" : "rectifying" })
        #expect(result.history.last?.value(atPath: "method.b")?.double != 1)
    }

    @Test("Φ = b Σ φ_m over the visited modalities; unvisited ones contribute 0; equal widths need no projection")
    func prediction() throws {
        let source = try MethodTrial.data(3)
        let trainer = try SmallTraining.trainer(
            source, MethodTrial.lively(#"{"name": "reconboost", "e1": 1, "e2": 0, "hidden": 6}"#, epochs: 4))
        #expect(!trainer.model.parameters().contains { $0.name.contains("projection") })
        let rows = Array(trainer.trainRows.prefix(5))
        let inputs = try source.inputs(
            trainer.model.modalities, rows: rows, augments: false, random: Evaluator.noDraws)
        let output = try trainer.model.forward(inputs, ForwardContext(.evaluation))
        try #require(trainer.model.parameters().first { $0.name == "method.ensemble.b" }).parameter.assign(
            Tensor.from([Float(0.5)]))
        for epoch in 0..<4 {
            trainer.loop.state.epoch = epoch
            let prediction = try trainer.method.predict(output)
            let parts = try prediction.unimodal.map { try $0.values(Double.self) }
            let fused = try prediction.fused.values(Double.self)
            #expect(parts[0] != parts[1])
            for i in fused.indices {
                #expect(abs(fused[i] - 0.5 * parts.prefix(epoch + 1).reduce(0) { $0 + $1[i] }) < 1e-5)
            }
        }
    }

    @Test("a fusion inside the encoders is refused by name")
    func lockStep() throws {
        final class Tied: Fusion {
            override var isLockStep: Bool { true }
            override func fuse(_ features: [Tensor], _ context: ForwardContext) throws -> FusionResult {
                FusionResult(features[0])
            }
        }
        let source = try MethodTrial.data(2)
        let recipe = try Configured<EncoderRecipe>("mlp", SmallTraining.table(#"{"hidden": [8]}"#))
        let fusion = Configured(
            product: FusionRecipe { _ in Tied() }, configuration: Table(fields: [("name", .string("tied"))]))
        let model = try ModelRecipe(
            encoders: source.modalities.map { ($0, recipe) }, fusion: fusion, initialWeights: .pytorch,
            sharesHead: false
        )
        .build(
            sampleShapes: source.modalities.enumerated().map { (modality: $1, shape: source.sampleShape($0)) },
            classes: source.classes, seed: 1)
        #expect {
            try Trainer(SmallTraining.options(#"{"rebalance": "reconboost"}"#), model: model, source: source)
        } throws: {
            ($0 as? BSSError)?.kind == .usage && "\($0)".contains("reconboost")
        }
    }

    @Test("killed and resumed, inside and between phases: the same bits", arguments: ["paper", "released"], [2, 3])
    func resumes(consolidation: String, modalities: Int) throws {
        let options = MethodTrial.lively(
            #"{"name": "reconboost", "e1": 2, "e2": 1, "consolidation": "\#(consolidation)"}"#, epochs: 8,
            scheduler: MethodTrial.schedulers[2])
        try MethodTrial.expectResumes(MethodTrial.data(modalities, samples: 90), options, killedIn: [1, 2, 3, 4, 6])
    }

    @Test("threads change nothing")
    func threads() throws {
        let source = try MethodTrial.data(3)
        let options = MethodTrial.lively(
            #"{"name": "reconboost", "e1": 1, "e2": 1}"#, epochs: 5, scheduler: MethodTrial.schedulers[1])
        let one = try MethodTrial.bits(source, options, threads: 1)
        for threads in [2, 3] {
            #expect(try MethodTrial.bits(source, options, threads: threads) == one, "\(threads) threads")
        }
    }

    @Test("learns, with every scheduler and any number of modalities", arguments: MethodTrial.schedulers, [1, 2, 3])
    func learns(scheduler: String, modalities: Int) throws {
        #expect(
            try MethodTrial.accuracy(
                #"{"name": "reconboost", "e1": 3, "e2": 3}"#, modalities: modalities, scheduler: scheduler, epochs: 18)
                > 0.6)
    }
}
