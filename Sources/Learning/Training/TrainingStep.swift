import BSSCore
import BSSNetworks
import BSSTensor

extension Trainer {
    /// One batch: {forward → loss → backward → adjust → clip → update} for every sub-step. Returns the losses' sum
    /// before the updates.
    func trainStep(
        _ batch: TrainingBatch, _ forward: ForwardContext, _ scan: inout ScanResult, _ steps: [SubStep]
    ) throws -> Double {
        let pass = BatchPass(model, batch, forward)
        // An encoder that no sub-step moves keeps its running statistics too.
        let frozen = model.frozen
        model.frozen.formUnion(model.modalities.filter { name in !steps.contains { $0.moves(.encoder(name)) } })
        defer { model.frozen = frozen }
        // Probes compute what their loss needs, and no training metrics.
        if !isProbing { try record(pass.output(), &scan) }
        var lossValue = 0.0
        for step in steps {
            var (loss, gradients) = try step.gradients(pass)
            if step.movesEncoders, let penalty = try model.fusion.penalty() {
                loss += try penalty.item()
                try gradients.add(penalty.backward(), model.parameters().map(\.parameter.value))
            }
            lossValue += loss
            guard lossValue.isFinite else { return lossValue }
            try batch.sampleLoss?.update(gradients)
            if let scopes = step.scopes { gradients = gradients.keeping(scopes, context.optimizer.groups) }
            if !isProbing { try method.adjust(&gradients, context, pass.output(), batch) }
            if let limit = options.clipNorm {
                try gradients.clip(norm: limit, context.optimizer.parameters(nil).map(\.parameter))
            }
            try context.optimizer.step(gradients)
            pass.moved(step.scopes)
        }
        return lossValue
    }

    /// The forward pass of training also gives the training metrics.
    private func record(_ output: MultimodalOutput, _ scan: inout ScanResult) throws {
        try Autograd.withoutRecording { try scan.append(method.predict(context, output)) }
    }
}

extension SubStep {
    func moves(_ scope: Scope) -> Bool { scopes?.contains(scope) ?? true }
    var movesEncoders: Bool { scopes?.contains { if case .encoder = $0 { return true } else { return false } } ?? true }
}

extension Gradients {
    /// Only the gradients of parameters in `scopes`: the rest is left alone by the optimizer, momentum and decay
    /// included.
    func keeping(_ scopes: Set<Scope>, _ groups: [ParameterGroup]) -> Gradients {
        var kept = self
        for group in groups where !scopes.covers(group.scope) {
            for (_, parameter) in group.parameters { kept[parameter.value] = nil }
        }
        return kept
    }

    /// Adds the gradients of another pass with respect to `leaves`.
    mutating func add(_ other: Gradients, _ leaves: [Tensor]) throws {
        for leaf in leaves {
            guard let more = other[leaf] else { continue }
            self[leaf] = try self[leaf].map { try $0.adding(more) } ?? more
        }
    }
}
