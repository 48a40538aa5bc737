import BSSCore
import BSSCurriculum
import BSSNetworks
import BSSTensor

/// A rebalancing method whose hooks are functions of a script: the seven extension points of `RebalanceMethod`, each
/// optional.
///
/// What a hook leaves out behaves as in `bss.rebalance.none` (`base = "fused"`) or `joint`.
final class CustomMethod: BaseLossMethod {
    private let hooks: [Hook: any Callable]
    private let kept = KeptValues()
    /// What the hook `epoch` returned at the beginning and at the end of this epoch.
    private var opening: Table?, closing: Table?

    init(_ options: Options, _ setup: MethodSetup) throws {
        hooks = options.hooks
        super.init(options.base, setup.context)
        _ = try call(.setup)
    }

    private func call(_ hook: Hook, _ arguments: [Value] = []) throws -> Value? {
        guard let function = hooks[hook] else { return nil }
        let object = TrainingObject(context, kept, method: self)
        return try function.call([.object(object)] + arguments).first ?? .null
    }

    private func mistake(_ hook: Hook, _ got: Value, _ hint: String? = nil) -> BSSError {
        BSSError(
            "bss.rebalance.custom",
            "the hook '\(hook.rawValue)' at \(hooks[hook]?.definition ?? "") returned \(got.described)",
            hint: hint ?? hook.help)
    }

    override func epochBegan() throws {
        closing = nil
        opening = try epoch("begin")
    }
    override func epochEnded() throws { closing = try epoch("end") }
    override func report() -> Table? { opening }
    override var closingReport: Table? { closing }

    private func epoch(_ phase: String) throws -> Table? {
        guard let answer = try call(.epoch, [.string(phase)]), !answer.isNull else { return nil }
        guard let table = answer.table, table.items.isEmpty else { throw mistake(.epoch, answer) }
        return table
    }

    override func plan(_ plan: SamplePlan) throws -> SamplePlan {
        let modalities = context.model.modalities
        guard let answer = try call(.plan, [PlanValue.value(plan, modalities)]) else { return plan }
        do {
            let chosen = try PlanValue.plan(answer, modalities, samples: context.trainRows.count)
            guard !chosen.positions.isEmpty || plan.positions.isEmpty else {
                throw Mismatch("'positions' is empty: nothing would be trained")
            }
            return chosen
        } catch let error as Mismatch {
            throw mistake(.plan, answer, error.detail)
        }
    }

    override func loss(
        _ output: MultimodalOutput, _ batch: TrainingBatch
    ) throws -> [LossTerm] {
        guard
            let answer = try call(
                .loss, [OutputValue.value(output, context.model.modalities), LabelValue.value(batch.labels)])
        else {
            return try super.loss(output, batch)
        }
        return try terms(answer, batch, .loss)
    }

    private func terms(_ answer: Value, _ batch: TrainingBatch, _ hook: Hook) throws -> [LossTerm] {
        do { return try LossValue.terms(answer, samples: batch.labels.shape[0]) } catch let error as Mismatch {
            throw mistake(hook, answer, error.detail)
        }
    }

    override func steps(_ batch: TrainingBatch) throws -> [SubStep] {
        let description = Value.fields([
            ("labels", try LabelValue.value(batch.labels)), ("positions", .list(batch.positions.map { .int($0 + 1) })),
        ])
        guard let answer = try call(.step, [description]) else { return try super.steps(batch) }
        guard let table = answer.table, !table.items.isEmpty, table.keys.isEmpty else { throw mistake(.step, answer) }
        return try table.items.map { entry in
            guard let table = entry.table, case .function(let function)? = table["loss"] else {
                throw mistake(.step, entry)
            }
            do { try table.requireKeys(["scopes", "loss"]) } catch let error as Mismatch {
                throw mistake(.step, entry, error.detail)
            }
            if let scopes = table["scopes"]?.table, scopes.items.isEmpty {
                throw mistake(.step, entry, "'scopes' is empty: nothing would move (leave it out to move everything)")
            }
            let scopes = try table["scopes"].map { value in
                try Set((value.table?.items ?? [value]).map { try scope($0) })
            }
            return SubStep(scopes: scopes) { [unowned self] pass in
                let answer =
                    try function.call([OutputValue.value(pass.output(), context.model.modalities)]).first ?? .null
                return try terms(answer, batch, .step)
            }
        }
    }

    private func scope(_ value: Value) throws -> Scope {
        let known = context.optimizer.scopes
        guard let name = value.string, let found = known.first(where: { $0.description == name }) else {
            throw BSSError(
                "bss.rebalance.custom", "no scope \(value.described)",
                hint: "scopes: " + known.map(\.description).joined(separator: ", "))
        }
        return found
    }

    override func adjust(
        _ gradients: inout Gradients, _ output: MultimodalOutput, _ batch: TrainingBatch
    ) throws {
        guard hooks[.grads] != nil else { return }
        let scopes = context.optimizer.scopes
        /// What a scope holds, by the names that scripts use.
        func parameters(_ scope: Scope) -> [(name: String, parameter: Parameter)] {
            context.optimizer.parameters([scope]).map { (GradientValue.short($0.name, scope), $0.parameter) }
        }
        let given = Value.fields(
            scopes.map { scope in
                (
                    scope.description,
                    .fields(
                        parameters(scope).compactMap { name, parameter in
                            gradients[parameter.value].map { (name, .object($0)) }
                        })
                )
            })
        guard
            let answer = try call(
                .grads,
                [given, OutputValue.value(output, context.model.modalities), LabelValue.value(batch.labels)]),
            !answer.isNull
        else { return }
        guard let table = answer.table else { throw mistake(.grads, answer) }
        guard table.items.isEmpty else { throw mistake(.grads, answer) }
        for (scope, changed) in table.fields {
            let known = try parameters(self.scope(.string(scope)))
            guard let changes = changed.table, changes.items.isEmpty else { throw mistake(.grads, changed) }
            for (name, value) in changes.fields {
                guard let parameter = known.first(where: { $0.name == name })?.parameter else {
                    throw BSSError(
                        "bss.rebalance.custom",
                        "'grads' returned a gradient of '\(scope)' '\(name)', which does not exist")
                }
                guard case .object(let object) = value, let tensor = object as? Tensor,
                    tensor.shape == parameter.value.shape, tensor.dtype == parameter.value.dtype
                else {
                    throw BSSError(
                        "bss.rebalance.custom",
                        "the gradient of \(scope) \(name) must be a tensor of shape \(parameter.value.shape), got "
                            + "\((value.tensor?.shape).map { "\($0)" } ?? value.described)"
                    )
                }
                gradients[parameter.value] = tensor.detached
            }
        }
    }

    override func predict(_ output: MultimodalOutput) throws -> Prediction {
        let usual = try super.predict(output)
        guard let answer = try call(.predict, [OutputValue.value(output, context.model.modalities)]) else {
            return usual
        }
        let shape = output.fused.shape
        func logits(_ value: Value) throws -> Tensor {
            guard let tensor = value.tensor, tensor.shape == shape else {
                throw mistake(.predict, value, "logits of shape \(shape)")
            }
            return tensor.detached
        }
        if answer.tensor != nil {
            return Prediction(total: try logits(answer), fused: usual.fused, unimodal: usual.unimodal)
        }
        guard let table = answer.table, let total = table["total"] else { throw mistake(.predict, answer) }
        do {
            try table.requireKeys(["total", "fused", "unimodal"])
            try table["unimodal"]?.table?.requireKeys(context.model.modalities)
        } catch let error as Mismatch { throw mistake(.predict, answer, error.detail) }
        let unimodal = try table["unimodal"].map { value in
            guard let named = value.table else { throw mistake(.predict, value) }
            return try context.model.modalities.map { name in
                guard let value = named[name] else {
                    throw mistake(.predict, answer, "unimodal logits of '\(name)' are missing")
                }
                return try logits(value)
            }
        }
        return Prediction(
            total: try logits(total), fused: try table["fused"].map(logits) ?? usual.fused,
            unimodal: unimodal ?? usual.unimodal)
    }

    override var state: Value {
        get { KeptValue.encoded(.table(kept.plain)) }
        set { kept.plain = KeptValue.decoded(newValue).table ?? Table() }
    }
    override var stateTensors: [String: Tensor] {
        get { kept.tensors }
        set { kept.tensors = newValue }
    }

    static let part = Part<RebalanceRecipe>(
        "custom", "A method written in Lua: any of the seven extension points of the training loop, as functions.",
        options: Options.self, source: "the extension points are those of every built-in method",
        example: "bss.rebalance.custom{ loss = function(ctx, out, labels) "
            + "return bss.cross_entropy(out.fused, labels, 0, \"none\") end }",
        traits: { $0.traits }, make: CustomMethod.init)
}
