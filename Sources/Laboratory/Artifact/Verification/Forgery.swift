import BSSCore
import BSSRuns

/// A fault in every place that records it, so that no comparison of records finds it.
struct Forgery {
    private let id: String
    init(_ id: String) { self.id = id }

    private var record: String { "runs/\(id)/run.json" }

    private func edit(_ draft: inout DraftTree, _ change: (inout Table) -> Void) throws {
        var table = try draft.table(record)
        change(&table)
        draft.write(JSON.text(.table(table), indent: 2) + "\n", to: record)
    }

    private func editLines(_ draft: inout DraftTree, _ name: String, _ change: (inout Table) -> Void) throws {
        let path = "runs/\(id)/\(name)"
        let lines = try draft.lines(path).map { line -> String in
            var line = line
            change(&line)
            return JSON.text(.table(line)) + "\n"
        }
        draft.write(lines.joined(), to: path)
    }

    /// Tables by dotted path.
    private func replace(_ value: Value, _ path: ArraySlice<String>, with new: Value) -> Value {
        guard let key = path.first else { return new }
        guard case .table(var table) = value else { return value }
        if let index = Int(key), table.items.indices.contains(index - 1) {
            table.items[index - 1] = replace(table.items[index - 1], path.dropFirst(), with: new)
        } else if let inner = table[key] {
            table[key] = replace(inner, path.dropFirst(), with: new)
        }
        return .table(table)
    }

    // MARK: A metric

    /// The test accuracy of the last epoch: in the history, the selections, the measurements and every answer.
    func metric(_ draft: inout DraftTree) throws -> Bool {
        let name = "test.total.accuracy"
        let table = try draft.table(record)
        guard let last = table["history"]?.table?.items.last?.table, let epoch = last["epoch"]?.int,
            let old = last.value(atPath: name)?.double
        else { return false }
        let new = old + 0.0078125
        let path = name.split(separator: ".").map(String.init)
        var value = replace(.table(table), ["history", "\(epoch)"] + path, with: .number(new))
        for (selection, chosen) in (table["result"]?.table ?? Table()).fields
        where chosen.table?["epoch"]?.int == epoch {
            value = replace(value, ["result", selection] + path, with: .number(new))
        }
        let forged = value.table ?? table
        draft.write(JSON.text(.table(forged), indent: 2) + "\n", to: record)
        try editLines(&draft, "metrics.jsonl") { line in
            guard line["step"]?.int == epoch, line["name"]?.string == name else { return }
            (line["value"], line["bits"]) = (.number(new), .string(RunFolder.bits(new)))
        }
        let numbers = RecordedNumbers(forged)
        for file in draft.names(in: "results/experiments") {
            let path = "results/experiments/\(file)"
            var experiment = try ExperimentRecord(draft.table(path), source: path)
            for row in experiment.rows.indices {
                for at in experiment.rows[row].answers.indices where experiment.rows[row].answers[at].runs.first == id {
                    for metric in experiment.metrics {
                        guard let number = numbers[metric] else { continue }
                        experiment.rows[row].answers[at].values[metric] = number
                    }
                }
            }
            draft.write(JSON.text(.table(experiment.record), indent: 2) + "\n", to: path)
        }
        return true
    }

    // MARK: A trace

    private func flipped(_ hex: String) -> String {
        guard let last = hex.last else { return hex }
        return hex.dropLast() + (last == "0" ? "1" : "0")
    }

    func trace(_ draft: inout DraftTree, _ key: String) throws -> Bool {
        var isPlanted = false
        try editLines(&draft, "trace.jsonl") { line in
            guard !isPlanted, let old = line[key]?.string else { return }
            line[key] = .string(flipped(old))
            isPlanted = true
        }
        return isPlanted
    }

    func order(_ draft: inout DraftTree) throws -> Bool {
        guard try trace(&draft, "order") else { return false }
        let orders = try draft.lines("runs/\(id)/trace.jsonl").compactMap { $0["order"]?.string }
        try edit(&draft) { $0["order_hashes"] = .list(orders) }
        return true
    }

    func parameters(_ draft: inout DraftTree) throws -> Bool {
        let old = try draft.table(record)["parameters_hash"]?.string ?? ""
        guard old.count > 16 else { return false }
        let new = "0000" + old.dropFirst(4)
        try edit(&draft) { $0["parameters_hash"] = .string(new) }
        let count = try draft.lines("runs/\(id)/trace.jsonl").count
        var at = 0
        try editLines(&draft, "trace.jsonl") { line in
            at += 1
            if at == count { line["parameters"] = .string(String(new.prefix(16))) }
        }
        return true
    }

    // MARK: Sources and data

    /// The hashes of the scripts as they are now, in every run.
    func sources(_ draft: inout DraftTree) throws -> Bool {
        for name in draft.names where name.hasSuffix("/run.json") {
            var table = try draft.table(name)
            var code = table["code"]?.table ?? Table()
            for (file, _) in code.fields where draft.has("src/\(file)") {
                code[file] = .string(try draft.sha256("src/\(file)"))
            }
            table["code"] = .table(code)
            draft.write(JSON.text(.table(table), indent: 2) + "\n", to: name)
        }
        return true
    }

    func data(_ draft: inout DraftTree) throws -> Bool {
        let table = try draft.table(record)
        guard let old = table.value(atPath: "data.hash")?.string else { return false }
        let new = flipped(old)
        try edit(&draft) { table in
            var data = table["data"]?.table ?? Table()
            data["hash"] = .string(new)
            table["data"] = .table(data)
        }
        let text = try draft.text("data/index.json")
        draft.write(
            text.split(separator: "\n").map { line in
                Scrubber.holds(String(line), old) ? "      \"hash\": \"\(new)\"," : String(line)
            }.joined(separator: "\n") + "\n", to: "data/index.json")
        return true
    }
}
