import BSSBackend
import BSSCore
import BSSTensor
import Testing
import _BSSTestSupport

/// Values at the edges of definition, as PyTorch gives them.
@Suite(.oneAtATime) struct EdgeValueTests {
    private func gradient(_ values: [Double], _ body: (Tensor) throws -> Tensor) throws -> [Double] {
        let x = try Tensor.from(values).requiringGradient()
        return try body(x).sum().backward()[x]?.values(Double.self) ?? []
    }

    @Test("std: gradient 0 at constant input, the usual one elsewhere")
    func deviation() throws {
        #expect(try gradient([3, 3, 3]) { try $0.standardDeviation() } == [0, 0, 0])
        let slope = try gradient([1, 2, 3]) { try $0.standardDeviation() }
        for (got, wanted) in zip(slope, [-0.5, 0, 0.5]) { #expect(abs(got - wanted) < 1e-12) }
    }

    @Test("var and std of too few elements are NaN, never negative")
    func tooFew() throws {
        #expect(try Tensor.from([5.0]).variance().item().isNaN)
        #expect(try Tensor.from([5.0]).standardDeviation().item().isNaN)
        #expect(try Tensor.from([Double]()).variance().item().isNaN)
        #expect(try Tensor.from([1.0, 2]).variance(correction: 3).item() == .infinity)
        #expect(try Tensor.from([5.0]).variance(correction: 0).item() == 0)
    }

    @Test("norm of order 0, 0.5, 3 and infinity, forward and back")
    func norms() throws {
        let x = [0, 3, -4.0]
        func norm(_ p: Double) throws -> Double { try Tensor.from(x).norm(p: p).item() }
        #expect(try norm(0) == 2)
        #expect(try norm(.infinity) == 4)
        #expect(try norm(-.infinity) == 0)
        #expect(abs(try norm(0.5) - (3.0.squareRoot() + 2) * (3.0.squareRoot() + 2)) < 1e-12)
        #expect(try gradient(x) { try $0.norm(p: 0) } == [0, 0, 0])
        #expect(try gradient(x) { try $0.norm(p: .infinity) } == [0, 0, -1])
        #expect(try gradient([2, -2]) { try $0.norm(p: .infinity) } == [0.5, -0.5])
        #expect(try gradient([0, 0]) { try $0.norm(p: 0.5) } == [0, 0])
        #expect(try gradient([0, 0]) { try $0.norm(p: 3) } == [0, 0])
        let half = try gradient(x) { try $0.norm(p: 0.5) }
        let root = try norm(0.5).squareRoot()
        for (got, wanted) in zip(half, [0, root / 3.0.squareRoot(), -root / 2]) { #expect(abs(got - wanted) < 1e-12) }
        let cube = try gradient(x) { try $0.norm(p: 3) }
        let total = try norm(3)
        for (got, wanted) in zip(cube, [0, 9 / (total * total), -16 / (total * total)]) {
            #expect(abs(got - wanted) < 1e-12)
        }
    }

    @Test("NaN is greatest in sorts, wins maxima and minima, and stays in sums")
    func notANumber() throws {
        let x = try Tensor.from([2, .nan, 1.0])
        #expect(try x.sorted().indices.values(Int.self) == [2, 0, 1])
        #expect(try x.sorted(descending: true).indices.values(Int.self) == [1, 0, 2])
        #expect(try x.topK(1).indices.values(Int.self) == [1])
        #expect(try x.extremum(.max).item().isNaN && x.extremum(.min).item().isNaN)
        #expect(try x.argExtremum(.argmax, nil).item() == 1)
        #expect(try x.argExtremum(.argmin, nil).item() == 1)
        #expect(try x.clamped(0, 1).values(Double.self)[1].isNaN)
    }

    @Test("empty batches pass through layers, and products without inner size are zeros")
    func empty() throws {
        let weight = try Tensor.ones([4, 2])
        #expect(try Tensor.linear(Tensor.zeros([0, 4]), weight, Tensor.ones([2])).shape == [0, 2])
        #expect(
            try Tensor.linear(Tensor.zeros([3, 0]), Tensor.zeros([0, 2]), Tensor.ones([2])).values(Float.self) == [
                1, 1, 1, 1, 1, 1,
            ])
        #expect(try Tensor.zeros([2, 0]).matmul(Tensor.zeros([0, 3])).values(Float.self) == [0, 0, 0, 0, 0, 0])
        #expect(try Tensor.zeros([5, 2, 0]).matmul(Tensor.zeros([5, 0, 3])).shape == [5, 2, 3])
        #expect(try Tensor.crossEntropy(Tensor.zeros([0, 3]), Tensor.zeros([0], .int64)).item().isNaN)
    }
}
