import BSSCore

/// How two sides of a claim are compared: here and there, or measured and stated.
public enum ClaimClass: String, CaseIterable, Choice {
    /// Counts, decisions, layouts: equal.
    case exact
    /// Numbers of one build, device class and instruction set: the same bit pattern.
    case bits
    /// Single passes and first steps: |a - b| ≤ atol + rtol |b|.
    case near
    /// Results of whole trainings: equivalence within the author's margin (two one-sided tests, α = 0.05).
    case stat
    /// A beats B: the same sign, and where significance is claimed the same test passes.
    case order
    /// Time, memory, energy: told, never a failure.
    case info
}

/// A claim of a paper, about arms of one experiment.
public struct StatedClaim {
    public enum Statement {
        /// The mean over seeds is `expect`, give or take `margin`.
        case value(arm: String, expect: Double, margin: Double)
        /// `better` is above `worse`, or below where less is better.
        case order(better: String, worse: String, isSignificant: Bool)
        /// The means of two arms differ by less than `margin`.
        case equivalent(String, String, margin: Double)
        /// The numbers of these arms come out again.
        case reproduces([String])
    }

    public var id: String
    public var text: String
    /// `Table 3, row 2`
    public var place: String
    public var metric: String
    public var kind: ClaimClass
    public var statement: Statement

    public init(
        id: String, text: String, place: String, metric: String, kind: ClaimClass, statement: Statement
    ) {
        (self.id, self.text, self.place, self.metric) = (id, text, place, metric)
        (self.kind, self.statement) = (kind, statement)
    }

    /// The arms that it is about.
    public var arms: [String] {
        switch statement {
        case .value(let arm, _, _): return [arm]
        case .order(let a, let b, _): return [a, b]
        case .equivalent(let a, let b, _): return [a, b]
        case .reproduces(let arms): return arms
        }
    }

    /// Significance is claimed: it shares its error rate with the others of its experiment.
    var isTested: Bool { if case .order(_, _, true) = statement { return true } else { return false } }

    // MARK: As JSON

    public var record: Table {
        var table = Table(fields: [
            ("id", .string(id)), ("text", .string(text)), ("place", .string(place)), ("metric", .string(metric)),
            ("class", .string(kind.rawValue)), ("arms", .list(arms)),
        ])
        switch statement {
        case .value(_, let expect, let margin):
            (table["expect"], table["margin"]) = (.number(expect), .number(margin))
        case .order(_, _, let isSignificant):
            (table["better"], table["significant"]) = (.list(arms), .bool(isSignificant))
        case .equivalent(_, _, let margin): table["equivalent"] = .number(margin)
        case .reproduces: break
        }
        return table
    }

    public init(_ table: Table, source: String) throws {
        let arms = table["arms"]?.table?.items.compactMap(\.string) ?? []
        guard let id = table["id"]?.string, let metric = table["metric"]?.string, !arms.isEmpty,
            let kind = table["class"]?.string.flatMap(ClaimClass.init(rawValue:))
        else { throw BSSError(source, "has a claim without id, metric, class or arms", kind: .data) }
        let statement: Statement
        if let expect = table["expect"]?.recordedNumber {
            statement = .value(arm: arms[0], expect: expect, margin: table["margin"]?.recordedNumber ?? 0)
        } else if table["better"] != nil, arms.count == 2 {
            statement = .order(better: arms[0], worse: arms[1], isSignificant: table["significant"]?.bool ?? true)
        } else if let margin = table["equivalent"]?.recordedNumber, arms.count == 2 {
            statement = .equivalent(arms[0], arms[1], margin: margin)
        } else {
            statement = .reproduces(arms)
        }
        self.init(
            id: id, text: table["text"]?.string ?? "", place: table["place"]?.string ?? "", metric: metric, kind: kind,
            statement: statement)
    }
}
