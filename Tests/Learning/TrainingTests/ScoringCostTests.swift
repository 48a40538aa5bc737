import BSSBackend
import BSSCore
import Testing
import _BSSTestSupport

@testable import BSSTraining

/// Counts calls of kernels and the elements that they write.
private final class Counter: KernelObserver {
    var calls = 0, elements = 0
    func call(_ name: String, elements: Int, on backend: any Backend, _ body: () throws -> Void) rethrows {
        calls += 1
        self.elements += elements
        try body()
    }
    func allocation(bytes: Int) {}
}

/// What the scores of BSS-L cost beyond a training in uniform order, counted, not timed.
@Suite(.oneAtATime) struct ScoringCostTests {
    private func cost(_ scheduler: String) throws -> (calls: Double, elements: Double, bits: String) {
        let source = try SmallTraining.data(samples: 400, #"{"val": 0, "test": 0}"#)
        let options = try SmallTraining.options(
            #"{"batch_size": 40, "epochs": 20, "scheduler": \#(scheduler), "rebalance": "joint"}"#)
        let model = try SmallTraining.model(source, #"{"name": "mlp", "hidden": [16]}"#, fusion: "concat")
        let counter = Counter()
        let result = try KernelCall.observed(by: counter) {
            try Trainer(options, model: model, source: source).run()
        }
        return (Double(counter.calls), Double(counter.elements), SmallTraining.bits(result))
    }

    @Test("every = 5 costs at most a tenth more, scores from the steps at most a fiftieth")
    func cost() throws {
        let uniform = try cost(#""random""#)
        let scanned = try cost(#"{"name": "learned", "every": 5}"#)
        let seen = try cost(#"{"name": "learned", "every": 5, "score_mode": "last_epoch"}"#)
        print(
            "cost of scores: every = 5 \(scanned.elements / uniform.elements) of the elements, "
                + "\(scanned.calls / uniform.calls) of the calls; last_epoch \(seen.elements / uniform.elements), "
                + "\(seen.calls / uniform.calls)")
        #expect(scanned.elements <= 1.1 * uniform.elements && scanned.calls <= 1.1 * uniform.calls)
        #expect(seen.elements <= 1.02 * uniform.elements && seen.calls <= 1.02 * uniform.calls)
        #expect(scanned.elements > seen.elements && scanned.bits != seen.bits)
        #expect(try cost(#"{"name": "learned", "every": 5, "score_mode": "last_epoch"}"#).bits == seen.bits)
    }

    @Test("scores from the steps are those of the epoch before, sample by sample")
    func order() throws {
        let source = try SmallTraining.data(samples: 120, #"{"val": 0, "test": 0}"#)
        let options = try SmallTraining.options(
            """
            {"batch_size": 40, "epochs": 2, "optimizer": {"name": "sgd", "learning_rate": 1e-30},
             "scheduler": {"name": "learned", "every": 1, "ema_beta": 1, "score_mode": "last_epoch"}}
            """)
        let model = try SmallTraining.model(source, #"{"name": "mlp", "hidden": [16]}"#, fusion: "concat")
        let trainer = try Trainer(options, model: model, source: source)
        var scores: [[Double]] = []
        trainer.onEpoch = { _, trainer in
            scores.append(trainer.scores)
            return true
        }
        _ = try trainer.run()
        // Nothing moved: the scan before the first epoch and the first epoch's steps saw the same outputs.
        #expect(scores.count == 2 && scores[0].count == trainer.trainRows.count)
        for (scanned, seen) in zip(scores[0], scores[1]) { #expect(abs(scanned - seen) < 1e-4) }
        #expect(Set(scores[1]).count > 60)
    }

    @Test("a measurer that needs more than outputs is refused")
    func refused() throws {
        let source = try SmallTraining.data(samples: 120, #"{"val": 0, "test": 0}"#)
        let options = try SmallTraining.options(
            """
            {"scheduler": {"name": "learned", "score_mode": "last_epoch", "measurer": ["feature_similarity"]}}
            """)
        let model = try SmallTraining.model(source, #"{"name": "mlp", "hidden": [16]}"#, fusion: "concat")
        let error = #expect(throws: BSSError.self) { try Trainer(options, model: model, source: source) }
        #expect(error?.kind == .usage && error?.message.contains("last_epoch") == true)
    }
}
