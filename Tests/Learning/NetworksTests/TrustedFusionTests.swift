import BSSBackend
import BSSCore
import BSSTensor
import Foundation
import Testing
import _BSSTestSupport

@testable import BSSNetworks

/// `etmc` against the check numbers of methods.md, A7.
@Suite(.oneAtATime) struct TrustedFusionTests {
    private static let first = [5.0, 1, 1], second = [1.0, 3, 1], third = [2.0, 2, 1]

    private func combined(_ opinions: [[Double]]) throws -> [Double] {
        let tensors = try opinions.map { try matrix([$0]) }
        return try tensors.dropFirst().reduce(tensors[0]) { try Tensor.dempsterShafer($0, $1) }.values(Double.self)
    }

    /// Dempster's rule itself, over the singletons and the frame.
    private func bruteForce(_ x: [Double], _ y: [Double]) -> (alpha: [Double], conflict: Double) {
        let classes = x.count
        func masses(_ alpha: [Double]) -> [Double] {
            let total = alpha.reduce(0, +)
            return alpha.map { ($0 - 1) / total } + [Double(classes) / total]
        }
        let a = masses(x)
        let b = masses(y)
        var joint = Array(repeating: 0.0, count: classes + 1)
        var conflict = 0.0
        for i in 0...classes {
            for j in 0...classes {
                if i == j || j == classes {
                    joint[i] += a[i] * b[j]
                } else if i == classes {
                    joint[j] += a[i] * b[j]
                } else {
                    conflict += a[i] * b[j]
                }
            }
        }
        joint = joint.map { $0 / (1 - conflict) }
        return (joint.dropLast().map { $0 * Double(classes) / joint[classes] + 1 }, conflict)
    }

    @Test func dempster_two_and_three_views() throws {
        let two = bruteForce(Self.first, Self.second)
        expectNear([two.conflict], [0.228571])
        expectNear(two.alpha, [5, 3, 1])
        expectNear(try combined([Self.first, Self.second]), [5, 3, 1])
        expectNear([3 / 9.0], [0.333333])
        let three = try combined([Self.first, Self.second, Self.third])
        expectNear(three, [7.333333, 4.666667, 1])
        expectNear(three, bruteForce(two.alpha, Self.third).alpha)
        expectNear([3 / three.reduce(0, +)], [0.230769])
    }

    @Test("without the pseudo-view: the evidence of the modalities alone, K + 1 loss terms")
    func modalitiesAlone() throws {
        let subject = try FusionCase("etmc", #"{"pseudo_view": false}"#, sizes: [3, 3])
        let unit: [Double] = [1, 0, 0, 0, 1, 0, 0, 0, 1]
        #expect(
            subject.fusion.parameters().map(\.name).sorted()
                == ["a", "b"].flatMap { ["view.\($0).0.bias", "view.\($0).0.weight"] })
        for name in ["a", "b"] { try subject.set(["view.\(name).0.weight": unit, "view.\(name).0.bias": [0, 0, 0]]) }
        // softplus(ln(e^4 - 1)) = 4, softplus(ln(e^2 - 1)) = 2, softplus(-100) = 0: alpha_1 and alpha_2 of the check.
        let features = [try matrix([[log(exp(4) - 1), -100, -100]]), try matrix([[-100, log(exp(2) - 1), -100]])]
        let result = try subject.fusion.fuse(features, ForwardContext(.evaluation))
        #expect(result.views.count == 3)
        expectNear(try result.logits.values(Double.self).map { exp($0) }, [5, 3, 1], within: 1e-5)
        // y = 0, epoch 0: ψ(S) - ψ(α_0) of (5, 1, 1), (1, 3, 1), (5, 3, 1): .366667, 2.083333 and 1/5 + 1/6 + 1/7 +
        // 1/8.
        let output = MultimodalOutput(features: features, unimodal: [], fused: result.logits, views: result.views)
        let loss = try subject.fusion.loss(output, Tensor.from([0]), epoch: 0).item()
        expectNear([loss], [0.3666667 + 2.0833333 + 1 / 5.0 + 1 / 6.0 + 1 / 7.0 + 1 / 8.0], within: 1e-5)
    }

    @Test func dempster_permutation_invariance() throws {
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
        let views = [Self.first, Self.second, Self.third]
        for order in orders { expectNear(try combined(order.map { views[$0] }), [7.333333, 4.666667, 1]) }
        var stream = RandomStream(seed: 4, name: "opinions")
        for _ in 0..<50 {
            let drawn = (0..<3).map { _ in (0..<5).map { _ in 1 + 20 * stream.uniform() } }
            let wanted = bruteForce(bruteForce(drawn[0], drawn[1]).alpha, drawn[2]).alpha
            for order in orders { expectNear(try combined(order.map { drawn[$0] }), wanted, within: 2e-5) }
        }
    }

    @Test("sure opinions that contradict each other stay finite in f32, with their gradients")
    func conflict() throws {
        let a = try matrix([[1e6, 1, 1]]).requiringGradient()
        let b = try matrix([[1, 1e6, 1]])
        let alpha = try Tensor.dempsterShafer(a, b)
        expectNear(try alpha.values(Double.self), [1e6, 1e6, 1])
        let loss = try Tensor.evidenceCrossEntropy(alpha, Tensor.from([0]), step: 10, annealing: 10)
        #expect(try loss.sum().item().isFinite)
        #expect(try loss.sum().backward()[a]!.values(Double.self).allSatisfy(\.isFinite))
    }

    private func term(_ alpha: [Double], _ label: Int, step: Double) throws -> Double {
        try Tensor.evidenceCrossEntropy(matrix([alpha]), Tensor.from([label]), step: step, annealing: 10).item()
    }

    /// y = 0: alpha_1 → 0.366667 + λ 0, alpha_2 → 2.083333 + λ 0.625093.
    @Test func edl_kl_zero_when_uniform() throws {
        for step in [0.0, 5, 10] { expectNear([try term(Self.first, 0, step: step)], [0.366667]) }
        expectNear([try term(Self.second, 0, step: 0)], [2.083333])
        expectNear([try term(Self.second, 0, step: 5)], [2.395880])
        expectNear([try term(Self.second, 0, step: 10)], [2.083333 + 0.625093])
        // No evidence at all is the uniform Dirichlet: ψ(3) - ψ(1) = 3/2, and no divergence.
        expectNear([try term([1, 1, 1], 2, step: 10)], [1.5])
    }

    /// Heads that give the three opinions whatever the features are: softplus(bias) = evidence.
    private func certain(annealing: Double = 10) throws -> FusionCase {
        let fusion = try FusionCase("etmc", #"{"annealing": \#(annealing)}"#, sizes: [2, 2])
        func bias(_ alpha: [Double]) -> [Double] { alpha.map { $0 == 1 ? -1000 : log(exp($0 - 1) - 1) } }
        for (name, alpha, inputs) in [("view.a", Self.first, 2), ("view.b", Self.second, 2), ("pseudo", Self.third, 4)]
        {
            try fusion.set(["\(name).0.weight": Array(repeating: 0, count: 3 * inputs), "\(name).0.bias": bias(alpha)])
        }
        return fusion
    }

    private func output(_ fusion: FusionCase, _ features: [Tensor]) throws -> MultimodalOutput {
        let result = try fusion.fusion.fuse(features, ForwardContext(.evaluation))
        return MultimodalOutput(features: features, unimodal: [], fused: result.logits, views: result.views)
    }

    @Test("logits are ln alpha_F: their softmax is alpha / S; views are alpha_1 … alpha_K, alpha_P, alpha_F")
    func logits() throws {
        let fusion = try certain()
        let features = [try matrix([[1, 2]]), try matrix([[3, 4]])]
        let output = try output(fusion, features)
        expectNear(try output.fused.softmax(axis: 1).values(Double.self), [7.333333 / 13, 4.666667 / 13, 1.0 / 13])
        for (view, wanted) in zip(output.views, [Self.first, Self.second, Self.third, [7.333333, 4.666667, 1]]) {
            expectNear(try view.values(Double.self), wanted)
        }
        #expect(output.views.count == 4 && fusion.fusion.hasOwnLoss)
        #expect(fusion.fusion.parameterCount == 2 * (2 + 1) * 3 + (4 + 1) * 3)
    }

    /// The K + 2 terms, with λ_t = min(1, t / T_a).
    @Test func lambda_annealing() throws {
        let fusion = try certain()
        let features = [try matrix([[1, 2], [0, 0]]), try matrix([[3, 4], [1, 1]])]
        let output = try output(fusion, features)
        let labels = [0, 2]
        let views = [Self.first, Self.second, Self.third, [7.333333, 4.666667, 1]]
        for (epoch, step) in [(0, 0.0), (1, 1), (5, 5), (10, 10), (40, 10)] {
            let wanted = try labels.map { label in try views.reduce(0) { try $0 + term($1, label, step: step) } }
            expectNear(
                try fusion.fusion.loss(output, Tensor.from(labels), epoch: epoch).values(Double.self), wanted,
                within: 5e-6)
        }
        let slow = try certain(annealing: 50)
        expectNear(
            try slow.fusion.loss(self.output(slow, features), Tensor.from(labels), epoch: 25).values(Double.self),
            try fusion.fusion.loss(output, Tensor.from(labels), epoch: 5).values(Double.self))
    }

    @Test("derivatives of the loss against finite differences", arguments: 1...3, [0, 4, 20])
    func gradients(count: Int, epoch: Int) throws {
        let fusion = try FusionCase("etmc", sizes: Array(repeating: 3, count: count)).inDoubles()
        let features = try fusion.features(rows: 4, scale: 3)
        let labels = try Tensor.from([0, 2, 1, 1])
        let failures = try FiniteDifferences.mismatches(features, fusion.fusion.parameters()) { features in
            try FiniteDifferences.projection(fusion.fusion.loss(output(fusion, features), labels, epoch: epoch))
        }
        #expect(failures.isEmpty, "\(failures.prefix(3))")
    }
}
