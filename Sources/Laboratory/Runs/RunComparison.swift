import BSSCore

/// In what two runs differ: what went in, what came out, and where they first part.
public struct RunComparison {
    public struct Difference {
        /// "configuration", "data", "results" …
        public let group: String
        public let path: String
        public let own, other: Value
    }

    /// The first epoch whose numbers are not the same bits.
    public struct Parting {
        public let epoch: Int
        /// "order": other samples, or in another order; "metrics": the same samples, other numbers; "length": one goes
        /// on where the other ends.
        public let kind: String
        public let name: String
        public let own, other: Value
    }

    public let inputs: [Difference]
    public let results: [Difference]
    public let parting: Parting?
    /// Numbers of epochs that were compared bit by bit.
    public let compared: Int

    /// Same inputs, same bits.
    public var isEqual: Bool { inputs.isEmpty && hasEqualResults }
    public var hasEqualResults: Bool { results.isEmpty && parting == nil }

    /// Where a record says what went in; `engine` and `threads` come last, as what should not matter.
    private static let groups = [
        ("configuration", "config"), ("seed", "seed"), ("parameters", "parameters"), ("code", "code"), ("data", "data"),
        ("engine", "engine"),
    ]

    /// - Throws: kind `.data`: a run that has no numbers yet.
    public init(_ own: StoredRun, _ other: StoredRun) throws {
        for run in [own, other] where try run.record["returned"] == nil && run.metrics().isEmpty {
            throw BSSError("diff", "\(run.id) has no numbers yet: it is \(run.state.name)", kind: .data)
        }
        inputs = RunComparison.groups.flatMap { group, key in
            RunComparison.differences(group, own.record[key], other.record[key])
        }
        results =
            RunComparison.differences(
                "results", own.record.value(atPath: "result.selected"), other.record.value(atPath: "result.selected"))
            + RunComparison.differences("returned", own.record["returned"], other.record["returned"])
            + RunComparison.differences(
                "parameters of the model", own.record["parameters_hash"], other.record["parameters_hash"])
        let (first, count) = try RunComparison.parting(own, other)
        (parting, compared) = (first, count)
    }

    private static func differences(_ group: String, _ own: Value?, _ other: Value?) -> [Difference] {
        func table(_ value: Value?) -> Table { Table(fields: [("", value ?? .null)]) }
        return table(own).differences(from: table(other)).map { path, a, b in
            Difference(group: group, path: path.hasPrefix(".") ? String(path.dropFirst()) : path, own: a, other: b)
        }
    }

    private static func parting(_ own: StoredRun, _ other: StoredRun) throws -> (Parting?, Int) {
        var found: [Parting] = []
        var count = 0
        for (file, kind) in [("trace.jsonl", "order"), ("metrics.jsonl", "metrics")] {
            let (a, b) = (try own.lines(file), try other.lines(file))
            func number(_ line: Table) -> Int { line["step"]?.int ?? 0 }
            func name(_ line: Table) -> String { line["name"]?.string ?? "" }
            func fact(_ line: Table) -> Value { (kind == "order" ? line["order"] : line["bits"]) ?? .null }
            let known = Dictionary(b.map { ("\(number($0)) \(name($0))", $0) }) { first, _ in first }
            for line in a {
                guard let match = known["\(number(line)) \(name(line))"] else { continue }
                count += kind == "metrics" ? 1 : 0
                guard CanonicalText.of(fact(line)) != CanonicalText.of(fact(match)) else { continue }
                let key = kind == "order" ? "order" : "value"
                found.append(
                    Parting(
                        epoch: number(line), kind: kind, name: kind == "order" ? "order of samples" : name(line),
                        own: line[key] ?? .null, other: match[key] ?? .null))
                break
            }
            if kind == "metrics", let (x, y) = Optional((a.map(number).max() ?? 0, b.map(number).max() ?? 0)), x != y {
                let end = Parting(
                    epoch: min(x, y) + 1, kind: "length", name: "epochs", own: .int(x), other: .int(y))
                found.append(end)
            }
        }
        // Of one epoch the order comes first: numbers follow from it.
        return (
            found.enumerated().min { ($0.element.epoch, $0.offset) < ($1.element.epoch, $1.offset) }?.element, count
        )
    }

    public var table: Table {
        func list(_ all: [Difference]) -> Value {
            .list(
                all.map {
                    .fields([("group", .string($0.group)), ("path", .string($0.path)), ("a", $0.own), ("b", $0.other)])
                })
        }
        var table = Table(fields: [
            ("equal", .bool(isEqual)), ("inputs", list(inputs)), ("results", list(results)),
            ("numbers_compared", .int(compared)),
        ])
        if let parting {
            table["first_difference"] = .fields([
                ("epoch", .int(parting.epoch)), ("kind", .string(parting.kind)), ("name", .string(parting.name)),
                ("a", parting.own), ("b", parting.other),
            ])
        }
        return table
    }
}
