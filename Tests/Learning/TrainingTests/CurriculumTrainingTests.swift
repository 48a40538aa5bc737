import BSSCPU
import BSSCore
import BSSData
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSTraining

/// Every scheduler and every sample loss in the one training loop: it trains with every method, resumes, and does not
/// depend on threads.
@Suite(.oneAtATime) struct CurriculumTrainingTests {
    static let schedulers = [
        #"{"name": "transfer", "self_taught": 2, "lambda_0": 0.3}"#, #"{"name": "competence", "t_grow": 3}"#,
        #"{"name": "competence", "granularity": "epoch", "lambda_0": 0.4, "t_grow": 3}"#,
        #"{"name": "baby_step", "buckets": 3, "t_grow": 3}"#,
        #"{"name": "baby_step", "buckets": 4, "patience": 1, "class_balance": "per_class"}"#,
        #"{"name": "one_pass", "buckets": 3, "t_grow": 3}"#,
        #"{"name": "teacher_student", "tasks": 3, "epsilon": 0.2}"#,
        #"{"name": "teacher_student", "tasks": 3, "variant": "window"}"#,
        #"{"name": "teacher_student", "tasks": 3, "variant": "sampling"}"#,
        #"{"name": "mcl", "score_warmup_epochs": 1, "episode": 2, "k_0": 0.4}"#,
        #"{"name": "mcl", "selection": "sampled", "score_warmup_epochs": 1, "episode": 2, "k_0": 0.4}"#,
        #"{"name": "dihcl", "warmup_epochs": 1}"#,
        #"{"name": "dihcl", "warmup_epochs": 1, "feedback": "flips", "prob_map": "thompson"}"#,
        #"{"name": "dihcl", "warmup_epochs": 1, "feedback": "loss_change", "prob_map": "exponential"}"#,
        #"{"name": "adaptive", "every": 2, "lambda_0": 0.5, "self_taught": 1}"#,
        #"{"name": "self_paced", "stale": true, "lambda_0": 0.5, "t_grow": 3}"#,
        #"{"name": "self_paced", "weighting": "mixture", "lambda_0": 0.5, "t_grow": 3}"#,
        #"{"name": "custom"}"#, #"{"name": "custom", "measurer": ["loss"], "every": 2}"#,
    ]
    static let sampleLosses = [
        #"{"name": "superloss"}"#, #"{"name": "superloss", "tau": "running_mean", "on": "each"}"#,
        #"{"name": "data_parameters"}"#, #"{"name": "data_parameters", "on": "each"}"#,
        #"{"name": "screener", "hidden": 8}"#, #"{"name": "self_paced"}"#,
        #"{"name": "self_paced", "weighting": "logarithmic", "on": "total"}"#, #"{"name": "custom"}"#,
    ]
    static let encoder = #"{"name": "mlp", "hidden": [10], "dropout": 0.2, "norm": "batch"}"#

    private func options(_ epochs: Int, _ more: String) -> String {
        #"{"epochs": \#(epochs), "batch_size": 16, "checkpoint_every": 1, \#(more)}"#
    }

    private func check(_ result: TrainingResult, _ what: String) throws {
        #expect(result.history.allSatisfy { $0.value(atPath: "train.loss")?.double?.isFinite ?? false }, "\(what)")
        #expect(
            try result.model.parameters().allSatisfy {
                try $0.parameter.value.values(Float.self).allSatisfy(\.isFinite)
            }, "\(what)")
        #expect(result.order.allSatisfy { (0..<result.rows.count).contains($0) } && !result.order.isEmpty, "\(what)")
    }

    @Test("one epoch of training and more: every scheduler × {joint, none}", arguments: schedulers, ["joint", "none"])
    func schedulers(scheduler: String, rebalance: String) throws {
        let trainer = try SmallTraining.trainer(
            SmallTraining.data(samples: 120), options(3, #""rebalance": "\#(rebalance)", "scheduler": \#(scheduler)"#),
            encoder: Self.encoder)
        try check(trainer.run(), scheduler)
    }

    @Test(
        "every sample loss × {joint, none, ogm, mmpareto, mla}, under BSS-L and under soft weights",
        arguments: sampleLosses, ["joint", "none", "ogm", "mmpareto", "mla"])
    func sampleLosses(sampleLoss: String, rebalance: String) throws {
        // MLA has no fused loss.
        let loss =
            rebalance == "mla"
            ? sampleLoss.replacingOccurrences(#""data_parameters"}"#, #""data_parameters", "on": "each"}"#) : sampleLoss
        for scheduler in [
            #""learned""#, #"{"name": "self_paced", "weighting": "linear", "lambda_0": 0.5, "t_grow": 2}"#,
        ] {
            let trainer = try SmallTraining.trainer(
                SmallTraining.data(samples: 90),
                options(2, #""rebalance": "\#(rebalance)", "scheduler": \#(scheduler), "sample_loss": \#(loss)"#),
                encoder: Self.encoder)
            let before = try trainer.model.stateTensors().filter {
                $0.name.contains("sample_loss") && $0.name.contains("values")
            }.map { try $0.tensor.values(Float.self) }
            try check(trainer.run(), loss)
            let after = try trainer.model.stateTensors().filter {
                $0.name.contains("sample_loss") && $0.name.contains("values")
            }.map { try $0.tensor.values(Float.self) }
            // Tables of terms that the method does not have rest; some move.
            if loss.contains("data_parameters") {
                #expect(zip(before, after).contains { $0 != $1 }, "\(loss) with \(rebalance)")
            }
            if loss.contains("each"), loss.contains("data_parameters"), rebalance == "mmpareto" {
                #expect(zip(before, after).allSatisfy { $0 != $1 })
            }
        }
    }

    @Test(
        "killed and resumed: the same bits, for every scheduler and sample loss",
        arguments: schedulers.map { #""scheduler": \#($0)"# }
            + sampleLosses.map { #""scheduler": {"name": "learned", "every": 2}, "sample_loss": \#($0)"# })
    func resumes(what: String) throws {
        let source = try SmallTraining.data(samples: 90)
        let options = options(5, what)
        let whole = SmallTraining.bits(try SmallTraining.trainer(source, options, encoder: Self.encoder).run())
        let path = SmallTraining.temporaryFile("curriculum.safetensors")
        defer { Files.remove(path) }
        for last in [1, 3] {
            Files.remove(path)
            let killed = try SmallTraining.trainer(source, options, encoder: Self.encoder)
            killed.checkpoints.path = path
            killed.onEpoch = { record, _ in
                if record["epoch"]?.int == last + 1 { throw Killed() }
                return true
            }
            #expect(throws: Killed.self) { try killed.run() }
            let again = try SmallTraining.trainer(source, options, encoder: Self.encoder)
            again.checkpoints.path = path
            #expect(SmallTraining.bits(try again.run(resumes: true)) == whole, "killed in epoch \(last)")
        }
    }

    @Test(
        "1, 2 and 3 threads give the same bits",
        arguments: [
            #""scheduler": {"name": "mcl", "score_warmup_epochs": 0, "k_0": 0.5}, "sample_loss": "superloss""#,
            #""scheduler": {"name": "dihcl", "warmup_epochs": 1}, "sample_loss": "data_parameters""#,
            #""scheduler": {"name": "teacher_student", "tasks": 3}, "sample_loss": {"name": "screener"}"#,
            #""scheduler": {"name": "transfer", "self_taught": 1, "lambda_0": 0.5}, "sample_loss": "self_paced""#,
            #""scheduler": {"name": "adaptive", "every": 1, "lambda_0": 0.5}"#,
            #""scheduler": {"name": "competence", "t_grow": 2}"#,
            #""scheduler": {"name": "self_paced", "stale": true}"#,
        ])
    func threads(what: String) throws {
        defer { CPUBackend.setThreads(CPUBackend.processorCount) }
        let source = try SmallTraining.data(samples: 500, #"{"modalities": {"a": {"dim": 200}, "b": {"dim": 157}}}"#)
        let runs = try [1, 2, 3].map { threads in
            CPUBackend.setThreads(threads)
            return SmallTraining.bits(
                try SmallTraining.trainer(
                    source, #"{"epochs": 2, "batch_size": 64, \#(what)}"#,
                    encoder: #"{"name": "mlp", "hidden": [300], "norm": "batch"}"#
                ).run())
        }
        #expect(runs[1] == runs[0] && runs[2] == runs[0])
    }

    @Test("a self-taught teacher leaves model, momentum and streams as they were; what it trained is counted apart")
    func selfTaught() throws {
        let source = try SmallTraining.data(samples: 120)
        // A pace of 1 shows everything: the ranking decides nothing, so parameters must be those of a run without
        // teacher.
        func run(_ more: String) throws -> TrainingResult {
            try SmallTraining.trainer(
                source, options(3, #""scheduler": {"name": "transfer", "pace": "full"\#(more)}"#), encoder: Self.encoder
            ).run()
        }
        let plain = try run("")
        let taught = try run(#", "self_taught": 3"#)
        #expect(
            Set(plain.order) == Set(taught.order) && taught.samples - plain.samples == 3 * taught.rows.count
                && plain.samples == 3 * plain.rows.count)
        #expect(plain.scores != taught.scores)
        // The teacher's losses are below those of the untrained model.
        #expect(Math.mean(taught.scores) > Math.mean(plain.scores))
    }

    @Test("a teacher's checkpoint scores also where a sample loss has added tables; given scores need no scan")
    func teachers() throws {
        let source = try SmallTraining.data(samples: 120)
        let path = SmallTraining.temporaryFile("teacher-model.safetensors")
        defer { Files.remove(path) }
        let teacher = try SmallTraining.trainer(source, options(4, #""rebalance": "joint""#), encoder: Self.encoder)
            .run()
        try TensorFile.write(teacher.model.stateTensors().map { ($0.name, $0.tensor) }, to: path)
        let by = try SmallTraining.trainer(
            source,
            options(
                1, #""scheduler": {"name": "transfer", "checkpoint": "\#(path)"}, "sample_loss": "data_parameters""#),
            encoder: Self.encoder
        ).run()
        let list = by.scores.map { JSON.text(.number($0)) }.joined(separator: ", ")
        let given = try SmallTraining.trainer(
            source,
            options(1, #""scheduler": {"name": "transfer", "scores": [\#(list)]}, "sample_loss": "data_parameters""#),
            encoder: Self.encoder
        ).run()
        #expect(given.scores == by.scores && given.order == by.order && given.parametersHash == by.parametersHash)
        let adaptive = try SmallTraining.trainer(
            source,
            options(
                2,
                #""scheduler": {"name": "adaptive", "checkpoint": "\#(path)"}, "sample_loss": {"name": "#
                    + #""distillation", "checkpoint": "\#(path)"}"#
            ), encoder: Self.encoder
        ).run()
        try check(adaptive, "adaptive")
        #expect {
            try SmallTraining.trainer(source, options(1, #""scheduler": {"name": "transfer", "scores": [1, 2]}"#))
        } throws: { "\($0)".contains("2 values") }
    }

    @Test("DIHCL sees the loss of every shown sample: after the warm-up its scores are minus the running hardness")
    func feedback() throws {
        let result = try SmallTraining.trainer(
            SmallTraining.data(samples: 120),
            options(
                1,
                #""scheduler": {"name": "dihcl", "warmup_epochs": 1, "discount": 1}, "optimizer": {"name": "sgd", "#
                    + #""learning_rate": 0.5}"#
            )
        ).run()
        let mean = try #require(result.history[0].value(atPath: "train.loss")?.double)
        #expect(
            result.scores.count == result.rows.count && abs(-Math.mean(result.scores) * 0.5 - mean) < 1e-4,
            "\(-Math.mean(result.scores) * 0.5) and \(mean)")
    }
}
