import BSSBackend
import BSSCPU
import BSSCore
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSTraining

/// Under its eyes every step is eager.
private final class Watcher: KernelObserver {
    func call(_ name: String, elements: Int, on backend: any Backend, _ body: () throws -> Void) rethrows { try body() }
    func allocation(bytes: Int) {}
}

/// A replayed step has the bits of the eager one, and what is not the same every time is not replayed.
@Suite(.oneAtATime) struct ReplayTests {
    static let plain = #"{"name": "mlp", "hidden": [16]}"#

    /// Bits of the result, and how many of the steps were replayed; 4 full batches and a part of one an epoch.
    func run(
        _ options: String, _ encoder: String, _ fusion: String, isWatched: Bool
    ) throws -> (bits: String, replayed: Int) {
        let source = try SmallTraining.data(samples: 180, #"{"val": 0, "test": 0}"#)
        let all = try SmallTraining.options(#"{"batch_size": 40, "epochs": 3, \#(options)}"#)
        let trainer = try Trainer(
            all, model: SmallTraining.model(source, encoder, fusion: fusion), source: source)
        let result = isWatched ? try KernelCall.observed(by: Watcher()) { try trainer.run() } : try trainer.run()
        return (SmallTraining.bits(result), trainer.replayedSteps)
    }

    @Test(
        arguments: [
            #""rebalance": "joint", "optimizer": "sgd""#,
            #""rebalance": "joint", "optimizer": {"name": "sgd", "momentum": 0.9, "weight_decay": 0.01}"#,
            #""rebalance": "none", "optimizer": {"name": "adam", "amsgrad": true}, "clip_norm": 0.1"#,
            #""rebalance": "none", "optimizer": "adamw", "learning_rate": {"name": "exponential", "gamma": 0.5}"#,
            #""rebalance": "joint", "scheduler": "learned", "optimizer": {"name": "rmsprop", "momentum": 0.5}"#,
        ], ["concat", "sum", "gated", "affine"])
    func sameBits(options: String, fusion: String) throws {
        let eager = try run(options, Self.plain, fusion, isWatched: true)
        let replayed = try run(options, Self.plain, fusion, isWatched: false)
        #expect(eager.bits == replayed.bits)
        #expect(eager.replayed == 0 && replayed.replayed == 3 * 2)
    }

    /// Masks go on along their stream, running statistics move in place; the eager rest of an epoch goes on from both.
    @Test(
        arguments: [
            #"{"name": "mlp", "hidden": [16, 8], "dropout": 0.2}"#,
            #"{"name": "mlp", "hidden": [16], "norm": "batch"}"#,
            #"{"name": "mlp", "hidden": [16], "norm": "batch", "dropout": 0.5, "activation": "gelu"}"#,
        ],
        [
            #""rebalance": "joint", "optimizer": {"name": "sgd", "momentum": 0.9}"#,
            #""rebalance": "none", "optimizer": "adam", "scheduler": "learned""#,
        ])
    func masksAndStatistics(encoder: String, options: String) throws {
        let eager = try run(options, encoder, "concat", isWatched: true)
        let replayed = try run(options, encoder, "concat", isWatched: false)
        #expect(eager.bits == replayed.bits)
        #expect(eager.replayed == 0 && replayed.replayed == 3 * 2)
    }

    /// Blocks that fell free in a recording serve it again, and nobody else while it lives.
    @Test func memoryOfARecording() throws {
        let x = try Tensor.from((0..<1000).map { Float($0) })
        func chain() throws -> Tensor { try (0..<20).reduce(x) { y, _ in try y.multiplied(by: 2) } }
        let expected = try chain().values(Float.self)
        let recording = Recording()
        let y = try recording.record(chain)
        let others = try (0..<40).map { _ in try Tensor.full([1000], 7) }
        try y.assign(Tensor.zeros([1000]))
        try recording.replay()
        #expect(try y.values(Float.self) == expected)
        for other in others { #expect(try other.values(Float.self) == [Float](repeating: 7, count: 1000)) }
        let live = CPUBackend.shared.liveBytes
        do {
            let again = Recording()
            _ = try again.record(chain)
            // Two blocks take turns; without them it would be twenty.
            #expect(CPUBackend.shared.liveBytes - live <= 2 * 4096)
        }
        #expect(CPUBackend.shared.liveBytes == live)
    }

    @Test func draws() throws {
        var stream = RandomStream(seed: 7, name: "dropout")
        let x = try Tensor.ones([5, 3])
        let recording = Recording(drawingFrom: stream)
        let y = try recording.record { try x.dropout(rate: 0.5, using: &stream) }
        #expect(recording.isComplete)
        try recording.replay(drawingFrom: stream)
        #expect(try y.values(Float.self) == x.dropout(rate: 0.5, using: &stream).values())
        let foreign = Recording(drawingFrom: RandomStream(seed: 7, name: "other"))
        _ = try foreign.record { try x.dropout(rate: 0.5, using: &stream) }
        #expect(!foreign.isComplete)
    }

    @Test(
        "what changes from step to step is eager",
        arguments: [
            (#""rebalance": "ogm""#, plain), (#""rebalance": "joint", "scheduler": "self_paced""#, plain),
            (#""rebalance": "joint", "sample_loss": "superloss""#, plain), (#""rebalance": "reconboost""#, plain),
        ])
    func notReplayed(options: String, encoder: String) throws {
        let eager = try run(options, encoder, "concat", isWatched: true)
        let plain = try run(options, encoder, "concat", isWatched: false)
        #expect(eager.bits == plain.bits && plain.replayed == 0)
    }

    @Test func aRecordingIsTheSameCallsOnTheSameMemory() throws {
        let x = try Tensor.from([1, 2, 3] as [Float])
        let recording = Recording()
        let sum = try recording.record { try (x * x).sum() }
        #expect(recording.isComplete)
        try x.assign(Tensor.from([2, 2, 2] as [Float]))
        try recording.replay()
        #expect(try sum.item() == 12)
        let large = Recording()
        _ = try large.record { try (0..<4).map { _ in try Tensor.zeros([20 << 20]) } }
        #expect(!large.isComplete)
        let reading = Recording()
        _ = try reading.record { try (x * x).sum().item() }
        #expect(!reading.isComplete)
    }
}
