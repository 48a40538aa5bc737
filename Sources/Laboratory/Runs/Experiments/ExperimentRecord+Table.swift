import BSSCore

/// As JSON, and back.
extension ExperimentRecord {
    public var record: Table {
        var table = Table(fields: [
            ("schema", .int(1)), ("name", .string(name)), ("title", .string(title)), ("plan", .string(plan)),
            (
                "command",
                .fields([
                    ("options", .list(command.options)), ("script", .string(command.script)),
                    ("arguments", .list(command.arguments)),
                ])
            ),
            ("sources", sources.map(Value.string) ?? .null), ("engine", .table(engine)),
            ("parameters", .table(parameters)), ("seed", .int(seed)), ("metrics", .list(metrics)),
            ("facts", .list(facts)), ("control", control.map(Value.string) ?? .null),
            ("lower_is_better", .list(lowerIsBetter)), ("notes", .list(notes)),
        ])
        table["rows"] = .list(
            rows.map { row in
                .fields([
                    ("name", .string(row.name)), ("arm", .table(row.arm)),
                    ("answers", .list(row.answers.map { .table($0.record) })),
                ])
            })
        table["claims"] = .list(claims.map { .table($0.record) })
        return table
    }

    /// - Throws: kind `.data`: it is none.
    public init(_ table: Table, source: String) throws {
        guard let name = table["name"]?.string, let rows = table["rows"]?.table, table["schema"]?.int == 1 else {
            throw BSSError(source, "is no record of an experiment", kind: .data)
        }
        func texts(_ key: String, _ table: Table = table) -> [String] {
            table[key]?.table?.items.compactMap(\.string) ?? []
        }
        self.init(
            name: name, title: table["title"]?.string ?? name, metrics: texts("metrics"), facts: texts("facts"),
            control: table["control"]?.string, lowerIsBetter: texts("lower_is_better"), notes: texts("notes"),
            rows: try rows.items.map { try Row($0, source) })
        (plan, sources) = (table["plan"]?.string ?? "", table["sources"]?.string)
        let words = table["command"]?.table ?? Table()
        command = Command(
            options: texts("options", words), script: words["script"]?.string ?? "",
            arguments: texts("arguments", words))
        (engine, parameters) = (table["engine"]?.table ?? Table(), table["parameters"]?.table ?? Table())
        seed = table["seed"]?.int ?? 1
        claims = try (table["claims"]?.table?.items ?? []).map { try StatedClaim($0.table ?? Table(), source: source) }
    }

    /// `results/experiments` of a folder of results, by name.
    public static func all(in root: String) throws -> [ExperimentRecord] {
        let folder = root + "/results/experiments"
        guard Files.isFolder(folder) else { return [] }
        return try Files.list(folder).filter { $0.hasSuffix(".json") }.map { file in
            let path = "\(folder)/\(file)"
            return try ExperimentRecord(JSON.parse(Files.readText(path), source: path).table ?? Table(), source: path)
        }
    }

    public func write(in root: String) throws {
        try Files.makeFolder(root + "/results/experiments")
        try Files.write(JSON.text(.table(record), indent: 2) + "\n", to: "\(root)/results/experiments/\(name).json")
    }
}

extension ExperimentRecord.Answer {
    fileprivate var record: Table {
        func numbers(_ values: [String: Double]) -> Value {
            .fields(values.sorted { $0.key < $1.key }.map { ($0.key, .number($0.value)) })
        }
        return Table(fields: [
            ("seed", .int(seed)), ("runs", .list(runs)), ("from", .string(isRun ? "run" : "script")),
            ("values", numbers(values)), ("facts", numbers(facts)),
        ])
    }

    fileprivate init(_ table: Table, _ source: String) throws {
        func numbers(_ key: String) -> [String: Double] {
            let fields = (table[key]?.table ?? Table()).fields.compactMap { field in
                field.value.recordedNumber.map { (field.key, $0) }
            }
            return Dictionary(fields, uniquingKeysWith: { $1 })
        }
        guard let seed = table["seed"]?.int else { throw BSSError(source, "an answer has no seed", kind: .data) }
        self.init(
            seed: seed, runs: table["runs"]?.table?.items.compactMap(\.string) ?? [],
            isRun: table["from"]?.string == "run", values: numbers("values"), facts: numbers("facts"))
    }
}

extension ExperimentRecord.Row {
    fileprivate init(_ value: Value, _ source: String) throws {
        guard let table = value.table, let name = table["name"]?.string else {
            throw BSSError(source, "a row has no name", kind: .data)
        }
        self.init(
            name: name, arm: table["arm"]?.table ?? Table(),
            answers: try (table["answers"]?.table?.items ?? []).map {
                try ExperimentRecord.Answer($0.table ?? Table(), source)
            })
    }
}

extension Value {
    /// A number as records write it: those that JSON has no form of are texts.
    public var recordedNumber: Double? {
        double ?? string.flatMap { ["nan": Double.nan, "inf": .infinity, "-inf": -.infinity][$0] }
    }
}
