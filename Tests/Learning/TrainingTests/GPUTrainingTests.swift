import BSSCUDA
import BSSCore
import Testing
import _BSSEmulatedCard
import _BSSTestSupport

/// Metrics and whole trainings on the emulated card.
@Suite(.oneAtATime) struct GPUTrainingTests {
    @Test func metrics() throws {
        try EmulatedCard.run("fixtures metrics") { _ in try MetricsFixtureTests().metrics() }
    }

    @Test func train() throws {
        try EmulatedCard.runBothWays("fixtures train") { _ in try TrainFixtureTests().train() }
    }

    @Test("a training that takes scores from its steps resumes with the same bits")
    func resume() throws {
        try EmulatedCard.runBothWays("killed and resumed, score_mode last_epoch") { _ in
            try ResumeTests().everyEpoch(scheduler: ResumeTests.lastEpoch, optimizer: ResumeTests.optimizers[1])
        }
    }

    @Test("a replayed step is one graph, with the bits of the eager one")
    func graphs() throws {
        try EmulatedCard.run("replayed steps") { card in
            for usesLibraries in [false, true] {
                card.usesLibraries = usesLibraries
                let masked = #"{"name": "mlp", "hidden": [16], "norm": "batch", "dropout": 0.5}"#
                for (options, encoder) in [
                    (
                        #""rebalance": "joint", "optimizer": {"name": "sgd", "momentum": 0.9, "weight_decay": 0.01}"#,
                        ReplayTests.plain
                    ),
                    (#""rebalance": "none", "optimizer": {"name": "adam", "amsgrad": true}, "clip_norm": 0.1"#, masked),
                    (
                        #""rebalance": "joint", "scheduler": "learned", "optimizer": {"name": "rmsprop"}"#,
                        ReplayTests.plain
                    ),
                ] {
                    let tests = ReplayTests()
                    let eager = try tests.run(options, encoder, "concat", isWatched: true)
                    EmulatedCard.clear()
                    let (launched, made) = (card.launches, card.graphs)
                    let replayed = try tests.run(options, encoder, "concat", isWatched: false)
                    #expect(eager.bits == replayed.bits, "\(options)")
                    #expect(eager.replayed == 0 && replayed.replayed == 3 * 2)
                    #expect(EmulatedCard.calls("cuGraphLaunch") == 3 * 2 && card.graphs - made == 3)
                    print("replayed steps: \(card.launches - launched) launches, \(options)")
                }
            }
        }
    }

    @Test("precision is refused where it is not computed, and changes what it should")
    func precisions() throws {
        func hash(_ precision: String) throws -> String {
            try ReplayTests().run(#""precision": "\#(precision)""#, ReplayTests.plain, "concat", isWatched: false).bits
        }
        for precision in ["tf32", "bf16"] {
            let error = #expect(throws: BSSError.self) { try hash(precision) }
            #expect(error?.kind == .device && error?.message.contains("needs an NVIDIA card") == true)
        }
        try EmulatedCard.run("trainings in every precision") { card in
            for usesLibraries in [false, true] {
                card.usesLibraries = usesLibraries
                let hashes = try ["f32", "tf32", "bf16", "f32", "bf16"].map(hash)
                #expect(Set(hashes).count == 3 && hashes[0] == hashes[3] && hashes[2] == hashes[4])
                #expect(card.precision == .f32)
            }
        }
    }
}
