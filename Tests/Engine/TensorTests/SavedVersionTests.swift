import BSSBackend
import BSSCore
import BSSTensor
import Testing
import _BSSTestSupport

/// Writing over values that a gradient still needs: refused at backward, as PyTorch does; harmless where nothing needs
/// them.
@Suite(.oneAtATime) struct SavedVersionTests {
    private func leaf(_ values: [Double]) throws -> Tensor { try Tensor.from(values).requiringGradient() }

    static let readers: [(name: String, body: @Sendable (Tensor) throws -> Tensor)] = [
        ("square", { try $0.square() }), ("exp of", { try $0.exp() }), ("product", { try $0.multiplied(by: $0) }),
        ("quotient", { try Tensor.ones([2], .float64).divided(by: $0) }), ("matmul", { try $0.matmul($0) }),
        ("softmax", { try $0.softmax(axis: 0) }), ("norm", { try $0.norm() }), ("std", { try $0.standardDeviation() }),
        ("max", { try $0.extremum(.max) }), ("prod", { try $0.product() }), ("logsumexp", { try $0.logSumExp() }),
        ("view of", { try $0.reshaped([1, 2]).square() }), ("pow", { try $0.power($0) }),
    ]

    @Test("assigning after use and before backward is an error", arguments: readers.map(\.name))
    func refused(name: String) throws {
        let body = try #require(Self.readers.first { $0.name == name }).body
        let x = try leaf([0.5, 2])
        let y = try body(x)
        // What exp and softmax read is their result.
        let readsResult = name == "exp of" || name == "softmax" || name == "std"
        if readsResult {
            try y.detached.assign(Tensor.from([7.0, 7]).sliced(0, from: 0, to: y.elementCount).reshaped(y.shape))
        } else {
            try x.assign(Tensor.from([3.0, 4]))
        }
        let error = #expect(throws: BSSError.self) { try y.sum().backward() }
        #expect(error?.description.contains("changed in place") == true)
    }

    @Test("assigning what no gradient reads, before use, or after backward is fine")
    func allowed() throws {
        let x = try leaf([1, 2])
        let y = try x.adding(3).multiplied(by: 2).sum()
        try x.assign(Tensor.from([5.0, 6]))
        #expect(try y.backward()[x]?.values(Double.self) == [2, 2])
        let z = try x.square().sum()
        #expect(try z.backward()[x]?.values(Double.self) == [10, 12])
        try x.assign(Tensor.from([1.0, 1]))
        #expect(try x.square().sum().backward()[x]?.values(Double.self) == [2, 2])
    }

    @Test("results, stretched views and other shapes are not assigned to; a view of oneself is read first")
    func targets() throws {
        let x = try leaf([1, 2])
        let y = try x.square()
        #expect(throws: BSSError.self) { try y.assign(Tensor.from([5.0, 6])) }
        #expect(throws: BSSError.self) { try Tensor.ones([1]).expanded([3]).assign(Tensor.ones([3])) }
        #expect(throws: BSSError.self) { try Tensor.ones([3]).assign(Tensor.ones([2])) }
        let square = try Tensor.from([1.0, 2, 3, 4], [2, 2])
        try square.assign(square.transposed(0, 1))
        #expect(try square.values(Double.self) == [1, 3, 2, 4])
    }
}
