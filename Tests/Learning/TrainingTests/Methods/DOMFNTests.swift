import BSSCore
import BSSNetworks
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSTraining

@Suite(.oneAtATime) struct DOMFNTests {
    static let published = #"{"name": "domfn", "pretrain_epochs": 1}"#
    static let strict = #"{"name": "domfn", "pretrain_epochs": 1, "tau": 0.05, "finetune": 0.5}"#
    static let sigmoid = #"{"name": "domfn", "pretrain_epochs": 0, "tau": 0.2, "outputs": "sigmoid"}"#

    // MARK: Numbers

    @Test func domfn_gate() throws {
        let d = try DOMFN.divergence([Tensor.from([0.9, 0.2], [1, 2]), Tensor.from([0.3, 0.6], [1, 2])])
        #expect(isNear(try d.map { try $0.item() }, [0.09, 0.09], 1e-9))
        #expect(try DOMFN.accepts(d, gamma: 0.8, tau: 0.5) == [true])
        #expect(try DOMFN.accepts(d, gamma: 0.8, tau: 0.2) == [true])
        #expect(try DOMFN.accepts(d, gamma: 0.44, tau: 0.2) == [false])
        let losses = try [Tensor.from([0.4]), Tensor.from([1.0])]
        let amendments = try zip(losses, d).map { try DOMFN.amendment($0, $1, eta: 0.5).item() }
        #expect(isNear(amendments, [0.035, 0.455], 1e-9))
        let whole: Double = amendments[0] + amendments[1] + 0.4 + 1.0 + 0.6
        #expect(isNear(whole, 2.49, 1e-9))
    }

    @Test func domfn_k2_never_rejects_at_default_tau() throws {
        // One-hot predictions that contradict each other: the largest divergence there is.
        func hot(_ classes: [Int]) throws -> [Tensor] {
            try classes.map { hot in try Tensor.from((0..<3).map { $0 == hot ? 60.0 : 0 }, [1, 3]).softmax(axis: 1) }
        }
        let two = try DOMFN.divergence(hot([0, 1]))
        let values = try two.map { try $0.item() }
        #expect(isNear(values, [0.25, 0.25], 1e-9))
        #expect(try DOMFN.accepts(two, gamma: 0.8, tau: 0.5) == [true])
        #expect(try DOMFN.accepts(two, gamma: 0.8, tau: 0.3) == [false])
        let three = try DOMFN.divergence(hot([0, 1, 1]))
        #expect(isNear(try three[0].item(), 4.0 / 9, 1e-9))
        #expect(try DOMFN.accepts(three, gamma: 0.8, tau: 0.5) == [false])
        #expect(
            DOMFN.neverRejects(modalities: 1, gamma: 0.8, tau: 0.5)
                && DOMFN.neverRejects(modalities: 2, gamma: 0.8, tau: 0.5))
        #expect(
            !DOMFN.neverRejects(modalities: 2, gamma: 0.8, tau: 0.3)
                && !DOMFN.neverRejects(modalities: 3, gamma: 0.8, tau: 0.5))
        let history = try SmallTraining.trainer(MethodTrial.data(2), MethodTrial.options(Self.published, epochs: 2))
            .run().history
        #expect(history[0].value(atPath: "method.stage")?.string == "pretraining")
        #expect(
            history[1].value(atPath: "method.never_rejects")?.bool == true
                && history[1].value(atPath: "method.acceptance_rate")?.double == 1)
    }

    @Test("accepted: the fusion's output; rejected: the most confident modality, the first of equals")
    func prediction() throws {
        let fused = try Tensor.from([Float](repeating: 7, count: 8), [4, 2])
        let one = try Tensor.from([Float(0), 0, 3, 0, 0, 0, 1, 0], [4, 2])
        let other = try Tensor.from([Float(1), 0, 0, 1, 0, 0, 0, 1], [4, 2])
        let p = try [one, other].map { try $0.softmax(axis: 1) }
        let total = try DOMFN.gated([true, false, false, false], fused, [one, other], probabilities: p).values(
            Float.self)
        #expect(total == [7, 7, 3, 0, 0, 0, 1, 0])
        #expect(
            try DOMFN.gated([false, false, false, false], fused, [one, other], probabilities: p).values(Float.self)
                .prefix(2)
                == [1, 0])
    }

    // MARK: What trains what

    /// A trainer after pre-training, whose gate accepts about half of the first samples.
    private func half() throws -> (trainer: Trainer, batch: TrainingBatch, gate: [Bool]) {
        let source = try MethodTrial.data(2)
        let probe = try SmallTraining.trainer(source, MethodTrial.options(#"{"name": "domfn", "pretrain_epochs": 0}"#))
        let batch = try MethodTrial.batch(probe, 16)
        let output = try BatchPass(probe.model, batch, ForwardContext(.training)).output()
        let d = try DOMFN.divergence(output.unimodal.map { try $0.softmax(axis: 1) }).map { try $0.values(Double.self) }
        let largest = (0..<16).map { max(d[0][$0], d[1][$0]) }.sorted()
        let tau = (largest[7] + largest[8]) / 2 / 0.8
        let trainer = try SmallTraining.trainer(
            source, MethodTrial.options(#"{"name": "domfn", "pretrain_epochs": 0, "tau": \#(tau)}"#))
        return (trainer, batch, try DOMFN.accepts(d.map { try Tensor.from($0) }, gamma: 0.8, tau: tau))
    }

    @Test func domfn_rejected_sample_gives_no_fusion_gradient() throws {
        let (trainer, batch, gate) = try half()
        #expect(gate.filter { $0 }.count == 8)
        let got = try MethodTrial.gradients(trainer, batch)
        // The fusion's gradient is that of the accepted samples alone.
        let output = try BatchPass(trainer.model, batch, ForwardContext(.training)).output()
        let losses = try Tensor.crossEntropy(output.fused, batch.labels, reduction: .none)
        let accepted = try losses.multiplied(by: Tensor.from(gate.map { $0 ? Float(1) : 0 })).sum().multiplied(
            by: 1.0 / 16
        ).backward()
        for (name, parameter) in trainer.model.fusion.parameters(prefix: "fusion.") {
            let wanted = try #require(accepted[parameter.value]).values(Double.self)
            #expect(isNear(try #require(got[name]).map(Double.init), wanted, 1e-6), "\(name)")
        }
        // A batch of rejected samples alone has none at all.
        let closed = try SmallTraining.trainer(
            MethodTrial.data(2), MethodTrial.options(#"{"name": "domfn", "pretrain_epochs": 0, "tau": 1e-9}"#))
        let keys = try MethodTrial.gradients(closed, batch).keys
        #expect(
            !keys.contains { $0.hasPrefix("fusion.") } && keys.contains("head.a.weight")
                && keys.contains { $0.hasPrefix("encoder.b.") })
    }

    @Test("the loss of a batch by hand, sample by sample")
    func loss() throws {
        let (trainer, batch, gate) = try half()
        let output = try BatchPass(trainer.model, batch, ForwardContext(.training)).output()
        func losses(_ logits: Tensor) throws -> [Double] {
            try Tensor.crossEntropy(logits, batch.labels, reduction: .none).values(Double.self)
        }
        let l = try output.unimodal.map(losses)
        let fused = try losses(output.fused)
        let d = try DOMFN.divergence(output.unimodal.map { try $0.softmax(axis: 1) }).map { try $0.values(Double.self) }
        var wanted = 0.0
        for i in gate.indices {
            wanted += l[0][i] + l[1][i]
            guard gate[i] else { continue }
            wanted += fused[i]
            for m in 0..<2 { wanted += l[m][i] * l[m][i] / 2 - 0.5 * d[m][i] }
        }
        wanted /= Double(gate.count)
        #expect(
            isNear(try trainer.method.loss(output, batch).total(batch).item(), wanted, 1e-5))
    }

    @Test(
        "pre-training leaves the fusion alone to the bit, decay and momentum included; so does a closed gate",
        arguments: [
            #"{"name": "domfn", "pretrain_epochs": 9}"#, #"{"name": "domfn", "pretrain_epochs": 0, "tau": 1e-9}"#,
        ])
    func fusionIsLeftAlone(method: String) throws {
        let trainer = try SmallTraining.trainer(
            MethodTrial.data(2),
            MethodTrial.options(method, more: #""optimizer": {"name": "sgd", "weight_decay": 0.1, "momentum": 0.9}"#))
        let before = try (MethodTrial.weights(trainer.model, "fusion."), MethodTrial.weights(trainer.model, "head."))
        _ = try trainer.run()
        #expect(try MethodTrial.weights(trainer.model, "fusion.") == before.0)
        #expect(try MethodTrial.weights(trainer.model, "head.") != before.1)
    }

    @Test("fine-tuning scales the rate of encoders and heads after pre-training")
    func finetune() throws {
        let trainer = try SmallTraining.trainer(MethodTrial.data(2), MethodTrial.options(Self.strict, epochs: 2))
        var seen: [[Double]] = []
        trainer.onEpoch = { _, trainer in
            seen.append(trainer.loop.optimizer.groups.map(\.multiplier))
            return true
        }
        _ = try trainer.run()
        #expect(seen == [[1, 1, 1, 1, 1], [0.5, 0.5, 0.5, 0.5, 1]])
    }

    @Test("it has losses of its own: a custom loss is refused")
    func ownLoss() throws {
        let options = try SmallTraining.options(MethodTrial.options(Self.published))
        #expect(options.rebalance.product.traits.ownsLoss)
    }

    // MARK: Properties

    @Test(arguments: [published, strict, sigmoid]) func composes(method: String) throws {
        try MethodTrial.composes(method)
    }
    @Test(arguments: [published, strict, sigmoid]) func repeats(method: String) throws {
        try MethodTrial.repeats(method)
    }
    @Test(arguments: [published, strict, sigmoid]) func learns(method: String) throws {
        try MethodTrial.learns(method)
    }
}
