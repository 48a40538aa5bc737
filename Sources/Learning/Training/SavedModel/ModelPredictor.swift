import BSSBackend
import BSSCore
import BSSData
import BSSNetworks
import BSSTensor

/// What a model says of samples.
public struct ModelPrediction {
    public let classNames: [String]
    /// Logits [n, C], row-major, by output: `total` where the model's rule is known, `fused`, then a modality each.
    public internal(set) var outputs: [(name: String, logits: [Float])] = []
    public internal(set) var ids: [String] = []
    /// The class column of each sample, where it is known.
    public internal(set) var labels: [Int] = []
    public internal(set) var count = 0

    mutating func append(_ name: String, _ logits: Tensor) throws {
        let place: Int
        if let known = outputs.firstIndex(where: { $0.name == name }) {
            place = known
        } else {
            outputs.append((name, []))
            place = outputs.count - 1
        }
        try logits.withValues { outputs[place].logits.append(contentsOf: $0) }
    }
}

/// A trained network on any data of the right form: by the names of modalities and classes, on raw values, which get
/// the model's own standardisation once.
public struct ModelPredictor {
    private let network: MultimodalModel
    private let card: ModelCard
    /// Modalities whose features are 0, as where they are absent (Wei et al., CVPR 2024).
    private let missing: Set<String>
    private static let operation = "predict"

    /// - Throws: `missing` names no modality, or all; a fusion that couples its encoders cannot do without one.
    public init(_ network: MultimodalModel, _ card: ModelCard, missing: [String] = []) throws {
        (self.network, self.card, self.missing) = (network, card, Set(missing))
        for name in missing where !network.modalities.contains(name) {
            let near = Text.nearest(to: name, in: network.modalities).map { "did you mean '\($0)'? " } ?? ""
            throw ModelPredictor.wrong(
                "option 'missing': the model has no modality '\(name)'",
                near + "it has \(network.modalities.joined(separator: ", "))")
        }
        guard self.missing.count < network.modalities.count else {
            throw ModelPredictor.wrong("every modality is missing: nothing is left to predict from")
        }
        guard self.missing.isEmpty || !network.isLockStep else {
            throw ModelPredictor.wrong("the fusion couples the encoders: none of them can be missing")
        }
    }

    private static func wrong(_ message: String, _ hint: String? = nil) -> BSSError {
        BSSError(operation, message, hint: hint, kind: .usage)
    }

    /// The samples of a dataset, in the given order.
    public func predict(_ data: Dataset, rows: [Int]) throws -> ModelPrediction {
        let source = DatasetSource(data)
        var places: [Int: Int] = [:]
        for (m, name) in network.modalities.enumerated() where !missing.contains(name) {
            let place = try data.index(ofModality: name)
            try check(name, data.modalities[place].shape, "the data")
            places[m] = place
        }
        let numbers = places.values.reduce(0) { $0 + source.sampleShape($1).reduce(1, *) }
        // As evaluation cuts batches.
        let size = max(1, min(256, (1 << 22) / max(1, numbers)))
        let random = RandomStream(seed: 0, name: "scan")
        let visited = network.modalities.indices.compactMap { places[$0] }
        source.announce(visited, rows: rows, batchSize: size, augments: false, random: random)
        var result = ModelPrediction(classNames: card.classNames)
        for start in stride(from: 0, to: rows.count, by: size) {
            try Cancellation.check(ModelPredictor.operation)
            let part = Array(rows[start..<min(rows.count, start + size)])
            let inputs = try network.modalities.indices.map { m -> Tensor? in
                guard let place = places[m] else { return nil }
                let batch = try source.batch(place, rows: part, augments: false, random: random)
                return try card.standardised(batch, network.modalities[m], data.modalities[place].standardisation)
            }
            try add(inputs, part.count, &result)
        }
        result.ids = rows.map { data.ids[$0] }
        result.labels = try labels(data, rows)
        return result
    }

    /// Raw values [n, …] by modality.
    public func predict(_ tensors: [String: Tensor]) throws -> ModelPrediction {
        try network.checkNames(Array(tensors.keys), ModelPredictor.operation)
        var count: Int?
        let inputs = try network.modalities.map { name -> Tensor? in
            if missing.contains(name) { return nil }
            guard let tensor = tensors[name] else {
                let given = tensors.keys.sorted().joined(separator: ", ")
                throw ModelPredictor.wrong("no values for modality '\(name)'", "given: \(given); see option 'missing'")
            }
            try check(name, Array(tensor.shape.array.dropFirst()), "the tensor")
            guard count == nil || count == tensor.shape[0] else {
                throw ModelPredictor.wrong("'\(name)' has \(tensor.shape[0]) samples, another modality \(count ?? 0)")
            }
            count = tensor.shape[0]
            return try card.standardised(try tensor.detached.converted(to: .float32), name, nil)
        }
        var result = ModelPrediction(classNames: card.classNames)
        try add(inputs, count ?? 0, &result)
        result.ids = (0..<result.count).map { String($0 + 1) }
        return result
    }

    private func check(_ name: String, _ shape: [Int], _ what: String) throws {
        guard let own = card.modality(name), own.shape != shape else { return }
        throw ModelPredictor.wrong(
            "modality '\(name)': samples of \(what) have the shape \(shape), the model's have \(own.shape)")
    }

    /// The class column of each sample, by the class's name.
    private func labels(_ data: Dataset, _ rows: [Int]) throws -> [Int] {
        let known = Dictionary(card.classNames.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        return try rows.map { row in
            let name = data.classNames[data.labels[row]]
            if let column = known[name] { return column }
            throw ModelPredictor.wrong(
                "the class '\(name)' of sample '\(data.ids[row])' is none of the model's",
                "it knows \(card.classNames.prefix(20).joined(separator: ", "))")
        }
    }

    private func add(_ inputs: [Tensor?], _ count: Int, _ result: inout ModelPrediction) throws {
        try Autograd.withoutRecording {
            let context = ForwardContext(.evaluation)
            let output: MultimodalOutput
            if missing.isEmpty {
                output = try network.forward(inputs.compactMap { $0 }, context)
            } else {
                let features = try inputs.enumerated().map { m, input in
                    try input.map { try network.encode(m, $0, context) }
                        ?? Tensor.zeros([count, network.encoders[m].featureCount])
                }
                output = try network.output(features: features, context)
            }
            let unimodal = try network.unimodal(output, card.inference?.unimodal ?? .head, context)
            if let rule = card.inference {
                let present = [true] + network.modalities.map { !missing.contains($0) }
                let weights = zip(rule.weights, present).map { $1 ? $0 : 0 }
                try result.append("total", EquationTwelve.total([output.fused] + unimodal, weights))
            }
            try result.append("fused", output.fused)
            for (name, logits) in zip(network.modalities, unimodal) where !missing.contains(name) {
                try result.append(name, logits)
            }
            result.count += count
        }
    }
}
