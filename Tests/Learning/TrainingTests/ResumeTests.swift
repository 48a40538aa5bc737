import BSSCore
import BSSData
import BSSTensor
import Foundation
import Testing
import _BSSTestSupport

@testable import BSSTraining

/// A training that was killed and resumed ends with the bits of one that was not; anything but its own whole checkpoint
/// is refused.
@Suite(.oneAtATime) struct ResumeTests {
    static let schedulers = [
        #"{"name": "random"}"#, #"{"name": "heuristic", "t_grow": 4, "rerank_epochs": [0, 2]}"#,
        #"{"name": "learned", "every": 2, "ema_beta": 0.4}"#,
        #"{"name": "self_paced", "weighting": "linear", "t_grow": 3, "lambda_0": 0.5}"#,
        #"{"name": "learned", "every": 3, "redraw_each_epoch": false, "anti": true}"#, lastEpoch,
        #"{"name": "random", "pace": "linear", "t_grow": 3, "fresh": true}"#,
    ]
    static let lastEpoch = #"{"name": "learned", "every": 2, "ema_beta": 0.4, "score_mode": "last_epoch"}"#
    static let optimizers = [
        #"{"name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": true}"#,
        #"{"name": "adam", "learning_rate": 0.01, "amsgrad": true}"#,
        #"{"name": "rmsprop", "learning_rate": 0.005, "momentum": 0.5, "centered": true}"#,
    ]
    static let encoder = #"{"name": "mlp", "hidden": [10], "dropout": 0.2, "norm": "batch"}"#

    @Test("killed in every epoch and resumed: the same bits", arguments: schedulers, optimizers)
    func everyEpoch(scheduler: String, optimizer: String) throws {
        let source = try SmallTraining.data(samples: 90)
        let epochs = 5
        let options = #"""
            {"epochs": \#(epochs), "batch_size": 16, "checkpoint_every": 1, "scheduler": \#(scheduler),
             "optimizer": \#(optimizer),
             "learning_rate": {"name": "plateau", "metric": "val_loss", "patience": 0, "threshold": 0.2,
                               "factor": 0.5, "cooldown": 1}}
            """#
        let whole = SmallTraining.bits(try SmallTraining.trainer(source, options, encoder: Self.encoder).run())
        let path = SmallTraining.temporaryFile("resume.safetensors")
        defer { Files.remove(path) }
        for last in 0..<epochs {
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
            let observer = StartObserver()
            again.observer = observer
            #expect(SmallTraining.bits(try again.run(resumes: true)) == whole, "killed in epoch \(last)")
            #expect(observer.resumedAt == last)
        }
    }

    @Test("a method without heads in its loss, score_mode train and cosine schedule resume as well")
    func otherState() throws {
        let source = try SmallTraining.data(samples: 90)
        let options = #"""
            {"epochs": 4, "batch_size": 16, "checkpoint_every": 2, "rebalance": "none",
             "learning_rate": {"name": "cosine", "t_max": 4},
             "scheduler": {"name": "learned", "every": 1, "score_mode": "train"}}
            """#
        let whole = SmallTraining.bits(try SmallTraining.trainer(source, options, encoder: Self.encoder).run())
        let path = SmallTraining.temporaryFile("other.safetensors")
        defer { Files.remove(path) }
        let killed = try SmallTraining.trainer(source, options, encoder: Self.encoder)
        killed.checkpoints.path = path
        killed.onEpoch = { record, _ in
            if record["epoch"]?.int == 4 { throw Killed() }
            return true
        }
        #expect(throws: Killed.self) { try killed.run() }
        let again = try SmallTraining.trainer(source, options, encoder: Self.encoder)
        again.checkpoints.path = path
        #expect(SmallTraining.bits(try again.run(resumes: true)) == whole)
    }

    // MARK: Files that are no checkpoint of this training

    static let plain =
        #"{"epochs": 3, "batch_size": 16, "checkpoint_every": 1, "scheduler": {"name": "learned", "every": 1}}"#

    private func checkpoint(_ source: DatasetSource, _ path: String) throws -> [UInt8] {
        Files.remove(path)
        let trainer = try SmallTraining.trainer(source, Self.plain)
        trainer.checkpoints.path = path
        _ = try trainer.run()
        return try Files.read(path)
    }

    /// The one error of resuming from `bytes`; nil if it went through.
    private func error(
        _ source: any SampleSource, _ path: String, _ options: String = ResumeTests.plain
    ) throws -> BSSError? {
        let trainer = try SmallTraining.trainer(source, options)
        trainer.checkpoints.path = path
        do { _ = try trainer.run(resumes: true) } catch let error as BSSError { return error }
        return nil
    }

    @Test func truncatedFiles() throws {
        let source = try SmallTraining.data(samples: 60)
        let path = SmallTraining.temporaryFile("truncated.safetensors")
        defer { Files.remove(path) }
        let bytes = try checkpoint(source, path)
        for length in [0, 1, 7, 8, 9, 100, bytes.count / 3, bytes.count / 2, bytes.count - 8, bytes.count - 1] {
            try Files.write(Array(bytes[..<length]), to: path)
            let error = try error(source, path)
            #expect(error?.kind == .data, "\(length) of \(bytes.count) bytes: \(error?.description ?? "no error")")
            #expect(error?.description.contains(path) ?? false, "\(error?.description ?? "")")
        }
    }

    @Test("one wrong byte anywhere is noticed")
    func damagedFiles() throws {
        let source = try SmallTraining.data(samples: 60)
        let path = SmallTraining.temporaryFile("damaged.safetensors")
        defer { Files.remove(path) }
        let bytes = try checkpoint(source, path)
        var stream = RandomStream(seed: 5, name: "damage")
        for _ in 0..<150 {
            var wrong = bytes
            let at = stream.integer(below: bytes.count)
            wrong[at] ^= UInt8(1 << stream.integer(below: 8))
            try Files.write(wrong, to: path)
            let error = try error(source, path)
            #expect(error?.kind == .data, "byte \(at) of \(bytes.count): \(error?.description ?? "no error")")
        }
    }

    @Test func foreignFiles() throws {
        let source = try SmallTraining.data(samples: 60)
        let path = SmallTraining.temporaryFile("foreign.safetensors")
        defer { Files.remove(path) }
        let bytes = try checkpoint(source, path)
        // Another training's: other options, another data set.
        for other in [
            Self.plain.replacingOccurrences("batch_size\": 16", "batch_size\": 15"),
            Self.plain.replacingOccurrences("epochs\": 3", "epochs\": 4"),
        ] {
            #expect(try error(source, path, other)?.description.contains("other options, model or data") ?? false)
        }
        #expect(
            try error(SmallTraining.data(samples: 64), path)?.description.contains("other options, model or data")
                ?? false)
        // A model file, an image, text.
        try TensorFile.write([("x", Tensor.zeros([3]))], to: path)
        #expect(try error(source, path)?.description.contains("is no checkpoint of this program") ?? false)
        for junk in [
            [UInt8]("hello, this is a text file\n".utf8), [0x89, 0x50, 0x4E, 0x47, 0, 0, 0, 0, 0, 0, 0, 0],
            Array(bytes.reversed()), Array(repeating: 0xFF, count: 64),
        ] {
            try Files.write(junk, to: path)
            let found = try error(source, path)
            #expect(
                found?.kind == .data && (found?.description.contains(path) ?? false),
                "\(found?.description ?? "no error")")
        }
    }

    @Test("the checkpoint on disk is always whole: none of its writes leaves another file behind")
    func leavesNothing() throws {
        let source = try SmallTraining.data(samples: 60)
        let folder = SmallTraining.temporaryFile("folder")
        try Files.makeFolder(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let trainer = try SmallTraining.trainer(source, Self.plain)
        trainer.checkpoints.path = folder + "/c.safetensors"
        _ = try trainer.run()
        #expect(try Files.list(folder) == ["c.safetensors"])
    }
}

private final class StartObserver: TrainingObserver {
    var resumedAt = -1
    func trainingBegan(epochs: Int, resumedAt: Int) { self.resumedAt = resumedAt }
}
