import BSSCore
import BSSCurriculum
import BSSNN
import BSSTensor

extension Trainer {
    /// One batch: forward → loss → backward → adjust → clip → update, once a sub-step. Returns the loss before the update.
    func trainStep(_ batch: TrainingBatch, _ forward: ForwardContext, _ scan: inout ScanResult) throws -> Double {
        var lossValue = 0.0
        for (number, step) in try subSteps(batch).enumerated() {
            let output = try model.forward(batch.inputs, forward, keeps: batch.keeps)
            if number == 0 { try record(output, &scan) }
            let loss = try options.loss.map { try custom($0, output, batch) } ?? TrainingLoss.total(step.terms(output), weights: batch.weights)
            lossValue += try loss.item()
            guard lossValue.isFinite else { return lossValue }
            var gradients = try loss.backward()
            if let scopes = step.scopes { gradients = gradients.keeping(scopes, context.optimizer.groups) }
            try method.adjust(&gradients, context, output, batch)
            if let limit = options.clipNorm { try gradients.clip(norm: limit, model.parameters().map(\.parameter)) }
            try context.optimizer.step(gradients)
        }
        return lossValue
    }

    private func subSteps(_ batch: TrainingBatch) throws -> [SubStep] { try method.steps(context, batch) }

    /// The forward pass of training also gives the training metrics.
    private func record(_ output: MultimodalOutput, _ scan: inout ScanResult) throws {
        try Autograd.withoutRecording {
            try output.fused.withValues { scan.fused.append(contentsOf: $0) }
            let total = try method.predict(context, output)
            if total !== output.fused { try total.withValues { scan.total.append(contentsOf: $0) } }
            for m in output.unimodal.indices { try output.unimodal[m].withValues { scan.unimodal[m].append(contentsOf: $0) } }
        }
    }

    /// A loss written by the user: `function(output, labels)`, output = {fused, unimodal = {…}, features = {…}}.
    private func custom(_ function: Callback, _ output: MultimodalOutput, _ batch: TrainingBatch) throws -> Tensor {
        func named(_ tensors: [Tensor]) -> Value { .fields(zip(model.modalities, tensors).map { ($0, .object($1)) }) }
        let argument = Value.fields([("fused", .object(output.fused)), ("unimodal", named(output.unimodal)), ("features", named(output.features))])
        let results = try function.function.call([argument, .object(batch.labels)])
        guard case .object(let object)? = results.first, let loss = object as? Tensor else {
            throw BSSError("bss.train", "the loss function must return a tensor, got \(results.first?.described ?? "nothing")")
        }
        guard loss.elementCount == 1 else { throw BSSError("bss.train", "the loss function must return a scalar, got shape \(loss.shape)", hint: "end with :mean()") }
        return loss
    }
}

extension Gradients {
    /// Only the gradients of parameters in `scopes`: the rest is left alone by the optimizer, momentum and decay included.
    func keeping(_ scopes: Set<Scope>, _ groups: [ParameterGroup]) -> Gradients {
        var kept = self
        for group in groups where !scopes.contains(group.scope) {
            for (_, parameter) in group.parameters { kept[parameter.value] = nil }
        }
        return kept
    }
}
