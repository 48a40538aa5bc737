import BSSCore
import Testing
import _BSSTestSupport

@testable import BSSCurriculum

/// Weighted orders at their edges: weight zero, and weights that are no weights.
@Suite(.oneAtATime) struct WeightedOrderTests {
    private func order(_ weights: [Double], seed: UInt64) throws -> [Int] {
        var stream = RandomStream(seed: seed, name: "order")
        return try WeightedOrder.drawn(weights: weights, from: &stream)
    }

    @Test("weights of zero come last, shuffled by the seed; the others are not moved by it")
    func tail() throws {
        let weights = (0..<60).map { $0 < 20 ? Double($0 + 1) : 0 }
        let tails = try (1...3).map { Array(try order(weights, seed: $0)[20...]) }
        for tail in tails { #expect(tail.sorted() == Array(20..<60)) }
        #expect(tails[0] != Array(20..<60) && tails[0] != tails[1] && tails[1] != tails[2])
        #expect(try order(weights, seed: 1) == order(weights, seed: 1))
        // A single zero changes nothing of what is drawn.
        var stream = RandomStream(seed: 4, name: "order")
        var same = RandomStream(seed: 4, name: "order")
        let logs: [Double] = [0.3, -1, 2, -.infinity]
        #expect(
            try WeightedOrder.drawn(logWeights: logs, from: &stream)
                == WeightedOrder.drawn(weights: logs.map(Math.exp), from: &same))
    }

    @Test("every place in the tail is as likely")
    func uniformTail() throws {
        var first = [Int](repeating: 0, count: 5)
        for seed in 0..<5000 { first[try order([1, 0, 0, 0, 0], seed: UInt64(seed))[1]] += 1 }
        for count in first[1...] { #expect(abs(count - 1250) < 150) }
    }

    @Test("NaN, infinite and negative weights are refused, naming the sample", arguments: [Double.nan, .infinity, -1])
    func refused(bad: Double) throws {
        let error = #expect(throws: BSSError.self) { try order([1, 2, bad, 1], seed: 1) }
        #expect(error?.description.contains("sample 3") == true)
        var stream = RandomStream(seed: 1, name: "order")
        #expect(throws: BSSError.self) {
            try WeightedOrder.drawnWithReplacement(weights: [1, bad], count: 3, from: &stream)
        }
        if bad != -1 {
            #expect(throws: BSSError.self) { try WeightedOrder.drawn(logWeights: [0, bad], from: &stream) }
        }
    }

    @Test("draws with replacement from weights that are all zero are uniform")
    func allZero() throws {
        var stream = RandomStream(seed: 1, name: "order")
        let drawn = try WeightedOrder.drawnWithReplacement(weights: [0, 0, 0, 0], count: 4000, from: &stream)
        for sample in 0..<4 { #expect(abs(drawn.filter { $0 == sample }.count - 1000) < 150) }
    }
}
