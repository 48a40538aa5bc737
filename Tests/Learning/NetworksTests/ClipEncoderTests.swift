import BSSBackend
import BSSCore
import BSSTensor
import Testing
import _BSSTestSupport

@testable import BSSNetworks

/// I3D as an encoder part: small versions, its pools, what it refuses.
@Suite(.oneAtATime) struct ClipEncoderTests {
    private func encoder(_ options: [(String, Value)], _ shape: [Int]) throws -> Encoder {
        let made = try Configured<EncoderRecipe>("i3d", Table(fields: options)).product.make("clip", shape)
        try made.initialize(.pytorch, from: RandomStream(seed: 1, name: "init"))
        return made
    }

    @Test func aSmallOneLearns() throws {
        let encoder = try encoder(
            [("width", .int(4)), ("blocks", .list([.int(1), .int(1), .int(1)]))], [2, 9, 32, 32])
        let head = try Linear(encoder.featureCount, 3)
        var stream = RandomStream(seed: 2, name: "data")
        try head.initialize(.pytorch, from: RandomStream(seed: 3, name: "init"))
        let labels = try Tensor.from([0, 1, 2, 0, 1, 2])
        let shift = try Tensor.from((0..<6).map { Float($0 % 3) }, [6, 1, 1, 1, 1])
        let clips = try Tensor.normal([6, 2, 9, 32, 32], using: &stream) + shift
        let parameters = encoder.parameters() + head.parameters()
        let adam = try Configured<OptimizerRecipe>("adam", Table(fields: [("learning_rate", .number(0.01))])).product
            .make([ParameterGroup(scope: .fusion, parameters: parameters)])
        var losses: [Double] = []
        for _ in 0..<8 {
            let context = ForwardContext(.training)
            let loss = try Tensor.crossEntropy(head(encoder(clips, context), context), labels)
            losses.append(try loss.item())
            try adam.step(loss.backward())
        }
        #expect(losses[7] < 0.7 * losses[0], "\(losses)")
    }

    @Test func pools() throws {
        let shape = [1, 32, 32, 32]
        let clips = try Tensor.ones([1, 1, 32, 32, 32])
        let released = try encoder([("width", .int(1)), ("pool", .string("released"))], shape)
        #expect(throws: BSSError.self) { try released(clips, ForwardContext(.evaluation)) }
        #expect(released.parameters().first?.name == "i3d.Conv3d_1a_7x7_1.conv3d.weight")
        #expect(
            try encoder([("width", .int(1))], [3, 16, 32, 32]).parameters().first?.name
                == "i3d.Conv3d_1a_7x7.conv3d.weight")
        #expect(try encoder([("width", .int(1))], shape)(clips, ForwardContext(.evaluation)).shape == [1, 16])
    }

    @Test func whatItRefuses() throws {
        #expect(throws: BSSError.self) { try encoder([], [3, 32, 32]) }
        #expect(throws: BSSError.self) { try encoder([("channels", .int(3))], [2, 16, 32, 32]) }
        for blocks in [[2, 5], [3, 5, 2], [0, 0, 0], [-1, 5, 2]] {
            #expect(throws: BSSError.self) { try encoder([("blocks", .list(blocks.map(Value.int)))], [3, 16, 32, 32]) }
        }
    }
}
