import BSSCore
import BSSTensor

/// What a forward pass yields, by modality position. Logits are [B, C], features [B, d_m].
public struct MultimodalOutput {
    public let features: [Tensor]
    /// The heads' logits.
    public let unimodal: [Tensor]
    public let fused: Tensor
    /// What the fusion's own loss needs beside the fused logits.
    public let views: [Tensor]

    /// The same with other fused logits.
    public func replacing(fused: Tensor) -> MultimodalOutput {
        MultimodalOutput(features: features, unimodal: unimodal, fused: fused, views: views)
    }
}

/// Where a modality's own logits z_m come from (the choice changes results).
public enum UnimodalSource: String, Choice {
    /// The modality's part of an additive fusion: z_m = W_m h_m + b / K, Σ_m z_m = z.
    case slice
    /// The fusion of this modality's features with zeros for the others (Wei et al., CVPR 2024); any fusion.
    case mask
    /// The modality's own linear head.
    case head
}

extension BSSError {
    /// Errors of one modality's layers say whose they are.
    static func naming<R>(modality: String, _ body: () throws -> R) throws -> R {
        do { return try body() } catch var error as BSSError where error.kind != .cancelled {
            error.message = "modality '\(modality)': \(error.message)"
            throw error
        }
    }
}

/// One encoder and one linear head a modality, and a fusion (Eqs. 1, 2).
public final class MultimodalModel: Module {
    public let modalities: [String]
    public let encoders: [Encoder]
    public let heads: [Linear]
    public let fusion: Fusion
    public let classes: Int
    /// One head for all modalities.
    public let sharesHead: Bool
    public var sharedHead: Linear? { sharesHead ? heads[0] : nil }
    /// Modalities whose encoder is stopped: it runs in evaluation mode, outside the graph (inside it where the fusion
    /// couples encoders).
    public var frozen: Set<String> = []
    /// How its weights were drawn, for layers that are added later.
    public internal(set) var initialWeights = InitialWeights.pytorch

    public init(modalities: [String], encoders: [Encoder], fusion: FusionRecipe, classes: Int, sharesHead: Bool) throws
    {
        self.modalities = modalities
        self.encoders = encoders
        self.classes = classes
        self.sharesHead = sharesHead
        let sizes = encoders.map(\.featureCount)
        if sharesHead {
            guard Set(sizes).count == 1 else {
                throw BSSError(
                    "bss.model", "head_sharing needs equal feature sizes, got \(sizes)",
                    hint: "give the encoders features = …", kind: .usage)
            }
            heads = Array(repeating: try Linear(sizes[0], classes), count: sizes.count)
        } else {
            heads = try sizes.map { try Linear($0, classes) }
        }
        self.fusion = try fusion.make(FusionSetting(modalities: modalities, encoders: encoders, classes: classes))
        super.init()
        for (name, encoder) in zip(modalities, encoders) { _ = add("encoder." + name, encoder) }
        for (name, head) in zip(modalities, heads).prefix(sharesHead ? 1 : heads.count) {
            _ = add(sharesHead ? "head.shared" : "head." + name, head)
        }
        _ = add("fusion", self.fusion)
    }

    /// h_m of every modality, [B, d_m].
    public func encode(_ inputs: [Tensor], _ context: ForwardContext) throws -> [Tensor] {
        try checkCounts(inputs)
        guard isLockStep else { return try inputs.indices.map { try encode($0, inputs[$0], context) } }
        return try fusion.encode(
            inputs,
            modalities.map { isStopped($0, context) ? ForwardContext(.evaluation, random: context.random) : context })
    }

    /// h_m of one modality, [B, d_m].
    /// - Throws: a fusion that works inside the encoders, so that none can run alone.
    public func encode(_ modality: Int, _ input: Tensor, _ context: ForwardContext) throws -> Tensor {
        guard !isLockStep else {
            throw BSSError(
                "bss.model", "the fusion couples the encoders: '\(modalities[modality])' cannot be encoded alone",
                hint: "encode all modalities, or use another fusion", kind: .usage)
        }
        return try BSSError.naming(modality: modalities[modality]) {
            guard isStopped(modalities[modality], context) else { return try encoders[modality](input, context) }
            return try Autograd.withoutRecording {
                try encoders[modality](input, ForwardContext(.evaluation, random: context.random))
            }
        }
    }

    /// - Throws: a name that is none of the modalities.
    public func checkNames(_ names: [String], _ operation: String) throws {
        guard let stray = names.sorted().first(where: { !modalities.contains($0) }) else { return }
        let near = Text.nearest(to: stray, in: modalities).map { "did you mean '\($0)'? " } ?? ""
        throw BSSError(
            operation, "the model has no modality '\(stray)'",
            hint: near + "it has \(modalities.joined(separator: ", "))", kind: .usage)
    }

    private func checkCounts(_ inputs: [Tensor]) throws {
        guard let first = inputs.first, let size = first.shape.array.first else { return }
        for (name, input) in zip(modalities, inputs).dropFirst() where input.shape.array.first != size {
            throw BSSError(
                "bss.model",
                "modality '\(name)': shape \(input.shape), but '\(modalities[0])' has \(size) samples",
                hint: "the first axis is the batch, the same in every modality")
        }
    }

    /// True if the fusion works inside the encoders, so that none can run alone.
    public var isLockStep: Bool { fusion.isLockStep }
    private func isStopped(_ modality: String, _ context: ForwardContext) -> Bool {
        context.phase == .training && frozen.contains(modality)
    }

    /// The scope of a modality's head: its own, or the one that all share.
    public func headScope(_ modality: Int) -> Scope { .head(sharesHead ? "shared" : modalities[modality]) }

    /// `inputs` in modality order, each [B, …]. `keeps`: per sample, the modalities (bit m) whose features reach the
    /// fusion; the others are 0 there. The unimodal heads always see their own features.
    public func forward(
        _ inputs: [Tensor], _ context: ForwardContext, keeps: [UInt32]? = nil
    ) throws -> MultimodalOutput {
        try output(features: encode(inputs, context), context, keeps: keeps)
    }

    /// The same from features. Without `heads` nobody looks at their logits: `unimodal` is empty.
    public func output(
        features: [Tensor], _ context: ForwardContext, keeps: [UInt32]? = nil, heads isWanted: Bool = true
    ) throws -> MultimodalOutput {
        let unimodal = try isWanted ? zip(heads, features).map { try $0($1, context) } : []
        let result = try fusion.fuse(keeps.map { try masked(features, $0) } ?? features, context)
        return MultimodalOutput(features: features, unimodal: unimodal, fused: result.logits, views: result.views)
    }

    /// Fused logits of the modalities in `subset` (bit m), zeros for the others' features.
    public func subset(_ features: [Tensor], _ subset: UInt32, _ context: ForwardContext) throws -> Tensor {
        let kept = try features.enumerated().map { m, feature in
            subset >> UInt32(m) & 1 == 1 ? feature : try Tensor.zeros(feature.shape, feature.dtype, on: feature.backend)
        }
        return try fusion.fuse(kept, context).logits
    }

    /// z_m of every modality, [B, C].
    /// - Throws: `slice` of a fusion that is not additive.
    public func unimodal(
        _ output: MultimodalOutput, _ source: UnimodalSource, _ context: ForwardContext
    ) throws -> [Tensor] {
        switch source {
        case .head: return output.unimodal
        case .mask: return try modalities.indices.map { try subset(output.features, 1 << UInt32($0), context) }
        case .slice:
            if let slices = try fusion.slices(output.features, context) { return slices }
            throw BSSError(
                "unimodal logits", "this fusion is not a sum over modalities: it has no slices",
                hint: "use unimodal = \"mask\"", kind: .usage)
        }
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
            groups.append(
                ParameterGroup(scope: .encoder(name), parameters: encoder.parameters(prefix: "encoder.\(name).")))
        }
        if sharesHead {
            groups.append(
                ParameterGroup(scope: .head("shared"), parameters: heads[0].parameters(prefix: "head.shared.")))
        } else {
            for (name, head) in zip(modalities, heads) {
                groups.append(ParameterGroup(scope: .head(name), parameters: head.parameters(prefix: "head.\(name).")))
            }
        }
        let undecayed = Set(fusion.undecayed.map(ObjectIdentifier.init))
        var parameters = fusion.parameters(prefix: "fusion.")
        for (index, name) in modalities.enumerated() {
            let own = Set(fusion.classifier(of: index).map(ObjectIdentifier.init))
            guard !own.isEmpty else { continue }
            groups.append(
                ParameterGroup(
                    scope: .summand(name),
                    parameters: parameters.filter { own.contains(ObjectIdentifier($0.parameter)) }))
            parameters.removeAll { own.contains(ObjectIdentifier($0.parameter)) }
        }
        groups.append(
            ParameterGroup(
                scope: .fusion, parameters: parameters.filter { !undecayed.contains(ObjectIdentifier($0.parameter)) }))
        if !undecayed.isEmpty {
            groups.append(
                ParameterGroup(
                    scope: .fusion,
                    parameters: parameters.filter { undecayed.contains(ObjectIdentifier($0.parameter)) }, decays: false)
            )
        }
        return groups
    }
}

/// `bss.model{ audio = bss.encoder.cnn{}, image = bss.encoder.cnn{}, fusion = "concat" }` before the data is known.
public struct ModelRecipe {
    public let encoders: [(modality: String, recipe: Configured<EncoderRecipe>)]
    public let fusion: Configured<FusionRecipe>
    public let initialWeights: InitialWeights
    public let sharesHead: Bool

    public init(
        encoders: [(modality: String, recipe: Configured<EncoderRecipe>)], fusion: Configured<FusionRecipe>,
        initialWeights: InitialWeights, sharesHead: Bool
    ) {
        self.encoders = encoders
        self.fusion = fusion
        self.initialWeights = initialWeights
        self.sharesHead = sharesHead
    }

    /// The network with its initial weights, drawn from the stream `init` of `seed`.
    ///
    /// - Throws: modalities that do not match the data's, or an encoder that cannot take a modality's samples.
    public func build(
        sampleShapes: [(modality: String, shape: [Int])], classes: Int, seed: UInt64
    ) throws -> MultimodalModel {
        let wanted = encoders.map(\.modality)
        let given = sampleShapes.map(\.modality)
        for name in wanted where !given.contains(name) {
            let near = Text.nearest(to: name, in: given).map { "did you mean '\($0)'? " } ?? ""
            throw BSSError(
                "bss.model", "the data has no modality '\(name)'",
                hint: near + "it has: \(given.joined(separator: ", "))", kind: .usage)
        }
        let built = try encoders.map { entry in
            let shape = sampleShapes.first { $0.modality == entry.modality }?.shape ?? []
            return try entry.recipe.product.make(entry.modality, shape)
        }
        let model = try MultimodalModel(
            modalities: wanted, encoders: built, fusion: fusion.product, classes: classes, sharesHead: sharesHead)
        model.initialWeights = initialWeights
        try model.initialize(initialWeights, from: RandomStream(seed: seed, name: "init"))
        for encoder in built { try encoder.loadPretrained() }
        return model
    }

    public var configuration: Table {
        Table(fields: [
            ("encoders", .table(Table(fields: encoders.map { ($0.modality, $0.recipe.plain) }))),
            ("fusion", fusion.plain),
            ("init", .string(initialWeights.rawValue)), ("head_sharing", .bool(sharesHead)),
        ])
    }
}
