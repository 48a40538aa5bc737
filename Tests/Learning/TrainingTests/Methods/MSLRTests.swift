import BSSCore
import BSSNetworks
import BSSTensor
import Testing

@testable import BSSTraining

/// Modality-specific learning rates (methods.md B5).
@Suite(.oneAtATime) struct MSLRTests {
    @Test func mslr_ratio() {
        let history = [0.40, 0.44, 0.46, 0.50, 0.50]
        let rule = AccuracyRatio(window: 5)
        #expect(abs(rule.multiplier(base: 1, present: 3, history: history, accuracy: 0.52, epoch: 5) - 1.130435) < 1e-6)
        #expect(
            abs(rule.multiplier(base: 0.9, present: 3, history: history, accuracy: 0.52, epoch: 5) - 1.017391) < 1e-6)
        #expect(
            rule.multiplier(base: 0.9, present: 3, history: Array(history.prefix(4)), accuracy: 0.52, epoch: 4) == 0.9)
        // Cumulative: every 5 epochs, the present multiplier by a ratio whose mean includes the present accuracy.
        let cumulative = AccuracyRatio(window: 5, isCumulative: true)
        #expect(cumulative.multiplier(base: 0.9, present: 2, history: history, accuracy: 0.52, epoch: 5) == 2)
        let mean = (0.44 + 0.46 + 0.50 + 0.50 + 0.52) / 5
        #expect(
            abs(
                cumulative.multiplier(base: 0.9, present: 2, history: history, accuracy: 0.52, epoch: 9) - 2 * 0.52
                    / mean) < 1e-12)
    }

    @Test("smooth: from the given rates to their geometric mean, straight in the logarithm")
    func smooth() {
        let rates = [4.0, 1.0]
        let all = (0..<5).map { MSLR.smooth(rates, epoch: $0, epochs: 5) }
        #expect(all[0] == rates)
        for (epoch, expected) in [(2, [2.8284271247461903, 1.4142135623730951]), (4, [2.0, 2])] {
            for k in 0..<2 { #expect(abs(all[epoch][k] - expected[k]) < 1e-12) }
        }
        #expect(MSLR.smooth([3, 5], epoch: 0, epochs: 1) == [3, 5])
    }

    /// What one step of plain descent changes, by scope.
    private func movement(
        _ rebalance: String, schedule: String = #""constant""#,
        optimizer: String = #"{"name": "sgd", "learning_rate": 0.1}"#
    ) throws -> [String: [Float]] {
        let source = try MethodTrial.data(2)
        let options =
            #"{"epochs": 1, "batch_size": 1000, "rebalance": \#(rebalance), "learning_rate": \#(schedule), "#
            + #""optimizer": \#(optimizer)}"#
        let trainer = try SmallTraining.trainer(source, options)
        let before = try MethodTrial.values(trainer, nil, optimizer: false)
        _ = try trainer.run()
        return try MethodTrial.values(trainer, nil, optimizer: false).reduce(into: [:]) { changes, entry in
            changes[entry.key] = zip(entry.value, before[entry.key]!).map { $0 - $1 }
        }
    }

    /// Each parameter's change is `factor(name)` times that of `base`.
    private func expect(_ changes: [String: [Float]], are factor: (String) -> Float, times base: [String: [Float]]) {
        for (name, values) in base {
            #expect(values.contains { $0 != 0 }, "\(name) moves")
            let scale = values.map(abs).max()! * factor(name)
            for (new, old) in zip(changes[name]!, values) {
                #expect(abs(new - factor(name) * old) <= 2e-3 * scale + 1e-7, "\(name)")
            }
        }
    }

    static let even = #"{"name": "mslr", "strategy": "keep", "base": "joint"}"#
    static let uneven = #"{"name": "mslr", "strategy": "keep", "base": "joint", "rates": {"a": 0.5}}"#
    private static func isOfA(_ name: String) -> Bool { name.contains("encoder.a.") || name.contains("head.a.") }

    @Test("the multiplier is on top of the schedule: rate = base · schedule · multiplier")
    func mslr_group_mult_composes_with_scheduler() throws {
        let base = try movement(Self.even)
        expect(try movement(Self.uneven), are: { Self.isOfA($0) ? 0.5 : 1 }, times: base)
        let cut = #"{"name": "multistep", "milestones": [0], "gamma": 0.2}"#
        expect(try movement(Self.uneven, schedule: cut), are: { Self.isOfA($0) ? 0.1 : 0.2 }, times: base)
    }

    @Test("under Adam a rate multiplier changes the step and a gradient multiplier does not")
    func adam() throws {
        let adam = #"{"name": "adam", "learning_rate": 0.01}"#
        let base = try movement(Self.even, optimizer: adam)
        expect(try movement(Self.uneven, optimizer: adam), are: { Self.isOfA($0) ? 0.5 : 1 }, times: base)
        let gradients = Self.uneven.replacingOccurrences(#""rates""#, #""apply_to": "gradient", "rates""#)
        for (name, values) in try movement(gradients, optimizer: adam) where Self.isOfA(name) {
            // Where the gradient is not as small as Adam's eps.
            let same = zip(values, base[name]!).filter { abs($0 - $1) <= 1e-3 * abs($1) }.count
            #expect(Double(same) > 0.8 * Double(values.count), "\(name)")
        }
        expect(try movement(gradients), are: { Self.isOfA($0) ? 0.5 : 1 }, times: try movement(Self.even))
    }

    @Test("dynamic: the recorded multipliers are the rule on the recorded hold-out accuracies", arguments: [2, 3])
    func dynamic(modalities: Int) throws {
        let rebalance = #"{"name": "mslr", "window": 2, "rates": {"a": 0.9, "b": 1.4}}"#
        let trainer = try SmallTraining.trainer(
            MethodTrial.data(modalities), MethodTrial.lively(rebalance, epochs: 7), encoder: MethodTrial.encoder)
        var used: [[Double]] = []
        trainer.onEpoch = { _, trainer in
            used.append(
                trainer.model.modalities.map { name in
                    trainer.loop.optimizer.groups.first { $0.scope == .encoder(name) }!.multiplier
                })
            return true
        }
        let result = try trainer.run()
        let floor = 1.0 / Double(trainer.model.classes)
        for (m, name) in trainer.model.modalities.enumerated() {
            let accuracies: [Double] = result.history.map {
                max($0.value(atPath: "holdout.\(name).accuracy")?.double ?? .nan, floor)
            }
            let rates: [String: Double] = ["a": 0.9, "b": 1.4]
            let rate = rates[name] ?? 1
            for epoch in 0..<7 {
                // The multiplier of an epoch follows from the accuracy after the epoch before it and the two before
                // that.
                var expected: Double = rate
                if epoch >= 3 {
                    expected *= accuracies[epoch - 1] / ((accuracies[epoch - 2] + accuracies[epoch - 3]) / 2)
                }
                let told = result.history[epoch].value(atPath: "method.multipliers.\(name)")?.double ?? .nan
                #expect(abs(told - expected) < 1e-12, "\(name), epoch \(epoch)")
                #expect(abs(used[epoch][m] - expected) < 1e-12)
            }
        }
        #expect(trainer.loop.optimizer.groups.first { $0.scope == .fusion }?.multiplier == 1)
    }

    @Test("keep and smooth keep the whole training split; dynamic holds a tenth out")
    func holdout() throws {
        let source = try MethodTrial.data(2)
        for (strategy, isWhole) in [("keep", true), ("smooth", true), ("dynamic", false)] {
            let trainer = try SmallTraining.trainer(
                source, MethodTrial.lively(#"{"name": "mslr", "strategy": "\#(strategy)"}"#, epochs: 1))
            #expect((trainer.trainRows == source.rows(.train)) == isWhole, "\(strategy)")
        }
    }

    @Test(
        "rates: unknown modalities, other values and lists are usage errors",
        arguments: [
            (#"{"audio": 1}"#, "names 'audio'"), (#"{"a": 0}"#, "rates.a"), (#"{"a": "fast"}"#, "rates.a"),
            ("[1, 2]", "a list"),
        ])
    func usage(rates: String, text: String) throws {
        #expect {
            try SmallTraining.trainer(
                MethodTrial.data(2), MethodTrial.lively(#"{"name": "mslr", "rates": \#(rates)}"#, epochs: 1))
        } throws: {
            ($0 as? BSSError)?.kind == .usage && "\($0)".contains(text) && "\($0)".contains("mslr")
        }
    }

    static let variants = [
        #"{"name": "mslr", "window": 2, "rates": {"a": 0.7}}"#,
        #"{"name": "mslr", "strategy": "smooth", "rates": {"b": 2}, "base": "joint"}"#,
        #"{"name": "mslr", "window": 2, "update": "cumulative", "apply_to": "gradient", "unimodal": "mask"}"#,
    ]

    @Test("killed and resumed: the same bits", arguments: variants, [2, 3])
    func resumes(rebalance: String, modalities: Int) throws {
        try MethodTrial.expectResumes(
            MethodTrial.data(modalities, samples: 90),
            MethodTrial.lively(rebalance, epochs: 6, scheduler: MethodTrial.schedulers[2]), killedIn: [2, 4])
    }

    @Test("threads change nothing")
    func threads() throws {
        let source = try MethodTrial.data(3)
        let options = MethodTrial.lively(Self.variants[0], epochs: 5, scheduler: MethodTrial.schedulers[1])
        let one = try MethodTrial.bits(source, options, threads: 1)
        for threads in [2, 3] {
            #expect(try MethodTrial.bits(source, options, threads: threads) == one, "\(threads) threads")
        }
    }

    @Test("learns, with every scheduler and any number of modalities", arguments: MethodTrial.schedulers, [1, 2, 3])
    func learns(scheduler: String, modalities: Int) throws {
        #expect(try MethodTrial.accuracy(#""mslr""#, modalities: modalities, scheduler: scheduler) > 0.6)
    }
}
