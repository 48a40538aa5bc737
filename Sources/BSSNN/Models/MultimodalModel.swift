import BSSCore
import BSSTensor

/// What a forward pass yields, by modality position. Logits are [B, C], features [B, d_m].
public struct MultimodalOutput {
    public let features: [Tensor]
    public let unimodal: [Tensor]
    public let fused: Tensor
}

/// One encoder and one linear head a modality, and a fusion (Eqs. 1, 2).
public final class MultimodalModel: Module {
    public let modalities: [String]
    public let encoders: [Encoder]
    public let heads: [Linear]
    public let fusion: Fusion
    public let classes: Int
    private let sharesHead: Bool

    public init(modalities: [String], encoders: [Encoder], fusion: FusionRecipe, classes: Int, sharesHead: Bool) throws {
        self.modalities = modalities
        self.encoders = encoders
        self.classes = classes
        self.sharesHead = sharesHead
        let sizes = encoders.map(\.featureCount)
        if sharesHead {
            guard Set(sizes).count == 1 else { throw BSSError("bss.model", "head_sharing needs equal feature sizes, got \(sizes)", hint: "give the encoders features = …", kind: .usage) }
            heads = Array(repeating: try Linear(sizes[0], classes), count: sizes.count)
        } else {
            heads = try sizes.map { try Linear($0, classes) }
        }
        self.fusion = try fusion.make(sizes, classes)
        super.init()
        for (name, encoder) in zip(modalities, encoders) { _ = add("encoder." + name, encoder) }
        for (name, head) in zip(modalities, heads).prefix(sharesHead ? 1 : heads.count) { _ = add(sharesHead ? "head.shared" : "head." + name, head) }
        _ = add("fusion", self.fusion)
    }

    public func encode(_ inputs: [Tensor], _ context: ForwardContext) throws -> [Tensor] {
        try zip(encoders, inputs).map { try $0($1, context) }
    }

    /// `inputs` in modality order, each [B, …].
    /// `keeps`: per sample, the modalities (bit m) whose features reach the fusion; the others are 0 there. The unimodal
    /// heads always see their own features.
    public func forward(_ inputs: [Tensor], _ context: ForwardContext, keeps: [UInt32]? = nil) throws -> MultimodalOutput {
        let features = try encode(inputs, context)
        let unimodal = try zip(heads, features).map { try $0($1, context) }
        let fusing = try keeps.map { try masked(features, $0) } ?? features
        return MultimodalOutput(features: features, unimodal: unimodal, fused: try fusion.fuse(fusing, context))
    }

    private func masked(_ features: [Tensor], _ keeps: [UInt32]) throws -> [Tensor] {
        try features.enumerated().map { m, feature in
            if keeps.allSatisfy({ $0 >> UInt32(m) & 1 == 1 }) { return feature }
            let mask = try Tensor.from(keeps.map { Float($0 >> UInt32(m) & 1) }, [keeps.count, 1], on: feature.backend)
            return try feature.multiplied(by: mask)
        }
    }

    /// One group a scope, in a fixed order.
    public func parameterGroups() -> [ParameterGroup] {
        var groups: [ParameterGroup] = []
        for (name, encoder) in zip(modalities, encoders) {
            groups.append(ParameterGroup(scope: .encoder(name), parameters: encoder.parameters(prefix: "encoder.\(name).")))
        }
        if sharesHead {
            groups.append(ParameterGroup(scope: .head("shared"), parameters: heads[0].parameters(prefix: "head.shared.")))
        } else {
            for (name, head) in zip(modalities, heads) {
                groups.append(ParameterGroup(scope: .head(name), parameters: head.parameters(prefix: "head.\(name).")))
            }
        }
        groups.append(ParameterGroup(scope: .fusion, parameters: fusion.parameters(prefix: "fusion.")))
        return groups
    }
}

/// `bss.model{ audio = bss.encoder.cnn{}, image = bss.encoder.cnn{}, fusion = "concat" }` before the data is known.
public struct ModelRecipe {
    public let encoders: [(modality: String, recipe: Configured<EncoderRecipe>)]
    public let fusion: Configured<FusionRecipe>
    public let initialWeights: InitialWeights
    public let sharesHead: Bool

    public init(encoders: [(modality: String, recipe: Configured<EncoderRecipe>)], fusion: Configured<FusionRecipe>, initialWeights: InitialWeights, sharesHead: Bool) {
        self.encoders = encoders
        self.fusion = fusion
        self.initialWeights = initialWeights
        self.sharesHead = sharesHead
    }

    /// The network with its initial weights, drawn from the stream `init` of `seed`.
    ///
    /// - Throws: modalities that do not match the data's, or an encoder that cannot take a modality's samples.
    public func build(sampleShapes: [(modality: String, shape: [Int])], classes: Int, seed: UInt64) throws -> MultimodalModel {
        let wanted = encoders.map(\.modality), given = sampleShapes.map(\.modality)
        for name in wanted where !given.contains(name) {
            let near = Text.nearest(to: name, in: given).map { "did you mean '\($0)'? " } ?? ""
            throw BSSError("bss.model", "the data has no modality '\(name)'", hint: near + "it has: \(given.joined(separator: ", "))", kind: .usage)
        }
        let built = try encoders.map { entry in
            try entry.recipe.product.make(entry.modality, sampleShapes.first { $0.modality == entry.modality }!.shape)
        }
        let model = try MultimodalModel(modalities: wanted, encoders: built, fusion: fusion.product, classes: classes, sharesHead: sharesHead)
        try model.initialize(initialWeights, from: RandomStream(seed: seed, name: "init"))
        for encoder in built { try encoder.loadPretrained() }
        return model
    }

    public var configuration: Table {
        Table(fields: [
            ("encoders", .table(Table(fields: encoders.map { ($0.modality, $0.recipe.plain) }))), ("fusion", fusion.plain),
            ("init", .string(initialWeights.rawValue)), ("head_sharing", .bool(sharesHead)),
        ])
    }
}
