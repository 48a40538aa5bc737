import BSSCore

/// The figures of one split: its loss, and those of every output.
public struct SplitMetrics {
    public let loss: Double
    /// `total`, `fused`, then the modalities; nil without samples.
    public let outputs: [(name: String, metrics: OutputMetrics?)]

    public subscript(output: String) -> OutputMetrics? { outputs.first { $0.name == output }?.metrics }
    public var total: OutputMetrics? { self["total"] }

    init(loss: Double, outputs: [(name: String, metrics: OutputMetrics?)]) {
        (self.loss, self.outputs) = (loss, outputs)
    }

    /// `{ loss, total = { accuracy, map, macro_f1, weighted_f1, loss }, fused = …, <modality> = … }`
    public var table: Table {
        Table(fields: [("loss", .number(loss))] + outputs.map { ($0.name, .table($0.metrics?.table ?? Table())) })
    }

    /// From its `table`.
    init(_ table: Table) {
        loss = table["loss"]?.restored ?? .nan
        outputs = table.fields.compactMap { name, value in value.table.map { (name, OutputMetrics($0)) } }
    }
}

extension Value {
    /// The number, as JSON gives it back: NaN and infinities as their names.
    var restored: Double? { double ?? string.flatMap(Double.init) }
}
