import BSSCore
import BSSRuns

/// Two executions of one run: where they part first, and in what.
struct ExecutionPair {
    struct Side {
        let record: Table
        let trace: [Table]
        let metrics: [Table]

        init(_ tree: any FileTree, _ folder: String) throws {
            record = try tree.table(folder + "/run.json")
            trace = try tree.lines(folder + "/trace.jsonl")
            metrics = try tree.lines(folder + "/metrics.jsonl")
        }
    }

    let there: Side
    let here: Side

    /// Whether equal bits were promised: one build, one kind of device, instruction sets that give the same bits.
    static func promisesBits(_ a: Table, _ b: Table) -> Bool {
        func family(_ engine: Table) -> String {
            let set = engine["instruction_set"]?.string ?? ""
            return ["v3, own", "v4, own"].contains(set) ? "own" : set
        }
        return a["build"]?.string == b["build"]?.string && a["device"]?.string == b["device"]?.string
            && family(a) == family(b)
    }

    /// The first of what a step says in which they differ: before it, everything was equal.
    func firstDifference() -> (kind: String, text: String)? {
        if there.record.value(atPath: "data.hash")?.string != here.record.value(atPath: "data.hash")?.string {
            return ("data", "the data has another hash")
        }
        let fields = [
            ("order", "order", "the order of the samples"),
            ("first_loss_bits", "forward", "the loss of its first step"),
            ("gradient_norm_bits", "gradient", "the gradient of its first step"),
            ("loss_bits", "update", "its mean loss"), ("parameters", "update", "the parameters after it"),
        ]
        for (a, b) in zip(there.trace, here.trace) {
            let step = a["step"]?.int ?? 0
            for (key, kind, words) in fields {
                guard let x = a[key]?.string, let y = b[key]?.string, x != y else { continue }
                let values = key == "loss_bits" ? ": \(number(a)) there, \(number(b)) here" : ""
                return (kind, "epoch \(step): \(words)\(values)")
            }
        }
        for (a, b) in zip(there.metrics, here.metrics) where a["bits"]?.string != b["bits"]?.string {
            let name = a["name"]?.string ?? "?"
            return (
                "evaluation",
                "epoch \(a["step"]?.int ?? 0): \(name): \(JSON.lua(a["value"] ?? .null)) there, "
                    + "\(JSON.lua(b["value"] ?? .null)) here"
            )
        }
        if there.trace.count != here.trace.count {
            return ("update", "\(there.trace.count) epochs there, \(here.trace.count) here")
        }
        let hash = "parameters_hash"
        if there.record[hash]?.string != here.record[hash]?.string { return ("update", "the parameters at the end") }
        return settings()
    }

    /// What a record says beside its results: configuration, streams, costs.
    private func settings() -> (kind: String, text: String)? {
        let keys = ["seed", "config", "parameters", "streams", "code", "data", "cost", "stop_reason", "effects"]
        func facts(_ record: Table) -> Table {
            var table = Table(fields: keys.map { ($0, record[$0] ?? .null) })
            if var data = table["data"]?.table {
                data["index"] = nil
                table["data"] = .table(data)
            }
            return Scrubber(folders: []).table(table)
        }
        guard let first = facts(there.record).differences(from: facts(here.record)).first else { return nil }
        return ("record", "\(first.path): \(JSON.lua(first.own)) there, \(JSON.lua(first.other)) here")
    }

    private func number(_ line: Table) -> String { line["loss"].map(JSON.lua) ?? "none" }
}
