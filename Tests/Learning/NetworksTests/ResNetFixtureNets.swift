import BSSBackend
import BSSCore
import BSSTensor
import Glibc
import _BSSTestSupport

@testable import BSSNetworks

func sine(_ x: Double) -> Double { sin(x) }

/// `resnet18`, `resnet50` and their audio and multi-frame variants; sizes come from the case's parameters.
enum ResNetFamily {
    static func net(_ item: FixtureCase) throws -> Net? {
        guard ["resnet18", "resnet50", "resnet18_audio", "resnet18_frames"].contains(item.op) else { return nil }
        let encoder = try encoder(item, prefix: "")
        let hasClassifier = NetCase.listed(item).contains { $0.name == "fc.weight" }
        let x = try input(item, "x")
        let g = try NetCase.tensor(item, "g")
        var net = named(encoder, prefix: "")
        net.forward = { context in
            var (stages, map) = try run(encoder, x, context)
            stages["map"] = map
            let feature = try pooled(encoder, map, x.shape[0])
            var values = ["feature": feature, "map": map]
            if hasClassifier { values["logits"] = try encoder.pooled(map, samples: x.shape[0], context) }
            let head = values["logits"] ?? feature
            return Net.Outputs(
                values: values, stages: stages, loss: try (head * g).sum().multiplied(by: 1 / Double(g.elementCount)))
        }
        return net
    }

    /// As the case's parameters say; `prefix` names one of several networks.
    static func encoder(_ item: FixtureCase, prefix: String) throws -> ResNetEncoder {
        let listed = NetCase.listed(item).filter { $0.name.hasPrefix(prefix) }.map {
            (name: String($0.name.dropFirst(prefix.count)), shape: $0.shape)
        }
        func shape(_ name: String) throws -> [Int] {
            guard let found = listed.first(where: { $0.name == name }) else {
                throw BSSError(item.id, "the case lists no parameter '\(prefix)\(name)'")
            }
            return found.shape
        }
        let depths = (1...).lazy.map { stage in
            (0...).prefix { block in listed.contains { $0.name == "layer\(stage).\(block).conv1.weight" } }.count
        }
        .prefix { $0 > 0 }
        let stem = try shape("conv1.weight")
        return try ResNetEncoder(
            .init(
                channels: stem[1], width: stem[0], depths: Array(depths),
                isBottleneck: listed.contains { $0.name == "layer1.0.conv3.weight" },
                logits: try? shape("fc.weight")[0]))
    }

    /// Images as they are; frames [B, C, T, H, W] as our [B, T, C, H, W].
    static func input(_ item: FixtureCase, _ name: String) throws -> Tensor {
        let x = try NetCase.tensor(item, name)
        return x.rank == 5 ? try x.permuted([0, 2, 1, 3, 4]) : x
    }

    static func named(_ encoder: ResNetEncoder, prefix: String) -> Net {
        Net(
            parameters: encoder.parameters(prefix: prefix), buffers: encoder.buffers(prefix: prefix),
            transposed: [prefix + "fc.weight"],
            forward: { _ in throw BSSError("nets", "no forward pass") })
    }

    /// The outputs of stem and stages by torchvision's names, and the last map.
    static func run(
        _ encoder: ResNetEncoder, _ x: Tensor, _ context: ForwardContext
    ) throws -> (stages: [String: Tensor], map: Tensor) {
        var y = try encoder.stem(x, context)
        var stages = ["maxpool": y]
        for index in encoder.stageChannels.indices {
            y = try encoder.stage(index, y, context)
            stages["layer\(index + 1)"] = y
        }
        return (stages, y)
    }

    /// Mean over positions and frames, without the classifier.
    private static func pooled(_ encoder: ResNetEncoder, _ map: Tensor, _ samples: Int) throws -> Tensor {
        try map.mean([2, 3]).reshaped(inferring: [samples, -1, map.shape[1]]).mean([1])
    }
}

/// `avnet`: two ResNets, a linear head on each, and one on their concatenated features.
enum AudioVisualFamily {
    static func net(_ item: FixtureCase) throws -> Net? {
        guard item.op == "avnet" else { return nil }
        let encoders = try [("audio", "audio_net."), ("visual", "visual_net.")].map {
            ($0.0, try ResNetFamily.encoder(item, prefix: $0.1))
        }
        let fusion = try Configured<FusionRecipe>("concat", Table()).product
        let model = try MultimodalModel(
            modalities: encoders.map(\.0), encoders: encoders.map(\.1), fusion: fusion, classes: item.int("classes"),
            sharesHead: false)
        let names = [
            "encoder.audio.": "audio_net.", "encoder.visual.": "visual_net.", "head.audio.": "linear_a.",
            "head.visual.": "linear_v.",
            "fusion.layers.0.": "linear_last.",
        ]
        func renamed(_ name: String) throws -> String {
            guard let (ours, theirs) = names.first(where: { name.hasPrefix($0.key) }) else {
                throw BSSError(item.id, "no name for '\(name)'")
            }
            return theirs + name.dropFirst(ours.count)
        }
        let audio = try ResNetFamily.input(item, "audio")
        let visual = try ResNetFamily.input(item, "visual")
        let labels = try Tensor.from(item.integers("labels"))
        let alpha = try item.double("alpha")
        return Net(
            parameters: try model.parameters().map { (try renamed($0.name), $0.parameter) },
            buffers: try model.buffers().map { (try renamed($0.name), $0.buffer) },
            transposed: ["linear_a.weight", "linear_v.weight", "linear_last.weight"]
        ) { context in
            var stages: [String: Tensor] = [:]
            // The statistics of a training step may only be recorded once: stages run on a context of their own.
            let watching = ForwardContext(context.phase == .training ? .batchStatistics : context.phase)
            try Autograd.withoutRecording {
                for (prefix, encoder, x) in [
                    ("audio_net.", encoders[0].1, audio), ("visual_net.", encoders[1].1, visual),
                ] {
                    for (name, value) in try ResNetFamily.run(encoder, x, watching).stages {
                        stages[prefix + name] = value
                    }
                }
            }
            let out = try model.forward([audio, visual], context)
            func loss(_ logits: Tensor) throws -> Tensor { try Tensor.crossEntropy(logits, labels) }
            let unimodal = try loss(out.unimodal[0]) + loss(out.unimodal[1])
            return Net.Outputs(
                values: [
                    "logits_multi": out.fused, "logits_audio": out.unimodal[0], "logits_visual": out.unimodal[1],
                    "feature_audio": out.features[0], "feature_visual": out.features[1],
                ],
                stages: stages, loss: try loss(out.fused).multiplied(by: 1 - alpha) + unimodal.multiplied(by: alpha))
        }
    }
}
