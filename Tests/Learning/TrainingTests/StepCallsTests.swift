import BSSBackend
import BSSCore
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSTraining

/// A step is the same list of calls every time, one of them the optimizer's; what the host reads of it is counted, on
/// memory that it cannot read behind the backend's back.
@Suite(.oneAtATime) struct StepCallsTests {
    /// Steps that read nothing.
    private static let silent = [
        ("concat", #""rebalance": {"name": "none", "probes": false}, "scheduler": "random""#),
        ("probes", #""rebalance": "none", "scheduler": "random""#),
        ("joint", #""rebalance": "joint", "scheduler": "random""#),
        ("clipped", #""rebalance": "joint", "scheduler": "random", "clip_norm": 0.5"#),
        ("BSS-L", #""rebalance": "joint", "alpha": 0.2, "scheduler": "learned""#),
    ]

    private static func train(_ options: String, on backend: SealedBackend?) throws -> TrainingResult {
        func run() throws -> TrainingResult {
            let source = try SmallTraining.data(samples: 400, #"{"val": 0, "test": 0}"#)
            return try SmallTraining.trainer(
                source, #"{"batch_size": 40, "epochs": 2, "optimizer": "sgd", \#(options)}"#
            ).run()
        }
        return try backend.map { try $0.asCurrent(run) } ?? run()
    }

    @Test(arguments: silent)
    func aStepReadsNothing(name: String, options: String) throws {
        let sealed = SealedBackend()
        let result = try Self.train(options, on: sealed)
        #expect(sealed.steps.count == 2 * 10, "one call of the optimizer a step")
        // The first step of an epoch comes after scoring and planning.
        let inner = sealed.steps.enumerated().filter { $0.offset % 10 != 0 }.map(\.element)
        let usual = try #require(inner.first)
        for step in inner { #expect(step == usual) }
        #expect(Self.reads(usual) == 0)
        // Nor does the host build anything: what a step uploads are zeros and ones for its own memory.
        #expect(usual["upload"] == nil)
        print("\(name): \(usual.values.reduce(0, +)) calls a step")
        #expect(SmallTraining.bits(result) == SmallTraining.bits(try Self.train(options, on: nil)))
    }

    private static func reads(_ step: [String: Int]) -> Int { (step["read"] ?? 0) + (step["download"] ?? 0) }

    /// Reads a step of every method as it is by default, printed for BENCHMARKS; those that promise none have none.
    @Test(arguments: RebalanceRecipe.parts.map(\.name).filter { $0 != "custom" })
    func everyMethod(name: String) throws {
        let sealed = SealedBackend()
        _ = try Self.train(#""rebalance": "\#(name)", "scheduler": "random""#, on: sealed)
        let inner = sealed.steps.enumerated().filter { $0.offset % 10 != 0 }.map(\.element)
        let reads = inner.map(Self.reads)
        let calls = inner.map { $0.values.reduce(0, +) }
        func mean(_ values: [Int]) -> String { Text.fixed(Double(values.reduce(0, +)) / Double(values.count), 1) }
        print("\(name): \(mean(calls)) calls, \(mean(reads)) reads a step")
        let promise = try SmallTraining.options(#"{"rebalance": "\#(name)"}"#).rebalance.product.traits.steps
        if promise != .reading { #expect(reads.allSatisfy { $0 == 0 }, "\(name) promises to read nothing") }
    }
}
