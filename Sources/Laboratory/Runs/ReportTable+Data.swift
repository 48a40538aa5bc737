import BSSCore

extension ReportTable {
    /// The table as plain data: `{ title, control, metrics, rows = {{ name, seeds, runs, facts, metrics =
    /// { <metric> = { mean, sd, values, difference, p, p_holm, paired, bold } } }}, notes }`.
    public func data() throws -> Table {
        let cells = try cells()
        var table = Table(fields: [("title", .string(title)), ("metrics", .list(metrics))])
        if let control { table["control"] = .string(control) }
        table["rows"] = .list(zip(rows, cells).map { .table(record($0, $1)) })
        table["notes"] = .list(try remarks())
        return table
    }

    private func record(_ row: Row, _ cells: [Cell?]) -> Table {
        var record = Table(fields: [("name", .string(row.name))])
        if let seeds = row.seeds { record["seeds"] = .list(seeds.map(Value.int)) }
        if !row.runs.isEmpty { record["runs"] = .list(row.runs) }
        var values = Table()
        for (metric, cell) in zip(metrics, cells) {
            guard let cell else { continue }
            var fields: [(String, Value)] = [
                ("mean", .number(cell.mean)), ("sd", .number(cell.sd)), ("values", .list(cell.values)),
            ]
            if let difference = cell.difference { fields.append(("difference", .number(difference))) }
            if let p = cell.p { fields += [("p", .number(p)), ("paired", .bool(cell.isPaired))] }
            if let p = cell.adjustedP, cell.p != nil { fields.append(("p_holm", .number(p))) }
            values[metric] = .fields(fields + [("bold", .bool(cell.isBold))])
        }
        record["metrics"] = .table(values)
        if !facts.isEmpty {
            record["facts"] = .fields(facts.compactMap { fact in row.facts[fact].map { (fact, .string($0)) } })
        }
        return record
    }
}
