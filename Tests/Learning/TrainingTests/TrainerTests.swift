import BSSBackend
import BSSCore
import BSSCurriculum
import BSSData
import BSSNetworks
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSTraining

/// What a training promises besides its numbers: it learns, selects, stops, reports, and says what went wrong.
@Suite(.oneAtATime) struct TrainerTests {
    /// Curricula that reach the whole training set: with a tenth of it, the easiest samples may all be of one class.
    @Test(
        "the loss falls and the test accuracy is far above chance", arguments: ["joint", "none"],
        [
            #""random""#, #""learned""#, #"{"name": "heuristic", "t_grow": 6}"#,
            #"{"name": "self_paced", "t_grow": 6}"#,
        ])
    func learns(rebalance: String, scheduler: String) throws {
        let result = try SmallTraining.trainer(
            SmallTraining.data(samples: 400),
            #"{"epochs": 12, "batch_size": 32, "rebalance": "\#(rebalance)", "scheduler": \#(scheduler), "optimizer": "#
                + #"{"name": "sgd", "learning_rate": 0.05, "momentum": 0.9}}"#
        ).run()
        let losses = result.history.compactMap { $0.value(atPath: "test.loss")?.double }
        #expect(losses.count == 12 && losses[11] < 0.7 * losses[0], "\(losses)")
        #expect(result.selections.value(atPath: "last.test.total.accuracy")?.double ?? 0 > 0.6)
    }

    @Test("every metric of every output, split and selection is there and in range")
    func metricsAreComplete() throws {
        let result = try SmallTraining.trainer(SmallTraining.data(), #"{"epochs": 2, "select": "test_best"}"#).run()
        for selection in ["last", "val_best", "test_best", "selected"] {
            for split in ["train", "val", "test"] {
                #expect(result.selections.value(atPath: "\(selection).\(split).loss")?.double?.isFinite ?? false)
                for output in ["total", "fused", "a", "b"] {
                    for metric in ["accuracy", "map", "macro_f1", "weighted_f1", "loss"] {
                        let value = try #require(
                            result.selections.value(atPath: "\(selection).\(split).\(output).\(metric)")?.double)
                        #expect(value >= 0 && (metric == "loss" || value <= 1))
                    }
                }
            }
        }
        for key in ["epoch", "learning_rate", "samples", "seconds", "train", "val", "test"] {
            #expect(result.history[0][key] != nil, "\(key)")
        }
    }

    @Test("last, val_best and test_best are the epochs they say")
    func selections() throws {
        let result = try SmallTraining.trainer(
            SmallTraining.data(samples: 300),
            #"{"epochs": 8, "batch_size": 16, "optimizer": {"name": "sgd", "learning_rate": 0.5}}"#
        ).run()
        func values(_ path: String) -> [Double] { result.history.map { $0.value(atPath: path)?.double ?? .nan } }
        /// The epoch, from 1, of the first of the highest accuracies; on validation, the one of them with the lowest
        /// loss.
        func best(_ split: String) -> Int {
            let accuracies = values("\(split).total.accuracy")
            let losses = values("\(split).loss")
            let top = accuracies.indices.filter { accuracies[$0] == accuracies.max() }
            return 1 + (split == "val" ? top.min { losses[$0] < losses[$1] }! : top[0])
        }
        #expect(result.selections.value(atPath: "last.epoch")?.int == 8)
        #expect(result.selections.value(atPath: "val_best.epoch")?.int == best("val"))
        #expect(result.selections.value(atPath: "test_best.epoch")?.int == best("test"))
        #expect(result.selections.value(atPath: "selected.epoch")?.int == best("val"))
    }

    @Test(
        "without a validation split, or with use_val = false, val_best is last",
        arguments: [(#"{"val": 0}"#, "{\"epochs\": 3}"), ("{}", "{\"epochs\": 3, \"use_val\": false}")])
    func withoutValidation(data: String, options: String) throws {
        let result = try SmallTraining.trainer(SmallTraining.data(data), options).run()
        #expect(result.selections.value(atPath: "val_best.epoch")?.int == 3)
        #expect(result.history[0]["val"] == nil)
        #expect(
            result.selections.value(atPath: "val_best.test.total.accuracy")?.double
                == result.selections.value(atPath: "last.test.total.accuracy")?.double)
    }

    @Test("on_epoch stops after its epoch")
    func stops() throws {
        let trainer = try SmallTraining.trainer(SmallTraining.data(), #"{"epochs": 10}"#)
        trainer.onEpoch = { record, _ in record["epoch"]?.int != 3 }
        let result = try trainer.run()
        #expect(result.history.count == 3 && !result.isComplete)
        #expect(result.selections.value(atPath: "last.epoch")?.int == 3)
    }

    @Test("plans: a pace shows fewer samples, drop_last drops, every sample is shown once")
    func samples() throws {
        let source = try SmallTraining.data(samples: 150)
        let n = source.rows(.train).count
        let heuristic = try SmallTraining.trainer(
            source,
            #"{"epochs": 4, "batch_size": 8, "scheduler": {"name": "heuristic", "pace": "linear", "lambda_0": 0.25, "#
                + #""t_grow": 3}}"#
        ).run()
        let counts = heuristic.history.compactMap { $0["samples"]?.int }
        #expect(counts[0] == Int(Double(n) * 0.25) && counts[3] == n && counts == counts.sorted())
        let dropped = try SmallTraining.trainer(
            source, #"{"epochs": 1, "batch_size": 16, "scheduler": {"name": "random", "drop_last": true}}"#
        ).run()
        #expect(dropped.history[0]["samples"]?.int == n / 16 * 16)
        #expect(Set(heuristic.order).count == n)
    }

    @Test(
        "a last batch of one row under batch norm: the training goes on, and its statistics stay finite",
        arguments: ["eval", "batch_statistics", "train"])
    func lastBatchOfOne(mode: String) throws {
        let source = try SmallTraining.data(samples: 100)
        let batch = source.rows(.train).count - 1
        let result = try SmallTraining.trainer(
            source,
            #"{"epochs": 3, "batch_size": \#(batch), "scheduler": {"name": "learned", "every": 1, "score_mode": "#
                + #""\#(mode)"}}"#,
            encoder: #"{"name": "mlp", "hidden": [8], "norm": "batch"}"#
        ).run()
        #expect(result.history.count == 3)
        for (name, buffer) in result.model.buffers() {
            #expect(try buffer.value.values(Float.self).allSatisfy(\.isFinite), "\(name)")
        }
    }

    // MARK: What goes wrong

    @Test("NaN in a sample: the error names epoch, step and samples")
    func nanInData() throws {
        let source = GivenSource(
            [("a", [4]), ("b", [3])], count: 40, classes: 2, splits: [.train: 0..<30, .test: 30..<40])
        source.values[0][4 * 17 + 2] = .nan
        #expect {
            try SmallTraining.trainer(source, #"{"epochs": 2, "batch_size": 10}"#).run()
        } throws: { error in
            // Later batches may have been asked for before anybody looked.
            guard let step = source.asked.firstIndex(where: { $0.contains(17) }) else { return false }
            return "\(error)".contains(
                "the loss is nan at epoch 1, step \(step + 1), samples sample-\(source.asked[step][0]), ")
        }
    }

    @Test(
        "an exploding learning rate ends with the same error, in training or in evaluation",
        arguments: ["random", "learned"], [1, 4])
    func explodes(scheduler: String, epochs: Int) throws {
        let source = try SmallTraining.data(samples: 100)
        let options =
            #"{"epochs": \#(epochs), "batch_size": 100, "scheduler": {"name": "\#(scheduler)"}, "optimizer": {"name": "#
            + #""sgd", "learning_rate": 1e30}}"#
        #expect { try SmallTraining.trainer(source, options).run() } throws: { error in
            (error as? BSSError)?.kind == .runtime && "\(error)".contains("epoch")
                && "\(error)".contains("learning rate")
        }
    }

    // MARK: Scoring

    @Test(
        "scores leave parameters and buffers as they were, except in mode train",
        arguments: [ScanSettings.Mode.batchStatistics, .eval, .train])
    func scoringSideEffects(mode: ScanSettings.Mode) throws {
        let source = try SmallTraining.data()
        let model = try SmallTraining.model(
            source, #"{"name": "mlp", "hidden": [10], "norm": "batch", "dropout": 0.3}"#)
        var settings = ScanSettings()
        settings.mode = mode
        let before = try model.parametersHash()
        let rows = source.rows(.train)
        let first = try Scoring.measure(
            model, source, rows: rows, .paper, settings, LossWeights(alpha: 0.2, modalities: 2), seed: 1, batchSize: 16)
        #expect(first.score.count == rows.count && first.score.allSatisfy(\.isFinite))
        #expect((try model.parametersHash() == before) == (mode != .train))
        if mode != .train {
            let second = try Scoring.measure(
                model, source, rows: rows, .paper, settings, LossWeights(alpha: 0.2, modalities: 2), seed: 1,
                batchSize: 16)
            #expect(second.score == first.score)
        }
    }

    @Test("a whole training with scoring has the parameters of one without, where the order is the same")
    func scoringChangesNothing() throws {
        // A learned order of temperature → ∞ differs from random, so two scorings are compared: every epoch and every
        // second one, under beta = 0 (scores of the first scan only).
        let source = try SmallTraining.data()
        let encoder = #"{"name": "mlp", "hidden": [10], "norm": "batch", "dropout": 0.3}"#
        let hashes = try [1, 2].map { every in
            try SmallTraining.trainer(
                source, #"{"epochs": 4, "scheduler": {"name": "learned", "every": \#(every), "ema_beta": 0}}"#,
                encoder: encoder
            ).run().parametersHash
        }
        #expect(hashes[0] == hashes[1])
    }

    @Test("the balance score of a learned scheduler finds the imbalanced samples of generated data")
    func findsImbalancedSamples() throws {
        let dataset = try Configured<Dataset>(
            "synthetic", SmallTraining.table(#"{"samples": 1000, "imbalanced": 0.25}"#)
        ).product
        let source = DatasetSource(dataset)
        let result = try SmallTraining.trainer(
            source, #"{"epochs": 12, "scheduler": {"name": "learned", "every": 2}}"#,
            encoder: #"{"name": "mlp", "hidden": [64]}"#
        ).run()
        let truth = try #require(dataset.truth)
        let metrics = BinaryMetrics(
            scores: result.scores.map { -$0 }, isPositive: dataset.train.map { truth.isImbalanced[$0] })
        print("balance score: AUROC \(Text.fixed(metrics.auroc, 3)) for imbalanced samples")
        #expect(metrics.auroc > 0.65)
    }

    @Test(
        "alpha and raw weights together, and similarity without trained heads, are usage errors",
        arguments: [
            (#"{"alpha": 0.2, "w_uni": 1}"#, "two ways to say one thing"),
            (#"{"alpha": 0, "scheduler": "learned"}"#, "untrained"),
            (#"{"w_multi": 0, "w_uni": 0}"#, "nothing would be trained"), (#"{"alpha": 1.5}"#, "from 0 to 1"),
            (#"{"epochs": 0}"#, "from 1 to"),
            (#"{"epoch": 3}"#, "did you mean 'epochs'?"),
            (#"{"scheduler": {"name": "heuristic", "lambda_0": -1}}"#, "lambda_0"),
            (#"{"optimizer": "adem"}"#, "did you mean 'adam'?"),
        ])
    func usageErrors(options: String, text: String) throws {
        #expect { try SmallTraining.options(options) } throws: {
            ($0 as? BSSError)?.kind == .usage && "\($0)".contains(text)
        }
    }
}
