import BSSBackend
import BSSCore
import BSSCurriculum
import BSSData
import BSSNetworks
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSTraining

/// Which losses train what, and which heads speak.
@Suite(.oneAtATime) struct LossAndGradientTests {
    private func batch(_ trainer: Trainer, _ count: Int = 12) throws -> TrainingBatch {
        let rows = Array(trainer.source.rows(.train).prefix(count))
        return TrainingBatch(
            inputs: try trainer.model.modalities.indices.map {
                try trainer.source.batch($0, rows: rows, augments: false, random: RandomStream(seed: 1, name: "x"))
            },
            labels: try Tensor.from(rows.map { trainer.source.classColumns[$0] }), positions: Array(0..<count),
            weights: nil, keeps: nil)
    }

    private func values(_ gradients: Gradients, _ parameter: Parameter) throws -> [Float]? {
        try gradients[parameter.value]?.values(Float.self)
    }

    @Test(
        "none: encoders and fusion get the gradient of the fused loss only, heads that of probes on detached features")
    func fusedOnly() throws {
        let trainer = try SmallTraining.trainer(SmallTraining.data(), #"{"rebalance": "none"}"#)
        let batch = try batch(trainer)
        let model = trainer.model
        let output = try model.forward(batch.inputs, ForwardContext(.training))
        let got = try trainer.method.loss(output, batch).total(weights: nil).backward()
        let fused = try Tensor.crossEntropy(model.forward(batch.inputs, ForwardContext(.training)).fused, batch.labels)
            .backward()
        for parameter in (model.encoders.flatMap { $0.parameters() } + model.fusion.parameters()).map(\.parameter) {
            let wanted = try #require(try values(fused, parameter))
            let found = try #require(try values(got, parameter))
            for (a, b) in zip(found, wanted) { #expect(abs(a - b) <= 1e-6 * max(1, abs(b)) * 10) }
            #expect(found.contains { $0 != 0 })
        }
        for (m, head) in model.heads.enumerated() {
            let probe = try Tensor.crossEntropy(
                head(output.features[m].detached, ForwardContext(.training)), batch.labels
            ).backward()
            for parameter in head.parameters().map(\.parameter) {
                let wanted = try #require(try values(probe, parameter))
                let found = try #require(try values(got, parameter))
                for (a, b) in zip(found, wanted) { #expect(abs(a - b) <= 1e-5 * max(1e-2, abs(b))) }
            }
        }
    }

    @Test("none without probes: heads are not trained at all, decay and momentum included")
    func noProbes() throws {
        let source = try SmallTraining.data()
        let trainer = try SmallTraining.trainer(
            source,
            #"{"epochs": 2, "rebalance": {"name": "none", "probes": false}, "optimizer": {"name": "sgd", "momentum": "#
                + #"0.9, "weight_decay": 0.1}}"#
        )
        let before = try trainer.model.heads.map { try $0.weight.value.values(Float.self) }
        _ = try trainer.run()
        #expect(try trainer.model.heads.map { try $0.weight.value.values(Float.self) } == before)
    }

    @Test(
        "joint: w_multi CE(fused) + Σ w_uni CE(m), by alpha and by raw weights",
        arguments: [
            ("\"alpha\": 0.3", 0.7, 0.3), ("\"w_multi\": 1.5, \"w_uni\": 0.25", 1.5, 0.25), ("\"alpha\": 1", 0, 1),
        ])
    func joint(options: String, multi: Double, uni: Double) throws {
        let trainer = try SmallTraining.trainer(SmallTraining.data(), "{\(options)}")
        let batch = try batch(trainer)
        let output = try trainer.model.forward(batch.inputs, ForwardContext(.training))
        let got = try trainer.method.loss(output, batch).total(weights: nil).item()
        let parts = try ([output.fused] + output.unimodal).map { try Tensor.crossEntropy($0, batch.labels).item() }
        #expect(abs(got - (multi * parts[0] + uni * parts.dropFirst().reduce(0, +))) < 1e-5)
    }

    @Test("joint with a weight of 0: the head has gradients of zero, so that weight decay goes on as in PyTorch")
    func weightOfZero() throws {
        let trainer = try SmallTraining.trainer(
            SmallTraining.data(),
            #"{"epochs": 1, "w_multi": 1, "w_uni": 0, "batch_size": 1024, "optimizer": {"name": "sgd", "#
                + #""learning_rate": 0.5, "momentum": 0, "weight_decay": 0.1}}"#
        )
        let before = try trainer.model.heads.map { try $0.weight.value.values(Float.self) }
        _ = try trainer.run()
        for (head, old) in zip(trainer.model.heads, before) {
            for (new, old) in zip(try head.weight.value.values(Float.self), old) {
                #expect(abs(new - old * (1 - 0.5 * 0.1)) < 1e-6)
            }
        }
    }

    @Test("base = fused has no unimodal terms at all: heads are left alone, decay included")
    func noTerm() throws {
        let trainer = try SmallTraining.trainer(
            SmallTraining.data(),
            #"{"epochs": 1, "w_multi": 1, "w_uni": 0, "rebalance": {"name": "ogm", "unimodal": "slice"}, "optimizer": "#
                + #"{"name": "sgd", "weight_decay": 0.1}}"#
        )
        let before = try trainer.model.heads.map { try $0.weight.value.values(Float.self) }
        _ = try trainer.run()
        #expect(try trainer.model.heads.map { try $0.weight.value.values(Float.self) } == before)
    }

    static let heads: [(rebalance: String, heads: String, weights: [Double])] = [
        (#""joint""#, #""auto""#, [1.0, 1, 1]), (#""none""#, #""auto""#, [1, 0, 0]),
        (#""joint""#, #""all""#, [1, 1, 1]), (#""none""#, #""all""#, [1, 1, 1]),
        (#""joint""#, #""unimodal""#, [0, 1, 1]), (#""joint""#, #""fused""#, [1, 0, 0]),
        (#""joint""#, #"{"fused": 0.5, "b": 2}"#, [0.5, 0, 2]),
        (#""joint""#, #"{"unimodal": 3}"#, [0, 3, 3]),
    ]

    @Test("inference heads", arguments: heads.indices)
    func inferenceHeads(index: Int) throws {
        let (rebalance, heads, weights) = Self.heads[index]
        let trainer = try SmallTraining.trainer(
            SmallTraining.data(), #"{"rebalance": \#(rebalance), "inference_heads": \#(heads)}"#)
        let output = try trainer.model.forward(batch(trainer).inputs, ForwardContext(.evaluation))
        let total = try trainer.method.predict(output).total.values(Double.self)
        let parts = try ([output.fused] + output.unimodal).map { try $0.values(Double.self) }
        for i in total.indices { #expect(abs(total[i] - zip(weights, parts).reduce(0) { $0 + $1.0 * $1.1[i] }) < 1e-5) }
    }

    @Test("a head that does not exist is named, with the heads there are")
    func unknownHead() throws {
        #expect { try SmallTraining.trainer(SmallTraining.data(), #"{"inference_heads": {"audio": 1}}"#) } throws: {
            "\($0)".contains("no head 'audio'") && "\($0)".contains("fused, a, b")
        }
    }

    @Test("gradient_norm of linear heads equals Σ ‖∂L/∂θ‖ by hand")
    func gradientNorm() throws {
        // Identity encoders: z_m = x_m W_m + b_m, z = [x_1 x_2] W + b; ∂CE/∂W = x ⊗ (p - y), ∂CE/∂b = p - y.
        let source = GivenSource([("a", [3]), ("b", [2])], count: 24, classes: 3, splits: [.train: 0..<24])
        let model = try SmallTraining.model(source, #"{"name": "identity"}"#)
        let measurer = Measurer(criteria: [.named("gradient_norm")], normalization: .none)
        let alpha = 0.3
        let rows = Array(0..<24)
        let measured = try Scoring.measure(
            model, source, rows: rows, measurer, ScanSettings(), LossWeights(alpha: alpha, modalities: 2), seed: 1,
            batchSize: 7)
        func norm(_ v: [Double]) -> Double { v.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        for row in rows {
            let inputs = try [0, 1].map {
                try source.batch($0, rows: [row], augments: false, random: RandomStream(seed: 0, name: ""))
            }
            let output = try model.forward(inputs, ForwardContext(.evaluation))
            func term(_ logits: Tensor, _ x: [Double], _ weight: Double) throws -> Double {
                var p = try logits.softmax(axis: 1).values(Double.self)
                p[source.classColumns[row]] -= 1
                return weight * (norm(x) * norm(p) + norm(p))
            }
            let x = try inputs.map { try $0.values(Double.self) }
            let wanted =
                try term(output.fused, x[0] + x[1], 1 - alpha) + term(output.unimodal[0], x[0], alpha)
                + term(output.unimodal[1], x[1], alpha)
            #expect(abs(measured.terms[0].raw[row] - wanted) < 1e-4 * max(1, wanted))
        }
    }

    @Test("soft weights of a scheduler weigh each sample's loss")
    func sampleWeights() throws {
        let trainer = try SmallTraining.trainer(SmallTraining.data(), "{}")
        let batch = try batch(trainer, 4)
        let output = try trainer.model.forward(batch.inputs, ForwardContext(.training))
        let terms = try trainer.method.loss(output, batch)
        let got = try terms.total(weights: Tensor.from([Float(2), 0, 1, 0.5])).item()
        let each = try terms.map { term in
            zip(try term.perSample.values(Double.self), [2.0, 0, 1, 0.5]).reduce(0) { $0 + $1.0 * $1.1 } * term.weight
                / 4
        }
        #expect(abs(got - each.reduce(0, +)) < 1e-6)
    }
}
