import BSSCore
import BSSNetworks
import BSSTensor

/// Data parameters: a learned temperature per sample and per class. Saxena, Tuzel, DeCoste, NeurIPS 2019.
///
///     σ_i = exp(u_class[y_i]) + exp(u_instance[i]),   L
///         = mean_i CE(z_i / σ_i, y_i) + Σ_i (wd_i/2 u_instance[i]² + wd_c/2 u_class[y_i]²)
///
/// u moves by SGD with momentum of its own, entry by entry: entries outside the batch rest. The decay counts once a
/// sample: a class is decayed as often as the batch has it. After every update all u are clamped to [-ln bound, ln
/// bound], so that starts outside (0.001 for samples, as published) are taken in at the first. The decay enters the
/// update, not the reported loss. On several terms every term has its own tables.
final class DataParameters: SampleLoss {
    struct Options: OptionGroup {
        enum On: String, Choice { case fused, each }

        @Option("instance_start", "exp(u) of every sample at first", .above(0)) var instanceStart = 0.001
        @Option("instance_rate", "learning rate of the samples' u", .atLeast(0)) var instanceRate = 0.8
        @Option("instance_decay", "weight decay of the samples' u", .atLeast(0)) var instanceDecay = 1e-8
        @Option("class_start", "exp(u) of every class at first", .above(0)) var classStart = 1.0
        @Option("class_rate", "learning rate of the classes' u", .atLeast(0)) var classRate = 0.1
        @Option("class_decay", "weight decay of the classes' u", .atLeast(0)) var classDecay = 1e-4
        @Option("momentum", "fraction of an entry's last update kept", .range(0...1)) var momentum = 0.9
        @Option("bound", "exp(u) stays between 1 / bound and bound", .above(1)) var bound = 20.0
        @Option("on", "which loss: \"fused\", \"each\"") var on = On.fused
    }

    private let options: Options
    private let tables: [String: (instance: SparseTable, perClass: SparseTable)]

    init(_ options: Options, _ setup: SampleLossSetup) throws {
        let (context, all) = (setup.context, Module())
        var tables: [String: (instance: SparseTable, perClass: SparseTable)] = [:]
        for name in ["fused"] + (options.on == .fused ? [] : context.model.modalities) {
            let instance = try SparseTable(context.trainRows.count, start: Math.log(options.instanceStart))
            let perClass = try SparseTable(context.model.classes, start: Math.log(options.classStart))
            _ = all.add("instance." + name, instance)
            _ = all.add("class." + name, perClass)
            tables[name] = (instance, perClass)
        }
        (self.options, self.tables) = (options, tables)
        super.init(options.on == .fused ? .fused : .each, context)
        try setup.add(all)
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
        let limit = Math.log(options.bound)
        for pair in tables.values {
            try pair.instance.update(
                gradients, rate: options.instanceRate, momentum: options.momentum, decay: options.instanceDecay,
                bounds: -limit...limit)
            try pair.perClass.update(
                gradients, rate: options.classRate, momentum: options.momentum, decay: options.classDecay,
                bounds: -limit...limit)
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

    static let part = Part<SampleLossRecipe>(
        "data_parameters",
        "Data parameters: a learned temperature per sample and per class; logits are divided by their sum.",
        options: Options.self, source: "Saxena, Tuzel, DeCoste, NeurIPS 2019",
        example: "bss.sample_loss.data_parameters{ instance_rate = 0.8 }", make: DataParameters.init)
}
