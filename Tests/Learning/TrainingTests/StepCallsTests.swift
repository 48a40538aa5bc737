import BSSBackend
import BSSCore
import Testing

@testable import BSSTraining

/// Calls of the backend from one update of the parameters to the next, by name.
private final class StepCounter: KernelObserver {
    private(set) var steps: [[String: Int]] = []
    private var current: [String: Int] = [:]

    func call(_ name: String, elements: Int, on backend: any Backend, _ body: () throws -> Void) rethrows {
        try body()
        current[name, default: 0] += 1
        guard name == "sgd step" else { return }
        steps.append(current)
        current = [:]
    }

    func allocation(bytes: Int) {}
}

/// A step is the same list of calls every time, one of them the optimizer's; what the host reads is counted.
@Suite(.serialized) struct StepCallsTests {
    @Test(arguments: [
        ("concat", 3, #""rebalance": {"name": "none", "probes": false}, "scheduler": "random""#),
        ("joint", 4, #""rebalance": "joint", "scheduler": "random""#),
        ("BSS-L", 4, #""rebalance": "joint", "alpha": 0.2, "scheduler": "learned""#),
    ])
    func aStepIsAFixedList(name: String, outputs: Int, options: String) throws {
        let counter = StepCounter()
        let source = try SmallTraining.data(samples: 400, #"{"val": 0, "test": 0}"#)
        let trainer = try SmallTraining.trainer(
            source, #"{"batch_size": 40, "epochs": 2, "optimizer": "sgd", \#(options)}"#)
        _ = try KernelCall.observed(by: counter) { try trainer.run() }
        #expect(counter.steps.count == 2 * 10, "one call of the optimizer a step")
        // The first step of an epoch comes after scoring and planning.
        let inner = counter.steps.enumerated().filter { $0.offset % 10 != 0 }.map(\.element)
        let usual = try #require(inner.first)
        for step in inner { #expect(step == usual) }
        let reads = (usual["read"] ?? 0) + (usual["download"] ?? 0)
        print("\(name): \(usual.values.reduce(0, +)) calls a step, \(reads) reads of the host")
        // The loss, and the logits of every output (fused, two heads, their sum) for the metrics of the epoch.
        #expect(reads == 1 + outputs)
    }
}
