import BSSCore
import BSSNetworks
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSTraining

@Suite(.oneAtATime) struct PMRTests {
    static let published = #"{"name": "pmr", "per_epochs": 2}"#
    static let released =
        #"{"name": "pmr", "coef": "hard", "per": false, "draw": "random", "base": "joint", "to_epoch": 2}"#
    static let scaled = #"{"name": "pmr", "distance": "scaled", "fraction": 1, "momentum": 0.5}"#

    private static let labels = [0, 1]
    private func logits(_ h: [Double], _ c: [Double]) throws -> Tensor {
        try PMR.logits(Tensor.from(h, [2, 2]), Tensor.from(c, [2, 2]), isKnown: [true, true], scale: 1)
    }
    private func example() throws -> [Tensor] {
        try [logits([0.5, 0, 1.8, 0], [0, 0, 2, 0]), logits([0.4, 0.4, 0, 0.5], [0, 0, 0, 1])]
    }

    // MARK: Numbers

    @Test func pmr_probabilities() throws {
        let logits = try example()
        let y = try Tensor.from(Self.labels)
        let q = try logits.map { try $0.softmax(axis: 1).gather(1, y.unsqueezed(1)).values(Double.self) }
        #expect(isNear(q[0], [0.731059, 0.832018]) && isNear(q[1], [0.538778, 0.5]))
        let s = try logits.map { try PMR.trueProbabilities($0, y, nil) }
        #expect(isNear(PMR.ratios(s)[0], 1.504726))
        #expect(isNear(try logits.map { try Tensor.crossEntropy($0, y).item() }, [0.248581, 0.655799]))
        #expect(isNear(try PMR.entropy(logits[0]).mean().item(), 0.517437))
    }

    @Test func pmr_clip_vs_hard() throws {
        let s = try example().map { try PMR.trueProbabilities($0, Tensor.from(Self.labels), nil) }
        let rho = PMR.ratios(s)
        #expect(isNear(PMR.coefficients(rho.map { 1 / $0 }, isHard: false), [0, 0.504726]))
        #expect(PMR.coefficients(rho.map { 1 / $0 }, isHard: true) == [0, 1])
        #expect(isNear(PMR.coefficients(rho, isHard: false), [0.504726, 0]))
        #expect(PMR.coefficients([5, 1, 0.2], isHard: false) == [1, 0, 0])
        // Three modalities against the mean of the others; one alone has no other.
        #expect(isNear(PMR.ratios([1, 2, 4]), [1.0 / 3, 2 / 2.5, 4 / 1.5], 1e-12))
        #expect(PMR.ratios([3]) == [1] && PMR.coefficients([1], isHard: true) == [0])
        #expect(PMR.ratios([0, 0]) == [1, 1])
    }

    @Test func pmr_missing_class_keeps_old() throws {
        let zeros = try Tensor.zeros([3, 2])
        let first = try PMR.updated(
            zeros, isKnown: [false, false, false], features: [1, 2, 3, 4, 10, 20], labels: [0, 0, 1], momentum: 0.2)
        #expect(
            try first.prototypes.values(Float.self) == [2, 3, 10, 20, 0, 0] && first.isKnown == [true, true, false])
        let second = try PMR.updated(
            first.prototypes, isKnown: first.isKnown, features: [7, 8, 12, 13], labels: [2, 0], momentum: 0.2)
        #expect(
            isNear(
                try second.prototypes.values(Double.self), [0.8 * 12 + 0.2 * 2, 0.8 * 13 + 0.2 * 3, 10, 20, 7, 8], 1e-5)
                && second.isKnown == [true, true, true])
        // A class without prototype is never guessed, and its own samples add nothing to the scores; no number is NaN.
        let h = try Tensor.from([Float(1), 1, 9, 9], [2, 2]).requiringGradient()
        let logits = try PMR.logits(h, first.prototypes, isKnown: first.isKnown, scale: 1)
        #expect(try logits.softmax(axis: 1).values(Float.self).enumerated().allSatisfy { $0 % 3 != 2 || $1 == 0 })
        let y = try Tensor.from([0, 2])
        #expect(try PMR.trueProbabilities(logits, y, [true, false]) > 0.5)
        let gradient = try
            (PMR.entropy(logits).sum()
            + Tensor.crossEntropy(logits, y, reduction: .none).multiplied(by: Tensor.from([Float(1), 0])).sum())
            .backward()
        let slopes = try gradient[h]?.values(Float.self) ?? [.nan]
        #expect(!slopes.contains { !$0.isFinite })
    }

    @Test func pmr_zero_distance_finite_grad() throws {
        let h = try Tensor.from([0.0, 0, 2, 0], [2, 2]).requiringGradient()
        let logits = try PMR.logits(h, Tensor.from([0.0, 0, 2, 0], [2, 2]), isKnown: [true, true], scale: 1)
        let gradient =
            try Tensor.crossEntropy(logits, Tensor.from(Self.labels)).backward()[h]?.values(Double.self) ?? []
        #expect(!gradient.contains { !$0.isFinite })
        // The other class still pushes: (1 - q_y) along the unit vector away from it, averaged over two samples.
        let pull = (1 - 1 / (1 + Math.exp(-2))) / 2
        #expect(isNear(gradient, [pull, 0, -pull, 0], 1e-9))
    }

    @Test("the loss is the base's, plus the pull of the slower modality, minus the entropy of the faster")
    func terms() throws {
        let trainer = try SmallTraining.trainer(
            MethodTrial.data(2), MethodTrial.options(#"{"name": "pmr", "alpha": 1.5, "mu": 0.3}"#))
        try trainer.method.epochBegan()
        let batch = try MethodTrial.batch(trainer, 20)
        let output = try BatchPass(trainer.model, batch, ForwardContext(.training)).output()
        let terms = try trainer.method.loss(output, batch)
        let prototypes = trainer.method.stateTensors
        let logits = try [0, 1].map { m in
            try PMR.logits(
                output.features[m].detached, #require(prototypes["prototypes.\(m)"]), isKnown: [true, true, true],
                scale: 1)
        }
        let rho = PMR.ratios(try logits.map { try PMR.trueProbabilities($0, batch.labels, nil) })[0]
        let slow = rho > 1 ? 1 : 0
        let gap = min(max(rho, 1 / rho) - 1, 1)
        let wanted =
            try Tensor.crossEntropy(output.fused, batch.labels).item() + 1.5 * gap
            * Tensor.crossEntropy(logits[slow], batch.labels).item() - 0.3 * gap
            * PMR.entropy(logits[1 - slow]).mean().item()
        #expect(
            terms.map(\.name) == ["fused"]
                + (slow == 0 ? ["prototypes.a", "entropy.b"] : ["entropy.a", "prototypes.b"]))
        #expect(isNear(try terms.total(batch).item(), wanted, 1e-5))
    }

    @Test("prototypes = \"val\": class means over the validation split, which must be there")
    func validationPrototypes() throws {
        let options = MethodTrial.options(#"{"name": "pmr", "fraction": 1, "prototypes": "val"}"#)
        let trainer = try SmallTraining.trainer(MethodTrial.data(2), options)
        try trainer.method.epochBegan()
        let rows = trainer.source.rows(.val)
        let scan = try trainer.context.scan(rows, trainer.method.predict, keepsFeatures: true)
        let own = try #require(trainer.method.stateTensors["prototypes.0"])
        let width = own.shape[1]
        let columns = rows.map { trainer.source.classColumns[$0] }
        let members = rows.indices.filter { columns[$0] == 1 }
        let means = (0..<width).map { j in
            Math.mean(members.map { Double(scan.features[0][$0 * width + j]) })
        }
        #expect(isNear(Array(try own.values(Double.self)[width..<2 * width]), means, 1e-5))
        let without = try SmallTraining.data(#"{"val": 0}"#)
        #expect { try SmallTraining.trainer(without, options) } throws: {
            "\($0)".contains("needs a validation split") && ($0 as? BSSError)?.kind == .usage
        }
    }

    @Test("as released, the second epoch's prototypes replace the untrained network's; then momentum mixes")
    func firstPrototypes() throws {
        for (coef, untrained, replaces) in [
            ("hard", "auto", true), ("clip", "auto", false), ("clip", "replace", true), ("hard", "mix", false),
        ] {
            let trainer = try SmallTraining.trainer(
                MethodTrial.data(2),
                MethodTrial.options(
                    #"{"name": "pmr", "fraction": 1, "momentum": 0.5, "coef": "\#(coef)", "untrained": "#
                        + #""\#(untrained)"}"#
                ))
            func prototypes(_ epoch: Int) throws -> [Double] {
                trainer.loop.state.epoch = epoch
                try trainer.method.epochBegan()
                return try #require(trainer.method.stateTensors["prototypes.0"]).values(Double.self)
            }
            let first = try prototypes(0)
            for (_, parameter) in trainer.model.parameters() {
                try parameter.assign(parameter.value.detached.multiplied(by: 2))
            }
            let second = try prototypes(1)
            let third = try prototypes(2)
            // The new means are those of epoch 2 with nothing mixed in: third = (second + new) / 2.
            let new = zip(third, second).map { 2 * $0 - $1 }
            let wanted = replaces ? new : zip(first, new).map { ($0 + $1) / 2 }
            #expect(isNear(second, wanted, 1e-4), "\(coef) \(untrained)")
        }
    }

    @Test("prototypes are class means in evaluation mode of a tenth of every class, and change no state of the model")
    func scan() throws {
        let trainer = try SmallTraining.trainer(
            MethodTrial.data(2, samples: 300), MethodTrial.options(#"{"name": "pmr", "fraction": 1}"#),
            encoder: MethodTrial.encoder)
        let before = try trainer.model.parametersHash()
        try trainer.method.epochBegan()
        #expect(try trainer.model.parametersHash() == before)
        let inputs = try trainer.source.inputs(
            trainer.model.modalities, rows: trainer.trainRows, augments: false,
            random: RandomStream(seed: 0, name: ""))
        let features = try trainer.model.encode(inputs, ForwardContext(.evaluation))[1].values(Double.self)
        let width = features.count / trainer.trainRows.count
        let members = trainer.trainRows.indices.filter { trainer.source.classColumns[trainer.trainRows[$0]] == 2 }
        let mean = (0..<width).map { j in Math.mean(members.map { features[$0 * width + j] }) }
        #expect(
            isNear(
                Array(try #require(trainer.method.stateTensors["prototypes.1"]).values(Double.self).suffix(width)),
                mean, 1e-5))
    }

    @Test("random draws of a few samples miss classes without harm")
    func missingClasses() throws {
        let result = try SmallTraining.trainer(
            MethodTrial.data(3),
            MethodTrial.options(#"{"name": "pmr", "draw": "random", "fraction": 0.02, "momentum": 0}"#)
        ).run()
        #expect(result.history[0].value(atPath: "method.classes_without_prototype")?.int ?? 0 > 0)
        #expect(result.history.allSatisfy { $0.value(atPath: "train.loss")?.double?.isFinite ?? false })
    }

    // MARK: Properties

    @Test(
        "the weak encoder moves more than under the fused loss alone, and more of all movement is its",
        arguments: [published, #"{"name": "pmr", "coef": "hard", "per": false}"#])
    func movesWeakEncoder(method: String) throws {
        let more = #""optimizer": {"name": "sgd", "learning_rate": 0.05}"#
        let plain = try MethodTrial.movement(#"{"name": "none", "probes": false}"#, epochs: 6, more: more)
        let got = try MethodTrial.movement(method, epochs: 6, more: more)
        print(
            "pmr \(method): weak encoder moves \(Text.fixed(got.weak / plain.weak, 3)) times as far as without, strong "
                + "\(Text.fixed(got.strong / plain.strong, 3))"
        )
        #expect(got.weak > plain.weak)
        #expect(got.weak / got.strong > plain.weak / plain.strong)
    }

    @Test(arguments: [published, released, scaled]) func composes(method: String) throws {
        try MethodTrial.composes(method)
    }
    @Test(arguments: [published, released, scaled]) func repeats(method: String) throws {
        try MethodTrial.repeats(method)
    }
    @Test(arguments: [published, released, scaled]) func learns(method: String) throws {
        try MethodTrial.learns(method)
    }
    @Test("prototypes pull encoders only: heads stay, and the fusion's gradient is that of the base") func scopes()
        throws
    {
        let source = try MethodTrial.data(2)
        let trainer = try SmallTraining.trainer(source, MethodTrial.options(Self.published))
        let plain = try SmallTraining.trainer(source, MethodTrial.options(#"{"name": "none", "probes": false}"#))
        try trainer.method.epochBegan()
        let batch = try MethodTrial.batch(trainer)
        let got = try MethodTrial.gradients(trainer, batch)
        let base = try MethodTrial.gradients(plain, batch)
        #expect(Set(got.keys) == Set(base.keys) && !got.keys.contains { $0.hasPrefix("head.") })
        for name in got.keys where name.hasPrefix("fusion.") { #expect(got[name] == base[name]) }
        #expect(got.keys.contains { $0.hasPrefix("encoder.") && got[$0] != base[$0] })
    }
}
