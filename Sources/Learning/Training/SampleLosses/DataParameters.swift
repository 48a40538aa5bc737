import BSSCore
import BSSNetworks
import BSSTensor

/// Data parameters: a learned temperature per sample and per class. Saxena, Tuzel, DeCoste, NeurIPS 2019.
///
///     σ_i = exp(u_class[y_i]) + exp(u_instance[i]),   L = mean_i CE(z_i / σ_i, y_i) + Σ_i (wd_i/2 u_instance[i]² + wd_c/2 u_class[y_i]²)
///
/// u moves by SGD with momentum of its own, entry by entry: entries outside the batch rest. The decay counts once a
/// sample: a class is decayed as often as the batch has it. After every update all u are clamped to [-ln bound, ln
/// bound], so that starts outside (0.001 for samples, as published) are taken in at the first. The decay enters the
/// update, not the reported loss. On several terms every term has its own tables.
final class DataParameters: SampleLoss {
    struct Rule {
        var start: Double, rate: Double, decay: Double
    }
    private let instance: Rule, perClass: Rule
    private let momentum: Double
    private let bound: Double
    private var tables: [String: (instance: SparseTable, perClass: SparseTable)] = [:]

    init(instance: Rule, perClass: Rule, momentum: Double, bound: Double, target: Target) {
        (self.instance, self.perClass, self.momentum, self.bound) = (instance, perClass, momentum, bound)
        super.init(target)
    }

    override func setup(_ context: TrainingContext) throws {
        let all = Module()
        for name in target == .fused ? ["fused"] : ["fused"] + context.model.modalities {
            let pair = (
                instance: try SparseTable(context.trainRows.count, start: Math.log(instance.start)),
                perClass: try SparseTable(context.model.classes, start: Math.log(perClass.start))
            )
            _ = all.add("instance." + name, pair.instance)
            _ = all.add("class." + name, pair.perClass)
            tables[name] = pair
        }
        try add(all, context)
    }

    override func applied(_ terms: [LossTerm], _ batch: TrainingBatch) throws -> [LossTerm] {
        try replacing(terms) { term, _ in
            guard let logits = term.logits, let table = tables[term.name] else {
                throw BSSError(
                    "bss.sample_loss.data_parameters",
                    "the loss term '\(term.name)' of this method is no cross-entropy of known logits",
                    hint: "use on = \"fused\", bss.sample_loss.superloss, or another method", kind: .usage)
            }
            let sigma =
                try table.instance.lookUp(batch.positions).exp()
                + table.perClass.lookUp(batch.labels.values(Int.self)).exp()
            return try Tensor.crossEntropy(
                logits / sigma.reshaped([sigma.elementCount, 1]), batch.labels, reduction: .none)
        }
    }

    override func update(_ gradients: Gradients) throws {
        let limit = Math.log(bound)
        for pair in tables.values {
            try pair.instance.update(
                gradients, rate: instance.rate, momentum: momentum, decay: instance.decay, bounds: -limit...limit)
            try pair.perClass.update(
                gradients, rate: perClass.rate, momentum: momentum, decay: perClass.decay, bounds: -limit...limit)
        }
    }

    override var leaves: [Tensor] { tables.values.flatMap { $0.instance.leaves + $0.perClass.leaves } }

    override func report() throws -> Table? {
        Table(
            fields: try tables.sorted { $0.key < $1.key }.map { name, pair in
                (
                    name,
                    .fields([
                        (
                            "instance",
                            .number(Math.mean(try pair.instance.values.value.values(Double.self).map(Math.exp)))
                        ),
                        ("class", .list(try pair.perClass.values.value.values(Double.self).map(Math.exp))),
                    ])
                )
            })
    }

    static let part: Part<SampleLossRecipe> = {
        let instanceStart = Argument(
            "instance_start", default: 0.001, "exp(u) of every sample at first", check: .above(0))
        let instanceRate = Argument(
            "instance_rate", default: 0.8, "learning rate of the samples' u", check: .atLeast(0))
        let instanceDecay = Argument(
            "instance_decay", default: 1e-8, "weight decay of the samples' u", check: .atLeast(0))
        let classStart = Argument("class_start", default: 1.0, "exp(u) of every class at first", check: .above(0))
        let classRate = Argument("class_rate", default: 0.1, "learning rate of the classes' u", check: .atLeast(0))
        let classDecay = Argument("class_decay", default: 1e-4, "weight decay of the classes' u", check: .atLeast(0))
        let momentum = Argument(
            "momentum", default: 0.9, "fraction of an entry's last update kept", check: .range(0...1))
        let bound = Argument("bound", default: 20.0, "exp(u) stays between 1 / bound and bound", check: .above(1))
        let on = targetArgument(.fused, [.fused, .each])
        return Part(
            "data_parameters",
            "Data parameters: a learned temperature per sample and per class; logits are divided by their sum.",
            [instanceStart, instanceRate, instanceDecay, classStart, classRate, classDecay, momentum, bound, on],
            source: "Saxena, Tuzel, DeCoste, NeurIPS 2019",
            example: "bss.sample_loss.data_parameters{ instance_rate = 0.8 }"
        ) { a in
            SampleLossRecipe {
                DataParameters(
                    instance: Rule(start: a[instanceStart], rate: a[instanceRate], decay: a[instanceDecay]),
                    perClass: Rule(start: a[classStart], rate: a[classRate], decay: a[classDecay]),
                    momentum: a[momentum], bound: a[bound], target: Target(rawValue: a[on]) ?? .fused)
            }
        }
    }()
}
