import BSSCore
import BSSNetworks
import BSSTensor
import Testing

@testable import BSSTraining

/// Modality-specific early stopping (methods.md B1).
@Suite(.oneAtATime) struct MSESTests {
    static let raw = [1.0, 0.9, 0.8, 0.85, 0.83, 0.9]
    static let cases: [(StoppingWatch.Smoothing, [Double], Int)] = [
        (.previous, [1, 0.96, 0.86, 0.82, 0.842, 0.858], 3), (.mean, [1, 0.96, 0.896, 0.8776, 0.85856, 0.875136], 4),
    ]

    @Test(
        "smoothing by the previous raw loss and by an exponential mean; with patience 1 the former stops at epoch 5",
        arguments: cases.indices)
    func mses_two_smoothings(index: Int) {
        let (smoothing, expected, best) = Self.cases[index]
        var watch = StoppingWatch(smoothing, rate: 0.4)
        var stops: Int?
        for (epoch, loss) in Self.raw.enumerated() {
            _ = watch.add(loss, epoch: epoch)
            #expect(abs((watch.smoothed ?? .nan) - expected[epoch]) < 1e-12)
            if stops == nil, epoch - watch.bestEpoch > 1 { stops = epoch }
        }
        #expect(watch.bestEpoch == best)
        #expect(stops == (smoothing == .previous ? 5 : nil))
    }

    /// Patience 0 and no smoothing: a modality stops after its first epoch that is not its best.
    static let hasty = #"{"name": "mses", "patience": 0, "smoothing_rate": 1}"#

    @Test(
        "a stopped modality goes back to its best epoch and keeps its bits, batch norm and momentum included",
        arguments: [2, 3])
    func mses_freeze_is_bit_exact(modalities: Int) throws {
        let trainer = try SmallTraining.trainer(
            MethodTrial.data(modalities), MethodTrial.lively(Self.hasty, epochs: 40), encoder: MethodTrial.encoder)
        /// Values at the end of every epoch, by modality; the fusion's as well.
        var history: [[[String: [Float]]]] = []
        var fusion: [[String: [Float]]] = []
        var stopped: [Int: Int] = [:]
        trainer.onEpoch = { record, trainer in
            history.append(
                try trainer.model.modalities.map { try MethodTrial.values(trainer, [.encoder($0), .head($0)]) })
            fusion.append(try MethodTrial.values(trainer, [.fusion]))
            for (index, name) in trainer.model.modalities.enumerated() {
                let method = try #require(record.value(atPath: "method.\(name)")?.table)
                // Records count epochs from 1.
                guard let epoch = method["stopped_at"]?.int.map({ $0 - 1 }) else { continue }
                stopped[index] = epoch
                let best = try #require(method["best_epoch"]?.int) - 1
                #expect(best < epoch)
                #expect(
                    history[history.count - 1][index] == history[best][index],
                    "\(name) after epoch \(history.count - 1)")
                #expect(history[best][index] != history[epoch - 1][index])
            }
            return true
        }
        let result = try trainer.run()
        #expect(stopped.count == modalities, "every modality stops: \(stopped)")
        #expect(result.stopReason == "mses: every modality has stopped")
        #expect(result.history.count == stopped.values.max()! + 1)
        #expect(fusion[fusion.count - 1] != fusion[fusion.count - 2], "the fusion is trained to the end")
    }

    @Test(
        "going back touches encoder and head of that modality alone; as released, everything",
        arguments: ["modality", "model"])
    func mses_restores_only_own_scope(restore: String) throws {
        let trainer = try SmallTraining.trainer(
            MethodTrial.data(2), MethodTrial.lively(#"{"name": "mses", "restore": "\#(restore)"}"#, epochs: 2),
            encoder: MethodTrial.encoder)
        var history: [[String: [Float]]] = []
        trainer.onEpoch = { _, trainer in
            history.append(try MethodTrial.values(trainer, nil))
            return true
        }
        _ = try trainer.run()
        // Everything is disturbed, then modality a is due.
        for (_, parameter) in trainer.model.parameters() {
            try parameter.assign(parameter.value.detached.multiplied(by: 1.5))
        }
        for (_, buffer) in trainer.model.buffers() { try buffer.assign(buffer.value.multiplied(by: 1.5)) }
        var state = try #require(trainer.method.state.table)
        var first = try #require(state.items[0].table)
        first["due"] = .bool(true)
        let best = try #require(first["best_epoch"]?.int)
        state.items[0] = .table(first)
        trainer.method.state = .table(state)
        let before = try MethodTrial.values(trainer, nil)
        try trainer.method.epochBegan()
        let after = try MethodTrial.values(trainer, nil)
        let own = try Set(MethodTrial.values(trainer, [.encoder("a"), .head("a")]).keys)
        for (name, values) in after {
            let goesBack = restore == "model" || own.contains(name)
            #expect(values == (goesBack ? history[best][name] : before[name]), "\(name)")
        }
        #expect(
            own.contains { $0.hasSuffix("running_var") } && own.contains { $0.hasPrefix("value.head.a") }
                && own.contains { $0.hasPrefix("optimizer.momentum.encoder.a") })
        #expect(trainer.model.frozen == ["a"])
    }

    @Test("gradients times 0, as released, are no freezing: decay, momentum and running statistics go on")
    func gradientStop() throws {
        let options = MethodTrial.lively(
            #"{"name": "mses", "patience": 0, "smoothing_rate": 1, "stop": "gradient", "restore": "model", "terms": "#
                + #""fused", "smoothing": "previous"}"#,
            epochs: 40)
        let trainer = try SmallTraining.trainer(MethodTrial.data(2), options, encoder: MethodTrial.encoder)
        var last: [String: [Float]] = [:]
        var drifted = 0
        trainer.onEpoch = { record, trainer in
            let now = try MethodTrial.values(trainer, [.encoder("a")], optimizer: false)
            if record.value(atPath: "method.a.stopped_at")?.int ?? .max < record["epoch"]?.int ?? 0 {
                drifted += now != last ? 1 : 0
            }
            last = now
            return true
        }
        let result = try trainer.run()
        #expect(result.stopReason != nil)
        #expect(result.history.last?.value(atPath: "method.a.stopped_at") != nil)
        #expect(
            drifted > 0 || result.history.last?.value(atPath: "method.a.stopped_at")?.int == result.history.count)
    }

    @Test("the hold-out is a tenth of every class of the training split, out of training, and its figures are recorded")
    func holdout() throws {
        let source = try MethodTrial.data(2, samples: 300)
        let trainer = try SmallTraining.trainer(source, MethodTrial.lively(#""mses""#, epochs: 1))
        let held = trainer.context.monitorRows
        let train = source.rows(.train)
        #expect(Set(held).isDisjoint(with: trainer.trainRows) && Set(held).union(trainer.trainRows) == Set(train))
        for c in 0..<source.classes {
            let all = train.filter { source.classColumns[$0] == c }.count
            #expect(held.filter { source.classColumns[$0] == c }.count == Int((0.1 * Double(all)).rounded()))
        }
        let result = try trainer.run()
        #expect(result.history[0].value(atPath: "holdout.a.loss") != nil)
        let onValidation = try SmallTraining.trainer(
            source, MethodTrial.lively(#"{"name": "mses", "holdout": 0}"#, epochs: 1))
        #expect(onValidation.context.monitorRows == source.rows(.val) && onValidation.trainRows == train)
        #expect {
            try SmallTraining.trainer(
                SmallTraining.data(#"{"val": 0}"#), MethodTrial.lively(#"{"name": "mses", "holdout": 0}"#, epochs: 1))
        } throws: {
            "\($0)".contains("bss.rebalance.mses") && "\($0)".contains("holdout = 0.1")
        }
    }

    @Test("monitoring validation works where use_val = false leaves it out of the record")
    func withoutRecordedValidation() throws {
        let options = MethodTrial.lively(
            #"{"name": "mses", "holdout": 0, "patience": 0}"#, epochs: 6, more: #", "use_val": false"#)
        let result = try SmallTraining.trainer(MethodTrial.data(2), options, encoder: MethodTrial.encoder).run()
        #expect(result.history[0]["val"] == nil)
        #expect(result.history[2].value(atPath: "method.a.smoothed_loss") != nil)
    }

    @Test(
        "terms: CE(z) + Σ CE(z_m), Eq. 5, or CE(z) alone",
        arguments: [("multitask", [1.0, 1, 1]), ("joint", [0.7, 0.3, 0.3]), ("fused", [1, 0, 0])])
    func terms(name: String, weights: [Double]) throws {
        let trainer = try SmallTraining.trainer(
            MethodTrial.data(2),
            MethodTrial.lively(#"{"name": "mses", "terms": "\#(name)"}"#, epochs: 1, more: #", "alpha": 0.3"#))
        let rows = Array(trainer.trainRows.prefix(10))
        let random = RandomStream(seed: 1, name: "x")
        let batch = TrainingBatch(
            inputs: try trainer.source.inputs(trainer.model.modalities, rows: rows, augments: false, random: random),
            labels: try Tensor.from(rows.map { trainer.source.classColumns[$0] }), positions: Array(rows.indices),
            weights: nil, keeps: nil)
        let output = try trainer.model.forward(batch.inputs, ForwardContext(.training))
        let got = try trainer.method.loss(output, batch).total(batch).item()
        let parts = try ([output.fused] + output.unimodal).map { try Tensor.crossEntropy($0, batch.labels).item() }
        #expect(abs(got - zip(weights, parts).reduce(0) { $0 + $1.0 * $1.1 }) < 1e-5)
        let total = try trainer.method.predict(output).total.values(Double.self)
        let heads = name == "joint" ? [output.fused] + output.unimodal : [output.fused]
        let expected = try heads.map { try $0.values(Double.self) }
        for i in total.indices { #expect(abs(total[i] - expected.reduce(0) { $0 + $1[i] }) < 1e-5) }
    }

    static let variants = [
        hasty,
        #"{"name": "mses", "patience": 0, "stop": "gradient", "restore": "model", "terms": "fused", "smoothing": "#
            + #""previous"}"#,
    ]

    @Test("killed and resumed: the same bits", arguments: variants, [2, 3])
    func resumes(rebalance: String, modalities: Int) throws {
        try MethodTrial.expectResumes(
            MethodTrial.data(modalities, samples: 90),
            MethodTrial.lively(rebalance, epochs: 14, scheduler: MethodTrial.schedulers[2]), killedIn: [1, 3, 5, 7])
    }

    @Test("threads change nothing")
    func threads() throws {
        let source = try MethodTrial.data(3)
        let options = MethodTrial.lively(Self.hasty, epochs: 8, scheduler: MethodTrial.schedulers[2])
        let one = try MethodTrial.bits(source, options, threads: 1)
        for threads in [2, 3] {
            #expect(try MethodTrial.bits(source, options, threads: threads) == one, "\(threads) threads")
        }
    }

    @Test("learns, with every scheduler and any number of modalities", arguments: MethodTrial.schedulers, [1, 2, 3])
    func learns(scheduler: String, modalities: Int) throws {
        #expect(try MethodTrial.accuracy(#""mses""#, modalities: modalities, scheduler: scheduler) > 0.6)
    }

    @Test("a shared head cannot stop for one modality: a usage error that says so")
    func sharedHead() throws {
        let source = try MethodTrial.data(2)
        let recipe = try Configured<EncoderRecipe>("mlp", SmallTraining.table(#"{"hidden": [8]}"#))
        let model = try ModelRecipe(
            encoders: source.modalities.map { ($0, recipe) }, fusion: Configured<FusionRecipe>("concat"),
            initialWeights: .pytorch, sharesHead: true
        )
        .build(
            sampleShapes: source.modalities.enumerated().map { (modality: $1, shape: source.sampleShape($0)) },
            classes: source.classes, seed: 1)
        #expect {
            try Trainer(SmallTraining.options(#"{"rebalance": "mses"}"#), model: model, source: source)
        } throws: {
            ($0 as? BSSError)?.kind == .usage && "\($0)".contains("mses") && "\($0)".contains("head_sharing")
        }
    }
}
