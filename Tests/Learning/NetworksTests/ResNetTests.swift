import BSSBackend
import BSSCore
import BSSTensor
import Foundation
import Testing
import _BSSTestSupport

@testable import BSSNetworks

@Suite(.oneAtATime) struct ResNetTests {
    private func encoder(_ name: String, _ options: [(String, Value)], _ shape: [Int]) throws -> Encoder {
        let made = try Configured<EncoderRecipe>(name, Table(fields: options)).product.make("image", shape)
        try made.initialize(.paper, from: RandomStream(seed: 1, name: "init"))
        return made
    }

    /// torchvision's counts of parameters.
    @Test func sizesAreTorchvisions() throws {
        let small = try encoder("resnet18", [("logits", .int(1000))], [3, 64, 64])
        let large = try encoder("resnet50", [("logits", .int(1000))], [3, 64, 64])
        #expect(small.parameterCount == 11_689_512 && small.featureCount == 1000)
        #expect(large.parameterCount == 25_557_032 && large.featureCount == 1000)
        let names = small.parameters().map(\.name)
        #expect(names.prefix(3) == ["conv1.weight", "bn1.weight", "bn1.bias"])
        #expect(
            names.contains("layer2.0.downsample.1.bias") && names.contains("layer4.1.conv2.weight")
                && names.last == "fc.bias")
        #expect(small.buffers().map(\.name).prefix(2) == ["bn1.running_mean", "bn1.running_var"])
        let projected = try encoder(
            "resnet50", [("logits", .int(1000)), ("features", .int(768)), ("width", .int(8))], [3, 64, 64])
        #expect(
            projected.featureCount == 768 && projected.parameters().map(\.name).suffix(2) == ["fix.weight", "fix.bias"])
    }

    @Test func stagesMakeTheWhole() throws {
        let made = try encoder(
            "resnet18", [("width", .int(8)), ("blocks", .list([1, 2, 1] as [Double]))], [1, 33, 40])
        let staged = try #require(made as? any StagedEncoder)
        #expect(staged.stageChannels == [8, 16, 32] && made.featureCount == 32)
        let x = try Tensor.normal([3, 1, 33, 40], std: 1, using: &Self.stream)
        let context = ForwardContext(.evaluation)
        var map = try staged.stem(x, context)
        #expect(map.shape == [3, 8, 9, 10])
        for index in staged.stageChannels.indices { map = try staged.stage(index, map, context) }
        #expect(map.shape == [3, 32, 3, 3])
        #expect(try staged.pooled(map, samples: 3, context).values(Float.self) == made(x, context).values(Float.self))
    }

    /// A file of torchvision's kind: its classifier is left out, our projection is not asked of it, another stem is
    /// named.
    @Test func pretrainedWeights() throws {
        let folder = NSTemporaryDirectory() + "bss-resnet-\(ProcessInfo.processInfo.processIdentifier)"
        try Files.makeFolder(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let sizes: [(String, Value)] = [("width", .int(4)), ("blocks", .list([1, 1] as [Double]))]
        let teacher = try encoder("resnet18", sizes + [("logits", .int(10))], [3, 32, 32])
        try teacher.save(to: folder + "/resnet.safetensors")
        let given: [(String, Value)] =
            sizes + [("features", .int(6)), ("pretrained", .string(folder + "/resnet.safetensors"))]
        func loaded(_ options: [(String, Value)], _ shape: [Int]) throws -> Encoder {
            let made = try encoder("resnet18", options, shape)
            _ = try made.start?(made)
            return made
        }
        let student = try loaded(given, [3, 32, 32])
        let own = Dictionary(uniqueKeysWithValues: teacher.parameters().map { ($0.name, $0.parameter) })
        var same = 0
        for (name, parameter) in student.parameters() where !name.hasPrefix("fix.") {
            #expect(try parameter.value.values(Float.self) == own[name]?.value.values(Float.self), "\(name)")
            same += 1
        }
        #expect(same == student.parameters().count - 2 && same > 10)
        #expect { _ = try loaded(given, [1, 32, 32]) } throws: {
            "\($0)".contains("conv1.weight") && ($0 as? BSSError)?.kind == .data
        }
        let audio = try loaded(given + [("strict", .bool(false))], [1, 32, 32])
        #expect(
            try audio.parameters().first { $0.name == "layer1.0.conv1.weight" }?.parameter.value.values(Float.self)
                == own["layer1.0.conv1.weight"]?.value.values(Float.self))
    }

    /// Features of a clip are the mean of its frames' features.
    @Test func framesAreFoldedIntoTheBatch() throws {
        let made = try encoder("resnet18", [("width", .int(4))], [3, 2, 32, 32])
        let x = try Tensor.normal([2, 3, 2, 32, 32], std: 1, using: &Self.stream)
        let context = ForwardContext(.evaluation)
        let together = try made(x, context).values(Float.self)
        let apart = try (0..<3).map { try made(x.sliced(1, from: $0, to: $0 + 1).squeezed(1), context) }
        let mean = try (apart[0] + apart[1] + apart[2]).multiplied(by: 1.0 / 3).values(Float.self)
        #expect(zip(together, mean).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    /// Nothing on the way from the stem to the pooled features leaves channels-last memory.
    @Test func mapsStayChannelsLast() throws {
        let made = try #require(try encoder("resnet50", [("width", .int(4))], [3, 64, 64]) as? any StagedEncoder)
        let context = ForwardContext(.training)
        var map = try made.stem(Tensor.normal([2, 3, 64, 64], std: 1, using: &Self.stream), context)
        for index in made.stageChannels.indices {
            #expect(map.view.strides[1] == 1)
            map = try made.stage(index, map, context)
        }
    }

    @Test func oneSmallImageCanBeTrainedOn() throws {
        let made = try encoder("resnet18", [("width", .int(4))], [1, 20, 20])
        let y = try made(Tensor.normal([1, 1, 20, 20], std: 1, using: &Self.stream), ForwardContext(.training))
        #expect(try y.values(Float.self).allSatisfy(\.isFinite))
    }

    @Test func wrongSamplesAreExplained() throws {
        func message(_ name: String, _ options: [(String, Value)], _ shape: [Int]) -> String {
            do {
                _ = try encoder(name, options, shape)
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(
            message("resnet18", [], [100]).contains(
                "modality 'image' has samples of shape [100], a resnet18 needs [C, H, W] or [T, C, H, W]"))
        #expect(
            message("resnet50", [("channels", .int(1))], [3, 8, 8]).contains(
                "channels = 1, but modality 'image' has samples of shape [3, 8, 8]"))
        #expect(message("resnet18", [("width", .int(0))], [3, 8, 8]).contains("width"))
        #expect(message("resnet18", [("blocks", .table(Table()))], [3, 8, 8]).contains("blocks"))
    }

    nonisolated(unsafe) private static var stream = RandomStream(seed: 2, name: "test")
}
