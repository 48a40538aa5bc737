import BSSCore
import BSSNetworks
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSTraining

@Suite(.oneAtATime) struct SMVTests {
    static let sample = #"{"name": "smv", "warmup": 1}"#
    static let modality = #"{"name": "smv", "level": "modality", "warmup": 1, "mapping": "tanh", "subset": 0.5}"#
    static let joint = #"{"name": "smv", "warmup": 1, "base": "joint"}"#

    private func values(_ isRight: [Bool]) -> [Double] {
        ShapleyWeights(isRight.count.trailingZeroBitCount).values(SMV.worth(isRight))
    }

    // MARK: Numbers

    @Test(
        "φ of two modalities by whether audio, video and both are right",
        arguments: [
            ([true, false, true], [1.5, 0.5]), ([false, false, true], [1, 1]), ([true, true, true], [1, 1]),
            ([false, true, false], [-0.5, 0.5]), ([true, true, false], [0, 0]),
            ([false, false, false], [0, 0]),
        ])
    func smv_values_table(isRight: [Bool], phi: [Double]) {
        #expect(values([false] + isRight) == phi)
        // Copies: f_s(0.5) = 1, f_s(0) = 2, f_s(-0.5) = 3.
        let wanted = phi.map { [0.5: 1, 0: 2, -0.5: 3][$0] ?? 0 }
        let copies = SMV.copies(phi)
        #expect(
            (0..<2).map { m in copies.filter { $0 == 1 << UInt32(m) }.count } == wanted
                && copies.count == wanted[0] + wanted[1])
    }

    @Test("Σ φ = v(all), for every pattern of two and three modalities; three: right only with modality 0")
    func smv_efficiency() {
        for count in [1, 2, 3] {
            for pattern in 0..<(1 << ((1 << count) - 1)) {
                let isRight = (0..<1 << count).map { $0 > 0 && pattern >> ($0 - 1) & 1 == 1 }
                #expect(isNear(values(isRight).reduce(0, +), isRight.last == true ? Double(count) : 0, 1e-12))
            }
        }
        #expect(isNear(values((0..<8).map { $0 & 1 == 1 }), [2, 0.5, 0.5], 1e-12))
        #expect(SMV.copies(values((0..<8).map { $0 & 1 == 1 })) == [0b10, 0b100])
        #expect(SMV.copies(values(Array(repeating: false, count: 1) + Array(repeating: true, count: 7))) == [])
    }

    @Test func smv_modality_level_equals_accuracy_gap() {
        var stream = RandomStream(seed: 8, name: "right")
        let table = (0..<500).map { _ in
            [false, stream.uniform() < 0.7, stream.uniform() < 0.4, stream.uniform() < 0.8]
        }
        let means = SMV.means(table.map(values))
        func accuracy(_ set: Int) -> Double { Double(table.filter { $0[set] }.count) / 500 }
        let shares = SMV.shares(means, alpha: 1, .linear)
        #expect(shares[0] == 0 && isNear(shares[1], 2.0 / 3 * (accuracy(1) - accuracy(2)), 1e-12))
        #expect(isNear(SMV.shares([1.1, 0.4], alpha: 1, .linear), [0, 0.466667]))
        #expect(isNear(SMV.shares([0.4, 1.1], alpha: 2, .tanh), [Math.tanh(2 * 0.7 * 2 / 3), 0], 1e-12))
        #expect(isNear(SMV.shares([1.1, 0.4], alpha: 1, .power)[1], Math.pow(0.7 * 2 / 3, 1.5), 1e-12))
        #expect(SMV.shares([0.9], alpha: 1, .linear) == [0])
    }

    @Test(
        "copies keep one modality and the weight of their sample; behind it in a curriculum, else shuffled"
    )
    func smv_copy_mask() throws {
        var stream = RandomStream(seed: 1, name: "copies")
        let plan = SamplePlan(positions: [5, 3, 9], weights: [1, 2, 0.5], isSequential: true)
        let expanded = SMV.expanded(plan, [[0b01], [], [0b10, 0b10]], modalities: 2, &stream)
        #expect(expanded.positions == [5, 5, 3, 9, 9, 9] && expanded.keeps == [0b11, 0b01, 0b11, 0b11, 0b10, 0b10])
        #expect(expanded.weights == [1, 1, 2, 0.5, 0.5, 0.5])
        let shuffled = SMV.expanded(
            SamplePlan(positions: Array(0..<50)), Array(repeating: [0b10], count: 50), modalities: 2, &stream)
        #expect(
            shuffled.positions.sorted() == (0..<100).map { $0 / 2 } && shuffled.positions != (0..<100).map { $0 / 2 })
        #expect(SMV.expanded(plan, [[], [], []], modalities: 2, &stream).keeps == nil)
    }

    // MARK: What trains what

    @Test("a copy gives the other encoder, and the other head, no gradient", arguments: [sample, joint])
    func copyGradients(method: String) throws {
        let trainer = try SmallTraining.trainer(MethodTrial.data(2), MethodTrial.options(method))
        let got = try MethodTrial.gradients(
            trainer, MethodTrial.batch(trainer, 12, keeps: Array(repeating: 0b01, count: 12)))
        for (name, values) in got {
            let isOther = name.hasPrefix("encoder.b.") || name.hasPrefix("head.b.")
            #expect(values.allSatisfy { $0 == 0 } == isOther, "\(name)")
        }
    }

    @Test(
        "the plan: every planned sample once as a whole, and as many copies as its values ask for",
        arguments: MethodTrial.schedulers)
    func plan(scheduler: String) throws {
        let trainer = try SmallTraining.trainer(
            MethodTrial.data(2), MethodTrial.options(Self.sample, scheduler, epochs: 3))
        var plans: [(base: [Int], made: SamplePlan)] = []
        trainer.onEpoch = { record, trainer in
            // The plan of the coming epoch, with the parameters as they are now.
            let base = trainer.lastPlan!.indices
            trainer.loop.state.epoch += 1
            plans.append(
                (
                    base,
                    try trainer.method.plan(SamplePlan(positions: base, isSequential: trainer.lastPlan!.isSequential))
                ))
            let rows = base.map { trainer.trainRows[$0] }
            let inputs = try trainer.source.inputs(
                trainer.model.modalities, rows: rows, augments: false, random: RandomStream(seed: 0, name: ""))
            let features = try trainer.model.encode(inputs, ForwardContext(.evaluation))
            let right = try (1...3).map { set in
                let guesses = try trainer.model.subset(features, UInt32(set), ForwardContext(.evaluation)).argExtremum(
                    .argmax, 1
                ).values(Int.self)
                return zip(guesses, rows).map { $0 == trainer.source.classColumns[$1] }
            }
            let made = plans.last!.made
            for (i, position) in base.enumerated() {
                let phi = self.values([false, right[0][i], right[1][i], right[2][i]])
                let own = made.positions.indices.filter { made.positions[$0] == position }.map {
                    made.keeps?[$0] ?? 0b11
                }
                #expect(own.filter { $0 == 0b11 }.count == 1)
                for m in 0..<2 {
                    #expect(own.filter { $0 == 1 << UInt32(m) }.count == (phi[m] < 1 ? Int(2 * (1 - phi[m])) : 0))
                }
            }
            return true
        }
        let result = try trainer.run()
        #expect(plans.count == 3)
        // Before the warm-up ends nothing is added; the training metrics are of the samples with their copies.
        #expect(result.history[0].value(atPath: "method.stage")?.string == "warmup")
        let added =
            result.history[1].value(atPath: "method.copies")?.table?.fields.compactMap(\.value.int).reduce(0, +) ?? 0
        #expect(added > 0 && result.history[1]["samples"]?.int == plans[1].base.count + added)
    }

    @Test("valuing changes no state, and the modality level draws the number of copies that it reports")
    func modalityLevel() throws {
        let trainer = try SmallTraining.trainer(
            MethodTrial.data(3), MethodTrial.options(Self.modality, epochs: 3), encoder: MethodTrial.encoder)
        trainer.loop.state.epoch = 2
        let before = try trainer.model.parametersHash()
        let positions = Array(trainer.trainRows.indices)
        let plan = try trainer.method.plan(SamplePlan(positions: positions))
        #expect(try trainer.model.parametersHash() == before)
        let report = try #require(try trainer.method.report())
        let means = report["value"]?.table?.fields.compactMap(\.value.double) ?? []
        let copies = report["copies"]?.table?.fields.compactMap(\.value.int) ?? []
        #expect(copies == SMV.shares(means, alpha: 1, .tanh).map { Int($0 * Double(positions.count)) })
        #expect(plan.positions.count == positions.count + copies.reduce(0, +) && Set(plan.positions) == Set(positions))
    }

    // MARK: Properties

    @Test(arguments: [sample, modality, joint]) func composes(method: String) throws {
        try MethodTrial.composes(method)
    }
    @Test(arguments: [sample, modality, joint]) func repeats(method: String) throws { try MethodTrial.repeats(method) }
    @Test(arguments: [sample, modality, joint]) func learns(method: String) throws { try MethodTrial.learns(method) }
    @Test("heads are not touched where the base is the fused loss") func scopes() throws {
        let trainer = try SmallTraining.trainer(
            MethodTrial.data(2),
            MethodTrial.options(
                Self.sample, more: #""optimizer": {"name": "sgd", "weight_decay": 0.1, "momentum": 0.9}"#))
        let before = try MethodTrial.weights(trainer.model, "head.")
        _ = try trainer.run()
        #expect(try MethodTrial.weights(trainer.model, "head.") == before)
    }
}
