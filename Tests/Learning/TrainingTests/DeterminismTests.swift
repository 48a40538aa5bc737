import BSSCPU
import BSSCore
import BSSData
import Testing
import _BSSTestSupport

@testable import BSSTraining

/// Same seed, same bits: twice, for any number of threads, and resumed from any epoch.
@Suite(.oneAtATime) struct DeterminismTests {
    static let withEverything = #"{"name": "mlp", "hidden": [96, 64], "dropout": 0.3, "norm": "batch"}"#

    private func run(
        _ source: any SampleSource, _ options: String, _ encoder: String, threads: Int = CPUBackend.processorCount
    ) throws -> String {
        CPUBackend.setThreads(threads)
        defer { CPUBackend.setThreads(CPUBackend.processorCount) }
        return SmallTraining.bits(try SmallTraining.trainer(source, options, encoder: encoder).run())
    }

    @Test("the same seed twice gives the same bits, another seed others")
    func twice() throws {
        let source = try SmallTraining.data()
        let options = #"{"epochs": 3, "batch_size": 32, "scheduler": {"name": "learned", "every": 1}}"#
        let first = try run(source, options, Self.withEverything)
        #expect(try run(source, options, Self.withEverything) == first)
        #expect(
            try run(
                source, options.replacingOccurrences("epochs\": 3", "epochs\": 3, \"seed\": 2"), Self.withEverything)
                != first)
    }

    @Test(
        "threads change nothing: mlp with dropout and batch norm",
        arguments: ["random", "heuristic", "learned", "self_paced"])
    func threadsMLP(scheduler: String) throws {
        // Wide enough that every kernel is split: [128, 300] × [300, 512].
        let source = try SmallTraining.data(samples: 900, #"{"modalities": {"a": {"dim": 300}, "b": {"dim": 257}}}"#)
        let options =
            #"{"epochs": 2, "batch_size": 128, "clip_norm": 0.5, "scheduler": "\#(scheduler)", "optimizer": {"name": "#
            + #""adam"}}"#
        let encoder = #"{"name": "mlp", "hidden": [512, 129], "dropout": 0.3, "norm": "batch"}"#
        let one = try run(source, options, encoder, threads: 1)
        for threads in [2, 3] {
            #expect(try run(source, options, encoder, threads: threads) == one, "\(threads) threads")
        }
    }

    @Test("threads change nothing: layer norm, gelu, sum of losses by sgd")
    func threadsLayerNorm() throws {
        let source = try SmallTraining.data(samples: 700)
        let options = #"{"epochs": 2, "batch_size": 100}"#
        let encoder = #"{"name": "mlp", "hidden": [400], "activation": "gelu", "norm": "layer", "features": 33}"#
        let one = try run(source, options, encoder, threads: 1)
        for threads in [2, 3] {
            #expect(try run(source, options, encoder, threads: threads) == one, "\(threads) threads")
        }
    }

    @Test("threads change nothing: cnn with batch norm and pooling")
    func threadsCNN() throws {
        let source = GivenSource(
            [("audio", [1, 33, 21]), ("image", [3, 20, 20])], count: 96, classes: 4,
            splits: [.train: 0..<64, .val: 64..<80, .test: 80..<96])
        let options = #"{"epochs": 2, "batch_size": 16, "scheduler": {"name": "learned", "every": 1}}"#
        let encoder = #"{"name": "cnn", "widths": [8, 16, 24]}"#
        let one = try run(source, options, encoder, threads: 1)
        for threads in [2, 3] {
            #expect(try run(source, options, encoder, threads: threads) == one, "\(threads) threads")
        }
    }
}

extension String {
    func replacingOccurrences(_ old: String, _ new: String) -> String {
        components(separatedBy: old).joined(separator: new)
    }

    private func components(separatedBy separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}
