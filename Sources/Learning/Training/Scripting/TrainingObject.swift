import BSSBackend
import BSSCore
import BSSNetworks
import BSSTensor

/// `ctx` in the hooks of a method written in Lua: where training is, and what a method may ask of it.
final class TrainingObject: HostObject {
    private let context: TrainingContext
    private let kept: KeptValues
    private let method: BaseLossMethod

    init(_ context: TrainingContext, _ kept: KeptValues, method: BaseLossMethod) {
        (self.context, self.kept, self.method) = (context, kept, method)
    }

    var objectType: ObjectType { TrainingObject.type }
    func identityData() throws -> Value { .string("training") }
    var summary: String { "training at epoch \(context.epoch + 1), step \(context.step)" }

    private static let output = Argument<Table>("output", "the `out` that a hook was given")
    private static let source = Argument<UnimodalSource?>(
        "source", default: nil, "\"slice\", \"mask\" or \"head\"; by default the method's own")
    private static let names = Argument<[String]>("modalities", "those whose features the fusion sees")
    private static let scope = Argument<String>("scope", "\"encoder.audio\", \"head.audio\", \"fusion\" or \"method\"")
    private static let factor = Argument<Double>("factor", "multiplies the scheduled learning rate", check: .atLeast(0))
    private static let modality = Argument<String>("modality", "its name")
    private enum Rows: String, Choice { case monitor, train }
    private static let rows = Argument(
        "rows", default: Rows.monitor, "\"monitor\" (hold-out, else validation split) or \"train\"")
    private static let name = Argument<String>("name", "its name")
    private static let value = Argument<Value?>(
        "value", default: nil, "what to keep: a tensor, or a text, number, boolean or table of such; nil reads it")
    private static let reason = Argument("reason", default: "the method ended it", "for the record")

    /// Features of `out`, in the model's order.
    private func features(_ table: Table) throws -> [Tensor] {
        try context.model.modalities.map { name in
            guard let tensor = table["features"]?.table?[name]?.tensor else {
                throw BSSError(
                    "ctx", "the output has no features of '\(name)'", hint: "pass the `out` that the hook was given")
            }
            return tensor
        }
    }

    private func named(_ tensors: [Tensor]) -> Value {
        .fields(zip(context.model.modalities, tensors).map { ($0, .object($1)) })
    }

    private func scope(_ name: String) throws -> Scope {
        guard let found = context.optimizer.scopes.first(where: { $0.description == name }) else {
            throw BSSError(
                "ctx", "no scope '\(name)'",
                hint: "scopes: " + context.optimizer.scopes.map(\.description).joined(separator: ", "))
        }
        return found
    }

    static let type = ObjectType(
        "training", aliases: ["ctx"], help: "Where training is, and what a method may ask of it.",
        methods: [
            Function(
                "unimodal", "Logits [B, C] of every modality.", [output, source], returns: "table by modality",
                style: .positional
            ) { a in
                let object = try a.receiver(as: TrainingObject.self)
                let model = object.context.model
                let output = try model.output(features: object.features(a[output]), ForwardContext(.evaluation))
                let logits =
                    try a[source].map { try model.unimodal(output, $0, ForwardContext(.evaluation)) }
                    ?? object.method.unimodal(output)
                return [object.named(logits)]
            },
            Function(
                "subset", "Fused logits [B, C] of some modalities, zeros for the features of the others.",
                [output, names], returns: "tensor", style: .positional
            ) { a in
                let object = try a.receiver(as: TrainingObject.self)
                let model = object.context.model
                let mask = try a[names].reduce(UInt32(0)) { mask, name in
                    guard let index = model.modalities.firstIndex(of: name) else {
                        throw BSSError("ctx:subset", "no modality '\(name)'")
                    }
                    return mask | 1 << UInt32(index)
                }
                return [.object(try model.subset(object.features(a[output]), mask, ForwardContext(.evaluation)))]
            },
            Function(
                "scan",
                "Logits of a pass that changes nothing: { fused, unimodal = {…}, labels }, labels class positions from "
                    + "1.",
                [rows],
                returns: "table", style: .positional
            ) { a in
                let object = try a.receiver(as: TrainingObject.self)
                let context = object.context
                let rows = a[rows] == .train ? context.trainRows : context.monitorRows
                guard !rows.isEmpty else {
                    throw BSSError(
                        "ctx:scan", "there is nothing to monitor",
                        hint: "give the method a holdout, or the dataset a validation split")
                }
                let scan = try context.scan(rows, object.method.predict)
                let shape = [rows.count, context.model.classes]
                func tensor(_ values: [Float]) throws -> Tensor {
                    try Tensor.from(values, Shape(shape, operation: "ctx:scan"))
                }
                return [
                    .fields([
                        ("fused", .object(try tensor(scan.fused))),
                        ("unimodal", object.named(try scan.unimodal.map(tensor))),
                        ("labels", .object(try Tensor.from(rows.map { context.source.classColumns[$0] + 1 }))),
                    ])
                ]
            },
            Function(
                "scale_rate", "Scales the learning rate of a scope from now on.", [scope, factor], style: .positional
            ) { a in
                let object = try a.receiver(as: TrainingObject.self)
                object.context.optimizer.scaleRate(try object.scope(a[scope]), by: a[factor])
                return []
            },
            Function(
                "freeze", "Stops a modality: its encoder runs in evaluation mode, nothing of it is updated.",
                [modality], style: .positional
            ) { a in
                let context = try a.receiver(as: TrainingObject.self).context
                guard context.model.modalities.contains(a[modality]) else {
                    throw BSSError("ctx:freeze", "no modality '\(a[modality])'")
                }
                context.freeze(a[modality])
                return []
            },
            Function(
                "keep",
                "A plain value or a tensor that survives checkpoints: ctx:keep(name, value) sets it, ctx:keep(name) "
                    + "reads it.",
                [name, value], returns: "value", style: .positional
            ) { a in
                let object = try a.receiver(as: TrainingObject.self)
                if let value = a[value] { try object.kept.keep(a[name], value) }
                return [object.kept[a[name]] ?? .null]
            },
            Function("stop", "Ends the training after this epoch.", [reason], style: .positional) { a in
                try a.receiver(as: TrainingObject.self).context.stop(a[reason])
                return []
            },
        ],
        properties: [
            Property("epoch", "Epoch, from 1.") { (o: TrainingObject) in .int(o.context.epoch + 1) },
            Property("t", "The epoch counted from 0, as the paper's t.") { (o: TrainingObject) in .int(o.context.epoch)
            },
            Property("step", "Updates so far.") { (o: TrainingObject) in .int(o.context.step) },
            Property("batch", "Number of this batch in its epoch, from 1.") { (o: TrainingObject) in
                .int(o.context.batch + 1)
            },
            Property("batches", "Batches of this epoch.") { (o: TrainingObject) in .int(o.context.batches) },
            Property("modalities", "Names of the modalities.") { (o: TrainingObject) in
                .list(o.context.model.modalities)
            },
            Property("classes", "Number of classes.") { (o: TrainingObject) in .int(o.context.model.classes) },
            Property("last", "The last epoch's record; empty before the first.") { (o: TrainingObject) in
                .table(o.context.lastEpoch?.table ?? Table())
            },
        ])
}
