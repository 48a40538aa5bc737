import BSSCore
import BSSNetworks
import BSSTensor
import Testing

@testable import BSSTraining

/// Trains as Eq. 5 does, with a probe training on a fork in the middle of every epoch's preparation.
private final class Forking: RebalanceMethod {
    override func epochBegan() throws {
        try context.fork(predict) {
            let before = try context.model.parametersHash()
            try context.train(epochs: 2, nil) { try EquationFive.terms(self.context, $0.output(), $0.batch) }
            #expect(try context.model.parametersHash() != before)
            context.freeze("a")
            context.optimizer.scaleRate(.fusion, by: 7)
        }
    }
}

/// Gradient-Blending (methods.md B2).
@Suite(.oneAtATime) struct GradientBlendingTests {
    static let example = BlendEstimate(
        before: [.init(train: 1.8, held: 2.0), .init(train: 1.9, held: 2.0), .init(train: 1.7, held: 1.9)],
        after: [.init(train: 0.4, held: 1.6), .init(train: 1.2, held: 1.5), .init(train: 0.6, held: 1.4)])
    static let even = [1.0 / 3, 1.0 / 3, 1.0 / 3]

    private func expectClose(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-6) {
        #expect(a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance }, "\(a) is not \(b)")
    }

    @Test func gb_weights() {
        expectClose(Self.example.overfitting, [1.0, 0.2, 0.6], 1e-12)
        expectClose(Self.example.gain, [0.4, 0.5, 0.5], 1e-12)
        expectClose(Self.example.ratio, [2.5, 0.4, 1.2], 1e-12)
        expectClose(BlendRule().weights(Self.example, previous: Self.even), [0.027994, 0.874806, 0.097201])
        // Without normalisation, and without the cap: ΔG / ΔO².
        expectClose(BlendRule(isNormalised: false).weights(Self.example, previous: Self.even), [0.4, 12.5, 1.388889])
    }

    @Test("the weights minimise Σ w² ΔO² / (Σ w ΔG)²: a grid search agrees to its step")
    func gb_optimality() {
        let step = 1.0 / 1000
        var best = (value: Double.infinity, weights: [0.0, 0, 0])
        for i in 0...1000 {
            for j in 0...(1000 - i) {
                let w = [Double(i) * step, Double(j) * step, Double(1000 - i - j) * step]
                var above = 0.0
                var below = 0.0
                for k in 0..<3 {
                    above += w[k] * w[k] * Self.example.overfitting[k] * Self.example.overfitting[k]
                    below += w[k] * Self.example.gain[k]
                }
                if above / (below * below) < best.value { best = (above / (below * below), w) }
            }
        }
        expectClose(BlendRule().weights(Self.example, previous: Self.even), best.weights, 2 * step)
        expectClose(best.weights, [0.0275, 0.8753, 0.0973], 1.5e-3)
    }

    @Test func gb_negative_gain_zero() {
        let worse = BlendEstimate(overfitting: [1, 0.2, 0.6], gain: [-0.4, 0.5, 0.5])
        let weights = BlendRule().weights(worse, previous: Self.even)
        #expect(weights[0] == 0)
        expectClose(weights, [0, 0.9, 0.1])
        expectClose(
            BlendRule(cap: 1, takesAbsolute: true).weights(worse, previous: Self.even), [0.027994, 0.874806, 0.097201])
        let previous = [0.2, 0.3, 0.5]
        #expect(
            BlendRule().weights(BlendEstimate(overfitting: [1, 1, 1], gain: [-1, 0, -2]), previous: previous)
                == previous)
    }

    @Test("guards: a vanishing ΔO is floored, no weight exceeds the cap, smoothing keeps a part of the last weights")
    func guards() {
        let still = BlendEstimate(overfitting: [0, 1, 1], gain: [1, 1, 1])
        // ΔO² of the first is 1e-4 of the median 1: raw weights 10000, 1, 1.
        expectClose(
            BlendRule(cap: 1).weights(still, previous: Self.even), [10000.0 / 10002, 1.0 / 10002, 1.0 / 10002], 1e-12)
        expectClose(BlendRule().weights(still, previous: Self.even), [0.95, 0.025, 0.025], 1e-12)
        expectClose(
            BlendRule().weights(BlendEstimate(overfitting: [1, 1, 1], gain: [1, -1, -1]), previous: Self.even),
            [0.95, 0.025, 0.025], 1e-12)
        let rule = BlendRule(cap: 1, smoothing: 0.25)
        let equal = BlendEstimate(overfitting: [1, 1], gain: [3, 1])
        expectClose(rule.weights(equal, previous: [0.5, 0.5], isFirst: true), [0.75, 0.25], 1e-12)
        expectClose(rule.weights(equal, previous: [0.5, 0.5], isFirst: false), [0.6875, 0.3125], 1e-12)
        let nothing = BlendRule().weights(BlendEstimate(overfitting: [0, 0, 0], gain: [1, 1, 2]), previous: Self.even)
        expectClose(nothing, [0.25, 0.25, 0.5], 1e-12)
    }

    @Test("a fork leaves parameters, statistics, optimizer, groups, steps and rate as they were")
    func gb_fork_has_no_side_effects() throws {
        let options = MethodTrial.lively(
            #""joint""#, epochs: 3, scheduler: MethodTrial.schedulers[2],
            more: #", "learning_rate": {"name": "exponential", "gamma": 0.5}"#)
        let source = try MethodTrial.data(2)
        let trainer = try SmallTraining.trainer(source, options, encoder: MethodTrial.encoder)
        _ = try trainer.run()
        let context = trainer.context
        let before = try MethodTrial.values(trainer, nil)
        let step = context.step
        let rate = trainer.loop.optimizer.learningRate
        let extra = trainer.loop.state.extraSamples
        try context.fork(trainer.method.predict) {
            try context.train(epochs: 2, [.encoder("a"), .head("a")]) { pass in
                [
                    LossTerm(
                        "a",
                        try Tensor.crossEntropy(
                            trainer.model.heads[0](pass.feature(0), pass.forward), pass.batch.labels, reduction: .none),
                        weight: 1)
                ]
            }
            let within = try MethodTrial.values(trainer, nil)
            for (name, values) in within {
                #expect(
                    (values != before[name]) == (name.contains("encoder.a.") || name.contains("head.a.")),
                    "only encoder and head a move: \(name)")
            }
        }
        #expect(try MethodTrial.values(trainer, nil) == before)
        #expect(
            context.step == step && trainer.loop.optimizer.learningRate == rate
                && trainer.loop.state.extraSamples == extra + 2 * trainer.trainRows.count)
        #expect(
            context.model.frozen.isEmpty
                && trainer.loop.optimizer.groups.allSatisfy { $0.multiplier == 1 && $0.isTrainable }
        )

        // A whole training with forks is the training without.
        func hash(_ make: @escaping (MethodSetup) -> RebalanceMethod) throws -> (String, [Int]) {
            var options = try SmallTraining.options(options)
            options.rebalance = Configured(
                product: RebalanceRecipe(make: make), configuration: Table(fields: [("name", .string("test"))]))
            let result = try Trainer(options, model: SmallTraining.model(source, MethodTrial.encoder), source: source)
                .run()
            return (result.parametersHash, result.order)
        }
        let plain = try hash { RebalanceMethod($0.context) }
        let forked = try hash { Forking($0.context) }
        #expect(plain == forked)
    }

    private func weights(_ record: EpochRecord) -> [Double] {
        record.value(atPath: "method.weights")?.table?.fields.compactMap(\.value.double) ?? []
    }

    @Test(
        "online: new weights at every super-epoch, the samples of K + 1 probes counted; offline: one estimate",
        arguments: ["online", "offline"], [2, 3])
    func estimates(mode: String, modalities: Int) throws {
        let source = try MethodTrial.data(modalities)
        let trainer = try SmallTraining.trainer(
            source, MethodTrial.lively(#"{"name": "ogr_gb", "mode": "\#(mode)", "super_epoch": 2}"#, epochs: 5),
            encoder: MethodTrial.encoder)
        let result = try trainer.run()
        let estimated = result.history.compactMap { $0.value(atPath: "method.estimated_at")?.int }
        #expect(estimated == (mode == "online" ? [1, 1, 3, 3, 5] : [1, 1, 1, 1, 1]))
        for record in result.history {
            let weights = weights(record)
            #expect(
                weights.count == modalities + 1 && abs(weights.reduce(0, +) - 1) < 1e-12
                    && weights.allSatisfy { $0 >= 0 && $0 <= 0.95 + 1e-12 })
        }
        if mode == "online" { #expect(weights(result.history[1]) != weights(result.history[2])) }
        // Online: 2 + 2 + 1 epochs of probes.
        #expect(result.extraSamples == 5 * (modalities + 1) * trainer.trainRows.count)
        #expect(Set(trainer.context.monitorRows).isDisjoint(with: result.rows))
    }

    @Test("probes follow the training's learning-rate schedule: rate 0 after the first epoch changes nothing more")
    func probeSchedule() throws {
        let source = try MethodTrial.data(2)
        let estimates = try [1, 3].map { epochs in
            let options = MethodTrial.lively(
                #"{"name": "ogr_gb", "mode": "offline"}"#, epochs: epochs,
                more: #", "learning_rate": {"name": "multistep", "milestones": [1], "gamma": 1e-30}"#)
            return weights(try SmallTraining.trainer(source, options).run().history[0])
        }
        // Three epochs of probes, of which two have no rate to speak of.
        expectClose(estimates[0], estimates[1], 1e-5)
    }

    @Test("given weights: no probes, no hold-out, the loss is their blend; unknown tasks are named")
    func givenWeights() throws {
        let source = try MethodTrial.data(2)
        let trainer = try SmallTraining.trainer(
            source,
            MethodTrial.lively(#"{"name": "ogr_gb", "weights": {"a": 0.014, "b": 0.63, "fused": 0.356}}"#, epochs: 1))
        #expect(trainer.trainRows == source.rows(.train))
        let rows = Array(trainer.trainRows.prefix(10))
        let batch = TrainingBatch(
            inputs: try source.inputs(trainer.model.modalities, rows: rows, augments: false, random: Evaluator.noDraws),
            labels: try Tensor.from(rows.map { source.classColumns[$0] }), positions: Array(rows.indices), weights: nil,
            keeps: nil)
        let output = try trainer.model.forward(batch.inputs, ForwardContext(.training))
        let parts = try (output.unimodal + [output.fused]).map { try Tensor.crossEntropy($0, batch.labels).item() }
        let got = try trainer.method.loss(output, batch).total(batch).item()
        let blend: [Double] = [0.014, 0.63, 0.356]
        let wanted = zip(blend, parts).reduce(0.0) { $0 + $1.0 * $1.1 }
        #expect(abs(got - wanted) < 1e-5)
        #expect(try trainer.method.predict(output).total === output.fused)
        #expect(try trainer.run().extraSamples == 0)
        for (options, text) in [
            (#"{"audio": 1}"#, "names 'audio'"), (#"{"a": -1, "b": 2}"#, "at least 0"), (#"{"a": 0}"#, "sum above 0"),
        ] {
            #expect {
                try SmallTraining.trainer(
                    source, MethodTrial.lively(#"{"name": "ogr_gb", "weights": \#(options)}"#, epochs: 1))
            } throws: {
                ($0 as? BSSError)?.kind == .usage && "\($0)".contains(text)
            }
        }
    }

    @Test(
        "killed and resumed, inside and between super-epochs: the same bits", arguments: ["online", "offline"], [2, 3])
    func resumes(mode: String, modalities: Int) throws {
        let options = MethodTrial.lively(
            #"{"name": "ogr_gb", "mode": "\#(mode)", "super_epoch": 2, "smoothing": 0.3}"#, epochs: 5,
            scheduler: MethodTrial.schedulers[2])
        try MethodTrial.expectResumes(MethodTrial.data(modalities, samples: 90), options, killedIn: [1, 2, 3])
    }

    @Test("threads change nothing")
    func threads() throws {
        let source = try MethodTrial.data(3)
        let options = MethodTrial.lively(
            #"{"name": "ogr_gb", "super_epoch": 2}"#, epochs: 3, scheduler: MethodTrial.schedulers[1])
        let one = try MethodTrial.bits(source, options, threads: 1)
        for threads in [2, 3] {
            #expect(try MethodTrial.bits(source, options, threads: threads) == one, "\(threads) threads")
        }
    }

    @Test("learns, with every scheduler and any number of modalities", arguments: MethodTrial.schedulers, [1, 2, 3])
    func learns(scheduler: String, modalities: Int) throws {
        #expect(try MethodTrial.accuracy(#""ogr_gb""#, modalities: modalities, scheduler: scheduler) > 0.6)
    }
}
