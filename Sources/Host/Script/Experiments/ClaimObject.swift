import BSSCore
import BSSRuns

/// `bss.claim{…}`: what a paper says, given to `bss.experiment` as one of its `claims`.
final class ClaimObject: HostObject {
    let id: String
    private let text, place, metric: String
    private let kind: ClaimClass?
    private let arms: Value?
    private let expect, margin, equivalent: Double?
    private let better: [String]?
    private let isSignificant: Bool

    private static let id = Argument<String>(
        "id", "short and unique in the artifact: \"T3.1\"", check: Check("not empty") { !$0.isEmpty })
    private static let text = Argument<String>("text", "the claim as the paper words it")
    private static let place = Argument("place", default: "", "where it stands: \"Table 3, row 2\"")
    private static let metric = Argument<String>("metric", "a column (metric or fact) of the experiment")
    private static let arms = Argument<Value?>(
        "where", default: nil, "an arm by name, a list of two, or fields that arms have: { method = \"bss\" }")
    private static let expect = Argument<Double?>(
        "expect", default: nil, "the stated mean over seeds", check: .optional(.finite))
    private static let margin = Argument<Double?>(
        "margin", default: nil, "how far the mean may lie from expect; 0 by default for exact",
        check: .optional(.atLeast(0)))
    private static let better = Argument<[String]?>(
        "better", default: nil, "two arms, of which the first is better (lower_is_better counts)",
        check: Check("two arms") { $0.map { $0.count == 2 } ?? true })
    private static let equivalent = Argument<Double?>(
        "equivalent", default: nil, "the means of two arms (where: two, or one and the control) differ by less",
        check: .optional(.above(0)))
    private static let significant = Argument(
        "significant", default: true,
        "better: by an exact permutation test at 0.05, Holm over the experiment's claims; "
            + "false: in the mean alone")
    private static let kind = Argument<ClaimClass?>(
        "class", default: nil,
        "how others compare: exact, bits, near, stat, order or info; by default stat (expect, "
            + "equivalent), order (better), bits (neither)")

    private init(_ a: Arguments) throws {
        (id, text, place) = (a[ClaimObject.id], a[ClaimObject.text], a[ClaimObject.place])
        (metric, kind, arms) = (a[ClaimObject.metric], a[ClaimObject.kind], a[ClaimObject.arms])
        (expect, margin, equivalent) = (a[ClaimObject.expect], a[ClaimObject.margin], a[ClaimObject.equivalent])
        (better, isSignificant) = (a[ClaimObject.better], a[ClaimObject.significant])
        let given = [expect != nil, better != nil, equivalent != nil].filter { $0 }.count
        guard given <= 1 else {
            throw BSSError(a.operation, "'\(id)' states several things", hint: "one of expect, better, equivalent")
        }
        if margin != nil, expect == nil {
            throw BSSError(a.operation, "'\(id)' has a margin and no expect", kind: .usage)
        }
        if expect != nil, margin == nil, ![.exact, .info].contains(kind) {
            throw BSSError(
                a.operation, "'\(id)' has expect and no margin", hint: "margin = 0.01, or class = \"exact\"",
                kind: .usage)
        }
        if better == nil, kind == .order {
            throw BSSError(a.operation, "'\(id)' is of class order and has no better", kind: .usage)
        }
    }

    static let constructor = Function(
        "claim",
        "A claim of the paper, for bss.experiment{ claims = {…} }: evaluated from the runs, packed and verified.",
        [id, text, metric, arms, expect, margin, better, equivalent, significant, kind, place], returns: "claim",
        example: "bss.claim{ id = \"T3.1\", text = \"b is above a\", metric = \"y\", better = { \"b\", \"a\" } }",
        source: "equivalence: Schuirmann 1987; order: Pitman 1937, Holm 1979"
    ) { [.object(try ClaimObject($0))] }

    static let type = ObjectType("claim", help: "A claim of a paper, about arms of an experiment.")
    var objectType: ObjectType { ClaimObject.type }
    var summary: String { "claim \(id): \(text)" }
    func identityData() throws -> Value { .string(id) }

    // MARK: With the arms of an experiment

    /// - Throws: kind `.usage`: a claim about arms or columns that the experiment does not have.
    static func resolved(
        _ claims: [ClaimObject], arms: [Table], control: String?, columns: [String]
    ) throws -> [StatedClaim] {
        let stated = try claims.map { try $0.resolved(arms: arms, control: control, columns: columns) }
        let ids = stated.map(\.id)
        if let twice = ids.first(where: { id in ids.filter { $0 == id }.count > 1 }) {
            throw BSSError("bss.experiment", "two claims have the id '\(twice)'", kind: .usage)
        }
        return stated
    }

    private func mistake(_ message: String, hint: String? = nil) -> BSSError {
        BSSError("bss.claim", "'\(id)': \(message)", hint: hint, kind: .usage)
    }

    private func resolved(arms all: [Table], control: String?, columns: [String]) throws -> StatedClaim {
        guard columns.contains(metric) else {
            let near = Text.nearest(to: metric, in: columns).map { "did you mean '\($0)'?" }
            throw mistake("'\(metric)' is no column", hint: near ?? "columns: \(columns.joined(separator: ", "))")
        }
        let statement: StatedClaim.Statement
        let usual: ClaimClass
        if let better {
            let names = try better.map { try arm($0, all) }
            statement = .order(better: names[0], worse: names[1], isSignificant: isSignificant)
            usual = .order
        } else if let equivalent {
            var names = try named(all)
            if names.count == 1, let control { names.append(control) }
            guard names.count == 2, names[0] != names[1] else {
                throw mistake("equivalent needs two arms", hint: "where = { \"a\", \"b\" }")
            }
            statement = .equivalent(names[0], names[1], margin: equivalent)
            usual = .stat
        } else {
            let names = try named(all)
            if let expect {
                guard names.count == 1 else { throw mistake("expect is about one arm, where names \(names.count)") }
                statement = .value(arm: names[0], expect: expect, margin: margin ?? 0)
                usual = .stat
            } else {
                statement = .reproduces(names)
                usual = .bits
            }
        }
        return StatedClaim(
            id: id, text: text, place: place, metric: metric, kind: kind ?? usual, statement: statement)
    }

    /// The arms that `where` names; without it every arm.
    private func named(_ all: [Table]) throws -> [String] {
        switch arms {
        case nil, .null?: return all.map(Experiment.name)
        case .string(let name)?: return [try arm(name, all)]
        case .table(let table)? where table.isList:
            return try table.items.map { item in
                guard let name = item.string else { throw mistake("where lists \(item.described), expected names") }
                return try arm(name, all)
            }
        case .table(let fields)? where fields.items.isEmpty:
            let found = all.filter { arm in
                fields.fields.allSatisfy { key, value in
                    arm[key].map { CanonicalText.of($0.recorded) == CanonicalText.of(value.recorded) } ?? false
                }
            }
            guard !found.isEmpty else { throw mistake("no arm has \(JSON.lua(.table(fields)))") }
            return found.map(Experiment.name)
        case let other?: throw mistake("where is \(other.described), expected an arm, two arms, or fields of arms")
        }
    }

    /// By its name; else the one arm that has this as the value of a field.
    private func arm(_ text: String, _ all: [Table]) throws -> String {
        let names = all.map(Experiment.name)
        if names.contains(text) { return text }
        let having = all.filter { arm in arm.fields.contains { $0.value.string == text } }
        if having.count == 1 { return Experiment.name(having[0]) }
        let near = Text.nearest(to: text, in: names).map { "did you mean '\($0)'?" }
        throw mistake("there is no arm '\(text)'", hint: near ?? "arms: \(names.joined(separator: ", "))")
    }
}
