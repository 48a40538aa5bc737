import BSSBackend
import BSSCore
import Testing

@testable import BSSTensor

/// `%profile`: every operator is counted once, and results do not change.
@Suite(.serialized) struct OperatorProfileTests {
    private func count(_ profile: OperatorProfile, _ name: String) -> Int {
        profile.rows.first { $0.name == name }?.calls ?? 0
    }

    @Test func countsOperatorsOfTensorsMadeBefore() throws {
        let a = try Tensor.ones([64, 32])
        let b = try Tensor.ones([32, 16])
        let profile = OperatorProfile()
        let inside = try profile.measure { try (0..<5).map { _ in try a.matmul(b).unary(.relu).sum() } }
        #expect(try inside[0].item() == 64 * 16 * 32)
        #expect(count(profile, "relu") == 5 && count(profile, "sum") == 5)
        #expect(profile.rows.first { $0.name == "relu" }?.elements == 5 * 64 * 16)
        #expect(profile.calls >= 15 && profile.seconds > 0 && profile.seconds < 10)
        #expect(profile.allocations >= 15 && profile.allocatedBytes >= 5 * 4 * (64 * 16 * 2 + 1))
        let calls = profile.calls
        _ = try a.matmul(b)
        #expect(profile.calls == calls, "nothing is counted afterwards")
    }

    @Test func newTensorsAndErrorsAreCountedToo() throws {
        let profile = OperatorProfile()
        #expect(throws: BSSError.self) {
            try profile.measure {
                let x = try Tensor.zeros([3])
                _ = try x.unary(.exp).reshaped([4])
            }
        }
        #expect(count(profile, "fill") == 1 && count(profile, "exp") == 1)
        let after = profile.calls
        _ = try Tensor.zeros([3])
        #expect(profile.calls == after)
    }

    @Test func theInnermostProfileCounts() throws {
        let outer = OperatorProfile()
        let inner = OperatorProfile()
        let x = try Tensor.ones([4])
        try outer.measure {
            _ = try x.unary(.exp)
            try inner.measure { _ = try x.unary(.log) }
            _ = try x.unary(.exp)
        }
        #expect(
            count(outer, "exp") == 2 && count(outer, "log") == 0 && count(inner, "log") == 1 && count(inner, "exp") == 0
        )
    }

    /// A graph that was built under a profile is differentiated after it; the same bits as without one.
    @Test func graphsOutliveTheirProfile() throws {
        func gradient(_ profile: OperatorProfile?) throws -> [Float] {
            let x = try Tensor.from([Float(0.3), -1.7, 2.5], [3]).requiringGradient()
            func loss() throws -> Tensor { try x.unary(.tanh).unary(.square).sum() }
            let value = try profile.map { try $0.measure(loss) } ?? loss()
            return try value.backward()[x]!.values(Float.self)
        }
        #expect(try gradient(OperatorProfile()) == gradient(nil))
    }
}
