import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSTraining

@Suite(.oneAtATime) struct AGMTests {
    static let exact = #"{"name": "agm"}"#, linear = #"{"name": "agm", "mode": "linear"}"#
    static let joint = #"{"name": "agm", "base": "joint", "conditional_clip": true, "to_epoch": 2}"#
    static let adam = #""optimizer": {"name": "adam", "learning_rate": 0.01}"#

    // MARK: Numbers

    @Test func agm_kappa_k2_k3() {
        func kappa(_ s: [Double], _ usual: [Double]) -> [Double] {
            AGM.coefficients(s, usual: usual, alpha: 1, cap: 10)
        }
        #expect(isNear(kappa([0.4, 0.9], [0.5, 0.8]), [0.741661, 1.143722]))
        #expect(isNear(kappa([0.4, 0.9], [0, 0]), [0.522714, 1.482114]))
        #expect(isNear(kappa([0.4, 0.9, 0.8], [0.5, 0.8, 0.8]), [0.803761, 1.127373, 1]))
        #expect(kappa([0.7], [0.2]) == [1])
        // The cap bounds the exponent.
        #expect(isNear(AGM.coefficients([1, 1], usual: [0, 9], alpha: 0.5, cap: 7)[0], Math.exp(3.5)))
    }

    @Test(
        "the modality that leads more than usual is damped, the one that lags more is boosted",
        arguments: [[0.3, 0.9, 0.8], [0.1, 0.2, 0.9]])
    func agm_sign(s: [Double]) {
        let lead = AGM.coefficients([s[0] - 0.1, s[1], s[2]], usual: s, alpha: 1, cap: 7)
        #expect(lead[0] < 1 && lead[1] > 1 && lead[2] > 1)
        #expect(isNear(AGM.coefficients(s, usual: s, alpha: 1, cap: 7), [1, 1, 1], 1e-12))
    }

    @Test func agm_phi_sum_equals_z() throws {
        func row(_ values: [Double]) throws -> Tensor { try Tensor.from(values, [1, values.count]) }
        let z = try [row([9, 9]), row([2, 0.5]), row([0.5, 0.2]), row([3, 0])]
        let phi = try AGM.shapley(z, 2).map { try $0.values(Double.self) }
        #expect(isNear(phi[0], [2.25, 0.15], 1e-12) && isNear(phi[1], [0.75, -0.15], 1e-12))
        // With z(∅) it would be the exact Shapley value.
        let weights = ShapleyWeights(2)
        #expect(
            isNear([weights.values([0.1, 2, 0.5, 3])[0], weights.values([0.1, 0.5, 0.2, 0])[0]], [2.2, 0.1], 1e-12))
        // K = 3 by the published expansion.
        var stream = RandomStream(seed: 4, name: "z")
        let v = (0..<8).map { _ in stream.normal() }
        let three = try AGM.shapley(v.map { try row([$0]) }, 3).map { try $0.item() }
        let pairs = (v[3] - v[2] + v[5] - v[4]) / 6
        #expect(isNear(three[0], (v[7] - v[6] + v[1]) / 3 + pairs, 1e-12))
        #expect(isNear(three.reduce(0, +), v[7], 1e-12))
    }

    @Test("gradients of the passes: full (κ_a + κ_v) / 2, audio alone (κ_a - κ_v) / 2, visual alone minus that")
    func passFactors() throws {
        let z = try (0..<4).map { try Tensor.from([Double($0), 1], [1, 2]).requiringGradient() }
        let total = try AGM.modulated(AGM.shapley(z, 2), [0.741661, 1.143722])
        #expect(try isNear(total.values(Double.self), z[3].values(Double.self), 1e-12))
        let gradients = try total.sum().backward()
        let wanted = [0.942692, -0.201030, 0.201030]
        for (set, factor) in zip([3, 1, 2], wanted) {
            #expect(try isNear(gradients[z[set]]?.values(Double.self) ?? [], [factor, factor], 1e-6))
        }
    }

    @Test("clip_threshold c: an element of the fusion's weight gradients above c clips all gradients to norm c")
    func clipThreshold() throws {
        func norms(_ options: String) throws -> (before: Double, largest: Double, after: Double) {
            let trainer = try SmallTraining.trainer(
                MethodTrial.data(2), MethodTrial.options(#"{"name": "agm"\#(options)}"#))
            let batch = try MethodTrial.batch(trainer, 16)
            let output = try BatchPass(trainer.model, batch, ForwardContext(.training)).output()
            var gradients = try trainer.method.loss(output, batch).total(batch).backward()
            let all = trainer.context.optimizer.parameters(nil).map(\.parameter)
            let weights = trainer.context.optimizer.parameters([.fusion]).map(\.parameter).filter { $0.value.rank > 1 }
            let before = (try gradients.norm(all), try gradients.norm(p: .infinity, weights))
            try trainer.method.adjust(&gradients, output, batch)
            return (before.0, before.1, try gradients.norm(all))
        }
        let plain = try norms("")
        #expect(plain.before == plain.after && plain.largest < 1)
        // Just below and just above the largest element.
        let low = plain.largest * 0.99
        #expect(try isNear(norms(#", "clip_threshold": \#(low)"#).after, low, 1e-5))
        #expect(try norms(#", "clip_threshold": \#(plain.largest * 1.01)"#).after == plain.before)
        #expect(try norms(#", "conditional_clip": true"#).after == plain.before)
        for bad in ["0", "-1", "\"x\""] {
            #expect(throws: BSSError.self) { try norms(#", "clip_threshold": \#(bad)"#) }
        }
    }

    // MARK: Modes

    /// Linear encoders whose biases are 0.
    private func linearTrainer(_ method: String, modalities: Int) throws -> Trainer {
        let trainer = try SmallTraining.trainer(
            MethodTrial.data(modalities), MethodTrial.options(method),
            encoder: #"{"name": "mlp", "hidden": [], "features": 5}"#)
        for (name, parameter) in trainer.model.parameters() where name.hasPrefix("encoder.") && name.hasSuffix("bias") {
            try parameter.assign(Tensor.zeros(parameter.value.shape))
        }
        return trainer
    }

    @Test(
        "bias-free linear encoders: encoder m and its rows of the classifier get κ_m times their gradient",
        arguments: [2, 3])
    func agm_linear_equals_exact(modalities: Int) throws {
        let plainTrainer = try linearTrainer(#"{"name": "none", "probes": false}"#, modalities: modalities)
        let batch = try MethodTrial.batch(plainTrainer, 16)
        let plain = try MethodTrial.gradients(plainTrainer, batch)
        for method in [Self.exact, Self.linear] {
            let trainer = try linearTrainer(method, modalities: modalities)
            let got = try MethodTrial.gradients(trainer, batch)
            let report = try #require(try trainer.method.report()?["kappa"]?.table)
            let kappa = report.fields.compactMap(\.value.double)
            #expect(kappa.count == modalities && kappa.contains { abs($0 - 1) > 1e-3 })
            func compare(_ name: String, _ factor: (Int) -> Double) throws {
                let wanted = try #require(plain[name])
                let found = try #require(got[name])
                for i in wanted.indices {
                    #expect(isNear(Double(found[i]), factor(i) * Double(wanted[i]), 2e-6), "\(method) \(name)")
                }
            }
            for (m, name) in trainer.model.modalities.enumerated() {
                try compare("encoder.\(name).layers.1.weight") { _ in kappa[m] }
            }
            try compare("fusion.layers.0.weight") { kappa[$0 / trainer.source.classes / 5] }
            try compare("fusion.layers.0.bias") { _ in Math.mean(kappa) }
            #expect(got.keys.allSatisfy { !$0.hasPrefix("head.") })
        }
    }

    @Test(
        "the modulated logits are the fused ones, sets of modalities those of zeroed inputs, for every fusion",
        arguments: [1, 2, 3])
    func subsets(modalities: Int) throws {
        let source = try MethodTrial.data(modalities)
        let recipe = try Configured<EncoderRecipe>(value: .table(SmallTraining.table(MethodTrial.encoder)))
        var logits: [[[Float]]] = []
        for isLockStep in [false, true] {
            let fusion = FusionRecipe {
                Together(try Configured<FusionRecipe>("concat").product.make($0), isLockStep, $0.encoders)
            }
            let model = try ModelRecipe(
                encoders: source.modalities.map { ($0, recipe) },
                fusion: Configured(product: fusion, configuration: Table(fields: [("name", .string("together"))])),
                initialWeights: .pytorch, sharesHead: false
            ).build(
                sampleShapes: source.modalities.enumerated().map { (modality: $1, shape: source.sampleShape($0)) },
                classes: source.classes, seed: 1)
            let inputs = try (0..<modalities).map {
                try source.batch($0, rows: Array(0..<7), augments: false, random: RandomStream(seed: 0, name: ""))
            }
            let forward = ForwardContext(.evaluation)
            let z = try AGM.subsets(model, inputs, full: model.forward(inputs, forward).fused)
            for set in 1..<(1 << modalities) {
                let cut = try inputs.enumerated().map { m, input in
                    set >> m & 1 == 1 ? input : try input.multiplied(by: 0)
                }
                let wanted = try model.forward(cut, forward).fused.values(Double.self)
                #expect(try isNear(z[set].values(Double.self), wanted, 1e-5), "set \(set)")
            }
            #expect(
                try isNear(
                    AGM.modulated(AGM.shapley(z, modalities), Array(repeating: 3, count: modalities)).values(
                        Double.self), z[z.count - 1].values(Double.self), 1e-5))
            logits.append(try z.map { try $0.values(Float.self) })
        }
        for (one, other) in zip(logits[0], logits[1]) {
            #expect(isNear(one.map(Double.init), other.map(Double.init), 1e-5))
        }
    }

    @Test("the mean of earlier scores is that of all steps, and κ of the first step has τ = 1")
    func runningMean() throws {
        let trainer = try SmallTraining.trainer(MethodTrial.data(2), MethodTrial.options(Self.exact))
        let batch = try MethodTrial.batch(trainer)
        var scores: [Double] = []
        for step in 1...3 {
            let output = try BatchPass(trainer.model, batch, ForwardContext(.training)).output()
            let phi = try AGM.shapley(AGM.subsets(trainer.model, batch.inputs, full: output.fused), 2)
            scores.append(try AGM.score(phi[0], batch.labels))
            _ = try trainer.method.loss(output, batch)
            let usual = try #require(trainer.method.state.table?["usual"]?.table?.items.first?.double)
            #expect(isNear(usual, Math.mean(scores), 1e-9), "step \(step)")
            try trainer.model.parameters()[0].parameter.assign(
                trainer.model.parameters()[0].parameter.value.detached.multiplied(by: 0.5))
        }
    }

    // MARK: Options

    @Test("Adam gets learning rates, SGD gradients; outside its epochs nothing is modulated")
    func target() throws {
        let source = try MethodTrial.data(2)
        let adam = try SmallTraining.trainer(
            source,
            MethodTrial.options(#"{"name": "agm", "mode": "linear", "to_epoch": 1}"#, epochs: 2, more: Self.adam))
        let last = try #require(try adam.run().history.last?["method"]?.table)
        #expect(last["applied_to"]?.string == "learning_rate")
        let multipliers = adam.loop.optimizer.groups.map { ($0.scope, $0.multiplier) }
        #expect(
            multipliers.contains { $0.0 == .encoder("a") && $0.1 != 1 }
                && multipliers.contains { $0.0 == .head("a") && $0.1 == 1 })
        let sgd = try SmallTraining.trainer(source, MethodTrial.options(#"{"name": "agm", "to_epoch": 0}"#, epochs: 2))
            .run()
        #expect(sgd.history[0].value(atPath: "method.applied_to")?.string == "gradient")
        #expect(sgd.history[1].value(atPath: "method.modulates")?.bool == false)
        let ended = try SmallTraining.trainer(
            source, MethodTrial.options(#"{"name": "agm", "to_epoch": 0}"#, epochs: 2, more: Self.adam))
        _ = try ended.run()
        #expect(ended.loop.optimizer.groups.allSatisfy { $0.multiplier == 1 })
        // Without any modulation it is the fused loss alone.
        let none = try SmallTraining.trainer(
            source, MethodTrial.options(#"{"name": "none", "probes": false}"#, epochs: 2)
        ).run()
        #expect(
            try SmallTraining.trainer(source, MethodTrial.options(#"{"name": "agm", "from_epoch": 9}"#, epochs: 2))
                .run().parametersHash == none.parametersHash)
    }

    @Test("the conditional clip acts on an element above 1 in the fusion's weights alone")
    func conditionalClip() throws {
        let trainer = try SmallTraining.trainer(MethodTrial.data(2), MethodTrial.options(Self.joint))
        let batch = try MethodTrial.batch(trainer)
        let pass = BatchPass(trainer.model, batch, ForwardContext(.training))
        let parameters = trainer.model.parameters().map(\.parameter)
        for (scale, isClipped) in [(1.0, false), (1e4, true)] {
            var gradients = try trainer.method.loss(pass.output(), batch).total(batch)
                .multiplied(by: scale).backward()
            let before = try gradients.norm(parameters)
            try trainer.method.adjust(&gradients, pass.output(), batch)
            let after = try gradients.norm(parameters)
            #expect(isClipped ? isNear(after, 1, 1e-3) : after == before)
        }
    }

    @Test("a fusion that is not additive has no linear mode; the message says what to do")
    func errors() throws {
        let source = try MethodTrial.data(2)
        let options = try SmallTraining.options(MethodTrial.options(Self.linear))
        let fusion = try Configured<FusionRecipe>("concat", SmallTraining.table(#"{"hidden": [8]}"#))
        let recipe = try Configured<EncoderRecipe>("identity")
        let model = try ModelRecipe(
            encoders: source.modalities.map { ($0, recipe) }, fusion: fusion, initialWeights: .pytorch,
            sharesHead: false
        )
        .build(
            sampleShapes: source.modalities.enumerated().map { (modality: $1, shape: source.sampleShape($0)) },
            classes: source.classes, seed: 1)
        #expect { try Trainer(options, model: model, source: source) } throws: {
            "\($0)".contains("bss.rebalance.agm") && "\($0)".contains("mode = \"exact\"")
        }
        #expect {
            try SmallTraining.options(MethodTrial.options(#"{"name": "agm", "from_epoch": 3, "to_epoch": 2}"#))
        } throws: { "\($0)".contains("to_epoch") }
        // A fusion with hidden layers is no obstacle to the exact mode.
        let exact = try SmallTraining.options(MethodTrial.options(Self.exact, epochs: 1))
        #expect(try Trainer(exact, model: model, source: source).run().history.count == 1)
    }

    // MARK: Properties

    @Test(
        "the weak encoder moves more than under the fused loss alone, and more of all movement is its",
        arguments: [exact, linear])
    func movesWeakEncoder(method: String) throws {
        let more = #""optimizer": {"name": "sgd", "learning_rate": 0.05}"#
        let plain = try MethodTrial.movement(#"{"name": "none", "probes": false}"#, epochs: 6, more: more)
        let got = try MethodTrial.movement(method, epochs: 6, more: more)
        print(
            "agm \(method): weak encoder moves \(Text.fixed(got.weak / plain.weak, 3)) times as far as without, strong "
                + "\(Text.fixed(got.strong / plain.strong, 3))"
        )
        #expect(got.weak > plain.weak)
        #expect(got.weak / got.strong > plain.weak / plain.strong)
    }

    @Test(arguments: [exact, linear, joint]) func composes(method: String) throws { try MethodTrial.composes(method) }
    @Test(arguments: [exact, linear, joint]) func repeats(method: String) throws { try MethodTrial.repeats(method) }
    @Test func repeatsWithAdam() throws { try MethodTrial.repeats(Self.exact, more: Self.adam) }
    @Test(arguments: [exact, linear, joint]) func learns(method: String) throws { try MethodTrial.learns(method) }
    @Test("heads are not touched where the base is the fused loss") func scopes() throws {
        let trainer = try SmallTraining.trainer(
            MethodTrial.data(2),
            MethodTrial.options(
                Self.exact, more: #""optimizer": {"name": "sgd", "weight_decay": 0.1, "momentum": 0.9}"#))
        let before = try MethodTrial.weights(trainer.model, "head.")
        _ = try trainer.run()
        #expect(try MethodTrial.weights(trainer.model, "head.") == before)
    }
}

/// A fusion that runs the encoders itself.
private final class Together: Fusion {
    private let inner: Fusion
    private let together: Bool
    private let encoders: [Encoder]
    init(_ inner: Fusion, _ together: Bool, _ encoders: [Encoder]) {
        self.inner = inner
        self.together = together
        self.encoders = encoders
        super.init()
        _ = add("inner", inner)
    }
    override func fuse(_ features: [Tensor], _ context: ForwardContext) throws -> FusionResult {
        try inner.fuse(features, context)
    }
    override var isLockStep: Bool { together }
    override func encode(_ inputs: [Tensor], _ contexts: [ForwardContext]) throws -> [Tensor] {
        try inputs.indices.map { try encoders[$0](inputs[$0], contexts[$0]) }
    }
}
